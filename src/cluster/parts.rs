//! Objects read in part. Whoever follows thousands of objects of other people keeps only what it needs of each, and the
//! rest is skipped while it is parsed: an object of a megabyte then takes no more memory than one of a kilobyte.

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

/// What is kept of a value. Values of another type than the one named become empty ones; nothing else is lost but by
/// [`Part::Bounded`], [`Part::Each`] and [`Part::Entries`], which say so.
#[derive(Debug)]
pub enum Part {
    /// Everything, however large: for objects that nobody else may write.
    Whole,
    /// Everything, unless its JSON text has more bytes than this or is nested too deeply to be read: then null.
    Bounded(usize),
    /// A number, a boolean or a text. A longer text keeps this many bytes and a digest of the whole, so that different
    /// texts stay different.
    Text(usize),
    /// Whether there is a mapping or a list: an empty one.
    Shape,
    /// These keys of a mapping.
    Keys(&'static [(&'static str, Part)]),
    /// This of each entry of a list, and at most so many entries.
    Each(usize, &'static Part),
    /// At most so many texts of a mapping with any keys; keys and texts of at most 512 bytes.
    Entries(usize),
}

/// A key or a text of [`Part::Entries`] in bytes: label keys have at most 317, label values 63.
const LONGEST_ENTRY: usize = 512;
/// Of a text where none was expected.
const LONGEST_ODD_TEXT: usize = 256;

/// An object as far as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PartRead {
    /// The parts that were asked for.
    pub(crate) value: Value,
    /// Whether something that was asked for is too large to be kept.
    pub(crate) is_cut: bool,
}

/// Reads a JSON text in part.
///
/// # Errors
///
/// It is not JSON.
pub(crate) fn read(text: &[u8], part: &'static Part) -> serde_json::Result<PartRead> {
    let is_cut = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Seed { part, is_cut: &is_cut }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(PartRead { value, is_cut: is_cut.get() })
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    part: &'static Part,
    is_cut: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.part {
            Part::Whole => Value::deserialize(deserializer),
            Part::Bounded(most) => {
                let raw = <&RawValue>::deserialize(deserializer)?.get();
                // What is nested too deeply for a value fails here, and one tenant's object must not fail a whole list.
                let value = Some(raw).filter(|raw| raw.len() <= *most).and_then(|raw| serde_json::from_str(raw).ok());
                self.is_cut.set(self.is_cut.get() || value.is_none());
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
        let most = if let Part::Text(most) = self.part { *most } else { LONGEST_ODD_TEXT };
        Ok(Value::String(cut(value, most)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        if let Part::Each(most, part) = self.part {
            while all.len() < *most
                && let Some(item) = items.next_element_seed(Seed { part, ..self })?
            {
                all.push(item);
            }
        }
        let is_asked_for = matches!(self.part, Part::Each(..));
        while items.next_element::<IgnoredAny>()?.is_some() {
            self.is_cut.set(self.is_cut.get() || is_asked_for);
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
                        self.is_cut.set(true);
                    }
                }
            }
            _ => while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {},
        }
        Ok(Value::Object(kept))
    }
}

/// One of these keys, or any other.
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

/// At most this many bytes of a text; of a longer one a digest of the whole as well.
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
        (read.value, read.is_cut)
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
        assert_eq!((read.value, read.is_cut), (json!({"any": null, "name": "a"}), true));
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
            let (kept, is_cut) = of(&value);
            prop_assert!(kept.to_string().len() < 4 * LONGEST_ENTRY * 6);
            prop_assert!(!is_cut || count > 0 || text.len() > 4 || text != "a" && text != "b");
        }
    }
}
