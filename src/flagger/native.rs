//! The native field of Canaries, for a Flagger that copies the cookie itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    error::{Error, Result},
    model::{Cookie, Field, FieldValue, declaration::NATIVE_COOKIE, view},
};

/// Whether the Canary's schema has `spec.service.traefik.sticky.cookie`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NativeField {
    /// The schema does not have the field, or could not be read.
    Absent,
    /// The schema has these keys under `cookie`, each with the values it allows (empty: any).
    Present(BTreeMap<String, Vec<String>>),
}

/// Finds the native field in the OpenAPI (v3) document of `flagger.app/v1beta1`.
pub fn in_schema(document: &Value) -> NativeField {
    fields_in_schema(document, "Canary", &NATIVE_COOKIE).map_or(NativeField::Absent, NativeField::Present)
}

/// Returns the fields at these keys of a kind in an OpenAPI (v3) document, each with the values it allows (empty: any);
/// `None` if there is no such kind, or nothing at these keys.
pub(crate) fn fields_in_schema(document: &Value, kind: &str, keys: &[&str]) -> Option<BTreeMap<String, Vec<String>>> {
    let is_kind = |schema: &&Value| {
        let kinds = view::list(schema, &["x-kubernetes-group-version-kind"]);
        kinds.iter().any(|other| view::text(other, &["kind"]) == Some(kind))
    };
    let schema = view::object(document, &["components", "schemas"])?.values().find(is_kind)?;
    let place = keys.iter().try_fold(schema, |schema, key| schema.get("properties")?.get(key))?;
    let fields = view::object(place, &["properties"])?;
    Some(fields.iter().map(|(key, schema)| (key.clone(), view::texts(schema, &["enum"]))).collect())
}

/// Returns the cookie as a value of the native field, with SameSite in a spelling that the schema allows.
///
/// # Errors
///
/// Fails if the schema lacks one of the cookie's fields.
pub fn value(cookie: &Cookie, fields: &BTreeMap<String, Vec<String>>) -> Result<Value> {
    let mut object = Map::new();
    for (field, value) in cookie.fields() {
        let Some(allowed) = fields.get(field.key) else {
            return Err(Error::usage(format!("the Canaries of this cluster have no cookie field `{}`", field.key))
                .hint(format!("leave out --{}, or remove it with --unset {}", field.flag, field.flag)));
        };
        object.insert(field.key.to_owned(), match_schema_case(value, allowed));
    }
    Ok(Value::Object(object))
}

fn match_schema_case(value: &FieldValue, allowed: &[String]) -> Value {
    match value {
        FieldValue::Text(text) => {
            let other = allowed.iter().find(|other| other.eq_ignore_ascii_case(text));
            if allowed.contains(text) { text.clone().into() } else { other.unwrap_or(text).clone().into() }
        }
        _ => Field::to_json(value),
    }
}
