//! What was written while nobody answered is put right: one write for each loss, worked out by the same
//! [`guard::decide`] and under the resourceVersion that was seen, so that no write of Flagger's is undone and two
//! processes never write the same repair.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::{
    OwnedSemaphorePermit,
    mpsc::{UnboundedReceiver, UnboundedSender},
};

use super::{Shared, review::Belongs};
use crate::{
    cluster::{Event, Failure, Verb},
    error::{Error, Result},
    guard::{self, Decision},
    model::{Canary, Cookie, Loaded, NativeField, Observed, Target, TraefikService, name::Group},
    plan::{Confirmed, Consent, FIELD_MANAGER, ObjectKind, ObjectRef, Plan, Scope, decide},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that has just started refuses what it will allow once it has read its own roles.
const DENIED_FOR: Duration = Duration::from_secs(30);

/// Losses can be found much faster than they are repaired: thousands by one list. So many are in memory as objects, any
/// others are read when their turn comes.
pub(super) const MOST_OBJECTS: usize = 32;
/// What was settled is forgotten at this number; that costs a try for each at most.
const MOST_SETTLED: usize = 20_000;

/// A TraefikService that may have lost its stanza.
#[derive(Debug)]
pub(super) struct Lost {
    group: Group,
    target: Target,
    /// As it was seen; `None` when it has to be read.
    object: Option<Seen>,
    /// Whether a write took the stanza; else another one was declared.
    is_loss: bool,
    seen: Instant,
    /// How long ago it was written when it was seen, for one that was found and not told.
    before: Duration,
    tries: u32,
}

/// An object and its place among [`MOST_OBJECTS`].
#[derive(Debug)]
struct Seen(Value, #[expect(dead_code, reason = "given back when it is dropped")] OwnedSemaphorePermit);

/// Where losses are put.
pub(super) type Losses = UnboundedSender<Lost>;

/// Takes an event of the TraefikServices' watch: a loss is put where it is repaired.
pub(super) fn watch(shared: &Shared, group: Group, event: Event, losses: &Losses) {
    let Event::Is(object, listed) = event else { return };
    let Some(service) = TraefikService::from_object(&object, group) else { return };
    if wanted(shared, &service, &object).is_none() {
        return;
    }
    let before = if listed { age(&object) } else { Duration::ZERO };
    let (target, seen) = (service.target, Instant::now());
    let object = Arc::clone(&shared.objects).try_acquire_owned().ok().map(|place| Seen(object, place));
    let _ = losses.send(Lost { group, target, object, is_loss: true, seen, before, tries: 0 });
}

/// Something else is declared for this TraefikService from now on.
pub(super) fn declared(target: &Target, losses: &Losses) {
    for group in Group::ALL {
        let (target, seen) = (target.clone(), Instant::now());
        let before = Duration::ZERO;
        let _ = losses.send(Lost { group, target, object: None, is_loss: false, seen, before, tries: 0 });
    }
}

/// Repairs one loss after the other; returns only with the reason why that cannot go on.
pub(super) async fn repair(shared: Arc<Shared>, losses: Losses, mut queue: UnboundedReceiver<Lost>) -> Error {
    let mut settled: Settled = HashMap::new();
    let mut denied: Option<Instant> = None;
    // Since the last success: whether that was told, and how long to wait before anything else is tried.
    let (mut told, mut rest) = (false, FIRST_PAUSE);
    while let Some(mut lost) = queue.recv().await {
        let verb = if lost.object.is_some() { Verb::Patch } else { Verb::Get };
        let failure = match one(&shared, &lost, &mut settled).await {
            Ok(()) => {
                (denied, told, rest) = (None, false, FIRST_PAUSE);
                continue;
            }
            Err(failure) => failure,
        };
        // Another wrote in between, or it is gone: the watch tells.
        if failure.is_conflict() || failure.is_not_found() || failure.is_no_such_resource() {
            continue;
        }
        let object = ObjectRef { kind: ObjectKind::TraefikService(lost.group), target: lost.target.clone() };
        let call = crate::cluster::Call::of(verb, &object);
        if failure.is_denied() {
            // A group that this process may not read is one that is not in use.
            if lost.group == Group::TraefikContainoUs && lost.object.is_none() {
                continue;
            }
            if denied.get_or_insert_with(Instant::now).elapsed() > DENIED_FOR {
                return failure.into_error(&call);
            }
        }
        let is_away = failure.is_no_answer();
        let is_news = if is_away { !std::mem::replace(&mut told, true) } else { lost.tries == 0 };
        if is_news {
            let fields = [("name", json!(lost.target.to_string())), ("reason", json!(failure.in_words(&call)))];
            shared.log.warning("cannot repair, trying again", &fields);
        }
        let pause = (FIRST_PAUSE * 2_u32.pow(lost.tries.min(6))).min(LONGEST_PAUSE);
        lost.tries += 1;
        // What it was may have passed.
        lost.object = None;
        if is_away {
            let _ = losses.send(lost);
            tokio::time::sleep(rest).await;
            rest = (rest * 2).min(LONGEST_PAUSE);
            continue;
        }
        let losses = losses.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = losses.send(lost);
        });
    }
    Error::cluster("nothing is left to repair for")
}

/// What needs no other write: for a TraefikService the cookie that was written back to the version repaired, and to the
/// one that became of it. A server that does not keep the stanza is not written to again and again.
type Settled = HashMap<Target, [u64; 2]>;

/// A cookie at a version.
fn mark(cookie: Option<&Cookie>, version: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (cookie.map(|cookie| cookie.to_stanza().to_string()), version).hash(&mut hasher);
    hasher.finish()
}

/// Repairs one loss, if it still is one.
async fn one(shared: &Shared, lost: &Lost, settled: &mut Settled) -> std::result::Result<(), Failure> {
    let object = match &lost.object {
        Some(Seen(object, _)) => object.clone(),
        None => shared.cluster.get(ObjectKind::TraefikService(lost.group), &lost.target).await?,
    };
    let Some(service) = TraefikService::from_object(&object, lost.group) else { return Ok(()) };
    let Some(canary) = wanted(shared, &service, &object) else { return Ok(()) };
    let cookie = canary.declared.cookie().cloned();
    let repaired = mark(cookie.as_ref(), &version(&object));
    if settled.get(&lost.target).is_some_and(|settled| settled.contains(&repaired)) {
        return Ok(());
    }
    let name = service.target.to_string();
    let Ok(plan) = plan(canary, service, &object, cookie.as_ref()) else { return Ok(()) };
    if plan.is_empty() || !is_in_scope(shared, &lost.target).await? {
        return Ok(());
    }
    if lost.is_loss && lost.tries == 0 {
        shared.metrics.losses.fetch_add(1, Relaxed);
    }
    let Ok(confirmed) = decide(vec![plan], Consent::Flag) else { return Ok(()) };
    for write in confirmed.iter().flat_map(Confirmed::writes) {
        let stored = shared.cluster.write(write).await?;
        if settled.len() >= MOST_SETTLED {
            settled.clear();
        }
        settled.insert(lost.target.clone(), [repaired, mark(cookie.as_ref(), &version(&stored))]);
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
