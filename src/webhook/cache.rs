//! The Canaries by the TraefikService that each computes, trimmed to what the guard reads.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde_json::Value;
use tokio::sync::watch;

use super::review::Belongs;
use crate::{
    cluster::Event,
    model::{Canary, Target},
};

/// What is known of the Canaries.
#[derive(Debug, Default)]
pub(super) struct Cache {
    canaries: RwLock<Canaries>,
    synced: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Canaries {
    /// Usually one Canary each.
    by_service: HashMap<Target, Vec<Canary>>,
    /// The TraefikService of each Canary.
    service_of: HashMap<Target, Target>,
    /// While a list is read: which Canaries have not been in it so far.
    unseen: BTreeSet<Target>,
}

impl Cache {
    /// Takes an event of the watch. Returns the TraefikService for which something else is declared now.
    pub(super) fn take(&self, event: Event) -> Option<Target> {
        match event {
            Event::Begin => {
                let mut canaries = self.write();
                canaries.unseen = canaries.service_of.keys().cloned().collect();
                None
            }
            Event::Is(object, _) => self.write().put(&object),
            Event::Was(object) => {
                let canary = Canary::from_object(&object)?;
                self.write().remove(&canary.target);
                None
            }
            Event::Listed => {
                let mut canaries = self.write();
                for gone in std::mem::take(&mut canaries.unseen) {
                    canaries.remove(&gone);
                }
                self.synced.send_replace(true);
                None
            }
        }
    }

    /// Whether all there is has been read once.
    pub(super) fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Waits until all there is has been read once.
    pub(super) async fn synced(&self) {
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// The Canary that a TraefikService belongs to: of several that compute its name the one that controls it.
    pub(super) fn find(&self, belongs: &Belongs) -> Option<Canary> {
        let canaries = self.read();
        let found = canaries.by_service.get(&belongs.service)?;
        let owner = found.iter().find(|canary| Some(&canary.target) == belongs.owner.as_ref());
        owner.or_else(|| found.first()).cloned()
    }

    /// How many Canaries are known.
    pub(super) fn len(&self) -> usize {
        self.read().service_of.len()
    }

    fn read(&self) -> RwLockReadGuard<'_, Canaries> {
        self.canaries.read().expect("nothing panics while it is held")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Canaries> {
        self.canaries.write().expect("nothing panics while it is held")
    }
}

impl Canaries {
    fn put(&mut self, object: &Value) -> Option<Target> {
        let canary = trimmed(object)?;
        let name = canary.target.clone();
        self.unseen.remove(&name);
        let before = self.remove(&name);
        let service = canary.service_target()?;
        let is_news = before.is_none_or(|before| before != canary);
        self.service_of.insert(name, service.clone());
        self.by_service.entry(service.clone()).or_default().push(canary);
        is_news.then_some(service)
    }

    fn remove(&mut self, name: &Target) -> Option<Canary> {
        let service = self.service_of.remove(name)?;
        let canaries = self.by_service.get_mut(&service)?;
        let place = canaries.iter().position(|canary| canary.target == *name)?;
        let canary = canaries.remove(place);
        if canaries.is_empty() {
            self.by_service.remove(&service);
        }
        Some(canary)
    }
}

/// The Canary without what the guard does not read.
pub(super) fn trimmed(object: &Value) -> Option<Canary> {
    let canary = Canary::from_object(object)?;
    Some(Canary {
        uid: None,
        created: None,
        labels: std::collections::BTreeMap::new(),
        port: None,
        apex_labels: serde_json::Map::new(),
        apex_annotations: serde_json::Map::new(),
        phase: None,
        rollout: crate::model::Rollout::default(),
        ..canary
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::declaration::ANNOTATION;

    fn target(name: &str) -> Target {
        Target { namespace: Some("web".into()), name: name.into() }
    }

    fn canary(name: &str, service: &str, declared: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "web", "labels": {"a": "b"}, "annotations": {ANNOTATION: declared}},
            "spec": {"targetRef": {"name": service}}, "status": {"phase": "Progressing"}})
    }

    fn found(cache: &Cache, service: &str, owner: Option<&str>) -> Option<String> {
        let belongs = Belongs { service: target(service), owner: owner.map(target) };
        cache.find(&belongs).map(|canary| canary.target.name)
    }

    #[test]
    fn a_canary_is_found_by_the_name_it_computes_and_moves_with_it() {
        let cache = Cache::default();
        assert_eq!(cache.take(Event::Is(canary("a", "shop", "x"), false)), Some(target("shop")));
        assert_eq!(found(&cache, "shop", None), Some("a".into()));
        assert_eq!(cache.take(Event::Is(canary("a", "other", "x"), false)), Some(target("other")));
        assert_eq!((found(&cache, "shop", None), found(&cache, "other", None)), (None, Some("a".into())));
        cache.take(Event::Was(canary("a", "other", "x")));
        assert_eq!((found(&cache, "other", None), cache.len()), (None, 0));
    }

    #[test]
    fn only_another_declaration_is_news() {
        let cache = Cache::default();
        cache.take(Event::Is(canary("a", "shop", "x"), false));
        let mut again = canary("a", "shop", "x");
        again["status"]["phase"] = json!("Succeeded");
        assert_eq!(cache.take(Event::Is(again, false)), None);
        assert_eq!(cache.take(Event::Is(canary("a", "shop", "y"), false)), Some(target("shop")));
    }

    #[test]
    fn of_several_canaries_the_controlling_one_counts() {
        let cache = Cache::default();
        cache.take(Event::Is(canary("a", "shop", "x"), false));
        cache.take(Event::Is(canary("b", "shop", "y"), false));
        assert_eq!(found(&cache, "shop", None), Some("a".into()));
        assert_eq!(found(&cache, "shop", Some("b")), Some("b".into()));
        assert_eq!(found(&cache, "shop", Some("c")), Some("a".into()));
    }

    #[test]
    fn a_list_replaces_what_was_known_without_a_moment_of_knowing_nothing() {
        let cache = Cache::default();
        assert!(!cache.is_synced());
        for event in [
            Event::Begin,
            Event::Is(canary("a", "shop", "x"), true),
            Event::Is(canary("b", "web", "x"), true),
            Event::Listed,
        ] {
            cache.take(event);
        }
        assert!(cache.is_synced());
        cache.take(Event::Begin);
        assert_eq!(cache.len(), 2);
        cache.take(Event::Is(canary("b", "web", "x"), true));
        cache.take(Event::Listed);
        assert_eq!((cache.len(), found(&cache, "shop", None)), (1, None));
    }
}
