//! What of a kustomization can change what a Canary declares. Pure.

use serde_json::Value;

use crate::{
    flagger::{Canary, Declared},
    model::{
        declaration::ANNOTATION,
        entry::ENTRY_ANNOTATION,
        view::{at, text},
    },
};

/// Keys of a kustomization under which patches are listed.
const LISTS: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

/// Returns the items of a list, or the value itself.
pub(super) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let list = value.as_array().map(Vec::as_slice);
    list.unwrap_or_else(|| std::slice::from_ref(value)).iter()
}

/// Returns whether annotations hold one of ours.
pub(super) fn has_ours(annotations: Option<&Value>) -> bool {
    annotations.is_some_and(|set| [ANNOTATION, ENTRY_ANNOTATION].iter().any(|key| set.get(*key).is_some()))
}

/// Returns whether annotations of ours are set on every object: by kustomize, by Argo CD, or by Flux.
pub(super) fn sets_annotations(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, field)| match key.as_str() {
            "commonAnnotations" => has_ours(Some(field)),
            "commonMetadata" => has_ours(field.get("annotations")),
            // A release of Helm patches what its chart renders, which is in no file.
            "postRenderers" => false,
            _ => sets_annotations(field),
        }),
        Value::Array(list) => list.iter().any(sets_annotations),
        _ => false,
    }
}

/// Collects the items of every list of patches in a value.
pub(super) fn collect<'v>(value: &'v Value, items: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    Value::Array(list) if LISTS.contains(&key.as_str()) => items.extend(list),
                    // A release of Helm patches what its chart renders, which is in no file.
                    field if key != "postRenderers" => collect(field, items),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|item| collect(item, items)),
        _ => {}
    }
}

/// Returns whether an operation of a JSON patch changes what a Canary declares, by itself or with what is around it.
pub(super) fn changes_declaration(operation: &Value) -> bool {
    let is_changed = |path: &str| {
        ["", "/metadata", "/metadata/annotations", "/spec", "/spec/service"].contains(&path)
            || path.starts_with("/metadata/annotations/kubectl-canary-traefik~1")
            || path.starts_with("/spec/service/traefik")
    };
    let paths = [text(operation, &["path"]), text(operation, &["from"])];
    text(operation, &["op"]) != Some("test") && paths.into_iter().flatten().any(is_changed)
}

/// Returns whether a strategic merge patch changes what a Canary declares.
pub(super) fn is_declaring(patch: &Value) -> bool {
    let annotations = at(patch, &["metadata", "annotations"]).and_then(Value::as_object);
    annotations.is_some_and(|set| set.contains_key(ANNOTATION) || set.contains_key(ENTRY_ANNOTATION))
        || at(patch, &["spec", "service", "traefik"]).is_some()
        || Canary::from_object(patch).is_some_and(|canary| canary.declared != Declared::Nothing)
        || patch.get("$patch").is_some()
}
