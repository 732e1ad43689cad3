//! A replay of what Flux' kustomize-controller does to an object at each reconcile: it takes over what field managers
//! `kubectl…` have set, then applies its own, by force (fluxcd/pkg `ssa/manager_apply.go:Apply`,
//! `ssa/patch.go:PatchReplaceFieldsManagers`; the managers of fluxcd/kustomize-controller
//! `internal/controller/kustomization_controller.go:apply`).

use http::Method;
use serde_json::{Map, Value, json};

use super::namespace::Namespace;

const MANAGER: &str = "kustomize-controller";

/// Reconciles `object`, as its source has it, and returns what the server stored.
pub fn reconciles(namespace: &Namespace, object: &Value) -> Value {
    let kind = object["kind"].as_str().expect("the object has a kind");
    let name = object["metadata"]["name"].as_str().expect("the object has a name");
    let path = namespace.path(kind, name);
    let admin = namespace.server().admin();
    if let Some(live) = namespace.find(kind, name) {
        let entries = taken_over(live["metadata"]["managedFields"].as_array().expect("managed fields"));
        let patch = json!([{ "op": "replace", "path": "/metadata/managedFields", "value": entries }]);
        let patched = format!("{path}?fieldManager={MANAGER}");
        admin
            .ask(&Method::PATCH, &patched, "application/json-patch+json", patch.to_string())
            .expect("take over fields");
    }
    let applied = format!("{path}?fieldManager={MANAGER}&force=true");
    admin.ask(&Method::PATCH, &applied, "application/apply-patch+yaml", object.to_string()).expect("apply")
}

/// The entries with those of `kubectl…` made Flux' own.
fn taken_over(entries: &[Value]) -> Vec<Value> {
    let is_own = |entry: &Value| entry["manager"] == MANAGER && entry["operation"] == "Apply";
    let is_kubectls = |entry: &Value| {
        entry["manager"].as_str().is_some_and(|name| name.starts_with("kubectl")) && entry["subresource"].is_null()
    };
    let mut own = entries.iter().find(|entry| is_own(entry)).cloned();
    let mut kept = Vec::new();
    for entry in entries.iter().filter(|entry| !is_own(entry)) {
        match &mut own {
            _ if !is_kubectls(entry) => kept.push(entry.clone()),
            Some(own) => merge(&mut own["fieldsV1"], &entry["fieldsV1"]),
            None => {
                let mut entry = entry.clone();
                entry["manager"] = json!(MANAGER);
                entry["operation"] = json!("Apply");
                own = Some(entry);
            }
        }
    }
    kept.extend(own);
    kept
}

fn merge(into: &mut Value, from: &Value) {
    let Value::Object(from) = from else { return };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (key, value) in from {
        merge(&mut into[key], value);
        if into[key].is_null() {
            into[key] = value.clone();
        }
    }
}
