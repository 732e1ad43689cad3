//! Partial parsing of objects. A watch of thousands of objects keeps only the parts it needs; the rest is skipped while
//! parsing, so that an object of a megabyte takes no more memory than one of a kilobyte.

use std::{
    cell::Cell,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde::{
    Deserialize as _,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

/// The part of a value that is kept. A value of another type becomes an empty one. Requested data is lost only through
/// the limits of [`Part::Bounded`], [`Part::Each`] and [`Part::Entries`], and the result says so.
#[derive(Debug)]
pub enum Part {
    /// Everything, of any size.
    Whole,
    /// Everything, of any size, but `managedFields`.
    WithoutManagedFields,
    /// Everything; null if the JSON text has more bytes than this or is nested too deeply.
    Bounded(usize),
    /// A number, a boolean or a string. A string with more bytes than this is truncated, with a digest of the whole
    /// string appended so that different strings stay different.
    Text(usize),
    /// An empty mapping or list in place of the actual one.
    Shape,
    /// These keys of a mapping.
    Keys(&'static [(&'static str, Part)]),
    /// This part of each list entry, and at most this many entries.
    Each(usize, &'static Part),
    /// At most this many entries of a mapping with string values; keys and values of at most 512 bytes.
    Entries(usize),
}

/// Maximum length of a key or value in [`Part::Entries`], in bytes: label keys have at most 317, label values 63.
const LONGEST_ENTRY: usize = 512;
/// Maximum length of a string where none was expected, in bytes.
const LONGEST_ODD_TEXT: usize = 256;

/// A partially parsed object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PartRead {
    /// The requested parts.
    pub(crate) value: Value,
    /// Whether some requested part exceeded its limit.
    pub(crate) is_truncated: bool,
}

/// Parses a part of a JSON text.
pub(crate) fn read(text: &[u8], part: &'static Part) -> serde_json::Result<PartRead> {
    let is_truncated = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed { part, is_truncated: &is_truncated }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(PartRead { value, is_truncated: is_truncated.get() })
}

/// A deserializer for a part of a value.
#[derive(Clone, Copy)]
pub(super) struct Seed<'a> {
    pub(super) part: &'static Part,
    /// Set if some requested part exceeded its limit.
    pub(super) is_truncated: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.part {
            Part::Whole => Value::deserialize(deserializer),
            Part::Bounded(most) => {
                let raw = <&RawValue>::deserialize(deserializer)?.get();
                // Excessive nesting fails here: one tenant's object must not fail a whole list.
                let value = Some(raw).filter(|raw| raw.len() <= *most).and_then(|raw| serde_json::from_str(raw).ok());
                self.is_truncated.set(self.is_truncated.get() || value.is_none());
                Ok(value.unwrap_or_default())
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        let most = match self.part {
            Part::Text(most) => *most,
            Part::WithoutManagedFields => usize::MAX,
            _ => LONGEST_ODD_TEXT,
        };
        Ok(Value::String(cut(value, most)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        let (most, part) = match self.part {
            Part::Each(most, part) => (*most, *part),
            Part::WithoutManagedFields => (usize::MAX, self.part),
            _ => (0, self.part),
        };
        while all.len() < most
            && let Some(item) = items.next_element_seed(Seed { part, ..self })?
        {
            all.push(item);
        }
        let is_asked_for = matches!(self.part, Part::Each(..));
        while items.next_element::<IgnoredAny>()?.is_some() {
            self.is_truncated.set(self.is_truncated.get() || is_asked_for);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        match self.part {
            Part::Keys(keys) => {
                while let Some(known) = map.next_key_seed(Key(keys))? {
                    match known {
                        Some((key, part)) => {
                            kept.insert((*key).to_owned(), map.next_value_seed(Seed { part, ..self })?);
                        }
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
            }
            Part::Entries(most) => {
                while let Some(key) = map.next_key::<String>()? {
                    let value = map.next_value_seed(Seed { part: &Part::Text(LONGEST_ENTRY), ..self })?;
                    if kept.len() < *most && key.len() <= LONGEST_ENTRY {
                        kept.insert(key, value);
                    } else {
                        self.is_truncated.set(true);
                    }
                }
            }
            Part::WithoutManagedFields => {
                while let Some(key) = map.next_key::<String>()? {
                    if key == "managedFields" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        kept.insert(key, map.next_value_seed(self)?);
                    }
                }
            }
            _ => while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {},
        }
        Ok(Value::Object(kept))
    }
}

/// A deserializer for a key; `None` for a key that is not among these.
struct Key(&'static [(&'static str, Part)]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static (&'static str, Part)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static (&'static str, Part)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(known, _)| *known == key))
    }
}

