//! The collections that are listed and watched.

use crate::{
    apiserver::{Collection, Part},
    guard::GuardObject,
    model::ObjectKind,
};

/// Returns this part of every object of a kind, in one namespace or in all.
pub fn of_kind(kind: ObjectKind, namespace: Option<&str>, part: &'static Part) -> Collection {
    Collection::new(&kind.api_version(), kind.resource(), namespace, part)
}

/// Returns a collection of one of the guard's own objects.
pub fn guard_object(object: &GuardObject) -> Collection {
    let GuardObject { kind, .. } = object;
    Collection::new(&kind.api_version(), kind.resource(), object.namespace(), &Part::Whole).named(object.name())
}
