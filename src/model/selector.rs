//! Label selectors (`-l`) for manifests; on a cluster, the API server evaluates them.
//!
//! The syntax of <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api>. kube has the type, but
//! does not parse it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Expression, Selector};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// Parses a selector.
///
/// # Errors
///
/// Returns the part that is not understood.
pub fn parse(text: &str) -> Result<Selector, String> {
    split(text).into_iter().map(|part| requirement(part.trim())).collect()
}

/// Reads a selector object (`matchLabels`, `matchExpressions`).
pub fn from_object(object: &Value) -> Option<Selector> {
    LabelSelector::deserialize(object).ok()?.try_into().ok()
}

/// Returns the selector as an object.
pub fn to_object(selector: &Selector) -> Value {
    json!(LabelSelector::from(selector.clone()))
}

/// Splits at the commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(part: &str) -> Result<Expression, String> {
    let wrong = || format!("`{part}` is not a label requirement");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let key = |key: &str| {
        let key = key.trim();
        if !key.is_empty() && key.chars().all(plain) { Ok(key.to_owned()) } else { Err(wrong()) }
    };
    // One value is a set of one, so that every requirement is in `matchExpressions`.
    let values = |values: &str| {
        let values = values.split(',').map(str::trim);
        let is_value = |value: &str| value.chars().all(|c| c != '/' && plain(c));
        values.map(|value| if is_value(value) { Ok(value.to_owned()) } else { Err(wrong()) }).collect::<Result<_, _>>()
    };
    if let Some(name) = part.strip_prefix('!') {
        Ok(Expression::DoesNotExist(key(name)?))
    } else if let Some((name, value)) = part.split_once("!=") {
        Ok(Expression::NotIn(key(name)?, values(value)?))
    } else if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        Ok(Expression::In(key(name)?, values(value)?))
    } else if let Some((head, all)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        match head.trim().rsplit_once(char::is_whitespace).ok_or_else(wrong)? {
            (name, "in") => Ok(Expression::In(key(name)?, values(all)?)),
            (name, "notin") => Ok(Expression::NotIn(key(name)?, values(all)?)),
            _ => Err(wrong()),
        }
    } else {
        Ok(Expression::Exists(key(part)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::core::SelectorExt as _;

    use super::*;

    #[test]
    fn a_selector_survives_being_an_object_or_text() {
        for text in ["app=web", "tier!=back,app in (a,b)", "!gone,here"] {
            let selector = parse(text).unwrap();
            assert_eq!(from_object(&to_object(&selector)), Some(selector.clone()), "{text}");
            assert_eq!(parse(&selector.to_string()).unwrap(), selector, "{text}");
        }
        let labels = from_object(&json!({"matchLabels": {"a": "b"}})).unwrap();
        assert_eq!(labels.to_string(), "a=b");
    }

    #[test]
    fn requirements_of_every_form_are_tested() {
        let labels = BTreeMap::from([("app".into(), "web".into()), ("tier".into(), "front".into())]);
        for (text, expected) in [
            ("app=web", true),
            ("app==web,tier!=back", true),
            ("app in (web, api),tier", true),
            ("app notin (web)", false),
            ("!app", false),
            ("!missing,missing notin (a)", true),
            ("missing=a", false),
        ] {
            assert_eq!(parse(text).unwrap().matches(&labels), expected, "{text}");
        }
        for text in ["", "=a", "a b", "app in web", "app within (a)", "a=b=c", "a=b c", "a in (b", "a=b/c", "a=b)"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