/// Truncates a string to this many bytes and appends a digest of the whole string.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{}…{:016x}", &text[..text.floor_char_boundary(most)], hasher.finish())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const OBJECT: Part = Part::Keys(&[
        ("name", Part::Text(4)),
        ("is", Part::Shape),
        ("list", Part::Each(2, &Part::Keys(&[("a", Part::Text(9))]))),
        ("any", Part::Bounded(9)),
        ("labels", Part::Entries(2)),
    ]);

    fn of(value: &Value) -> (Value, bool) {
        let read = read(value.to_string().as_bytes(), &OBJECT).unwrap();
        (read.value, read.is_truncated)
    }

    #[test]
    fn what_is_asked_for_is_kept_and_nothing_else() {
        let whole = json!({"name": "shop", "is": {"a": [1]}, "list": [{"a": 1, "b": 2}, 7], "any": {"a":[1]},
            "labels": {"a": "b"}, "else": [{"name": "x"}]});
        let kept = json!({"name": "shop", "is": {}, "list": [{"a": 1}, 7], "any": {"a":[1]}, "labels": {"a": "b"}});
        assert_eq!(of(&whole), (kept, false));
        assert_eq!(
            of(&json!({"name": ["a"], "is": null, "list": {"a": 1}, "labels": [1]})).0,
            json!({"name": [], "is": null, "list": {}, "labels": []})
        );
        assert_eq!(of(&json!([1, {"name": "a"}])), (json!([]), false));
    }

    #[test]
    fn what_is_asked_for_and_too_large_is_told() {
        assert_eq!(of(&json!({"any": "a longer text"})), (json!({"any": null}), true));
        assert_eq!(of(&json!({"list": [1, 2, 3]})), (json!({"list": [1, 2]}), true));
        assert_eq!(of(&json!({"labels": {"a": "", "b": "", "c": ""}})), (json!({"labels": {"a": "", "b": ""}}), true));
    }

    #[test]
    fn what_is_nested_too_deeply_is_told_and_fails_nothing_beside_it() {
        const DEEP: Part = Part::Keys(&[("any", Part::Bounded(1 << 20)), ("name", Part::Text(9))]);
        let text = format!(r#"{{"any":{}1{},"name":"a"}}"#, "[".repeat(1000), "]".repeat(1000));
        let read = read(text.as_bytes(), &DEEP).unwrap();
        assert_eq!((read.value, read.is_truncated), (json!({"any": null, "name": "a"}), true));
    }

    #[test]
    fn a_text_that_is_cut_stays_different_from_every_other() {
        let name = |text: &str| of(&json!({"name": text}));
        assert_eq!(name("äöü").0["name"].as_str().unwrap().split('…').next(), Some("äö"));
        assert_ne!(name("shop-a"), name("shop-b"));
        assert!(!name("shop-a").1);
    }

    proptest! {
        #[test]
        fn nothing_that_is_kept_is_larger_than_its_bounds(text in "\\PC{0,600}", count in 0..9usize) {
            let value = json!({"name": text, "list": vec![json!({"a": text}); count], "any": vec![&text; count],
                "labels": {&text: text, "a": text, "b": text}, &text: text});
            let (kept, is_truncated) = of(&value);
            prop_assert!(kept.to_string().len() < 4 * LONGEST_ENTRY * 6);
            prop_assert!(!is_truncated || count > 0 || text.len() > 4 || text != "a" && text != "b");
        }
    }
}
