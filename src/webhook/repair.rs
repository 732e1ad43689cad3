//! What was written while nobody answered is put right: one write for each loss, worked out by the same
//! [`guard::decide`] and under the resourceVersion that was seen, so that no write of Flagger's is undone and two
//! processes never write the same repair.

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

use super::{
    Shared, panicked,
    parts::TRAEFIK_SERVICE,
    queue::{Ended, Key, Lost, Queue},
    review::Belongs,
    trouble::{Failed, Troubles},
};
use crate::{
    cluster::{Event, Failure, Permission, Verb},
    error::{Error, Result},
    guard::{self, Decision},
    model::{Canary, Cookie, Loaded, NativeField, Observed, Target, TraefikService, name::Group},
    plan::{Confirmed, Consent, FIELD_MANAGER, ObjectKind, Plan, Scope, decide},
};

/// How long one repair may take. A foreign webhook may take 30 s (`timeoutSeconds`) before the server goes on.
const LONGEST_REPAIR: Duration = Duration::from_secs(35);
/// How long an answer about this process's own rights is believed.
const RIGHTS_FOR: Duration = Duration::from_secs(5);
/// What was settled is forgotten at this number; that costs a try for each at most.
const MOST_SETTLED: usize = 20_000;

/// What waits to be repaired, and what has been.
#[derive(Default)]
pub(super) struct Repairs {
    queue: Mutex<Queue>,
    news: Notify,
    settled: Mutex<Settled>,
    /// When the server was asked whether this process has its rights, and what it said.
    rights: Mutex<Option<(Instant, bool)>>,
}

/// What needs no other write: for a TraefikService the cookie that was written back to the version repaired, and to the
/// one that became of it. A server that does not keep the stanza is not written to again and again.
type Settled = HashMap<Target, [u64; 2]>;

impl Repairs {
    fn put(&self, group: Group, target: Target, lost: Lost) {
        self.queue().put(Key { group, target }, lost);
        self.news.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settled(&self) -> MutexGuard<'_, Settled> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.queue().len()
    }
}

/// Takes an event of the TraefikServices' watch: a loss waits for its repair.
pub(super) fn watch(shared: &Shared, group: Group, event: Event) {
    let (object, listed) = match event {
        Event::Is(object, listed) => (object, listed),
        Event::TooLarge(target) => return shared.too_large(ObjectKind::TraefikService(group).resource(), target),
        Event::Begin | Event::Listed | Event::Was(_) => return,
    };
    let Some(service) = TraefikService::from_object(&object, group) else { return };
    if wanted(shared, &service, &object).is_none() {
        return;
    }
    let before = if listed { age(&object) } else { Duration::ZERO };
    let lost = Lost { object: Some(object), is_loss: true, seen: Instant::now(), before, tries: 0 };
    shared.repairs.put(group, service.target, lost);
}

/// Something else is declared for this TraefikService from now on.
pub(super) fn declared(shared: &Shared, target: &Target) {
    for group in Group::ALL {
        let lost = Lost { object: None, is_loss: false, seen: Instant::now(), before: Duration::ZERO, tries: 0 };
        shared.repairs.put(group, target.clone(), lost);
    }
}

/// Repairs what is lost, several at a time; returns only with the reason why that cannot go on.
pub(super) async fn repair(shared: Arc<Shared>) -> Error {
    let mut work: JoinSet<std::result::Result<(), Failed>> = JoinSet::new();
    let mut under_way: HashMap<Id, (Key, Lost, Instant)> = HashMap::new();
    let mut troubles = Troubles::default();
    shared.repairs.queue().begin_anew(Instant::now());
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
            match troubles.judge(&shared.log, &key, &lost, result) {
                Ok(ended) => ended,
                Err(error) => return error,
            }
        } else {
            // A fault of this program with this one object.
            let fields = [("name", json!(key.target.to_string())), ("reason", json!(panicked()))];
            shared.log.warning("a repair panicked", &fields);
            Ended::Refused
        };
        shared.repairs.queue().done(key, lost, ended, began.elapsed(), Instant::now());
    }
}

/// Repairs one loss, within a bounded time.
async fn attempt(shared: &Shared, key: &Key, lost: &Lost) -> std::result::Result<(), Failed> {
    let late = || Failure::Timeout(Error::cluster(format!("no answer within {} s", LONGEST_REPAIR.as_secs())));
    let result = tokio::time::timeout(LONGEST_REPAIR, one(shared, key, lost)).await;
    let mut failed = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(failed)) => failed,
        Err(_) => Failed::of(Verb::Patch)(late()),
    };
    // Policies and webhooks of others answer 403 as well, for this one object: only the server knows.
    failed.lacks_right = failed.failure.is_denied() && !has_right(shared, key, &failed).await;
    Err(failed)
}

