//! A test of the guard: dry-run writes that remove a declared cookie must get it back; and what a form still lacks to work.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::{
    apiserver::Failure,
    cluster::{Cluster, Selection},
    context::Context,
    error::{Exit, Result},
    guard::{Form, Installed, ObjectState, install, proving, webhook},
    guard_server::INSTALLED,
    observed::{Guarded, Observed},
};

/// The result of testing the guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// A write that removed the cookie had it restored.
    Acts(String),
    /// The cookie was not restored.
    Fails(String),
    /// The cookie was restored, but not by this one of the installed forms.
    Without(String, Form),
    /// The cookie was not restored, which proves nothing on a TraefikService with this many services.
    TooLarge(String),
    /// There is nothing to test the guard on.
    Nothing,
    /// The user may not write any object to test the guard on.
    NotAllowed,
}

const PAUSE: Duration = Duration::from_millis(250);

/// Tests the guard once, on a few of the covered Canaries. Every installed form has to restore the cookie.
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
        // Test each form separately, and a write like Flagger's.
        let tried = match (server.forms(observed).await, server.restores_cookie(observed).await) {
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
            // Just after its start, the API server answers 503 to writes that the guard would change.
            (Ok(_), Ok(_)) | (Err(Failure::Status(..)), _) | (_, Err(Failure::Status(..))) => {
                if proving::is_ordinary(observed) { Proof::Fails(name) } else { Proof::TooLarge(name) }
            }
            (Err(failure), _) | (_, Err(failure)) => return Err(failure.into()),
        };
        answers += 1;
        // Keep the first conclusive result.
        if matches!(proof, Proof::Nothing | Proof::NotAllowed | Proof::TooLarge(_)) {
            proof = tried;
        }
    }
    Ok(proof)
}

/// The state of a newly installed form.
pub(super) struct Progress {
    /// Whether the form works, as far as is known.
    pub(super) proof: Proof,
    /// What is missing, one sentence each.
    pub(super) missing: Vec<String>,
    /// Hints to print.
    pub(super) hints: Vec<String>,
}

impl Progress {
    /// Returns whether nothing is known to be wrong.
    pub(super) fn is_well(&self) -> bool {
        self.missing.is_empty() && !matches!(self.proof, Proof::Fails(_) | Proof::Without(..))
    }

    /// Prints the state and returns the exit code.
    pub(super) fn tell(&self, ctx: &Context) -> Exit {
        match &self.proof {
            Proof::Acts(name) => {
                ctx.ui.status(&format!(
                    "the guard works: in a dry run, a write removed the cookie of {name}, and the guard put it back"
                ));
            }
            Proof::Fails(name) => {
                ctx.ui.warning(&format!("the guard does not work: in a dry run, a write removed the cookie of {name}, and nothing put it back"));
            }
            Proof::Without(name, form) => {
                let form = form.as_str();
                ctx.ui.warning(&format!(
                    "the guard works only in part: in a dry run, the cookie of {name} was put back, but not by the {form}"
                ));
            }
            Proof::TooLarge(name) => {
                ctx.ui.status(&format!(
                    "the guard was not tested: {name}, the only TraefikService to test it on, has too many services"
                ));
            }
            Proof::Nothing if self.missing.is_empty() => {
                ctx.ui.status(
                    "the guard was not tested: no covered Canary has both a declared cookie and a TraefikService yet",
                );
            }
            Proof::NotAllowed => {
                ctx.ui.status("the guard was not tested: this user may not write TraefikServices");
            }
            Proof::Nothing => {}
        }
        for line in &self.missing {
            ctx.ui.warning(line);
        }
        for hint in &self.hints {
            ctx.ui.status(&crate::output::escaped(&ctx.again(hint)));
        }
        if self.is_well() { Exit::Ok } else { Exit::Found }
    }
}

/// Waits until a newly installed form works or time runs out. The covered Canaries are listed once it is registered.
pub(super) async fn wait(server: &Cluster, form: Form, limit: Duration) -> Result<Progress> {
    let began = Instant::now();
    let mut observed = None;
    loop {
        let progress = once_of(server, form, &mut observed).await?;
        if progress.is_well() || began.elapsed() >= limit {
            server.api().progress().done();
            return Ok(progress);
        }
        let what = match form {
            Form::Policies => "the API server to load the policies",
            Form::Webhook => "the guard's processes to be ready",
        };
        server.api().progress().waiting(what, began.elapsed());
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
        if part.standing == ObjectState::Differs {
            let name = part.change.wanted.to_string();
            missing.push(format!("{name} differs from what this version installs: someone has added to it"));
            hints.push(format!("to see what was added: kubectl get {name} -o yaml --show-managed-fields"));
        }
    }
    let is_registered = installed.as_ref().is_some_and(|installed| form == Form::Policies || installed.has_ca_bundle());
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

/// Returns what the webhook still lacks to work, and hints on how to fix that.
pub(super) async fn missing(server: &Cluster, installed: Option<&Installed>) -> (Vec<String>, Vec<String>) {
    let (mut missing, mut hints) = (Vec::new(), Vec::new());
    let Some(installed) = installed else { return (vec!["the webhook is not registered".into()], hints) };
    let Some(namespace) = installed.namespace() else { return (missing, hints) };
    let replicas = installed.deployment().map(replicas);
    if let Some(replicas) = replicas.filter(|replicas| replicas.ready < replicas.wanted) {
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
    // In the last third of the life of a certificate that it issued, `guard install` renews it.
    if let Some(until) =
        installed.installed_authorities().and_then(|authorities| crate::guard_server::ends(&authorities))
        && until < SystemTime::now() + INSTALLED / 3
    {
        let day = jiff::Timestamp::try_from(until).map(|until| until.strftime("%Y-%m-%d").to_string());
        let day = day.unwrap_or_else(|_| "an unknown date".into());
        missing.push(format!("the webhook's certificate is valid until {day}, and its replicas cannot renew it here"));
        hints.push("to renew it: kubectl canary-traefik guard install".into());
    }
    if !installed.has_ca_bundle() {
        missing.push("no process has registered its certificate yet: the API server cannot call the webhook".into());
        if hints.is_empty() {
            hints.push(format!("to see why: kubectl -n {namespace} logs deployment/{}", webhook::NAME));
        }
    }
    (missing, hints)
}

/// The ready and wanted replicas of a Deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replicas {
    pub(super) ready: u64,
    pub(super) wanted: u64,
}

impl std::fmt::Display for Replicas {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} replicas", self.ready, self.wanted)
    }
}

/// Counts the ready replicas of a Deployment that run its current version.
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
