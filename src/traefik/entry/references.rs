//! What in an object refers to a TraefikService, or to a Service.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    model::{NamespacedName, ObjectKind, view},
    traefik::route::names,
};

/// Returns the positions of the routes of an object that lead to the TraefikService.
pub(super) fn leading(kind: ObjectKind, object: &Value, service: &NamespacedName) -> Vec<usize> {
    let holder = NamespacedName::of(object);
    let leads = |(index, items): (usize, &[Value])| {
        items.iter().any(|item| names(item, &holder, service, None)).then_some(index)
    };
    routes(kind, object).enumerate().filter_map(leads).collect()
}

/// Returns the names of the TraefikServices that the routes of an object lead to, in whatever namespace.
pub(super) fn services(kind: ObjectKind, object: &Value) -> BTreeSet<&str> {
    let items = routes(kind, object).flatten();
    items
        .filter(|item| view::text(item, &["kind"]) == Some("TraefikService"))
        .filter_map(|item| view::text(item, &["name"]))
        .collect()
}

/// Returns the services of each route of an object.
fn routes(kind: ObjectKind, object: &Value) -> impl Iterator<Item = &[Value]> {
    let (list, items) = match kind {
        ObjectKind::IngressRoute(_) => ("routes", "services"),
        ObjectKind::HttpRoute => ("rules", "backendRefs"),
        _ => ("", ""),
    };
    let routes = view::at(object, &["spec", list]).and_then(Value::as_array);
    routes
        .into_iter()
        .flatten()
        .map(move |route| route.get(items).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default())
}

/// Returns whether an Ingress has a backend with this Service.
pub(super) fn has_backend(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has_backend(item, name)),
        Value::Object(fields) => fields.iter().any(|(key, field)| {
            (key == "service" && view::text(field, &["name"]) == Some(name)) || has_backend(field, name)
        }),
        _ => false,
    }
}
