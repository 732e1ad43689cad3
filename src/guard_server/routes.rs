//! Cache of the objects that entries depend on, in part and limited in bytes. Pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    apiserver::Event,
    model::{NamespacedName, ObjectKind, ObjectRef, name::Group},
};

/// The kinds of objects that entries depend on. TraefikServices through which others could be reached only matter to what
/// is said about an entry.
pub(super) const KINDS: [ObjectKind; 6] = [
    ObjectKind::IngressRoute(Group::TraefikIo),
    ObjectKind::IngressRoute(Group::TraefikContainoUs),
    ObjectKind::Middleware(Group::TraefikIo),
    ObjectKind::Middleware(Group::TraefikContainoUs),
    ObjectKind::HttpRoute,
    ObjectKind::Ingress,
];

/// Memory budget, in bytes: enough for about 10,000 typical routes. Above it, the namespace that uses most is left out.
const BUDGET: usize = 20 << 20;
/// Approximate memory use of a value in addition to its strings, in bytes.
const EACH: usize = 32;
/// Approximate memory use of a mapping that is not empty: a node of a B-tree, which has room for eleven entries.
const NODE: usize = 640;
/// Approximate memory use of a byte of a rule: it is kept parsed, too, and twice while entries are compared.
const OF_A_RULE: usize = 40;
/// Number of too large objects that are remembered. Beyond it, their namespace is left out.
const MOST_TOO_LARGE: usize = 1024;

/// The objects that entries depend on.
#[derive(Debug, Default)]
pub(super) struct Routes {
    objects: HashMap<ObjectRef, Cached>,
    /// Number of the current list of each kind. Objects last seen in an earlier list are removed when it is complete.
    lists: BTreeMap<ObjectKind, u32>,
    /// The kinds of which a complete list has been read.
    synced: BTreeSet<ObjectKind>,
    bytes_of: HashMap<Option<String>, usize>,
    bytes: usize,
    /// Objects that are too large, with the number of the last list that had them. The objects of entries in their
    /// namespaces stay as they are.
    too_large: HashMap<ObjectRef, u32>,
    /// Namespaces with too many objects, likewise.
    left_out: BTreeSet<Option<String>>,
}

/// The effects of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// Whether anything changed that entries depend on.
    pub(super) is_news: bool,
    /// An object that is left out because it is too large, or because its namespace uses too much memory.
    pub(super) refused: Option<NamespacedName>,
}

#[derive(Debug)]
struct Cached {
    value: Arc<Value>,
    bytes: usize,
    list: u32,
}

impl Routes {
    /// Applies a watch event.
    pub(super) fn take(&mut self, kind: ObjectKind, event: Event) -> Effects {
        let is_news = match event {
            Event::Init => {
                let list = self.lists.entry(kind).or_default();
                *list = list.wrapping_add(1);
                false
            }
            Event::InitApply(object) | Event::Apply(object) => return self.put(kind, object),
            Event::Delete(object) => {
                let object = ObjectRef { kind, target: NamespacedName::of(&object) };
                self.too_large.remove(&object).is_some() | self.remove(&object).is_some()
            }
            // Only the Middlewares of entries matter, which are small.
            Event::TooLarge(_) if matches!(kind, ObjectKind::Middleware(_)) => false,
            Event::TooLarge(None) => false,
            Event::TooLarge(Some(target)) => {
                self.refuse(ObjectRef { kind, target: target.clone() });
                return Effects { is_news: true, refused: Some(target) };
            }
            Event::InitDone => {
                let list = self.list(kind);
                let is_gone = |(object, cached): &(&ObjectRef, &Cached)| object.kind == kind && cached.list != list;
                let gone: Vec<_> = self.objects.iter().filter(is_gone).map(|(object, _)| object.clone()).collect();
                for object in &gone {
                    self.remove(object);
                }
                let before = self.too_large.len();
                self.too_large.retain(|object, seen| object.kind != kind || *seen == list);
                self.synced.insert(kind) || !gone.is_empty() || self.too_large.len() != before
            }
        };
        Effects { is_news, refused: None }
    }

    /// Returns whether a complete list of each kind has been read.
    pub(super) fn is_synced(&self) -> bool {
        KINDS.iter().all(|kind| self.synced.contains(kind))
    }

    /// Returns whether all routes of this namespace are known.
    pub(super) fn knows(&self, namespace: Option<&String>) -> bool {
        let is_in = |object: &&ObjectRef| object.target.namespace.as_ref() == namespace;
        !self.left_out.contains(&namespace.cloned()) && !self.too_large.keys().any(|object| is_in(&object))
    }

    /// Returns the objects.
    pub(super) fn objects(&self) -> Vec<(ObjectKind, Arc<Value>)> {
        self.objects.iter().map(|(object, cached)| (object.kind, Arc::clone(&cached.value))).collect()
    }

