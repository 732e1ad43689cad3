//! Converts YAML text to JSON values and back, as kubectl does. Pure, and the only file that uses the YAML crate.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Number, Value};
use serde_saphyr::{Localizer, Location, Spanned, UserMessageFormatter};

use crate::text::changes_direction;

/// A syntax error in YAML text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The reason, without the position.
    pub reason: String,
}

/// Parses one YAML (or JSON) document.
///
/// Scalars mean what they mean to kubectl: `on`, `yes` and `NO` are booleans, `010` is 8, `1e3` is 1000.
///
/// # Errors
///
/// Fails with position and reason if the text is not one well-formed document, or if a mapping has a key twice.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    match serde_saphyr::from_str_with_options::<Value>(text, options(text)) {
        Ok(mut value) => {
            make_whole(&mut value);
            Ok(value)
        }
        Err(error) => Err(syntax_error(&error)),
    }
}

/// An entry of a mapping, and its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The line of the value, from 1.
    pub line: usize,
}

/// Parses one document whose root is a mapping into the mapping's entries in order; `None` if the root is something
/// else.
pub fn entries(text: &str) -> Result<Option<Vec<Entry>>, SyntaxError> {
    if !parse(text)?.is_object() {
        return Ok(None);
    }
    let entries = serde_saphyr::from_str_with_options::<BTreeMap<String, Spanned<Value>>>(text, options(text))
        .map_err(|error| syntax_error(&error))?;
    let mut entries: Vec<_> = entries
        .into_iter()
        .map(|(key, Spanned { mut value, referenced, .. })| {
            make_whole(&mut value);
            Entry { key, value, line: count(referenced.line()) }
        })
        .collect();
    entries.sort_by_key(|entry| entry.line);
    Ok(Some(entries))
}

/// Returns options to parse scalars as kubectl does. The limits grow with the text, which may be a list of all
/// Canaries; the crate's own limits remain for what aliases add.
fn options(text: &str) -> serde_saphyr::Options {
    let (limits, room) = (serde_saphyr::Budget::default(), text.len());
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        emit_comments: false,
        budget: serde_saphyr::budget! {
            max_nodes: limits.max_nodes.saturating_add(room),
            // A node has a start and an end.
            max_events: limits.max_events.saturating_add(room.saturating_mul(2)),
            max_total_scalar_bytes: limits.max_total_scalar_bytes.saturating_add(room),
            max_anchors: limits.max_anchors.saturating_add(room),
            max_aliases: limits.max_aliases.saturating_add(room),
            max_merge_keys: limits.max_merge_keys.saturating_add(room),
            enforce_alias_anchor_ratio: false,
        },
    }
}

fn syntax_error(error: &serde_saphyr::Error) -> SyntaxError {
    let place = error.location();
    SyntaxError {
        line: place.map_or(1, |place| count(place.line())),
        column: place.map_or(1, |place| count(place.column())),
        reason: reason(error),
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Writes a value as YAML that kubectl reads back as the same value: keys sorted, lists not indented, long lines not
/// broken, several lines as a literal block. Characters that a terminal interprets are escaped.
pub fn print(value: &Value) -> String {
    if !any_string(value, &|text| text.contains(changes_direction)) {
        return write(value);
    }
    // The crate escapes control characters, also in keys, but not those that change the direction of writing. Each of
    // these is written as a placeholder that the crate escapes, followed by a mark that does not occur in the value,
    // and its code.
    let is_free = |mark: &String| {
        let taken = [format!("{PLACE}{mark}"), format!("\\uFFFE{mark}")];
        !any_string(value, &|text| taken.iter().any(|taken| text.contains(taken)))
    };
    let mark = (0..usize::MAX).map(|number| format!("{number}/")).find(is_free).unwrap_or_default();
    write(&marked(value, &mark)).replace(&format!("\\uFFFE{mark}"), "\\u")
}

/// Not a character, and therefore escaped.
const PLACE: char = '\u{fffe}';

/// Replaces characters that change the direction of writing with placeholders.
fn marked(value: &Value, mark: &str) -> Value {
    let text = |text: &str| {
        let letter =
            |c: char| if changes_direction(c) { format!("{PLACE}{mark}{:04X}", u32::from(c)) } else { c.to_string() };
        text.chars().map(letter).collect::<String>()
    };
    match value {
        Value::String(string) => text(string).into(),
        Value::Array(items) => items.iter().map(|item| marked(item, mark)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, field)| (text(key), marked(field, mark))).collect(),
        other => other.clone(),
    }
}

fn write(value: &Value) -> String {
    // go-yaml rejects a literal block whose first line starts with a tab.
    let blocks = !any_string(value, &|text| text.contains('\n') && text.trim_start_matches('\n').starts_with('\t'));
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX, prefer_block_scalars: blocks };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options)
        .expect("a JSON value can always be written as YAML");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Converts whole floats to integers, as kubectl does: `1e3` and `010` are parsed as floats.
fn make_whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(integer) = whole(number) {
                *number = integer;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_whole),
        Value::Object(fields) => fields.values_mut().for_each(make_whole),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range just before")]
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|_| number.is_f64())?;
    (float.fract() == 0.0 && float.abs() < 9e15).then(|| Number::from(float as i64))
}

fn any_string(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(items) => items.iter().any(|item| any_string(item, wanted)),
        Value::Object(fields) => fields.iter().any(|(key, field)| wanted(key) || any_string(field, wanted)),
        _ => false,
    }
}

/// Leaves the position out of the parser's message, because it is shown in front.
struct WithoutPlace;

impl Localizer for WithoutPlace {
    fn attach_location<'a>(&self, base: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        base
    }
}

/// Returns the parser's message on one line, in plain words.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.render_with_formatter(&UserMessageFormatter.with_localizer(&WithoutPlace));
    let text = text.lines().next().unwrap_or_default().trim_end_matches('.');
    // Beyond the text's own size, only aliases and depth are limited.
    if text.contains("limits breached") || text.contains("recursion limit") {
        return "its aliases expand to too much, or it is nested too deeply".to_owned();
    }
    if let Some(letter) = text.strip_prefix("unexpected character: `").and_then(|text| text.strip_suffix('\'')) {
        return format!("unexpected character `{letter}`");
    }
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some(first), rest) if rest.starts_with(char::is_lowercase) => {
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
