//! Comparison of an installed guard object with the one that this version would install. The API server adds defaults,
//! and other clients may add anything.

use serde_json::Value;

use super::object::GuardObject;
use crate::model::{MANAGED_BY, MANAGED_BY_LABEL};

/// Returns whether `whole` contains everything in `part`. The API server may have added defaults.
pub(super) fn contains(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| contains(part, whole))
        }
        // The API server may return null for an empty list.
        (Value::Array(part), Value::Null) => part.is_empty(),
        _ => part == whole,
    }
}

/// Returns whether the `spec` and `webhooks` of an installed admission object contain nothing beyond `wanted`, except
/// for empty defaults, which the API server adds, and the `caBundle`, which the guard adds. True for any other kind of
/// object.
pub(super) fn has_no_additions(object: &GuardObject, found: &Value) -> bool {
    let (wanted, found) = (without_ca_bundle(&object.value), without_ca_bundle(found));
    !object.kind.is_admission() || ["spec", "webhooks"].iter().all(|key| adds_nothing(&found[*key], &wanted[*key]))
}

/// Returns the object with the `caBundle` of each webhook set to null.
pub(super) fn without_ca_bundle(object: &Value) -> Value {
    let mut object = object.clone();
    for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        webhook["clientConfig"]["caBundle"] = Value::Null;
    }
    object
}

/// Returns whether every value in `whole` is either empty or the same in `part`.
fn adds_nothing(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), part) => whole.iter().all(|(key, whole)| adds_nothing(whole, &part[key.as_str()])),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| adds_nothing(whole, part))
        }
        (Value::Array(whole), _) => whole.is_empty(),
        _ => whole.is_null() || whole == part,
    }
}

/// Returns whether added selectors or conditions make the installed object act on less than the wanted one.
pub(super) fn narrows(found: &Value, wanted: &Value) -> bool {
    const PLACES: [&str; 4] = ["/spec", "/spec/matchConstraints", "/spec/matchResources", "/webhooks/0"];
    const KEYS: [&str; 4] = ["objectSelector", "namespaceSelector", "excludeResourceRules", "matchConditions"];
    let at = |object: &Value, place: &str, key: &str| object.pointer(place).map(|value| value[key].clone());
    PLACES.iter().flat_map(|place| KEYS.map(|key| (*place, key))).any(|(place, key)| {
        let (found, wanted) = (at(found, place, key).unwrap_or_default(), at(wanted, place, key).unwrap_or_default());
        let names = |conditions: &Value| -> Vec<Value> {
            conditions.as_array().into_iter().flatten().map(|condition| condition["name"].clone()).collect()
        };
        if key == "matchConditions" {
            let known = names(&wanted);
            return names(&found).iter().any(|name| !known.contains(name));
        }
        !adds_nothing(&found, &wanted)
    })
}

/// Returns whether this program created the object.
pub(crate) fn is_ours(object: &Value) -> bool {
    label(object, MANAGED_BY_LABEL) == Some(MANAGED_BY)
}

/// Returns the value of a label.
pub(super) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}