    fn put(&mut self, kind: ObjectKind, value: Value) -> Effects {
        let target = NamespacedName::of(&value);
        let object = ObjectRef { kind, target };
        let mut is_news = self.too_large.remove(&object).is_some();
        let before = self.remove(&object);
        if self.left_out.contains(&object.target.namespace) {
            return Effects::default();
        }
        is_news |= before.is_none_or(|before| *before != value);
        let bytes = size(&value);
        while self.bytes + bytes > BUDGET {
            let own = self.bytes_of.get(&object.target.namespace).copied().unwrap_or_default() + bytes;
            let heaviest =
                self.bytes_of.iter().filter(|(_, other)| **other > own).max_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0)));
            let Some(heaviest) = heaviest.map(|(namespace, _)| namespace.clone()) else {
                self.leave_out(object.target.namespace.as_ref());
                return Effects { is_news: true, refused: Some(object.target) };
            };
            self.leave_out(heaviest.as_ref());
        }
        self.bytes += bytes;
        *self.bytes_of.entry(object.target.namespace.clone()).or_default() += bytes;
        let list = self.list(kind);
        self.objects.insert(object, Cached { value: Arc::new(value), bytes, list });
        Effects { is_news, refused: None }
    }

    /// Returns the number of the current list of a kind.
    fn list(&self, kind: ObjectKind) -> u32 {
        self.lists.get(&kind).copied().unwrap_or_default()
    }

    /// Forgets an object that is too large.
    fn refuse(&mut self, object: ObjectRef) {
        self.remove(&object);
        if self.too_large.len() < MOST_TOO_LARGE {
            let list = self.list(object.kind);
            self.too_large.insert(object, list);
        } else {
            self.leave_out(object.target.namespace.as_ref());
        }
    }

    /// Forgets the objects of a namespace, and takes no more of them.
    fn leave_out(&mut self, namespace: Option<&String>) {
        let is_in = |object: &&ObjectRef| object.target.namespace.as_ref() == namespace;
        let gone: Vec<_> = self.objects.keys().filter(is_in).cloned().collect();
        for object in gone {
            self.remove(&object);
        }
        self.left_out.insert(namespace.cloned());
    }

    fn remove(&mut self, object: &ObjectRef) -> Option<Arc<Value>> {
        let cached = self.objects.remove(object)?;
        self.bytes -= cached.bytes;
        if let Some(bytes) = self.bytes_of.get_mut(&object.target.namespace) {
            *bytes -= cached.bytes;
            if *bytes == 0 {
                self.bytes_of.remove(&object.target.namespace);
            }
        }
        Some(cached.value)
    }
}

/// Returns the approximate memory use of a value, in bytes.
fn size(value: &Value) -> usize {
    let of_field = |(key, value): (&String, &Value)| match value {
        Value::String(rule) if key == "match" => EACH + key.len() + EACH + OF_A_RULE * rule.len(),
        value => EACH + key.len() + size(value),
    };
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.len().div_ceil(11) * NODE + fields.iter().map(of_field).sum::<usize>(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROUTE: ObjectKind = KINDS[0];

    fn route(namespace: &str, name: &str, rule: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"routes": [{"match": rule}]}})
    }

    fn names(routes: &Routes) -> Vec<String> {
        let mut names: Vec<_> = routes.objects.keys().map(|object| object.target.to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_list_replaces_what_was_known_and_every_kind_is_waited_for() {
        let mut routes = Routes::default();
        for event in [Event::Init, Event::InitApply(route("a", "one", "x")), Event::Apply(route("a", "two", "x"))] {
            assert_eq!(routes.take(ROUTE, event).refused, None);
        }
        routes.take(ROUTE, Event::InitDone);
        assert_eq!((names(&routes), routes.is_synced()), (vec!["a/one".to_owned(), "a/two".to_owned()], false));
        for event in [Event::Init, Event::InitApply(route("a", "two", "x")), Event::InitDone] {
            routes.take(ROUTE, event);
        }
        assert_eq!(names(&routes), ["a/two"]);
        // The same once more is no news.
        for event in [Event::Init, Event::InitApply(route("a", "two", "x")), Event::InitDone] {
            assert_eq!(routes.take(ROUTE, event), Effects::default());
        }
        routes.take(ROUTE, Event::Delete(route("a", "two", "x")));
        for kind in KINDS {
            routes.take(kind, Event::InitDone);
        }
        assert_eq!((names(&routes).len(), routes.bytes, routes.is_synced()), (0, 0, true));
    }

    #[test]
    fn the_namespace_that_uses_most_is_left_out_and_no_other() {
        let mut routes = Routes::default();
        let large = "x".repeat(BUDGET / OF_A_RULE / 4);
        let mut put = |namespace: &str, name: &str, rule: &str| {
            let effects = routes.take(ROUTE, Event::Apply(route(namespace, name, rule)));
            (effects.refused, names(&routes))
        };
        put("quiet", "web", "x");
        for number in 0..3 {
            assert_eq!(put("evil", &number.to_string(), &large).0, None);
        }
        let both = vec!["quiet/api".to_owned(), "quiet/web".to_owned()];
        assert_eq!(put("quiet", "api", &large), (None, both.clone()));
        // What it sends later is not taken, and takes nobody's place.
        assert_eq!(put("evil", "4", &large), (None, both));
        assert_eq!((routes.knows(Some(&"evil".into())), routes.knows(Some(&"quiet".into()))), (false, true));
    }

    #[test]
    fn a_route_that_is_too_large_is_in_the_way_until_it_is_gone_or_smaller() {
        let mut routes = Routes::default();
        let shop = "shop".to_owned();
        let target = NamespacedName { namespace: Some(shop.clone()), name: "huge".into() };
        for end in [Event::Delete(route("shop", "huge", "x")), Event::Apply(route("shop", "huge", "x"))] {
            let effects = routes.take(ROUTE, Event::TooLarge(Some(target.clone())));
            assert_eq!(effects, Effects { is_news: true, refused: Some(target.clone()) });
            assert!(!routes.knows(Some(&shop)));
            assert!(routes.take(ROUTE, end).is_news);
            assert!(routes.knows(Some(&shop)));
        }
        // Gone while nobody watched.
        routes.take(ROUTE, Event::TooLarge(Some(target.clone())));
        routes.take(ROUTE, Event::Init);
        assert!(!routes.knows(Some(&shop)));
        assert!(routes.take(ROUTE, Event::InitDone).is_news);
        assert!(routes.knows(Some(&shop)));
        // Of Middlewares only those of entries matter.
        assert_eq!(routes.take(KINDS[2], Event::TooLarge(Some(target))), Effects::default());
    }
}
