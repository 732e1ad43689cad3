//! Repair of writes that bypassed the webhook: one write per loss, needed if `guard::decide` says so, made by
//! `Plan::new`, and conditional on the observed resourceVersion, so that no write of Flagger's is undone and no two replicas
//! write the same repair.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    apiserver::{Event, Failure, Verb},
    error::panic::lock,
    flagger::Canary,
    guard::{self, Decision},
    guard_server::{
        parts::TRAEFIK_SERVICE,
        queue::PendingRepair,
        review::ServiceIdentity,
        shared::{Shared, remember},
        trouble::Failed,
    },
    model::{Cookie, FIELD_MANAGER, NamespacedName, ObjectKind, ObjectRef, Stickiness, name::Group, view},
    observed::{Loaded, Observed},
    plan::{Confirmed, Plan, Scope, decide},
    traefik::TraefikService,
};

/// Number of repaired TraefikServices at which all are forgotten. That costs at most one more attempt for each.
const MOST_SETTLED: usize = 20_000;

/// Handles a watch event of the TraefikServices: queues a repair if the declared cookie is missing or different.
pub(super) fn watch(shared: &Shared, group: Group, event: Event) {
    let (object, listed) = match event {
        Event::InitApply(object) => (object, true),
        Event::Apply(object) => (object, false),
        Event::TooLarge(target) => return shared.too_large(ObjectKind::TraefikService(group).resource(), target),
        Event::Init | Event::InitDone | Event::Delete(_) => return,
    };
    let Some(service) = TraefikService::from_object(&object, group) else { return };
    // An entry waits for its TraefikService.
    if shared.known.cache.has_entry(&service.target) {
        shared.entries.service_changed(&service.target);
    }
    if wanted(shared, &service, &object).is_none() {
        return;
    }
    let before = if listed { age(&object) } else { Duration::ZERO };
    let lost = PendingRepair { object: Some(object), is_cookie_lost: true, seen: Instant::now(), before, tries: 0 };
    shared.repairs.put(ObjectRef { kind: ObjectKind::TraefikService(group), target: service.target }, lost);
}

/// Queues a repair after the declaration for this TraefikService changed.
pub(super) fn declared(shared: &Shared, target: &NamespacedName) {
    for group in Group::ALL {
        let key = ObjectRef { kind: ObjectKind::TraefikService(group), target: target.clone() };
        shared.repairs.put(key, PendingRepair::due(Instant::now()));
    }
}

/// Returns a hash of a cookie and a resourceVersion.
fn fingerprint(cookie: Option<&Cookie>, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (cookie.map(|cookie| cookie.to_sticky().to_string()), version).hash(&mut hasher);
    hasher.finish()
}

