//! Repair of writes that bypassed the webhook: one write per loss, computed by the same `guard::decide` and
//! conditional on the observed resourceVersion, so that no write of Flagger's is undone and no two replicas write the
//! same repair.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    task::{Id, JoinSet},
};

use crate::{
    apiserver::{Event, Failure, Permission, Verb},
    error::{Error, Result},
    flagger::{Canary, NativeField},
    guard::{self, Decision},
    guard_server::{
        Shared, panicked,
        parts::TRAEFIK_SERVICE,
        queue::{Key, Outcome, PendingRepair, Queue},
        review::ServiceIdentity,
        trouble::{Failed, FailureState},
    },
    model::{Cookie, FIELD_MANAGER, NamespacedName, ObjectKind, Stickiness, name::Group},
    observed::{Loaded, Observed},
    plan::{Confirmed, Consent, Plan, Scope, decide},
    traefik::TraefikService,
};

/// Timeout of one repair. Another webhook may take 30 s (`timeoutSeconds`) before the API server goes on.
const LONGEST_REPAIR: Duration = Duration::from_secs(35);
/// How long the result of an access review of this process is cached.
const RIGHTS_FOR: Duration = Duration::from_secs(5);
/// Number of settled TraefikServices at which all are forgotten. That costs at most one more attempt for each.
const MOST_SETTLED: usize = 20_000;

/// Waiting and completed repairs.
#[derive(Default)]
pub(super) struct Repairs {
    queue: Mutex<Queue>,
    news: Notify,
    settled: Mutex<CompletedRepairs>,
    /// Time and result of the last access review.
    rights: Mutex<Option<(Instant, bool)>>,
}

/// Repairs that are not repeated. For each TraefikService: the marks of the cookie with the resourceVersion that was
/// repaired and with the one that the repair produced. If the server does not store the cookie, it is not written again
/// and again.
type CompletedRepairs = HashMap<NamespacedName, [u64; 2]>;

impl Repairs {
    fn put(&self, group: Group, target: NamespacedName, lost: PendingRepair) {
        self.queue().put(Key { group, target }, lost);
        self.news.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled(&self) -> MutexGuard<'_, CompletedRepairs> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of waiting repairs.
    pub(super) fn len(&self) -> usize {
        self.queue().len()
    }
}

/// Handles a watch event of the TraefikServices: queues a repair if the declared cookie is missing or different.
pub(super) fn watch(shared: &Shared, group: Group, event: Event) {
    let (object, listed) = match event {
        Event::InitApply(object) => (object, true),
        Event::Apply(object) => (object, false),
        Event::TooLarge(target) => return shared.too_large(ObjectKind::TraefikService(group).resource(), target),
        Event::Init | Event::InitDone | Event::Delete(_) => return,
    };
    let Some(service) = TraefikService::from_object(&object, group) else { return };
    if wanted(shared, &service, &object).is_none() {
        return;
    }
    let before = if listed { age(&object) } else { Duration::ZERO };
    let lost = PendingRepair { object: Some(object), is_cookie_lost: true, seen: Instant::now(), before, tries: 0 };
    shared.repairs.put(group, service.target, lost);
}

/// Queues a repair after the declaration for this TraefikService changed.
pub(super) fn declared(shared: &Shared, target: &NamespacedName) {
    for group in Group::ALL {
        let lost = PendingRepair {
            object: None,
            is_cookie_lost: false,
            seen: Instant::now(),
            before: Duration::ZERO,
            tries: 0,
        };
        shared.repairs.put(group, target.clone(), lost);
    }
}

/// Works off the queue, several repairs at a time; returns only the error that ends this for good.
pub(super) async fn repair(shared: Arc<Shared>) -> Error {
    let mut work: JoinSet<std::result::Result<(), Failed>> = JoinSet::new();
    let mut under_way: HashMap<Id, (Key, PendingRepair, Instant)> = HashMap::new();
    let mut troubles = FailureState::default();
    shared.repairs.queue().requeue_running(Instant::now());
    loop {
        let next_time = {
            let mut queue = shared.repairs.queue();
            while let Some((key, lost)) = queue.next(Instant::now()) {
                let task = work.spawn({
                    let (shared, key, lost) = (Arc::clone(&shared), key.clone(), lost.clone());
                    async move { attempt(&shared, &key, &lost).await }
                });
                under_way.insert(task.id(), (key, lost, Instant::now()));
            }
            queue.next_time()
        };
        let later = async {
            match next_time {
                Some(time) => tokio::time::sleep_until(time.into()).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            Some(ended) = work.join_next_with_id() => ended,
            () = shared.repairs.news.notified() => continue,
            () = later => continue,
        };
        let (id, result) = match ended {
            Ok((id, result)) => (id, Ok(result)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some((key, lost, began)) = under_way.remove(&id) else { continue };
        let ended = if let Ok(result) = result {
            match troubles.classify(&shared.log, &key, &lost, result) {
                Ok(ended) => ended,
                Err(error) => return error,
            }
        } else {
            // A bug, triggered by this object.
            let fields = [("name", json!(key.target.to_string())), ("reason", json!(panicked()))];
            shared.log.warning("a repair panicked", &fields);
            Outcome::Refused
        };
        shared.repairs.queue().done(key, lost, ended, began.elapsed(), Instant::now());
    }
}

/// Repairs one loss, with a timeout.
async fn attempt(shared: &Shared, key: &Key, lost: &PendingRepair) -> std::result::Result<(), Failed> {
    let late = || Failure::Timeout(Error::cluster(format!("no answer within {} s", LONGEST_REPAIR.as_secs())));
    let result = tokio::time::timeout(LONGEST_REPAIR, one(shared, key, lost)).await;
    let mut failed = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(failed)) => failed,
        Err(_) => Failed::of(Verb::Patch)(late()),
    };
    // Other policies and webhooks also answer 403 for a single object, so ask the API server about the right itself.
    failed.lacks_right = failed.failure.is_denied() && !has_right(shared, key, &failed).await;
    Err(failed)
}

/// Returns whether this process has the right to the refused call. If that cannot be determined, it is assumed to have
/// it.
async fn has_right(shared: &Shared, key: &Key, failed: &Failed) -> bool {
    if failed.failure.is_unauthorized() {
        return false;
    }
    let known = *shared.repairs.rights.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((when, has)) = known
        && when.elapsed() < RIGHTS_FOR
    {
        return has;
    }
    let permission = Permission {
        group: key.group.as_str(),
        resource: "traefikservices",
        verb: failed.verb.as_str(),
        name: &key.target.name,
        namespace: key.target.namespace.as_deref(),
    };
    let asking = tokio::time::timeout(RIGHTS_FOR, shared.cluster.api().may(permission));
    let has = asking.await.ok().and_then(Result::ok).unwrap_or(true);
    *shared.repairs.rights.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), has));
    has
}

