//! What in an object refers to a TraefikService, or to a Service.

use serde_json::Value;

use crate::{
    model::{NamespacedName, view},
    traefik::route::names,
};

/// Returns the positions of the routes of an object that lead to the TraefikService.
pub(super) fn leading(kind: &str, object: &Value, service: &NamespacedName) -> Vec<usize> {
    let (list, items) = match kind {
        "IngressRoute" => ("routes", "services"),
        "HTTPRoute" => ("rules", "backendRefs"),
        _ => return Vec::new(),
    };
    let holder = NamespacedName::of(object);
    let routes = view::at(object, &["spec", list]).and_then(Value::as_array);
    let leads = |route: &Value| {
        let items = route.get(items).and_then(Value::as_array);
        items.into_iter().flatten().any(|item| names(item, &holder, service, None))
    };
    routes.into_iter().flatten().enumerate().filter(|(_, route)| leads(route)).map(|(index, _)| index).collect()
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
