//! The Canaries by the TraefikService that each computes, trimmed to what the guard reads, within a bound in bytes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use serde_json::{Map, Value};
use tokio::sync::watch;

use super::review::Belongs;
use crate::{
    cluster::Event,
    model::{Canary, Cookie, Declared, Rollout, Target, declaration::ANNOTATION},
};

/// What all Canaries may take, in bytes: more than a hundred thousand usual ones, and a fifth of what the Deployment's
/// limit allows. What is above it is not known, namespace with most bytes first: its losses are not repaired, and each
/// of its writes takes a look at its Canary.
const BUDGET: usize = 24 << 20;
/// What a Canary takes beside its texts: in two tables, each with a key.
const EACH: usize = 256;

/// What is known of the Canaries.
#[derive(Debug, Default)]
pub(super) struct Cache {
    canaries: RwLock<Canaries>,
    synced: watch::Sender<bool>,
}

/// What became of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// The TraefikService for which something else is declared now.
    pub(super) declared: Option<Target>,
    /// A Canary for which there was no room.
    pub(super) refused: Option<Target>,
}

#[derive(Debug, Default)]
struct Canaries {
    /// Usually one Canary each.
    by_service: HashMap<Target, Vec<Known>>,
    /// The name of the TraefikService of each Canary; both are in one namespace.
    service_of: HashMap<Target, Box<str>>,
    /// Grows with each list that is read; who was not in the last one is gone.
    list: u32,
    bytes: usize,
    bytes_of: HashMap<Box<str>, usize>,
}

/// A Canary in little memory, a tenth of what it takes when it is read: there may be tens of thousands.
#[derive(Debug)]
struct Known {
    name: Box<str>,
    provider: Option<Box<str>>,
    declared: Said,
    /// The last list that it was in.
    list: u32,
}

/// What a Canary says the cookie shall be.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// Whatever it is: its Flagger keeps it.
    Native,
    /// The annotation, to be parsed when it is asked for.
    Text(Box<str>),
    /// The annotation cannot be read, whatever it is.
    Malformed,
}

impl Cache {
    /// Takes an event of the watch.
    pub(super) fn take(&self, event: Event) -> Taken {
        let mut canaries = self.write();
        match event {
            Event::Begin => canaries.list = canaries.list.wrapping_add(1),
            Event::Is(object, _) => return canaries.put(&object),
            Event::Was(object) => drop(canaries.remove(&Target::of(&object))),
            // An old declaration must not be enforced.
            Event::TooLarge(target) => {
                target.as_ref().and_then(|target| canaries.remove(target));
                return Taken { refused: target, ..Taken::default() };
            }
            Event::Listed => {
                canaries.forget_the_unlisted();
                self.synced.send_replace(true);
            }
        }
        Taken::default()
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
        self.canaries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Canaries> {
        self.canaries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Canaries {
    fn put(&mut self, object: &Value) -> Taken {
        let Some(canary) = Canary::from_object(object) else { return Taken::default() };
        let before = self.remove(&canary.target);
        let Some(service) = canary.service_target() else { return Taken::default() };
        let known = Known::of(&canary, object, self.list);
        let bytes = known.bytes(&service);
        if !self.has_room(&service, bytes) {
            return Taken { refused: Some(canary.target), ..Taken::default() };
        }
        let is_news = before.is_none_or(|(name, before)| *name != *service.name || !before.says_the_same(&known));
        *self.bytes_of.entry(namespace_of(&service).into()).or_default() += bytes;
        self.bytes += bytes;
        self.service_of.insert(canary.target, service.name.as_str().into());
        let there = self.by_service.entry(service.clone()).or_default();
        // Else it takes room for four.
        there.reserve_exact(1);
        there.push(known);
        Taken { declared: is_news.then_some(service), refused: None }
    }

    /// Makes room for another Canary; not at the cost of namespaces that take less than this one.
    fn has_room(&mut self, service: &Target, bytes: usize) -> bool {
        while self.bytes + bytes > BUDGET {
            let own = self.bytes_of.get(namespace_of(service)).copied().unwrap_or_default();
            let heaviest = self.bytes_of.iter().max_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0)));
            let Some((heaviest, _)) = heaviest.filter(|(_, other)| **other > own + bytes) else { return false };
            let of_it = |canary: &&Target| namespace_of(canary) == &**heaviest;
            let Some(one) = self.service_of.keys().find(of_it).cloned() else { return false };
            self.remove(&one);
        }
        true
    }

