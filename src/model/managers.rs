//! Field managers of the cookie, from `metadata.managedFields`.

use serde_json::Value;

use crate::model::{FIELD_MANAGER, ObjectKind, declaration::ANNOTATION, entry::ENTRY_ANNOTATION, name::Group, view};

/// A field manager that set the cookie, or part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// Name of the field manager.
    pub name: String,
    /// Time of its last write, as text (RFC 3339).
    pub time: Option<String>,
}

/// Returns the field managers of the live cookie other than Flagger, kubectl and this program: overwriting what they
/// set would make them overwrite it in turn.
pub fn foreign(service: &Value) -> Vec<Manager> {
    let mut all = of(service, ObjectKind::TraefikService(Group::TraefikIo));
    all.retain(|manager| !is_familiar(&manager.name));
    all
}

/// Returns all field managers of what this program writes to an object of this kind, in the server's order.
pub fn of(object: &Value, kind: ObjectKind) -> Vec<Manager> {
    let [annotation, entry] = [ANNOTATION, ENTRY_ANNOTATION].map(|key| format!("f:{key}"));
    let paths: &[&[&str]] = match kind {
        ObjectKind::Canary => &[
            &["f:metadata", "f:annotations", &annotation],
            &["f:metadata", "f:annotations", &entry],
            &["f:spec", "f:service", "f:traefik", "f:sticky"],
        ],
        ObjectKind::TraefikService(_) => &[&["f:spec", "f:weighted", "f:sticky"]],
        _ => &[&["f:spec"]],
    };
    view::list(object, &["metadata", "managedFields"])
        .iter()
        .filter(|entry| paths.iter().any(|path| view::at(&entry["fieldsV1"], path).is_some()))
        .filter_map(|entry| {
            let name = entry.get("manager")?.as_str()?.to_owned();
            Some(Manager { name, time: entry.get("time").and_then(Value::as_str).map(str::to_owned) })
        })
        .collect()
}

/// Returns whether this is Flagger, kubectl or this program. Flagger writes as `flagger` (client-go uses the
/// executable's name), kubectl as `kubectl`, `kubectl-edit`, `kubectl-patch` and so on.
fn is_familiar(name: &str) -> bool {
    let kubectl =
        ["kubectl", "kubectl-client-side-apply", "kubectl-create", "kubectl-edit", "kubectl-patch", "kubectl-replace"];
    name == FIELD_MANAGER || name == "flagger" || kubectl.contains(&name)
}
