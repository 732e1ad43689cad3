//! Whether the guard acts: dry-run writes that drop a declared stanza must get it back.

use std::time::{Duration, Instant};

use futures_util::future::join;
use serde_json::Value;

use super::{Call, Cluster, Failure, Verb, guard::Look, object::percent_encoded};
use crate::{
    guard::{Form, proving, webhook},
    model::{Declared, Guarded, Observed},
    plan::{FIELD_MANAGER, ObjectKind, ObjectRef},
};

/// How long policies that are there may take to be taken up by every API server.
const UPTAKE: Duration = Duration::from_secs(5);
/// How long a process may take to know what a Canary declares since a moment ago.
const NEWS: Duration = Duration::from_millis(500);

/// Which forms of the guard are there, as a write finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Here {
    /// The policy that makes the stanza what is declared.
    pub policies: bool,
    /// A process that the API server asks.
    pub webhook: bool,
}

impl Cluster {
    /// Whether the guard keeps the stanza of this Canary: proven by a dry-run write as Flagger makes it, which
    /// drops the stanza and must get it back. Without the right to write, by the guard's objects.
    pub async fn guarded(&self, observed: &Observed) -> Guarded {
        if !matches!(observed.canary.declared, Declared::Annotation(_)) {
            return Guarded::Unknown;
        }
        if observed.service().is_none() {
            return self.look_up_guard().await.covers(observed);
        }
        let (proof, look) = join(self.comes_back(observed, false), self.look_up_guard()).await;
        match (proof, look.covers(observed)) {
            (Ok(true), _) => Guarded::Yes,
            // A policy that is there and did not act may be about to be taken up, or to see the Canary's change.
            (Ok(false), Guarded::Yes) => self.comes_back_within(observed, UPTAKE).await,
            (Ok(false), _) => Guarded::No,
            (Err(_), looked) => looked,
        }
    }

    /// Whether the guard covers this Canary, by its objects alone.
    pub async fn covers(&self, observed: &Observed) -> Guarded {
        self.look_up_guard().await.covers(observed)
    }

    /// A registration says nothing of whether a process answers: a few writes tell for all of these Canaries.
    pub(super) async fn confirm(&self, look: &Look, all: &mut [Observed]) {
        if !matches!(look, Look::Covers(Form::Webhook, ..)) {
            return;
        }
        let acts = self.acts_on_one_of(all).await;
        if acts != Some(true) {
            let now = if acts.is_none() { Guarded::Unknown } else { Guarded::No };
            all.iter_mut().filter(|one| one.guarded == Guarded::Yes).for_each(|one| one.guarded = now);
        }
    }

    /// Whether the stanza of one of the covered comes back; `None` when that cannot be told. Without the right to try it
    /// they are believed.
    async fn acts_on_one_of(&self, all: &[Observed]) -> Option<bool> {
        let covered = all.iter().filter(|observed| observed.guarded == Guarded::Yes);
        let mut failed = Vec::new();
        for observed in proving::candidates(covered) {
            match self.comes_back(observed, false).await {
                Ok(true) => return Some(true),
                Ok(false) => failed.push(observed),
                Err(_) => {}
            }
            if failed.len() == proving::ANSWERS {
                break;
            }
        }
        let Some(first) = failed.first() else { return Some(true) };
        // A process may not know yet what is declared since a moment ago.
        let acts = self.comes_back_within(first, NEWS).await == Guarded::Yes;
        (acts || failed.iter().any(|observed| proving::is_ordinary(observed))).then_some(acts)
    }

    async fn comes_back_within(&self, observed: &Observed, patience: Duration) -> Guarded {
        let began = Instant::now();
        while began.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if let Ok(true) = self.comes_back(observed, false).await {
                return Guarded::Yes;
            }
        }
        Guarded::No
    }

    /// Whether a write that drops the stanza gets the declared one back; nothing is stored. With
    /// `names_manager`, *carry* does not act, so that it is *keep* that is proven.
    ///
    /// # Errors
    ///
    /// This user may not write the TraefikService, or it cannot be asked.
    pub async fn comes_back(&self, observed: &Observed, names_manager: bool) -> Result<bool, Failure> {
        let Some((object, stanza)) = dropped(observed) else { return Ok(false) };
        let manager = names_manager.then_some(FIELD_MANAGER);
        let (answer, _) = self.dry_run_dropping_stanza(&object, manager).await?;
        Ok(answer.pointer("/spec/weighted/sticky") == Some(&stanza))
    }

    /// Which forms of the guard act on this Canary; nothing is stored.
    ///
    /// # Errors
    ///
    /// As [`Cluster::comes_back`].
    pub async fn forms(&self, observed: &Observed) -> Result<Here, Failure> {
        let Some((object, stanza)) = dropped(observed) else { return Ok(Here { policies: false, webhook: false }) };
        let (answer, warnings) = self.dry_run_dropping_stanza(&object, Some(webhook::PROBE)).await?;
        Ok(Here {
            policies: answer.pointer("/spec/weighted/sticky") == Some(&stanza),
            webhook: warnings.iter().any(|warning| warning == webhook::IS_HERE),
        })
    }

    /// Why pods of the guard do not run, by their own words: name and reason. Nothing when this user may not read them.
    pub async fn why_not_ready(&self, namespace: &str) -> Vec<(String, String)> {
        let call = Call { verb: Verb::List, resource: "pods", namespace: Some(namespace), name: None };
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector=app.kubernetes.io%2Fname%3D{}",
            percent_encoded(namespace),
            webhook::NAME
        );
        let Ok(list) = self.ask(&call, &path).await.and_then(|answer| answer.json()) else { return Vec::new() };
        let waits = |pod: &Value| {
            let text = |value: &Value, pointer: &str| value.pointer(pointer)?.as_str().map(str::to_owned);
            let mut containers =
                pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten();
            let waiting = containers.find_map(|container| container.pointer("/state/waiting"));
            let mut unscheduled = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
            let unscheduled = unscheduled.find(|condition| condition["status"] == "False");
            let why = waiting.or(unscheduled)?;
            let words = [text(why, "/reason"), text(why, "/message")].into_iter().flatten().collect::<Vec<_>>();
            Some((text(pod, "/metadata/name")?, words.join(": ")))
        };
        list["items"].as_array().into_iter().flatten().filter_map(waits).collect()
    }
}

/// The TraefikService and the stanza that a write that drops it must get back.
fn dropped(observed: &Observed) -> Option<(ObjectRef, Value)> {
    let (service, cookie) = (observed.service()?, observed.canary.declared.cookie()?);
    let object = ObjectRef { kind: ObjectKind::TraefikService(service.group), target: service.target.clone() };
    Some((object, cookie.to_stanza()))
}
