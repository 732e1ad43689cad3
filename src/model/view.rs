//! Lenient access to parts of an object: whatever is missing or of another type is `None`.

use serde_json::{Map, Value};

/// Follows keys down from `value`.
pub(crate) fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}

/// Returns the text at these keys; empty counts as missing, as it does in Go.
pub(crate) fn text<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a str> {
    at(value, keys)?.as_str().filter(|text| !text.is_empty())
}

/// Returns the text at these keys as an owned string.
pub(crate) fn owned(value: &Value, keys: &[&str]) -> Option<String> {
    text(value, keys).map(str::to_owned)
}

/// Returns the items of the list at these keys; none if there is no list.
pub(crate) fn list<'a>(value: &'a Value, keys: &[&str]) -> &'a [Value] {
    at(value, keys).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns the texts of the list at these keys.
pub(crate) fn texts(value: &Value, keys: &[&str]) -> Vec<String> {
    list(value, keys).iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Returns the texts of the mapping at these keys, with their keys.
pub(crate) fn text_map<T: FromIterator<(String, String)>>(value: &Value, keys: &[&str]) -> T {
    let fields = object(value, keys).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Returns the mapping at these keys.
pub(crate) fn object<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Map<String, Value>> {
    at(value, keys)?.as_object()
}