    fn forget_the_unlisted(&mut self) {
        let list = self.list;
        let gone = self.by_service.iter().flat_map(|(service, there)| {
            let gone = there.iter().filter(move |known| known.list != list);
            gone.map(|known| Target { namespace: service.namespace.clone(), name: known.name.to_string() })
        });
        let gone: Vec<Target> = gone.collect();
        for canary in gone {
            self.remove(&canary);
        }
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
        let bytes = known.bytes(&service);
        self.bytes -= bytes;
        if let Some(of) = self.bytes_of.get_mut(namespace_of(&service)) {
            *of -= bytes;
            if *of == 0 {
                self.bytes_of.remove(namespace_of(&service));
            }
        }
        Some((name, known))
    }
}

fn namespace_of(target: &Target) -> &str {
    target.namespace.as_deref().unwrap_or_default()
}

impl Known {
    fn of(canary: &Canary, object: &Value, list: u32) -> Self {
        let text = || object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str();
        let declared = match &canary.declared {
            Declared::Native(..) => Said::Native,
            Declared::Malformed(..) => Said::Malformed,
            _ => text().map_or(Said::Nothing, |text| Said::Text(text.into())),
        };
        let provider = canary.provider.as_deref().map(Into::into);
        Self { name: canary.target.name.as_str().into(), provider, declared, list }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (&self.provider, &self.declared) == (&other.provider, &other.declared)
    }

    /// What it takes in memory, about.
    fn bytes(&self, service: &Target) -> usize {
        let text = if let Said::Text(text) = &self.declared { text.len() } else { 0 };
        let provider = self.provider.as_deref().map_or(0, str::len);
        let keys = 2 * namespace_of(service).len() + 2 * self.name.len() + 2 * service.name.len();
        EACH + keys + provider + text
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
                Said::Malformed => Declared::of_annotation(";"),
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
        assert_eq!(cache.take(Event::Is(canary("a", "shop", "x"), false)).declared, Some(target("shop")));
        assert_eq!(found(&cache, "shop", None), Some("a".into()));
        assert_eq!(cache.take(Event::Is(canary("a", "other", "x"), false)).declared, Some(target("other")));
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
        assert_eq!(cache.take(Event::Is(again, false)).declared, None);
        assert_eq!(cache.take(Event::Is(canary("a", "shop", "y"), false)).declared, Some(target("shop")));
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

    #[test]
    fn a_namespace_that_fills_the_room_loses_its_own_canaries_and_nobody_elses() {
        let cache = Cache::default();
        let other = json!({"metadata": {"name": "a", "namespace": "quiet", "annotations": {ANNOTATION: "x"}},
            "spec": {"targetRef": {"name": "shop"}}});
        let long = format!("x; Path=/{}", "a".repeat(1000));
        let mut refused = 0;
        for number in 0..BUDGET / 1024 {
            let name = format!("c{number}");
            refused += usize::from(cache.take(Event::Is(canary(&name, &name, &long), false)).refused.is_some());
        }
        assert!(refused > 0 && cache.len() < BUDGET / 1024 && cache.read().bytes <= BUDGET);
        let taken = cache.take(Event::Is(other, false));
        assert_eq!((taken.declared.map(|target| target.to_string()), taken.refused), (Some("quiet/shop".into()), None));
        assert!(cache.read().bytes <= BUDGET);
        // What it takes is given back to the last byte.
        cache.take(Event::Begin);
        cache.take(Event::Listed);
        let canaries = cache.read();
        assert_eq!((canaries.bytes, canaries.bytes_of.len(), canaries.service_of.len()), (0, 0, 0));
    }
}
