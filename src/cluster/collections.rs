//! The collections that the guard watches.

use serde_json::Value;

use super::{
    guard::{place, resource},
    paths::{path, secrets},
};
use crate::{
    apiserver::{Collection, Part},
    model::{NamespacedName, ObjectKind},
};

/// Returns this part of every object of a kind, in one namespace or in all.
pub fn of_kind(kind: ObjectKind, namespace: Option<&str>, part: &'static Part) -> Collection {
    Collection::new(kind.resource(), path(kind, namespace, None), namespace, part)
}

/// Returns a collection of one Secret.
pub fn secret(target: &NamespacedName) -> Collection {
    let namespace = target.namespace.as_deref();
    let path = secrets(namespace.unwrap_or_default(), None);
    Collection::new("secrets", path, namespace, &Part::Whole).named(&target.name)
}

/// Returns a collection of one of the guard's own objects.
pub fn guard_object(object: &Value) -> Collection {
    let (_, path) = place(object);
    let (path, name) = path.rsplit_once('/').unwrap_or_default();
    Collection::new(resource(object), path.to_owned(), None, &Part::Whole).named(name)
}
