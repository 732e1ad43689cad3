//! The sticky cookie: the fields that are set, with their values in normal form.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::field::{FIELDS, Field, FieldValue};

/// A cookie in normal form: switches that are off and empty names are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cookie {
    /// Values by position in [`FIELDS`].
    values: BTreeMap<usize, FieldValue>,
}

impl Cookie {
    /// Returns the value of a field.
    pub fn get(&self, field: &Field) -> Option<&FieldValue> {
        self.values.get(&position(field))
    }

    /// Returns the value of the field with this manifest key.
    pub fn by_key(&self, key: &str) -> Option<&FieldValue> {
        Field::by_key(key).and_then(|field| self.get(field))
    }

    /// Sets a field; `None` unsets it.
    pub fn set(&mut self, field: &Field, value: Option<FieldValue>) {
        match value {
            Some(value) => self.values.insert(position(field), value),
            None => self.values.remove(&position(field)),
        };
    }

    /// Returns the fields that are set, in the order of [`FIELDS`].
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, &FieldValue)> {
        self.values.iter().map(|(position, value)| (&FIELDS[*position], value))
    }

    /// Returns the cookie's own name; `None` if Traefik derives one.
    pub fn name(&self) -> Option<&str> {
        match self.by_key("name") {
            Some(FieldValue::Text(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns Max-Age in seconds; `None` for a session cookie.
    pub fn max_age(&self) -> Option<i64> {
        match self.by_key("maxAge") {
            Some(FieldValue::Seconds(seconds)) => Some(*seconds),
            _ => None,
        }
    }

    /// Returns whether a switch (`secure`, `httpOnly`) is on.
    pub fn is_on(&self, key: &str) -> bool {
        self.by_key(key) == Some(&FieldValue::On)
    }

    /// Returns the object under `cookie:`.
    pub fn to_json(&self) -> Value {
        Value::Object(self.fields().map(|(field, value)| (field.key.to_owned(), Field::to_json(value))).collect())
    }

    /// Returns the whole of `spec.weighted.sticky`.
    pub fn to_sticky(&self) -> Value {
        json!({ "cookie": self.to_json() })
    }

    /// Reads the object under `cookie:`. Keys that are unknown, of another type, or have a value that Traefik would
    /// change are returned with the reason.
    pub fn from_json(object: &Map<String, Value>) -> (Self, BTreeMap<String, String>) {
        let mut cookie = Self::default();
        let mut odd = BTreeMap::new();
        for (key, value) in object {
            match Field::by_key(key).map(|field| (field, field.from_json(value))) {
                Some((field, Ok(value))) => cookie.set(field, value),
                Some((_, Err(allowed))) => {
                    odd.insert(key.clone(), allowed);
                }
                None if value.is_null() => {}
                None => {
                    odd.insert(key.clone(), "unknown cookie field".into());
                }
            }
        }
        (cookie, odd)
    }
}

/// Returns whether browsers send a cookie of this path to that one (RFC 6265 section 5.1.4).
pub(crate) fn path_matches(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

fn position(field: &Field) -> usize {
    FIELDS.iter().position(|other| other.key == field.key).expect("every field is a row of FIELDS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_and_empty_are_the_same_as_absent() {
        let object = json!({"name": "", "secure": false, "httpOnly": true, "domain": "", "maxAge": 0});
        let (cookie, odd) = Cookie::from_json(object.as_object().unwrap());
        assert_eq!(cookie.to_json(), json!({"httpOnly": true, "maxAge": 0}));
        assert_eq!(odd, BTreeMap::new());
    }

    #[test]
    fn odd_fields_are_named_and_left_out() {
        let object = json!({"name": "a b", "maxAge": "300", "partitioned": true, "sameSite": "Lax"});
        let (cookie, odd) = Cookie::from_json(object.as_object().unwrap());
        assert_eq!(cookie.to_json(), json!({"sameSite": "lax"}));
        assert_eq!(odd.keys().collect::<Vec<_>>(), ["maxAge", "name", "partitioned"]);
    }
}
