//! Updates the objects of declared entries when routes change. Whenever a route, an entry or one of its objects
//! changes, all entries are compared with what is live, and what differs is queued, as a lost cookie is. Objects of
//! entries that are not declared are left alone.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    apiserver::{Event, Verb},
    cluster::collections,
    error::{Error, panic::lock},
    flagger::Canary,
    guard_server::{
        entry_state::{MOST_TOLD, VERSION},
        following::{Requirement, follow},
        parts::{CANARY, ROUTE, TRAEFIK_SERVICE},
        queue::PendingRepair,
        repair::is_in_scope,
        restart::spawn,
        review::ServiceIdentity,
        routes::KINDS,
        shared::{Shared, remember},
        trouble::Failed,
    },
    model::{Entry, NamespacedName, ObjectKind, ObjectRef, name::Group},
    observed::{Loaded, Observed},
    plan::{Action, Confirmed, Plan, Write, decide},
    traefik::{
        Routing, TraefikService,
        entry::{compare, objects},
    },
};

/// How long changes are collected before entries are compared: a deployment changes several objects at once.
const SETTLE: Duration = Duration::from_millis(200);
/// Pause after a comparison, so that routes that change all the time cost little.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the entries of one namespace may take. What is left of them stays as it is: no tenant's routes hold up the
/// entries of others.
const LONGEST_COMPARISON: Duration = Duration::from_secs(1);
/// Watches what entries depend on.
pub(super) fn follow_routes(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>) {
    for kind in KINDS {
        let collection = collections::of_kind(kind, shared.scope.namespace.as_deref(), &ROUTE);
        // Entries must not be taken for unwanted because their routes may not be read.
        let need = match kind {
            ObjectKind::IngressRoute(Group::TraefikIo) | ObjectKind::Middleware(Group::TraefikIo) => {
                Requirement::Required
            }
            _ => Requirement::Optional,
        };
        spawn(tasks, shared, move |shared| {
            let collection = collection.clone();
            async move { follow(&shared, &collection, need, |event| take(&shared, kind, event)).await }
        });
    }
}

fn take(shared: &Shared, kind: ObjectKind, event: Event) {
    let effects = lock(&shared.entries.routes).take(kind, event);
    if effects.refused.is_some() {
        shared.too_large(kind.resource(), effects.refused);
    }
    if effects.is_news {
        shared.entries.news.notify_one();
    }
}

