//! An object of the guard's as it is beside the one that this version would install. An API server adds defaults, and
//! others whatever they like.

use serde_json::Value;

use super::policy::{self, MANAGED_BY, MANAGED_BY_LABEL};

/// Whether `whole` holds everything that `part` says; the server adds defaults of its own.
pub(super) fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| is_within(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_within(part, whole))
        }
        // As a server writes an empty list.
        (Value::Array(part), Value::Null) => part.is_empty(),
        _ => part == whole,
    }
}

/// Whether nothing decides when or on what an object of admission acts but what this version has in it. An API server
/// adds empty defaults, and processes their authority.
pub(super) fn acts_alike(wanted: &Value, found: &Value) -> bool {
    let (wanted, found) = (without_authority(wanted), without_authority(found));
    let is_admission = wanted["apiVersion"] == policy::API_VERSION;
    !is_admission || ["spec", "webhooks"].iter().all(|key| has_no_more(&found[*key], &wanted[*key]))
}

/// The object as it is but for the authorities that its webhooks name.
pub(super) fn without_authority(object: &Value) -> Value {
    let mut object = object.clone();
    for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        webhook["clientConfig"]["caBundle"] = Value::Null;
    }
    object
}

/// Whether `whole` has nothing but what `part` says, and what is empty.
fn has_no_more(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), part) => whole.iter().all(|(key, whole)| has_no_more(whole, &part[key.as_str()])),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| has_no_more(whole, part))
        }
        (Value::Array(whole), _) => whole.is_empty(),
        _ => whole.is_null() || whole == part,
    }
}

/// Whether an object that is there acts on less than the wanted one would: selectors or conditions were added.
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
        !has_no_more(&found, &wanted)
    })
}

/// Whether this program made an object.
pub(super) fn is_ours(object: &Value) -> bool {
    label(object, MANAGED_BY_LABEL) == Some(MANAGED_BY)
}

/// The value of a label.
pub(super) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}
