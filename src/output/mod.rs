//! What it looks like: values in, text out. Pure; `ui` decides about colour and prints.

pub mod change;
pub mod describe;
pub mod diff;
pub mod draft;
pub mod duration;
pub mod fate;
pub mod findings;
pub mod owner;
pub mod report;
pub mod show;
pub mod style;
pub mod table;
pub mod wrap;

use std::{fmt, str::FromStr};

/// How results are written (`-o`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Rows for people.
    #[default]
    Table,
    /// Rows with more columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// `TYPE.group/name` a line.
    Name,
}

impl Format {
    /// Every format, as typed.
    pub const ALL: [(&'static str, Self); 5] = [
        ("table", Self::Table),
        ("wide", Self::Wide),
        ("json", Self::Json),
        ("yaml", Self::Yaml),
        ("name", Self::Name),
    ];
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, format)| format).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("allowed are {}", names.join(", "))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name))
    }
}

/// A value as JSON text, as kubectl prints it: four blanks, sorted keys. Every control character in it is
/// escaped, also those that JSON allows and a terminal obeys (U+009B begins a sequence as ESC [ does).
pub fn json(value: &serde_json::Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("a JSON value can always be written");
    let text = String::from_utf8(bytes).expect("JSON is UTF-8");
    // Between strings there are no other control characters than the line breaks.
    let mut safe = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c.is_control() && c != '\n' { safe.push_str(&format!("\\u{:04x}", u32::from(c))) } else { safe.push(c) }
    }
    safe.push('\n');
    safe
}

/// Text from the cluster made safe for a terminal: control characters escaped (CVE-2021-25743 is of this
/// kind) and those that turn the direction of writing (CVE-2021-42574), everything else as it is.
pub fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if is_obeyed(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// Whether a terminal or an editor obeys this character instead of showing it: it controls, ends a line, or turns the
/// direction of writing (Unicode's `Bidi_Control`).
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Several lines, each made safe for a terminal.
pub fn escaped_lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}

/// `1 Canary`, `2 Canaries`: the number with the right form of the word.
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
    fn what_a_terminal_obeys_is_escaped_and_nothing_else() {
        assert_eq!(escaped("a\u{9b}b\u{202e}c\u{2066}d\te"), "a\\u{9b}b\\u{202e}c\\u{2066}d\\te");
        assert_eq!(escaped("日本 é 😀 שלום"), "日本 é 😀 שלום");
    }
}
