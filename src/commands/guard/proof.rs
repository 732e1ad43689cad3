//! Proof that the guard acts: writes that drop a declared stanza, as dry runs, must get it back.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::{
    cluster::{Cluster, Failure, Selection},
    context::Context,
    error::{Exit, Result},
    guard::{Form, Installed, Standing, install, proving, webhook},
    model::{Guarded, Observed},
    webhook::INSTALLED,
};

/// What came of trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// A write that dropped the stanza got it back.
    Acts(String),
    /// It did not.
    Fails(String),
    /// It did, and not by each of the forms that are installed: not by this one.
    Without(String, Form),
    /// It did not, and has so many services that nothing follows from it.
    TooLarge(String),
    /// There is nothing to try it on.
    Nothing,
    /// This user may not write what it could be tried on.
    NotAllowed,
}

const PAUSE: Duration = Duration::from_millis(250);

/// Tries it once on a few of the covered Canaries. Each of the forms has to act on one.
pub(super) async fn once(server: &Cluster, forms: &[&Installed], observed: &[Observed]) -> Result<Proof> {
    let is_covered = |observed: &&Observed| {
        let covers = |form: &&Installed| install::covers(&form.coverage, &observed.canary);
        forms.iter().any(covers) && observed.guarded != Guarded::No
    };
    let needs = |form: Form| forms.iter().any(|installed| installed.form == form);
    let mut proof = Proof::Nothing;
    let mut answers = 0;
    for observed in proving::candidates(observed.iter().filter(is_covered)) {
        if answers == proving::ANSWERS {
            break;
        }
        let name = observed.canary.target.to_string();
        // By each form on its own, and as Flagger writes.
        let tried = match (server.forms(observed).await, server.comes_back(observed, false).await) {
            (Ok(here), Ok(true)) => {
                match (here.policies || !needs(Form::Policies), here.webhook || !needs(Form::Webhook)) {
                    (true, true) => return Ok(Proof::Acts(name)),
                    (false, _) => Proof::Without(name, Form::Policies),
                    (_, false) => Proof::Without(name, Form::Webhook),
                }
            }
            (Err(failure), _) | (_, Err(failure)) if failure.is_forbidden() => {
                if proof == Proof::Nothing {
                    proof = Proof::NotAllowed;
                }
                continue;
            }
            // Right after a start the API server answers 503 for what the guard would change.
            (Ok(_), Ok(_)) | (Err(Failure::Status(_)), _) | (_, Err(Failure::Status(_))) => {
                if proving::is_ordinary(observed) { Proof::Fails(name) } else { Proof::TooLarge(name) }
            }
            (Err(failure), _) | (_, Err(failure)) => return Err(server.said(failure, observed)),
        };
        answers += 1;
        // The first that tells stays, whatever those say that tell less.
        if matches!(proof, Proof::Nothing | Proof::NotAllowed | Proof::TooLarge(_)) {
            proof = tried;
        }
    }
    Ok(proof)
}

/// How far a form that was just installed is.
pub(super) struct Progress {
    /// Whether it acts, as far as that can be told.
    pub(super) proof: Proof,
    /// What is missing, one sentence each.
    pub(super) missing: Vec<String>,
    /// What to type.
    pub(super) hints: Vec<String>,
}

impl Progress {
    /// Whether nothing speaks against it.
    pub(super) fn is_well(&self) -> bool {
        self.missing.is_empty() && !matches!(self.proof, Proof::Fails(_) | Proof::Without(..))
    }

    /// Says it.
    pub(super) fn tell(&self, ctx: &Context) -> Exit {
        match &self.proof {
            Proof::Acts(name) => {
                ctx.ui.status(&format!("the guard acts: a dry-run write that dropped the stanza of {name} got it back"));
            }
            Proof::Fails(name) => {
                ctx.ui.warning(&format!("the guard does not act: a dry-run write dropped the stanza of {name}"));
            }
            Proof::Without(name, form) => {
                let form = form.as_str();
                ctx.ui.warning(&format!("a dry-run write that dropped the stanza of {name} got it back, and not by the {form}"));
            }
            Proof::TooLarge(name) => {
                ctx.ui.status(&format!("whether the guard acts is not proven: {name}, on which it could be tried, has too many services"));
            }
            Proof::Nothing if self.missing.is_empty() => ctx.ui.status(
                "no covered Canary with a TraefikService declares a cookie yet, so there is nothing to prove the guard on",
            ),
            Proof::NotAllowed => {
                ctx.ui.status("whether the guard acts is not proven: this user may not write TraefikServices");
            }
            Proof::Nothing => {}
        }
        for line in &self.missing {
            ctx.ui.warning(line);
        }
        for hint in &self.hints {
            ctx.ui.status(&crate::output::escaped(hint));
        }
        if self.is_well() { Exit::Ok } else { Exit::Found }
    }
}

