//! Label selectors (`-l`) for manifests; on a cluster, the API server evaluates them.
//!
//! The syntax of <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api>.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A parsed label selector: all requirements must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    ///
    /// Returns the part that is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        split(text).into_iter().map(|part| requirement(part.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Reads a selector object (`matchLabels`, `matchExpressions`).
    pub fn from_object(object: &Value) -> Option<Self> {
        let mut requirements = Vec::new();
        for (key, value) in object.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
            requirements.push(Requirement { key: key.clone(), test: Test::In(vec![value.as_str()?.to_owned()]) });
        }
        for expression in object.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            let values = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
            let test = match expression.get("operator")?.as_str()? {
                "Exists" => Test::Exists,
                "DoesNotExist" => Test::Absent,
                "In" => Test::In(values),
                "NotIn" => Test::NotIn(values),
                _ => return None,
            };
            requirements.push(Requirement { key: expression.get("key")?.as_str()?.to_owned(), test });
        }
        Some(Self(requirements))
    }

    /// Returns the selector as an object.
    pub fn to_object(&self) -> Value {
        let expression = |Requirement { key, test }: &Requirement| match test {
            Test::Exists => json!({"key": key, "operator": "Exists"}),
            Test::Absent => json!({"key": key, "operator": "DoesNotExist"}),
            Test::In(values) => json!({"key": key, "operator": "In", "values": values}),
            Test::NotIn(values) => json!({"key": key, "operator": "NotIn", "values": values}),
        };
        json!({"matchExpressions": self.0.iter().map(expression).collect::<Vec<_>>()})
    }

    /// Returns whether these labels satisfy every requirement.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|Requirement { key, test }| match (test, labels.get(key)) {
            (Test::Exists, value) => value.is_some(),
            (Test::Absent, value) => value.is_none(),
            (Test::In(values), Some(value)) => values.contains(value),
            (Test::NotIn(values), Some(value)) => !values.contains(value),
            (Test::In(_), None) => false,
            (Test::NotIn(_), None) => true,
        })
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |Requirement { key, test }: &Requirement| match test {
            Test::Exists => key.clone(),
            Test::Absent => format!("!{key}"),
            Test::In(values) => format!("{key} in ({})", values.join(",")),
            Test::NotIn(values) => format!("{key} notin ({})", values.join(",")),
        };
        formatter.write_str(&self.0.iter().map(part).collect::<Vec<_>>().join(","))
    }
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

fn requirement(part: &str) -> Result<Requirement, String> {
    let wrong = || format!("`{part}` is not a label requirement");
    let (key, test) = if let Some(key) = part.strip_prefix('!') {
        (key, Test::Absent)
    } else if let Some((key, value)) = part.split_once("!=") {
        (key, Test::NotIn(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (key, Test::In(vec![value.trim().to_owned()]))
    } else if let Some((head, values)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        match head.trim().rsplit_once(char::is_whitespace).ok_or_else(wrong)? {
            (key, "in") => (key, Test::In(values)),
            (key, "notin") => (key, Test::NotIn(values)),
            _ => return Err(wrong()),
        }
    } else {
        (part, Test::Exists)
    };
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let values: &[String] = match &test {
        Test::In(values) | Test::NotIn(values) => values,
        Test::Exists | Test::Absent => &[],
    };
    let is_value = |value: &String| value.chars().all(|c| c != '/' && plain(c));
    if key.is_empty() || !key.chars().all(plain) || !values.iter().all(is_value) {
        return Err(wrong());
    }
    Ok(Requirement { key: key.to_owned(), test })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_survives_being_an_object_or_text() {
        for text in ["app=web", "tier!=back,app in (a,b)", "!gone,here"] {
            let selector = Selector::parse(text).unwrap();
            assert_eq!(Selector::from_object(&selector.to_object()), Some(selector.clone()), "{text}");
            assert_eq!(Selector::parse(&selector.to_string()), Ok(selector), "{text}");
        }
        let labels = Selector::from_object(&json!({"matchLabels": {"a": "b"}}));
        assert_eq!(labels, Some(Selector::parse("a=b").unwrap()));
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
            assert_eq!(Selector::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
        for text in ["", "=a", "a b", "app in web", "app within (a)", "a=b=c", "a=b c", "a in (b", "a=b/c", "a=b)"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}