/// Compares the entries whenever something changed; never returns.
pub(super) async fn compare_all(shared: Arc<Shared>) -> Error {
    loop {
        shared.entries.news.notified().await;
        tokio::time::sleep(SETTLE).await;
        let is_synced = shared.known.cache.is_synced() && lock(&shared.entries.routes).is_synced();
        if !is_synced {
            continue;
        }
        let comparing = {
            let shared = Arc::clone(&shared);
            tokio::task::spawn_blocking(move || due(&shared))
        };
        let due = comparing.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        for target in due {
            let key = ObjectRef { kind: ObjectKind::TraefikService(Group::TraefikIo), target };
            shared.entries.repairs.put(key, PendingRepair::due(Instant::now()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns the TraefikServices of the Canaries whose entries are not as they should be.
fn due(shared: &Shared) -> Vec<NamespacedName> {
    let mut canaries = shared.known.cache.with_entries();
    let objects = {
        let routes = lock(&shared.entries.routes);
        canaries.retain(|canary| routes.knows(canary.target.namespace.as_ref()));
        if canaries.is_empty() { Vec::new() } else { routes.objects() }
    };
    // Events can go on while this is indexed.
    let routing: Arc<Routing> = Arc::new(objects.into_iter().collect());
    lock(&shared.entries.routing).clone_from(&routing);
    let mut spent = HashMap::<Option<&str>, Duration>::new();
    let due = canaries.iter().filter(|canary| {
        let spent = spent.entry(canary.target.namespace.as_deref()).or_default();
        if *spent > LONGEST_COMPARISON {
            let namespace = NamespacedName { name: String::new(), ..canary.target.clone() };
            if shared.entries.is_news(&namespace, "slow") {
                let fields = [("namespace", json!(canary.target.namespace))];
                shared.log.warning("entries not compared: their routes take too long to compare", &fields);
            }
            return false;
        }
        let began = Instant::now();
        let is_due = is_due(shared, canary, &routing);
        *spent += began.elapsed();
        is_due
    });
    due.filter_map(Canary::service_target).filter(|service| !lock(&shared.entries.waiting).contains(service)).collect()
}

/// Returns whether the objects of an entry must be changed, and logs what stands in its way.
fn is_due(shared: &Shared, canary: &Canary, routing: &Routing) -> bool {
    let observed = Observed::pair(canary.clone(), None);
    let (Some(entry), Some(holder)) = (canary.declared_entry(), observed.entry_holder()) else { return false };
    let made = objects(entry, &holder, routing);
    let compared = compare(made.in_force(), &canary.target, routing);
    let foreign = compared.foreign.iter().map(|object| format!("{object} exists, but does not belong to this entry"));
    let problems: Vec<_> = made.problems.iter().cloned().chain(foreign).collect();
    let reason = problems.join("; ");
    if shared.entries.is_news(&canary.target, &reason) {
        let fields = [("name", json!(canary.target.to_string())), ("reason", json!(reason))];
        shared.log.warning("entry not live", &fields);
    }
    let is_open = |(object, _, live): &(ObjectRef, _, Option<&Value>)| !shared.entries.is_contested(object, *live);
    compared.changes.iter().any(is_open) || !compared.left_over.is_empty()
}

/// Brings the objects of one entry up to date, if they still are not.
pub(super) async fn one(shared: &Shared, key: &ObjectRef) -> Result<(), Failed> {
    // Before it is read: a change in the meantime must not be missed.
    shared.entries.wait_for(&key.target);
    let Some((canary, service, object)) = read(shared, key).await? else { return Ok(()) };
    let of = ObjectRef { kind: ObjectKind::TraefikService(service.group), target: service.target.clone() };
    let (target, entry) = (canary.target.clone(), canary.declared_entry().cloned());
    let loaded = Loaded {
        routing: Some(Arc::clone(&lock(&shared.entries.routing))),
        ..Loaded::of(Observed::pair(canary, Some(service)), Value::Null, Some(object))
    };
    // Rules of others are parsed and asked: admission reviews must not wait for that.
    let planning = tokio::task::spawn_blocking(move || Plan::of_entry(&loaded));
    let plan = planning.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    let Ok(plan) = plan else { return Ok(()) };
    if plan.is_empty() || !is_in_scope(shared, &target).await.map_err(Failed::of(Verb::Get, &of))? {
        return Ok(());
    }
    lock(&shared.entries.waiting).remove(&key.target);
    if plan.steps.iter().any(|step| step.before.is_null()) && !still_declares(shared, &target, entry.as_ref()).await? {
        return Ok(());
    }
    let Ok(confirmed) = decide(vec![plan], Some(true)) else { return Ok(()) };
    let is_open = |write: &Write<'_>| !shared.entries.is_contested(&write.step().object, Some(&write.step().before));
    for write in confirmed.iter().flat_map(Confirmed::writes).filter(is_open) {
        step(shared, &target, write).await?;
    }
    Ok(())
}

/// Asks whether the Canary still declares this entry. A watch that is a moment behind must not bring back what a user has
/// just removed.
async fn still_declares(shared: &Shared, canary: &NamespacedName, entry: Option<&Entry>) -> Result<bool, Failed> {
    let of = ObjectRef { kind: ObjectKind::Canary, target: canary.clone() };
    let read = shared.cluster.get_part(of.kind, canary, &CANARY).await.map_err(Failed::of(Verb::Get, &of))?;
    Ok(Canary::from_object(&read.value).is_some_and(|canary| canary.declared_entry() == entry))
}

/// Reads the TraefikService of either group, and finds its Canary.
async fn read(shared: &Shared, key: &ObjectRef) -> Result<Option<(Canary, TraefikService, Value)>, Failed> {
    for group in Group::ALL {
        let of = ObjectRef { kind: ObjectKind::TraefikService(group), target: key.target.clone() };
        let object = match shared.cluster.get_part(of.kind, &key.target, &TRAEFIK_SERVICE).await {
            Ok(read) if !read.is_truncated => read.value,
            Ok(_) => return Ok(None),
            Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => continue,
            Err(failure) if failure.is_denied() && group != Group::TraefikIo => continue,
            Err(failure) => return Err(Failed::of(Verb::Get, &of)(failure)),
        };
        let Some(service) = TraefikService::from_object(&object, group) else { return Ok(None) };
        let canary = shared.known.cache.find(&ServiceIdentity::of(&service));
        // Without a declared cookie no pin begins, and nothing says that the objects are not wanted.
        let canary = canary.filter(|canary| canary.declared_entry().is_some() && canary.declared.cookie().is_some());
        return Ok(canary.map(|canary| (canary, service, object)));
    }
    Ok(None)
}

/// Takes one step. An object of which others have changed the same fields is left as it is.
async fn step(shared: &Shared, canary: &NamespacedName, write: Write<'_>) -> Result<(), Failed> {
    let step = write.step();
    let (verb, what) = match step.action {
        Action::Delete => (Verb::Delete, "deleted"),
        _ if step.before.is_null() => (Verb::Create, "created"),
        _ => (Verb::Patch, "updated"),
    };
    let name = || ("name", json!(canary.to_string()));
    let object = || ("object", json!(step.object.to_string()));
    let contest = |live: &Value| {
        let version = live.pointer(VERSION).cloned().unwrap_or_default();
        remember(&shared.entries.contested, MOST_TOLD, step.object.clone(), version);
        let namespace = canary.namespace.as_deref().unwrap_or_default();
        let to_type = format!("kubectl canary-traefik sticky apply {} -n {namespace} --force-conflicts", canary.name);
        let fields = [name(), object(), ("to_overwrite", json!(to_type))];
        shared.log.warning("entry object left alone: another field manager changed it", &fields);
    };
    match shared.cluster.write(write, false).await {
        Ok(stored) if step.is_satisfied_by(&stored) => {}
        // An apply leaves fields that others have added.
        Ok(stored) => {
            contest(&stored);
            return Ok(());
        }
        Err(failure) if failure.is_field_conflict() => {
            contest(&step.before);
            return Ok(());
        }
        Err(failure) => return Err(Failed::of(verb, &step.object)(failure)),
    }
    shared.metrics.entries.fetch_add(1, Relaxed);
    shared.log.info("entry object updated", &[name(), object(), ("action", json!(what))]);
    Ok(())
}
