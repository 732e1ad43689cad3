//! The Canaries by the TraefikService that each computes, trimmed to what the guard reads.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde_json::{Map, Value};
use tokio::sync::watch;

use super::review::Belongs;
use crate::{
    cluster::Event,
    model::{Canary, Cookie, Declared, Rollout, Target, declaration::ANNOTATION},
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
    by_service: HashMap<Target, Vec<Known>>,
    /// The name of the TraefikService of each Canary; both are in one namespace.
    service_of: HashMap<Target, Box<str>>,
    /// While a list is read: which Canaries have not been in it so far.
    unseen: BTreeSet<Target>,
}

/// A Canary in little memory, a tenth of what it takes when it is read: there may be tens of thousands.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    name: Box<str>,
    provider: Option<Box<str>>,
    declared: Said,
}

/// What a Canary says the cookie shall be.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// Whatever it is: its Flagger keeps it.
    Native,
    /// The annotation, to be parsed when it is asked for.
    Text(Box<str>),
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
                self.write().remove(&Target::of(&object));
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
        // An owner is of the same namespace.
        let is_owner = |known: &&Known| belongs.owner.as_ref().is_some_and(|owner| *owner.name == *known.name);
        found.iter().find(is_owner).or_else(|| found.first()).map(|known| known.canary(&belongs.service))
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
        let canary = Canary::from_object(object)?;
        self.unseen.remove(&canary.target);
        let before = self.remove(&canary.target);
        let service = canary.service_target()?;
        let known = Known::of(&canary, object);
        let is_news = before.is_none_or(|(name, before)| (&*name, &before) != (&*service.name, &known));
        self.service_of.insert(canary.target, service.name.as_str().into());
        let there = self.by_service.entry(service.clone()).or_default();
        // Else it takes room for four.
        there.reserve_exact(1);
        there.push(known);
        is_news.then_some(service)
    }

    fn remove(&mut self, canary: &Target) -> Option<(Box<str>, Known)> {
        let name = self.service_of.remove(canary)?;
        let service = Target { namespace: canary.namespace.clone(), name: name.to_string() };
        let there = self.by_service.get_mut(&service)?;
        let place = there.iter().position(|known| *known.name == *canary.name)?;
        let known = there.remove(place);
        if there.is_empty() {
            self.by_service.remove(&service);
        }
        Some((name, known))
    }
}

impl Known {
    fn of(canary: &Canary, object: &Value) -> Self {
        let text = || object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str();
        let declared = match &canary.declared {
            Declared::Native(..) => Said::Native,
            _ => text().map_or(Said::Nothing, |text| Said::Text(text.into())),
        };
        let provider = canary.provider.as_deref().map(Into::into);
        Self { name: canary.target.name.as_str().into(), provider, declared }
    }

    /// As far as the guard reads it.
    fn canary(&self, service: &Target) -> Canary {
        Canary {
            target: Target { namespace: service.namespace.clone(), name: self.name.to_string() },
            uid: None,
            created: None,
            labels: BTreeMap::new(),
            provider: self.provider.as_deref().map(str::to_owned),
            service_name: Some(service.name.clone()),
            port: None,
            apex_labels: Map::new(),
            apex_annotations: Map::new(),
            phase: None,
            rollout: Rollout::default(),
            declared: match &self.declared {
                Said::Nothing => Declared::Nothing,
                Said::Native => Declared::Native(Cookie::default(), BTreeMap::new()),
                Said::Text(text) => Declared::of_annotation(text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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

    #[test]
    fn what_is_known_decides_as_the_whole_canary_does() {
        use crate::guard::{decide, decide::Request};
        let service = |sticky: &Value| {
            json!({"apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService", "metadata": {"name": "shop",
                "namespace": "web", "ownerReferences": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary",
                "name": "a", "controller": true}]}, "spec": {"weighted": {"services": [], "sticky": sticky}}})
        };
        let (old, bare) = (service(&json!({"cookie": {"name": "old"}})), service(&Value::Null));
        let native = json!({"traefik": {"sticky": {"cookie": {"name": "n"}}}});
        let mut seen = Vec::new();
        for declared in [json!("x; Max-Age=5"), json!("x; Max-Age=y"), json!(""), Value::Null] {
            for (provider, of_service) in
                [("", json!({})), ("traefik", json!({"name": "shop"})), ("istio", json!({})), ("", native.clone())]
            {
                let mut object = canary("a", "shop", "");
                object["metadata"]["annotations"][ANNOTATION] = declared.clone();
                object["spec"]["provider"] = json!(provider);
                object["spec"]["service"] = of_service;
                let cache = Cache::default();
                cache.take(Event::Is(object.clone(), true));
                let known = cache.find(&Belongs { service: target("shop"), owner: Some(target("a")) });
                let whole = Canary::from_object(&object);
                for (old, new, names_manager) in [(&old, &bare, false), (&old, &bare, true), (&bare, &old, false)] {
                    let [known, whole] = [&known, &whole]
                        .map(|canary| decide(&Request { canary: canary.as_ref(), old: Some(old), new, names_manager }));
                    assert_eq!(known, whole, "{object}");
                    seen.push(format!("{whole:?}"));
                }
            }
        }
        seen.sort();
        seen.dedup();
        assert!(seen.len() >= 4, "{seen:?}");
    }
}
