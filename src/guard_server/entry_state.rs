//! What the process knows of entries.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    error::panic::lock,
    guard_server::{repairs::Repairs, routes::Routes, shared::remember},
    model::{NamespacedName, ObjectRef},
    traefik::Routing,
};

/// Number of logged problems at which all are forgotten. That costs at most one more line for each.
pub(super) const MOST_TOLD: usize = 4096;
/// Number of TraefikServices waited for at which all are forgotten. That costs at most one more request for each.
const MOST_WAITING: usize = 20_000;
/// The version of an object.
pub(super) const VERSION: &str = "/metadata/resourceVersion";

/// What entries depend on, and the waiting repairs.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) routes: Mutex<Routes>,
    /// The routing of the last comparison.
    pub(super) routing: Mutex<Arc<Routing>>,
    /// Something changed that entries depend on.
    pub(super) news: Notify,
    pub(super) repairs: Repairs,
    /// The last logged problems of each Canary.
    told: Mutex<HashMap<NamespacedName, String>>,
    /// TraefikServices for whose entries nothing can be done. They are not asked for again until they or their
    /// declarations change.
    pub(super) waiting: Mutex<HashSet<NamespacedName>>,
    /// Objects that others have changed, with the resourceVersion that was not overwritten.
    pub(super) contested: Mutex<HashMap<ObjectRef, Value>>,
}

impl Entries {
    /// Notes that the TraefikService of an entry or the declaration for it changed.
    pub(super) fn service_changed(&self, service: &NamespacedName) {
        lock(&self.waiting).remove(service);
        self.news.notify_one();
    }

    /// Waits until a TraefikService changes.
    pub(super) fn wait_for(&self, service: &NamespacedName) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= MOST_WAITING {
            waiting.clear();
        }
        waiting.insert(service.clone());
    }

    /// Returns whether this object is as it was when a change of it met those of others.
    pub(super) fn is_contested(&self, object: &ObjectRef, live: Option<&Value>) -> bool {
        let version = live.and_then(|live| live.pointer(VERSION));
        version.is_some_and(|version| lock(&self.contested).get(object) == Some(version))
    }

    /// Returns whether there is a problem that was not logged last for this Canary; without a problem, forgets the last.
    pub(super) fn is_news(&self, canary: &NamespacedName, problem: &str) -> bool {
        if problem.is_empty() {
            lock(&self.told).remove(canary);
            return false;
        }
        remember(&self.told, MOST_TOLD, canary.clone(), problem.to_owned()).as_deref() != Some(problem)
    }
}
