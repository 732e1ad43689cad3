//! Formats results: values in, text out. Pure; `ui` decides on colour and prints.

pub mod change;
pub mod cookie;
pub mod custom_columns;
pub mod describe;
pub mod diff;
pub mod draft;
pub mod duration;
pub mod fate;
pub mod findings;
pub mod fit;
pub mod jsonpath;
pub mod lint;
pub mod owner;
pub mod printer;
pub mod report;
pub mod show;
pub mod simulation;
pub mod style;
pub mod table;
pub mod verification;
pub mod wrap;

use std::borrow::Cow;

use self::style::Style;
use crate::{text::json_escaped, yaml};

pub use crate::text::{escaped, is_interpreted_by_terminal};

/// The output format of results (`-o`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// A table.
    #[default]
    Table,
    /// A table with more columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// One `TYPE.group/name` per line.
    Name,
}

impl Format {
    /// Returns a result in this format: the value as JSON or YAML, else the text.
    pub fn of(self, text: impl FnOnce() -> String, value: impl FnOnce() -> serde_json::Value) -> String {
        match self {
            Self::Json => json(&value()),
            Self::Yaml => yaml::print(&value()),
            Self::Table | Self::Wide | Self::Name => text(),
        }
    }
}

/// Formats a value as JSON, as kubectl does: four spaces, sorted keys. Characters that a terminal interprets are
/// escaped, even those that JSON allows (U+009B starts a sequence as ESC [ does).
pub fn json(value: &serde_json::Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("a JSON value can always be written");
    json_escaped(&String::from_utf8(bytes).expect("JSON is UTF-8")) + "\n"
}

/// Formats a value as JSON on one line, likewise escaped.
pub fn json_line(value: &serde_json::Value) -> String {
    json_escaped(&value.to_string()) + "\n"
}

/// Escapes characters that a terminal interprets, except our own styles, line breaks and tabs: all others come from
/// outside. Called where text is printed, so that no caller can forget it.
pub fn safe(text: &str, style: Style) -> Cow<'_, str> {
    let has_meaning = |c: char| matches!(c, '\n' | '\t');
    if !text.contains(|c| is_interpreted_by_terminal(c) && !has_meaning(c)) {
        return text.into();
    }
    let (mut safe, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let own = if style.colored { style::sequence(rest) } else { None };
        let (shown, after) = rest.split_at(own.unwrap_or(c.len_utf8()));
        if own.is_some() || has_meaning(c) {
            safe.push_str(shown);
        } else {
            safe.push_str(&escaped(shown));
        }
        rest = after;
    }
    safe.into()
}

/// Escapes each line of a text for a terminal.
pub fn escaped_lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}

/// Formats a number with the right form of the word: `1 Canary`, `2 Canaries`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_no_character_that_a_terminal_obeys_and_stays_the_same_value() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[2J\u{7f}\u{85}\r\n日"});
        let text = json(&value);
        assert_eq!(text, "{\n    \"a\\u009b\": \"\\u001b[2J\\u007f\\u0085\\r\\n日\"\n}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn styles_of_ours_and_line_breaks_are_all_that_is_obeyed() {
        let colored = Style { colored: true };
        let text = format!("{}\n\ta\u{1b}[8mb\u{9b}\r", colored.paint(style::Meaning::Error, "error:"));
        assert_eq!(safe(&text, colored), "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m\n\ta\\u{1b}[8mb\\u{9b}\\r");
        assert_eq!(safe("\u{1b}[31ma\n", Style::PLAIN), "\\u{1b}[31ma\n");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_printed_holds_nothing_that_is_obeyed(text: String, colored: bool) {
            let style = Style { colored };
            let text = style.paint(style::Meaning::Hint, &text) + &text;
            let mut shown = safe(&text, style).into_owned();
            for own in style::SEQUENCES {
                shown = shown.replace(own, "");
            }
            proptest::prop_assert!(!shown.contains(|c| is_interpreted_by_terminal(c) && !matches!(c, '\n' | '\t')), "{:?}", shown);
        }
    }
}
