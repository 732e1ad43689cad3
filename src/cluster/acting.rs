//! Proof that the guard works: a dry-run write that drops a declared cookie must get it back.

use std::time::{Duration, Instant};

use futures_util::future::join;
use serde_json::Value;

use crate::{
    apiserver::{Collection, Failure, Part},
    cluster::{Cluster, GuardCoverage},
    flagger::Declared,
    guard::{Form, proving, webhook},
    model::{ObjectKind, ObjectRef},
    observed::{Guarded, Observed},
};

/// How long every API server may take to pick up existing policies.
const UPTAKE: Duration = Duration::from_secs(5);
/// How long the webhook may take to learn of a new declaration.
const NEWS: Duration = Duration::from_millis(500);

/// The forms of the guard that act on a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveForms {
    /// Whether the admission policies act.
    pub policies: bool,
    /// Whether the webhook acts.
    pub webhook: bool,
}

impl Cluster {
    /// Returns whether the guard protects this Canary's cookie, proven by a dry-run write like Flagger's, which drops
    /// the cookie and must get it back. Without permission to write, the guard's objects decide.
    pub async fn guarded(&self, observed: &Observed) -> Guarded {
        if !matches!(observed.canary.declared, Declared::Annotation(_)) {
            return Guarded::Unknown;
        }
        if observed.service().is_none() {
            return self.read_coverage().await.covers(observed);
        }
        let (proof, look) = join(self.restores_cookie(observed), self.read_coverage()).await;
        match (proof, look.covers(observed)) {
            (Ok(true), _) => Guarded::Yes,
            // A policy that exists but did not act may not have been picked up yet, or may not have seen the Canary's
            // change.
            (Ok(false), Guarded::Yes) => self.restores_cookie_within(observed, UPTAKE).await,
            (Ok(false), _) => Guarded::No,
            (Err(_), looked) => looked,
        }
    }

    /// Confirms a registered webhook with a few dry-run writes, since a registration does not show that anything
    /// answers. The result applies to all of these Canaries.
    pub(super) async fn confirm(&self, look: &GuardCoverage, all: &mut [Observed]) {
        if !matches!(look, GuardCoverage::Covers(Form::Webhook, ..)) {
            return;
        }
        let acts = self.acts_on_one_of(all).await;
        if acts != Some(true) {
            let now = if acts.is_none() { Guarded::Unknown } else { Guarded::No };
            all.iter_mut().filter(|one| one.guarded == Guarded::Yes).for_each(|one| one.guarded = now);
        }
    }

    /// Returns whether the cookie of any covered Canary is restored; `None` if that cannot be determined. If no write
    /// is allowed, the registration is believed.
    async fn acts_on_one_of(&self, all: &[Observed]) -> Option<bool> {
        let covered = all.iter().filter(|observed| observed.guarded == Guarded::Yes);
        let mut failed = Vec::new();
        for observed in proving::candidates(covered) {
            match self.restores_cookie(observed).await {
                Ok(true) => return Some(true),
                Ok(false) => failed.push(observed),
                Err(_) => {}
            }
            if failed.len() == proving::ANSWERS {
                break;
            }
        }
        let Some(first) = failed.first() else { return Some(true) };
        // The webhook may not know a new declaration yet.
        let acts = self.restores_cookie_within(first, NEWS).await == Guarded::Yes;
        (acts || failed.iter().any(|observed| proving::is_ordinary(observed))).then_some(acts)
    }

    async fn restores_cookie_within(&self, observed: &Observed, patience: Duration) -> Guarded {
        let began = Instant::now();
        while began.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if let Ok(true) = self.restores_cookie(observed).await {
                return Guarded::Yes;
            }
        }
        Guarded::No
    }

    /// Returns whether the declared cookie is restored in a dry-run write that drops it.
    ///
    /// # Errors
    ///
    /// The user may not write the TraefikService, or the request fails.
    pub async fn restores_cookie(&self, observed: &Observed) -> Result<bool, Failure> {
        Ok(self.probe(observed, None).await?.0)
    }

    /// Returns the forms of the guard that act on this Canary, by a dry-run write.
    pub async fn forms(&self, observed: &Observed) -> Result<ActiveForms, Failure> {
        let (policies, warnings) = self.probe(observed, Some(webhook::PROBE)).await?;
        Ok(ActiveForms { policies, webhook: warnings.iter().any(|warning| warning == webhook::IS_HERE) })
    }

    /// Drops the declared cookie in a dry run; returns whether it was restored, and the server's warnings.
    async fn probe(&self, observed: &Observed, manager: Option<&str>) -> Result<(bool, Vec<String>), Failure> {
        let Some((service, cookie)) = observed.service().zip(observed.canary.declared.cookie()) else {
            return Ok((false, Vec::new()));
        };
        let object = ObjectRef { kind: ObjectKind::TraefikService(service.group), target: service.target.clone() };
        let (answer, warnings) = self.dry_run_removing_cookie(&object, manager).await?;
        Ok((answer.pointer("/spec/weighted/sticky") == Some(&cookie.to_sticky()), warnings))
    }

    /// Returns name and reason of each guard pod that does not run; empty if the user may not read pods.
    pub async fn why_not_ready(&self, namespace: &str) -> Vec<(String, String)> {
        let pods = Collection::new("v1", "pods", Some(namespace), &Part::WithoutManagedFields);
        let pods = pods.selected(&format!("app.kubernetes.io/name={}", webhook::NAME));
        let waits = |pod: Value| {
            let text = |value: &Value, pointer: &str| value.pointer(pointer)?.as_str().map(str::to_owned);
            let mut containers =
                pod.pointer("/status/containerStatuses").and_then(Value::as_array).into_iter().flatten();
            let waiting = containers.find_map(|container| container.pointer("/state/waiting"));
            let mut unscheduled = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
            let unscheduled = unscheduled.find(|condition| condition["status"] == "False");
            let why = waiting.or(unscheduled)?;
            let words = [text(why, "/reason"), text(why, "/message")].into_iter().flatten().collect::<Vec<_>>();
            Some((text(&pod, "/metadata/name")?, words.join(": ")))
        };
        self.api.list(&pods, waits).await.unwrap_or_default()
    }
}
