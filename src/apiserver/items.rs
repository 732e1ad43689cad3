//! Incremental splitting of a Kubernetes list: one item is in memory at a time, not a page of a hundred. JSON parsers
//! either need the whole text in memory or block a thread while they wait for input; this one only finds where items
//! begin and end.

/// Maximum length of an item; longer ones are skipped. etcd stores objects of at most 1.5 MiB by default.
pub(crate) const LONGEST: usize = 8 << 20;
/// Maximum length of the text around the items, which is usually a few hundred bytes.
const LONGEST_FRAME: usize = 1 << 20;

/// The state of the splitter.
#[derive(Debug, Default)]
pub(crate) struct Items {
    /// Number of open brackets.
    depth: u32,
    is_in_text: bool,
    is_escaped: bool,
    has_begun: bool,
    /// The current item.
    item: Vec<u8>,
    is_too_long: bool,
    /// The text around the items.
    frame: Vec<u8>,
}

/// One item of a list, or one line of a watch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// The JSON text.
    Text(&'a [u8]),
    /// The item is longer than [`LONGEST`].
    TooLong,
}

impl Items {
    /// Consumes the next piece of the text and passes each item that ends in it to `take`.
    pub(crate) fn push<E>(&mut self, piece: &[u8], mut take: impl FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        for &byte in piece {
            if self.is_in_text {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.is_in_text = false,
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.is_in_text = true,
                    b'[' if self.depth == 1 && ends_with_key(&self.frame) => {
                        self.has_begun = true;
                        self.frame.push(byte);
                        self.depth += 1;
                        continue;
                    }
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.has_begun && self.depth == 1 {
                            self.finish(&mut take)?;
                            self.has_begun = false;
                        }
                    }
                    b',' if self.has_begun && self.depth == 2 => {
                        self.finish(&mut take)?;
                        continue;
                    }
                    _ => {}
                }
            }
            self.keep(byte);
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) {
        if !self.has_begun {
            if self.frame.len() < LONGEST_FRAME {
                self.frame.push(byte);
            }
        } else if self.item.len() >= LONGEST {
            self.is_too_long = true;
        } else if !(self.item.is_empty() && byte.is_ascii_whitespace()) {
            self.item.push(byte);
        }
    }

    fn finish<E>(&mut self, take: &mut impl FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        let result = match (self.is_too_long, self.item.is_empty()) {
            (true, _) => take(Item::TooLong),
            (false, false) => take(Item::Text(&self.item)),
            (false, true) => Ok(()),
        };
        self.is_too_long = false;
        clear(&mut self.item);
        result
    }

    /// Returns the text of the list without its items.
    pub(crate) fn into_frame(self) -> Vec<u8> {
        self.frame
    }
}

/// Clears a buffer and releases the memory that a large object needed.
pub(crate) fn clear(buffer: &mut Vec<u8>) {
    const USUAL: usize = 64 << 10;
    buffer.clear();
    buffer.shrink_to(USUAL);
}

/// Returns whether the text ends with the key `items` and its colon.
fn ends_with_key(frame: &[u8]) -> bool {
    let key =
        frame.trim_ascii_end().strip_suffix(b":").and_then(|text| text.trim_ascii_end().strip_suffix(b"\"items\""));
    key.is_some_and(|before| before.last() != Some(&b'\\'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Returns the items and the parsed rest when the text arrives in pieces of this size.
    fn taken(text: &str, size: usize) -> (Vec<Value>, Value) {
        let (mut items, mut all) = (Items::default(), Vec::new());
        for piece in text.as_bytes().chunks(size.max(1)) {
            let result: Result<(), serde_json::Error> = items.push(piece, |item| {
                let Item::Text(text) = item else { panic!("it is short") };
                all.push(serde_json::from_slice(text)?);
                Ok(())
            });
            result.unwrap();
        }
        (all, serde_json::from_slice(&items.into_frame()).unwrap())
    }

    #[test]
    fn items_are_found_wherever_they_stand_and_whatever_is_in_them() {
        let text = r#" {"kind":"List" , "x\"items":[9],"other":{"items":[8]}, "items" :
            [ {"a":"],[}{\\","b":[1,{"items":[2]}]} , 7 ,[],"x\"," ], "metadata":{"continue":"c"}} "#;
        let rest = json!({"kind": "List", "x\"items": [9], "other": {"items": [8]}, "items": [],
            "metadata": {"continue": "c"}});
        let items = [json!({"a": "],[}{\\", "b": [1, {"items": [2]}]}), json!(7), json!([]), json!("x\",")];
        for size in 1..=text.len() {
            assert_eq!(taken(text, size), (items.to_vec(), rest.clone()));
        }
        assert_eq!(taken(r#"{"items":[]}"#, 3), (vec![], json!({"items": []})));
        assert_eq!(taken(r#"{"items":null}"#, 3), (vec![], json!({"items": null})));
    }

    #[test]
    fn an_item_that_is_too_long_is_skipped_and_the_next_one_read() {
        let text = format!(r#"{{"items":["{}",1]}}"#, "a".repeat(LONGEST));
        let (mut items, mut all) = (Items::default(), Vec::new());
        let result: Result<(), ()> = items.push(text.as_bytes(), |item| {
            all.push(item == Item::TooLong);
            Ok(())
        });
        assert_eq!((result, all), (Ok(()), vec![true, false]));
        assert!(items.item.capacity() <= 64 << 10);
    }

    proptest! {
        #[test]
        fn any_list_comes_apart_as_it_was_put_together(
            texts in prop::collection::vec("\\PC{0,12}", 0..6),
            size in 1..40usize,
        ) {
            let items: Vec<Value> = texts.iter().map(|text| json!({text.as_str(): [text, {"items": [text]}]})).collect();
            let list = json!({"a": texts, "items": items, "metadata": {"continue": "c"}});
            let frame = json!({"a": texts, "items": [], "metadata": {"continue": "c"}});
            prop_assert_eq!(taken(&list.to_string(), size), (items, frame));
        }
    }
}