/// Returns a hash of a cookie and a resourceVersion.
fn fingerprint(cookie: Option<&Cookie>, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (cookie.map(|cookie| cookie.to_sticky().to_string()), version).hash(&mut hasher);
    hasher.finish()
}

/// Repairs one loss, if it still is one.
async fn one(shared: &Shared, key: &Key, lost: &PendingRepair) -> std::result::Result<(), Failed> {
    let kind = ObjectKind::TraefikService(key.group);
    let object = if let Some(object) = &lost.object {
        object.clone()
    } else {
        let read = shared.cluster.get_part(kind, &key.target, &TRAEFIK_SERVICE).await;
        let read = read.map_err(Failed::of(Verb::Get))?;
        if read.is_truncated {
            shared.too_large(kind.resource(), Some(key.target.clone()));
            return Ok(());
        }
        read.value
    };
    let Some(service) = TraefikService::from_object(&object, key.group) else { return Ok(()) };
    let Some(canary) = wanted(shared, &service, &object) else { return Ok(()) };
    let cookie = canary.declared.cookie().cloned();
    let repaired = fingerprint(cookie.as_ref(), &version(&object));
    if shared.repairs.settled().get(&key.target).is_some_and(|settled| settled.contains(&repaired)) {
        return Ok(());
    }
    let name = service.target.to_string();
    let Ok(plan) = plan(canary, service, &object, cookie.as_ref()) else { return Ok(()) };
    let is_in_scope = async || is_in_scope(shared, &key.target).await.map_err(Failed::of(Verb::Get));
    if plan.is_empty() || !is_in_scope().await? {
        return Ok(());
    }
    if lost.is_cookie_lost && lost.tries == 0 {
        shared.metrics.losses.fetch_add(1, Relaxed);
    }
    let Ok(confirmed) = decide(vec![plan], Consent::Flag) else { return Ok(()) };
    for write in confirmed.iter().flat_map(Confirmed::writes) {
        let stored = shared.cluster.write_part(write, &TRAEFIK_SERVICE).await;
        let stored = stored.map_err(Failed::of(Verb::Patch))?.value;
        let after = fingerprint(cookie.as_ref(), &version(&stored));
        {
            let mut settled = shared.repairs.settled();
            if settled.len() >= MOST_SETTLED {
                settled.clear();
            }
            settled.insert(key.target.clone(), [repaired, after]);
        }
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
async fn is_in_scope(shared: &Shared, target: &NamespacedName) -> std::result::Result<bool, Failure> {
    match shared.coverage.namespace_selector.as_ref().filter(|_| shared.namespace.is_none()) {
        Some(selector) => shared.cluster.is_selected(target.namespace.as_deref().unwrap_or_default(), selector).await,
        None => Ok(true),
    }
}

/// Returns the Canary if its declared cookie is missing or different.
fn wanted(shared: &Shared, service: &TraefikService, object: &Value) -> Option<Canary> {
    let owner = service.controller.as_ref().filter(|controller| controller.is_any_canary());
    let owner =
        owner.map(|owner| NamespacedName { namespace: service.target.namespace.clone(), name: owner.name.clone() });
    let canary = shared.cache.find(&ServiceIdentity { service: service.target.clone(), owner })?;
    // Decided as for a writer with a field manager: an undeclared cookie was set on purpose and stays.
    let request = guard::decide::Request { canary: Some(&canary), old: None, new: object, names_manager: true };
    matches!(guard::decide(&request), Decision::Set(_)).then_some(canary)
}

fn plan(canary: Canary, service: TraefikService, object: &Value, cookie: Option<&Cookie>) -> Result<Plan> {
    let observed = Observed::pair(canary, Some(service));
    let loaded = Loaded {
        observed,
        canary: Value::Null,
        service: Some(object.clone()),
        native: NativeField::Absent,
        routing: None,
    };
    Plan::new(&loaded, &Stickiness::of_cookie(cookie), Scope::LiveOnly)
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
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
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