/// Repairs one loss, if it still is one.
pub(super) async fn one(shared: &Shared, key: &ObjectRef, lost: &PendingRepair) -> Result<(), Failed> {
    let ObjectKind::TraefikService(group) = key.kind else { return Ok(()) };
    let object = if let Some(object) = &lost.object {
        object.clone()
    } else {
        let read = shared.cluster.get_part(key.kind, &key.target, &TRAEFIK_SERVICE).await;
        let read = read.map_err(Failed::of(Verb::Get, key))?;
        if read.is_truncated {
            shared.too_large(key.kind.resource(), Some(key.target.clone()));
            return Ok(());
        }
        read.value
    };
    let Some(service) = TraefikService::from_object(&object, group) else { return Ok(()) };
    let Some(canary) = wanted(shared, &service, &object) else { return Ok(()) };
    let cookie = canary.declared.cookie().cloned();
    let repaired = fingerprint(cookie.as_ref(), &version(&object));
    if lock(&shared.settled).get(&key.target).is_some_and(|marks| marks.contains(&repaired)) {
        return Ok(());
    }
    let name = service.target.to_string();
    let loaded = Loaded::of(Observed::pair(canary, Some(service)), Value::Null, Some(object.clone()));
    let declared = Stickiness { cookie: cookie.clone(), entry: None };
    let Ok(plan) = Plan::new(&loaded, &declared, Scope::LiveOnly) else { return Ok(()) };
    let is_in_scope = async || is_in_scope(shared, &key.target).await.map_err(Failed::of(Verb::Get, key));
    if plan.is_empty() || !is_in_scope().await? {
        return Ok(());
    }
    if lost.is_cookie_lost && lost.tries == 0 {
        shared.metrics.losses.fetch_add(1, Relaxed);
    }
    let Ok(confirmed) = decide(vec![plan], Some(true)) else { return Ok(()) };
    for write in confirmed.iter().flat_map(Confirmed::writes) {
        let stored = shared.cluster.write_part(write, &TRAEFIK_SERVICE).await;
        let stored = stored.map_err(Failed::of(Verb::Patch, key))?.value;
        let after = fingerprint(cookie.as_ref(), &version(&stored));
        remember(&shared.settled, MOST_SETTLED, key.target.clone(), [repaired, after]);
        shared.metrics.repairs.fetch_add(1, Relaxed);
        let writer = writer(&object);
        let lost_for = (lost.before + lost.seen.elapsed()).as_millis();
        let fields =
            [("name", json!(name)), ("lost_by", json!(writer)), ("lost_for_ms", json!(u64::try_from(lost_for).ok()))];
        shared.log.info(if lost.is_cookie_lost { "repaired" } else { "updated to match declaration" }, &fields);
        if !write.step().is_satisfied_by(&stored) {
            shared.log.warning("the server did not store the repair", &[("name", json!(name))]);
        }
    }
    Ok(())
}

/// Returns whether the namespace is guarded.
pub(super) async fn is_in_scope(shared: &Shared, target: &NamespacedName) -> Result<bool, Failure> {
    match shared.scope.coverage.namespace_selector.as_ref().filter(|_| shared.scope.namespace.is_none()) {
        Some(selector) => shared.cluster.is_selected(target.namespace.as_deref().unwrap_or_default(), selector).await,
        None => Ok(true),
    }
}

/// Returns the Canary if its declared cookie is missing or different.
fn wanted(shared: &Shared, service: &TraefikService, object: &Value) -> Option<Canary> {
    let canary = shared.known.cache.find(&ServiceIdentity::of(service))?;
    // Decided as for a writer with a field manager: an undeclared cookie was set on purpose and stays.
    let request = guard::decide::Request { canary: Some(&canary), old: None, new: object, names_manager: true };
    matches!(guard::decide(&request), Decision::Set(_)).then_some(canary)
}

fn version(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Returns the last writer, from `managedFields`.
fn writer(object: &Value) -> String {
    let last = managed(object).max_by(|a, b| a.1.cmp(b.1));
    last.map_or_else(|| "<unknown>".to_owned(), |(name, _)| name.to_owned())
}

/// Returns the time since the last write.
fn age(object: &Value) -> Duration {
    let last = managed(object).map(|(_, time)| time).max();
    let last = last.and_then(|time| time.parse::<jiff::Timestamp>().ok());
    last.and_then(|last| Duration::try_from(jiff::Timestamp::now().duration_since(last)).ok()).unwrap_or_default()
}

/// Returns the name and time of every writer except this program.
fn managed(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    view::list(object, &["metadata", "managedFields"])
        .iter()
        .filter_map(|entry| Some((entry.get("manager")?.as_str()?, entry.get("time")?.as_str()?)))
        .filter(|(name, _)| *name != FIELD_MANAGER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_writer_other_than_this_program_took_it() {
        let entry = |name: &str, time: &str| json!({"manager": name, "time": time});
        let object = json!({"metadata": {"managedFields": [entry("kubectl-edit", "2026-01-01T00:00:00Z"),
            entry("flagger", "2026-01-01T00:00:09Z"), entry(FIELD_MANAGER, "2026-01-01T00:00:10Z"), {}]}});
        assert_eq!(writer(&object), "flagger");
        assert!(age(&object) > Duration::from_secs(1));
        assert_eq!((writer(&json!({})), age(&json!({}))), ("<unknown>".to_owned(), Duration::ZERO));
    }
}