/// Waits until a form that was just installed acts, or the time is up. What it covers is known once it is registered.
pub(super) async fn wait(server: &Cluster, form: Form, limit: Duration) -> Result<Progress> {
    let began = Instant::now();
    let mut observed = None;
    loop {
        let progress = once_of(server, form, &mut observed).await?;
        if progress.is_well() || began.elapsed() >= limit {
            server.progress().done();
            return Ok(progress);
        }
        let what = match form {
            Form::Policies => "the API server to take the policies up",
            Form::Webhook => "the guard's processes to be ready",
        };
        server.progress().waiting(what, began.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
}

async fn once_of(server: &Cluster, form: Form, observed: &mut Option<Vec<Observed>>) -> Result<Progress> {
    let installed = match form {
        Form::Policies => Some(server.policies().await?),
        Form::Webhook => server.webhook().await?,
    };
    let (mut missing, mut hints) = (Vec::new(), Vec::new());
    if form == Form::Webhook {
        (missing, hints) = self::missing(server, installed.as_ref()).await;
    }
    for part in installed.iter().flat_map(|installed| &installed.parts) {
        if part.standing == Standing::Differs {
            let name = part.change.name();
            missing.push(format!("{name} is not what this version installs: somebody else has added to it"));
            hints.push(format!("to see what: kubectl get {name} -o yaml --show-managed-fields"));
        }
    }
    let is_registered = installed.as_ref().is_some_and(|installed| form == Form::Policies || installed.has_authority());
    let proof = match installed.filter(|_| is_registered) {
        None => Proof::Nothing,
        Some(installed) => {
            if observed.is_none() {
                let everything = Selection { namespace: None, selector: None };
                *observed = Some(server.list_covered(everything).await.unwrap_or_default());
            }
            once(server, &[&installed], observed.as_deref().unwrap_or_default()).await?
        }
    };
    Ok(Progress { proof, missing, hints })
}

/// What the webhook lacks to act, and what to type about it.
pub(super) async fn missing(server: &Cluster, installed: Option<&Installed>) -> (Vec<String>, Vec<String>) {
    let (mut missing, mut hints) = (Vec::new(), Vec::new());
    let Some(installed) = installed else { return (vec!["the webhook is not registered".into()], hints) };
    let Some(namespace) = installed.namespace() else { return (missing, hints) };
    let replicas = installed.deployment().map(replicas);
    if let Some(replicas) = replicas.filter(|replicas| !replicas.is_complete()) {
        missing.push(format!("{replicas} of Deployment {namespace}/{} are ready", webhook::NAME));
        let waiting = server.why_not_ready(namespace).await;
        let is_image = waiting.iter().any(|(_, why)| why.contains("Image"));
        missing.extend(waiting.into_iter().map(|(pod, why)| format!("pod {pod}: {why}")));
        hints.push(format!(
            "to see why: kubectl -n {namespace} describe pods -l app.kubernetes.io/name={}",
            webhook::NAME
        ));
        if is_image {
            hints.push("to run another image: kubectl canary-traefik guard install --image IMAGE".into());
        }
    }
    if let Some(until) = installed.installed_authorities().and_then(|authorities| crate::webhook::ends(&authorities))
        && is_due(until, SystemTime::now())
    {
        let day = jiff::Timestamp::try_from(until).map(|until| until.strftime("%Y-%m-%d").to_string());
        let day = day.unwrap_or_else(|_| "a day that nobody knows".into());
        missing.push(format!("the webhook's certificate holds until {day}, and its processes cannot renew it here"));
        hints.push("to renew it: kubectl canary-traefik guard install".into());
    }
    if !installed.has_authority() {
        missing.push("no process has registered its certificate yet: the API server would trust nobody".into());
        if hints.is_empty() {
            hints.push(format!("to see why: kubectl -n {namespace} logs deployment/{}", webhook::NAME));
        }
    }
    (missing, hints)
}

/// Whether `guard install` would renew a certificate that it made.
fn is_due(until: SystemTime, now: SystemTime) -> bool {
    until < now + INSTALLED / 3
}

/// How many replicas of a Deployment are ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replicas {
    pub(super) ready: u64,
    pub(super) wanted: u64,
}

impl Replicas {
    pub(super) fn is_complete(self) -> bool {
        self.ready >= self.wanted
    }
}

impl std::fmt::Display for Replicas {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} replicas", self.ready, self.wanted)
    }
}

/// The replicas of a Deployment that are ready, of the version that is wanted.
pub(super) fn replicas(deployment: &Value) -> Replicas {
    let number = |pointer: &str| deployment.pointer(pointer).and_then(Value::as_u64);
    let is_seen = number("/status/observedGeneration") >= number("/metadata/generation");
    let (ready, updated) = (number("/status/readyReplicas"), number("/status/updatedReplicas"));
    let ready = if is_seen { ready.unwrap_or(0).min(updated.unwrap_or(0)) } else { 0 };
    Replicas { ready, wanted: number("/spec/replicas").unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replicas_of_a_former_version_do_not_count() {
        let count = |status: Value| {
            replicas(&json!({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})).to_string()
        };
        let status = |seen: u64, ready: u64, updated: u64| json!({"observedGeneration": seen, "readyReplicas": ready, "updatedReplicas": updated});
        assert_eq!(count(json!({})), "0 of 2 replicas");
        assert_eq!(count(status(2, 2, 2)), "2 of 2 replicas");
        assert_eq!(count(status(2, 2, 1)), "1 of 2 replicas");
        assert_eq!(count(status(1, 2, 2)), "0 of 2 replicas");
    }
}
