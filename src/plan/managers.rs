//! Who set the stanza, by the server's own record (`metadata.managedFields`).

use serde_json::Value;

use super::FIELD_MANAGER;

/// Someone who set (part of) the stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manager {
    /// The field manager's name.
    pub name: String,
    /// When it last wrote, as text.
    pub time: Option<String>,
}

/// The managers of the stanza other than Flagger, kubectl and this program: overwriting them would start a
/// fight.
pub fn foreign(service: &Value) -> Vec<Manager> {
    let entries = service.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.pointer("/fieldsV1/f:spec/f:weighted/f:sticky").is_some())
        .filter_map(|entry| {
            let name = entry.get("manager")?.as_str()?;
            let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
            (!is_familiar(name)).then(|| Manager { name: name.to_owned(), time })
        })
        .collect()
}

/// Flagger writes as `flagger` (client-go takes the executable's name), kubectl as `kubectl`,
/// `kubectl-edit`, `kubectl-patch` and so on.
fn is_familiar(name: &str) -> bool {
    let kubectl =
        ["kubectl", "kubectl-client-side-apply", "kubectl-create", "kubectl-edit", "kubectl-patch", "kubectl-replace"];
    name == FIELD_MANAGER || name == "flagger" || kubectl.contains(&name)
}
