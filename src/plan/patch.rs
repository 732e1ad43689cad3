//! JSON merge patches (RFC 7386): computed from two values, and applied.

use serde_json::{Map, Value};

/// Returns the smallest merge patch that turns `from` into `to`; `None` if they are equal.
///
/// A `null` in `to` cannot be expressed; Kubernetes objects have none.
pub fn between(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for (key, value) in to {
        match from.get(key) {
            None => drop(patch.insert(key.clone(), value.clone())),
            Some(before) => patch.extend(between(before, value).map(|value| (key.clone(), value))),
        }
    }
    patch.extend(from.keys().filter(|key| !to.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Applies a merge patch, as specified in RFC 7386 section 2.
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            apply(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Returns whether a value is as this merge patch makes it. A key to remove may be missing with its parent, because a
/// server may drop a mapping that became empty.
pub fn is_satisfied_by(value: Option<&Value>, patch: &Value) -> bool {
    match patch {
        Value::Null => value.is_none_or(Value::is_null),
        Value::Object(patch) if !patch.is_empty() => {
            patch.iter().all(|(key, patch)| is_satisfied_by(value.and_then(|value| value.get(key)), patch))
        }
        patch => value == Some(patch),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3i64).prop_map(Value::from),
            "[ab]".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_patch_between_two_values_turns_one_into_the_other(from in values(), to in values()) {
            let mut value = from.clone();
            if let Some(patch) = between(&from, &to) {
                apply(&mut value, &patch);
            }
            prop_assert_eq!(value, to);
        }
    }

    proptest! {
        #[test]
        fn what_a_patch_was_applied_to_holds_it(mut value in values(), patch in values()) {
            apply(&mut value, &patch);
            // A patch with an empty mapping requires no more than a mapping.
            prop_assume!(!patch.to_string().contains("{}"));
            prop_assert!(is_satisfied_by(Some(&value), &patch));
        }
    }

    #[test]
    fn a_patch_is_not_held_by_another_value() {
        let patch = json!({"a": {"gone": null, "new": 1}});
        assert!(is_satisfied_by(Some(&json!({"a": {"new": 1}, "b": 2})), &patch));
        assert!(!is_satisfied_by(Some(&json!({"a": {"new": 1, "gone": 0}})), &patch));
        assert!(!is_satisfied_by(Some(&json!({"a": {"new": 2}})), &patch));
        assert!(!is_satisfied_by(Some(&json!({})), &patch));
        assert!(is_satisfied_by(Some(&json!({})), &json!({"a": {"gone": null}})), "its mapping went with it");
    }

    #[test]
    fn keys_are_removed_by_null_and_others_stay_unnamed() {
        let patch = between(&json!({"a": 1, "b": {"c": 1, "d": 2}}), &json!({"b": {"c": 1, "e": 3}}));
        assert_eq!(patch, Some(json!({"a": null, "b": {"d": null, "e": 3}})));
    }
}