/// Whether this process has the right for what was refused. Who cannot be asked says nothing against it.
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
    let asking = tokio::time::timeout(RIGHTS_FOR, shared.cluster.may(permission));
    let has = asking.await.ok().and_then(Result::ok).unwrap_or(true);
    *shared.repairs.rights.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), has));
    has
}

/// A cookie at a version.
fn mark(cookie: Option<&Cookie>, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (cookie.map(|cookie| cookie.to_stanza().to_string()), version).hash(&mut hasher);
    hasher.finish()
}

/// Repairs one loss, if it still is one.
async fn one(shared: &Shared, key: &Key, lost: &Lost) -> std::result::Result<(), Failed> {
    let kind = ObjectKind::TraefikService(key.group);
    let object = if let Some(object) = &lost.object {
        object.clone()
    } else {
        let read = shared.cluster.get_part(kind, &key.target, &TRAEFIK_SERVICE).await;
        let read = read.map_err(Failed::of(Verb::Get))?;
        if read.is_cut {
            shared.too_large(kind.resource(), Some(key.target.clone()));
            return Ok(());
        }
        read.value
    };
    let Some(service) = TraefikService::from_object(&object, key.group) else { return Ok(()) };
    let Some(canary) = wanted(shared, &service, &object) else { return Ok(()) };
    let cookie = canary.declared.cookie().cloned();
    let repaired = mark(cookie.as_ref(), &version(&object));
    if shared.repairs.settled().get(&key.target).is_some_and(|settled| settled.contains(&repaired)) {
        return Ok(());
    }
    let name = service.target.to_string();
    let Ok(plan) = plan(canary, service, &object, cookie.as_ref()) else { return Ok(()) };
    let is_in_scope = async || is_in_scope(shared, &key.target).await.map_err(Failed::of(Verb::Get));
    if plan.is_empty() || !is_in_scope().await? {
        return Ok(());
    }
    if lost.is_loss && lost.tries == 0 {
        shared.metrics.losses.fetch_add(1, Relaxed);
    }
    let Ok(confirmed) = decide(vec![plan], Consent::Flag) else { return Ok(()) };
    for write in confirmed.iter().flat_map(Confirmed::writes) {
        let stored = shared.cluster.write_part(write, &TRAEFIK_SERVICE).await;
        let stored = stored.map_err(Failed::of(Verb::Patch))?.value;
        let after = mark(cookie.as_ref(), &version(&stored));
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
        shared.log.info(if lost.is_loss { "repaired" } else { "brought up to its declaration" }, &fields);
        if !write.step().is_fulfilled_by(&stored) {
            shared.log.warning("the server did not keep what was repaired", &[("name", json!(name))]);
        }
    }
    Ok(())
}

/// Whether the namespace is one of those that are guarded.
async fn is_in_scope(shared: &Shared, target: &Target) -> std::result::Result<bool, Failure> {
    match shared.coverage.namespace_selector.as_ref().filter(|_| shared.namespace.is_none()) {
        Some(selector) => shared.cluster.is_selected(target.namespace.as_deref().unwrap_or_default(), selector).await,
        None => Ok(true),
    }
}

/// The Canary whose declared stanza is missing or different.
fn wanted(shared: &Shared, service: &TraefikService, object: &Value) -> Option<Canary> {
    let owner = service.controller.as_ref().filter(|controller| controller.is_any_canary());
    let owner = owner.map(|owner| Target { namespace: service.target.namespace.clone(), name: owner.name.clone() });
    let canary = shared.cache.find(&Belongs { service: service.target.clone(), owner })?;
    // As a writer that names itself: what is undeclared was set on purpose and is left.
    let request = guard::decide::Request { canary: Some(&canary), old: None, new: object, names_manager: true };
    matches!(guard::decide(&request), Decision::Set(_)).then_some(canary)
}

fn plan(canary: Canary, service: TraefikService, object: &Value, cookie: Option<&Cookie>) -> Result<Plan> {
    let observed = Observed::pair(canary, Some(service));
    let loaded = Loaded { observed, canary: Value::Null, service: Some(object.clone()), native: NativeField::Absent };
    Plan::new(&loaded, cookie, Scope::LiveOnly)
}

fn version(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Who wrote the object last, by the server's own record.
fn writer(object: &Value) -> String {
    let last = managed(object).max_by(|a, b| a.1.cmp(b.1));
    last.map_or_else(|| "<unknown>".to_owned(), |(name, _)| name.to_owned())
}

/// How long ago the object was written.
fn age(object: &Value) -> Duration {
    let last = managed(object).map(|(_, time)| time).max();
    let last = last.and_then(|time| time.parse::<jiff::Timestamp>().ok());
    last.and_then(|last| Duration::try_from(jiff::Timestamp::now().duration_since(last)).ok()).unwrap_or_default()
}

/// Name and time of every writer but this program.
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
