//! The objects of entries among those that are there. Pure.

use serde_json::Value;

use super::{KINDS, is_named_as, is_of, name};
use crate::{
    model::{Entry, NamespacedName, ObjectRef, entry::ENTRY_ANNOTATION, view},
    traefik::routing::Routing,
};

impl Routing {
    /// Returns the objects that have the names of this Canary's entry, its own or not.
    pub fn existing(&self, canary: &NamespacedName) -> impl Iterator<Item = (ObjectRef, &Value)> {
        let first = NamespacedName { namespace: canary.namespace.clone(), name: name(canary, 0) };
        KINDS.into_iter().flat_map(move |kind| {
            let same = self.beginning_with(ObjectRef { kind, target: first.clone() });
            same.filter(|(_, value)| is_named_as(value, canary)).map(|(object, value)| (object.clone(), value))
        })
    }

    /// Returns this Canary's own entry objects.
    pub fn own(&self, canary: &NamespacedName) -> impl Iterator<Item = (ObjectRef, &Value)> {
        self.existing(canary).filter(|(_, value)| is_of(value, canary))
    }

    /// Returns the entry from which this Canary's objects were made; `None` without objects, or if they disagree.
    pub fn live_entry(&self, canary: &NamespacedName) -> Option<Entry> {
        let mut texts =
            self.own(canary).map(|(_, value)| view::text(value, &["metadata", "annotations", ENTRY_ANNOTATION]));
        let first = texts.next()??;
        texts.all(|text| text == Some(first)).then(|| Entry::parse(first).ok())?
    }
}
