//! Writes scalars in a given style. Pure.

use serde_json::Value;

use crate::yaml;

/// The style of scalars at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Plain if YAML reads it back unchanged, else in double quotes.
    Block,
    /// Like `Block`, where `,[]{}` have a special meaning.
    Flow,
    /// JSON: every string and key in double quotes.
    Json,
}

/// Writes a value in this style.
pub(super) fn write(value: &Value, style: Style) -> String {
    match value {
        Value::String(text) => write_text(text, style),
        other => other.to_string(),
    }
}

/// Writes a string or a key in this style.
pub(super) fn write_text(text: &str, style: Style) -> String {
    let plain = match style {
        Style::Block => is_plain(text),
        Style::Flow => is_plain(text) && !text.contains([',', '[', ']', '{', '}']) && !text.starts_with('?'),
        Style::Json => false,
    };
    if plain { text.to_owned() } else { double_quoted(text) }
}

fn is_plain(text: &str) -> bool {
    !text.contains(['\n', '\r']) && yaml::print(&Value::from(text)).strip_suffix('\n') == Some(text)
}

/// Returns the text in double quotes, with escapes known to both JSON and YAML.
pub(super) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if letter.is_control()
                || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                quoted.extend(format!("\\u{:04x}", u32::from(letter)).chars());
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns the text in single quotes, if it can be written so on one line.
pub(super) fn single_quoted(text: &str) -> Option<String> {
    let held =
        !text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}'));
    held.then(|| format!("'{}'", text.replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COOKIE: &str = "login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax";

    #[test]
    fn a_cookie_needs_no_quotes_but_in_json() {
        assert_eq!(write_text(COOKIE, Style::Block), COOKIE);
        assert_eq!(write_text(COOKIE, Style::Flow), COOKIE);
        assert_eq!(write_text(COOKIE, Style::Json), format!("\"{COOKIE}\""));
    }

    #[test]
    fn what_yaml_would_misread_is_quoted() {
        for text in
            ["", "on", "y", "010", "12:30", "a: b", "a #b", "- a", "*a", "{a", "a ", "null", "-", "a\nb", "a\tb"]
        {
            assert_eq!(write_text(text, Style::Block), double_quoted(text));
        }
        for text in ["a, b", "a]", "?a"] {
            assert_eq!(write_text(text, Style::Block), text);
            assert_eq!(write_text(text, Style::Flow), double_quoted(text));
        }
    }

    #[test]
    fn integers_and_booleans_are_bare_everywhere() {
        for style in [Style::Block, Style::Flow, Style::Json] {
            assert_eq!(write(&json!(300), style), "300");
            assert_eq!(write(&json!(true), style), "true");
        }
    }

    #[test]
    fn double_quotes_hold_everything_for_json_and_yaml_alike() {
        let text = "\"\\\n\r\t\u{0}\u{7f}\u{85}\u{2028}\u{feff}é😀/";
        let quoted = double_quoted(text);
        assert_eq!(serde_json::from_str::<Value>(&quoted).unwrap(), text);
        assert_eq!(yaml::parse(&quoted).unwrap(), text);
    }

    #[test]
    fn single_quotes_hold_one_line() {
        assert_eq!(single_quoted("it's").unwrap(), "'it''s'");
        assert_eq!(single_quoted("a\nb"), None);
    }
}
