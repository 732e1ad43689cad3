//! What the API server stored, in order: every version of every Canary and TraefikService, from before the
//! first one on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::Value;
use testbed::api::{Api, Change};

/// The kinds that are followed, and where they are.
const COLLECTIONS: &[(&str, &str)] = &[
    ("Canary", "/apis/flagger.app/v1beta1/canaries"),
    ("TraefikService", "/apis/traefik.io/v1alpha1/traefikservices"),
];

/// Kind, namespace, name.
type Key = (&'static str, String, String);

/// The versions stored so far; it goes on as long as the process.
pub(crate) struct History {
    versions: Mutex<BTreeMap<Key, Vec<Value>>>,
    grown: Condvar,
}

impl History {
    /// Follows what this server stores from now on.
    pub(crate) fn follow(api: &Api) -> Arc<Self> {
        let history = Arc::new(Self { versions: Mutex::default(), grown: Condvar::new() });
        for &(kind, collection) in COLLECTIONS {
            let (api, history) = (api.clone(), Arc::clone(&history));
            std::thread::spawn(move || {
                let mut from = String::new();
                loop {
                    for change in api.watch(collection, &from) {
                        match change {
                            Change::Is(object) => from = history.record(kind, object),
                            Change::Was(object) => version(&object).clone_into(&mut from),
                            // What is stored now is sent anew; what was missed shows as a gap in the generations.
                            Change::Expired => from.clear(),
                        }
                    }
                    // The server is away.
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        history
    }

    fn record(&self, kind: &'static str, object: Value) -> String {
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let resource_version = text("resourceVersion");
        let mut all = self.lock();
        let versions = all.entry((kind, text("namespace"), text("name"))).or_default();
        if versions.last().is_none_or(|last| version(last) != resource_version) {
            versions.push(object);
            self.grown.notify_all();
        }
        resource_version
    }

    /// Every version of an object, oldest first.
    pub(crate) fn of(&self, kind: &'static str, namespace: &str, name: &str) -> Vec<Value> {
        self.lock().get(&(kind, namespace.to_owned(), name.to_owned())).cloned().unwrap_or_default()
    }

    /// Waits until the last version of an object is one that `seek` finds something in, or the time is over.
    pub(crate) fn wait<T>(
        &self,
        (kind, namespace, name): (&'static str, &str, &str),
        limit: Duration,
        mut seek: impl FnMut(&Value) -> Option<T>,
    ) -> Option<T> {
        let key = (kind, namespace.to_owned(), name.to_owned());
        let deadline = Instant::now() + limit;
        let mut all = self.lock();
        loop {
            let last = all.get(&key).and_then(|versions| versions.last());
            if let Some(found) = last.and_then(&mut seek) {
                return Some(found);
            }
            let rest = deadline.checked_duration_since(Instant::now())?;
            all = self.grown.wait_timeout(all, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<Value>>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}
