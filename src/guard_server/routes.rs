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
const EACH: usize = 40;

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
    /// Namespaces with objects that are too large or too many. The objects of their entries stay as they are.
    left_out: BTreeSet<Option<String>>,
}

#[derive(Debug)]
struct Cached {
    value: Arc<Value>,
    bytes: usize,
    list: u32,
}

impl Routes {
    /// Applies a watch event. Returns an object that is left out because it is too large, or because its namespace uses too
    /// much memory.
    pub(super) fn take(&mut self, kind: ObjectKind, event: Event) -> Option<NamespacedName> {
        match event {
            Event::Init => {
                let list = self.lists.entry(kind).or_default();
                *list = list.wrapping_add(1);
            }
            Event::InitApply(object) | Event::Apply(object) => return self.put(kind, object),
            Event::Delete(object) => self.remove(&ObjectRef { kind, target: NamespacedName::of(&object) }),
            Event::TooLarge(target) => {
                let target = target?;
                self.leave_out(target.namespace.as_ref());
                return Some(target);
            }
            Event::InitDone => {
                let list = self.lists.get(&kind).copied().unwrap_or_default();
                let is_gone = |(object, cached): &(&ObjectRef, &Cached)| object.kind == kind && cached.list != list;
                let gone: Vec<_> = self.objects.iter().filter(is_gone).map(|(object, _)| object.clone()).collect();
                for object in gone {
                    self.remove(&object);
                }
                self.synced.insert(kind);
            }
        }
        None
    }

    /// Returns whether a complete list of each kind has been read.
    pub(super) fn is_synced(&self) -> bool {
        KINDS.iter().all(|kind| self.synced.contains(kind))
    }

    /// Returns whether all routes of this namespace are known.
    pub(super) fn knows(&self, namespace: Option<&String>) -> bool {
        !self.left_out.contains(&namespace.cloned())
    }

    /// Returns the objects.
    pub(super) fn objects(&self) -> Vec<(ObjectKind, Arc<Value>)> {
        self.objects.iter().map(|(object, cached)| (object.kind, Arc::clone(&cached.value))).collect()
    }

    fn put(&mut self, kind: ObjectKind, value: Value) -> Option<NamespacedName> {
        let target = NamespacedName::of(&value);
        let object = ObjectRef { kind, target };
        self.remove(&object);
        if !self.knows(object.target.namespace.as_ref()) {
            return None;
        }
        let bytes = size(&value);
        while self.bytes + bytes > BUDGET {
            let own = self.bytes_of.get(&object.target.namespace).copied().unwrap_or_default() + bytes;
            let heaviest =
                self.bytes_of.iter().filter(|(_, other)| **other > own).max_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0)));
            let Some((heaviest, _)) = heaviest.map(|(namespace, bytes)| (namespace.clone(), *bytes)) else {
                self.leave_out(object.target.namespace.as_ref());
                return Some(object.target);
            };
            self.leave_out(heaviest.as_ref());
        }
        self.bytes += bytes;
        *self.bytes_of.entry(object.target.namespace.clone()).or_default() += bytes;
        let list = self.lists.get(&kind).copied().unwrap_or_default();
        self.objects.insert(object, Cached { value: Arc::new(value), bytes, list });
        None
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

    fn remove(&mut self, object: &ObjectRef) {
        let Some(cached) = self.objects.remove(object) else { return };
        self.bytes -= cached.bytes;
        if let Some(bytes) = self.bytes_of.get_mut(&object.target.namespace) {
            *bytes -= cached.bytes;
            if *bytes == 0 {
                self.bytes_of.remove(&object.target.namespace);
            }
        }
    }
}

/// Returns the approximate memory use of a value, in bytes.
fn size(value: &Value) -> usize {
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| EACH + key.len() + size(value)).sum(),
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
            assert_eq!(routes.take(ROUTE, event), None);
        }
        routes.take(ROUTE, Event::InitDone);
        assert_eq!((names(&routes), routes.is_synced()), (vec!["a/one".to_owned(), "a/two".to_owned()], false));
        for event in [Event::Init, Event::InitApply(route("a", "two", "x")), Event::InitDone] {
            routes.take(ROUTE, event);
        }
        assert_eq!(names(&routes), ["a/two"]);
        routes.take(ROUTE, Event::Delete(route("a", "two", "x")));
        for kind in KINDS {
            routes.take(kind, Event::InitDone);
        }
        assert_eq!((names(&routes).len(), routes.bytes, routes.is_synced()), (0, 0, true));
    }

    #[test]
    fn the_namespace_that_uses_most_is_left_out_and_no_other() {
        let mut routes = Routes::default();
        let large = "x".repeat(BUDGET / 4);
        routes.take(ROUTE, Event::Apply(route("quiet", "web", "x")));
        for number in 0..3 {
            assert_eq!(routes.take(ROUTE, Event::Apply(route("evil", &number.to_string(), &large))), None);
        }
        assert_eq!(routes.take(ROUTE, Event::Apply(route("quiet", "api", &large))), None);
        assert_eq!(names(&routes), ["quiet/api", "quiet/web"]);
        assert_eq!((routes.knows(Some(&"evil".into())), routes.knows(Some(&"quiet".into()))), (false, true));
        // What it sends later is not taken, and takes nobody's place.
        assert_eq!(routes.take(ROUTE, Event::Apply(route("evil", "4", &large))), None);
        let too_large = NamespacedName { namespace: Some("quiet".into()), name: "huge".into() };
        assert_eq!(routes.take(ROUTE, Event::TooLarge(Some(too_large.clone()))), Some(too_large));
        assert_eq!((names(&routes).len(), routes.bytes), (0, 0));
    }
}
