//! *check*: what is refused of a Canary. [`refusal()`] is the reference definition, as
//! [`decide()`](super::decide()) is for TraefikServices.

use serde_json::Value;

use crate::model::{
    Entry,
    declaration::{self, ANNOTATION, Malformed},
    entry::ENTRY_ANNOTATION,
};

/// Returns why this write to a Canary is refused: its declaration or its entry is new or changed, and malformed. If
/// both are, the message is about the declaration.
pub fn refusal(old: Option<&Value>, new: &Value) -> Option<String> {
    let malformed = |key: &str, parse: fn(&str) -> Option<Malformed>| {
        let text = annotation(new, key)?;
        let is_unchanged = old.and_then(|old| annotation(old, key)) == Some(text);
        let malformed = parse(text).filter(|_| !is_unchanged)?;
        Some(format!("annotation {key}: {malformed}"))
    };
    malformed(ANNOTATION, |text| declaration::parse(text).err())
        .or_else(|| malformed(ENTRY_ANNOTATION, |text| Entry::parse(text).err()))
}

fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn canary(annotations: &Value) -> Value {
        json!({"metadata": {"name": "a", "annotations": annotations}})
    }

    #[test]
    fn an_annotation_is_refused_only_when_it_is_new_or_changed_and_malformed() {
        let age = "`Max-Age=x`: must be whole seconds of at most ten digits, such as 300";
        let twice = "`/a`: is given more than once";
        for (key, good, bad, why) in [(ANNOTATION, "a", "a; Max-Age=x", age), (ENTRY_ANNOTATION, "/a", "/a, /a", twice)]
        {
            let why = Some(format!("annotation {key}: {why}"));
            let (none, good, bad) = (canary(&Value::Null), canary(&json!({key: good})), canary(&json!({key: bad})));
            assert_eq!(refusal(None, &bad), why);
            assert_eq!(refusal(Some(&none), &bad), why);
            assert_eq!(refusal(Some(&good), &bad), why);
            assert_eq!(refusal(Some(&bad), &bad), None);
            assert_eq!(refusal(Some(&bad), &good), None);
            assert_eq!(refusal(Some(&bad), &none), None);
            assert_eq!(refusal(None, &good), None);
        }
    }

    #[test]
    fn each_annotation_is_judged_by_its_own_change_and_the_declaration_first() {
        let both = |cookie: &str, entry: &str| canary(&json!({ANNOTATION: cookie, ENTRY_ANNOTATION: entry}));
        let older = both("a b", "a");
        let cookie = format!("annotation {ANNOTATION}: {}", declaration::parse("c d").unwrap_err());
        let entry = format!("annotation {ENTRY_ANNOTATION}: {}", Entry::parse("b").unwrap_err());
        assert_eq!(refusal(Some(&older), &both("c d", "b")), Some(cookie.clone()));
        assert_eq!(refusal(Some(&older), &both("c d", "a")), Some(cookie));
        assert_eq!(refusal(Some(&older), &both("a b", "b")), Some(entry.clone()));
        assert_eq!(refusal(Some(&older), &both("c", "b")), Some(entry));
        assert_eq!(refusal(Some(&older), &both("a b", "/a")), None);
        assert_eq!(refusal(Some(&older), &both("c", "a")), None);
    }
}
