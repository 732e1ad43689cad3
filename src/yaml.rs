//! YAML text to JSON values and back, read and written the way kubectl does. Pure, and the only file that
//! names the YAML crate.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Number, Value};
use serde_saphyr::{Localizer, Location, Spanned, UserMessageFormatter};

use crate::text::turns;

/// Where and why a text is not YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The reason, without the place.
    pub reason: String,
}

/// Parses one YAML (or JSON) document.
///
/// Scalars mean what they mean to kubectl: `on`, `yes` and `NO` are booleans, `010` is 8, `1e3` is 1000.
///
/// # Errors
///
/// The place and the reason when the text is not one well-formed document, or a mapping has a key twice.
pub fn parse(text: &str) -> Result<Value, SyntaxError> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false, emit_comments: false };
    match serde_saphyr::from_str_with_options::<Value>(text, options) {
        Ok(mut value) => {
            make_whole(&mut value);
            Ok(value)
        }
        Err(error) => Err(syntax_error(&error)),
    }
}

/// One entry of a mapping, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The line of the value, from 1.
    pub line: usize,
}

/// Parses one document whose root is a mapping, into the entries of that in their order; `None` when the root is
/// something else.
///
/// # Errors
///
/// As [`parse`].
pub fn entries(text: &str) -> Result<Option<Vec<Entry>>, SyntaxError> {
    if !parse(text)?.is_object() {
        return Ok(None);
    }
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false, emit_comments: false };
    let entries = serde_saphyr::from_str_with_options::<BTreeMap<String, Spanned<Value>>>(text, options)
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

/// Writes a value as YAML that kubectl reads back as the same value: keys sorted, lists not indented, long
/// lines left whole, several lines as a literal block. What a terminal obeys is escaped in it.
pub fn print(value: &Value) -> String {
    if !any_string(value, &|text| text.contains(turns)) {
        return write(value);
    }
    // The crate escapes whatever controls, also in keys, but not what turns the direction of writing. So that stands there
    // as a character that is escaped, behind which a number says which it is, unless somebody else wrote the same.
    let is_free = |mark: &String| {
        let taken = [format!("{PLACE}{mark}"), format!("\\uFFFE{mark}")];
        !any_string(value, &|text| taken.iter().any(|taken| text.contains(taken)))
    };
    let mark = (0..usize::MAX).map(|number| format!("{number}/")).find(is_free).unwrap_or_default();
    write(&marked(value, &mark)).replace(&format!("\\uFFFE{mark}"), "\\u")
}

/// No character, and escaped therefore.
const PLACE: char = '\u{fffe}';

/// The value with marks for what turns the direction of writing.
fn marked(value: &Value, mark: &str) -> Value {
    let text = |text: &str| {
        let letter = |c: char| if turns(c) { format!("{PLACE}{mark}{:04X}", u32::from(c)) } else { c.to_string() };
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
    // go-yaml refuses a literal block whose first line begins with a tab.
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

/// `1e3` and `010` arrive as floats; where the value is whole, kubectl has an integer.
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

/// Keeps the place out of the parser's text: it is shown in front of it.
struct WithoutPlace;

impl Localizer for WithoutPlace {
    fn attach_location<'a>(&self, base: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        base
    }
}

/// The parser's text on one line.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.render_with_formatter(&UserMessageFormatter.with_localizer(&WithoutPlace));
    let text = text.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some(first), rest) if rest.starts_with(char::is_lowercase) => {
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(text: &str) -> (usize, usize, String) {
        let error = parse(text).unwrap_err();
        (error.line, error.column, error.reason)
    }

    #[test]
    fn scalars_mean_what_they_mean_to_kubectl() {
        for (text, value) in [
            ("on", json!(true)),
            ("yes", json!(true)),
            ("y", json!(true)),
            ("NO", json!(false)),
            ("True", json!(true)),
            ("010", json!(8)),
            ("0o10", json!(8)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("1e3", json!(1000)),
            ("1.5", json!(1.5)),
            ("12:30", json!("12:30")),
            ("190:20:30", json!("190:20:30")),
            ("2020-01-01", json!("2020-01-01")),
            ("~", json!(null)),
            ("", json!(null)),
        ] {
            assert_eq!(parse(&format!("key: {text}\n")), Ok(json!({ "key": value })), "{text}");
        }
    }

    #[test]
    fn json_with_tabs_and_escapes_is_yaml() {
        let text = "{\n\t\"a\": \"\\/\\ud83d\\ude00\",\n\t\"b\": [\n\t\t1\n\t]\n}\n";
        assert_eq!(parse(text), Ok(json!({ "a": "/😀", "b": [1] })));
    }

    #[test]
    fn a_long_run_of_comments_is_no_error() {
        let comments = "  # a line\n".repeat(200);
        assert_eq!(parse(&format!("a:\n{comments}  - 1\n{comments}b: 2\n")), Ok(json!({ "a": [1], "b": 2 })));
    }

    #[test]
    fn what_is_printed_is_read_back_as_the_same_value() {
        let awkward = [
            "on",
            "yes",
            "y",
            "NO",
            "1_000",
            "010",
            "12:30",
            "1e3",
            "0x1F",
            "~",
            "",
            "null",
            "true",
            "2020-01-01",
            "a: b",
            "a #b",
            "- a",
            "*a",
            "&a",
            "!a",
            "%",
            "@",
            "`",
            "{a}",
            "[a]",
            "'a",
            "\"a",
            "\\",
            " a",
            "a ",
            "-",
            "---",
            "=",
            "<<",
            "a\tb",
            "\u{7}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\u{202e}",
            "a\u{202e}b",
            "a\nb\u{2066}",
            "- \u{200f}",
            "\u{fffe}0/\u{202e}\\uFFFE1/",
            "😀",
            "a\nb",
            "a\n",
            "a\n\n",
            "\n",
            "\na",
            "  a\nb",
            "\ta\nb",
            "\n\ta\nb",
            "a\n\tb",
        ];
        for text in awkward {
            let value = json!({ text: text, "list": [text, { text: text }] });
            let printed = print(&value);
            assert_eq!(parse(&printed), Ok(value), "{printed}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_string_is_read_back_and_none_is_obeyed(texts in proptest::collection::vec(
            proptest::prelude::prop_oneof![".*", "[\u{61c}\u{7f}-\u{a0}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}\n :#-]{0,6}"], 3,
        )) {
            let value = json!({ &texts[0]: [texts[1], { &texts[1]: texts[2] }], "a": { "b": texts[0] } });
            let printed = print(&value);
            proptest::prop_assert!(!printed.contains(|c| crate::text::is_obeyed(c) && !matches!(c, '\n' | '\t')), "{}", printed);
            proptest::prop_assert_eq!(parse(&printed), Ok(value), "{}", printed);
        }
    }

    #[test]
    fn words_that_kubectl_would_misread_are_quoted() {
        let printed = print(&json!({ "on": "yes", "y": "NO", "a": "1_000", "b": "010", "c": "12:30" }));
        assert_eq!(printed, "a: \"1_000\"\nb: \"010\"\nc: \"12:30\"\n\"on\": \"yes\"\n\"y\": \"NO\"\n");
    }

    #[test]
    fn several_lines_are_a_block_unless_the_first_begins_with_a_tab() {
        assert_eq!(print(&json!({ "a": "b\nc\n" })), "a: |\n  b\n  c\n");
        assert_eq!(print(&json!({ "a": "\tb\nc\n" })), "a: \"\\tb\\nc\\n\"\n");
        assert_eq!(print(&json!({ "a": "\n\n\tb\n" })), "a: \"\\n\\n\\tb\\n\"\n");
    }

    #[test]
    fn long_lines_are_not_folded_and_lists_not_indented() {
        let query = "sum(rate(requests[1m])) / ".repeat(20) + "1";
        assert_eq!(print(&json!({ "items": [query] })), format!("items:\n- {query}\n"));
    }

    #[test]
    fn an_error_has_its_place_and_a_reason_of_one_line_without_it() {
        assert_eq!(error("a: 1\nb: [\r\n"), (2, 4, "unclosed bracket '['".to_owned()));
        assert_eq!(error("a: b: c\n"), (1, 5, "mapping values are not allowed in this context".to_owned()));
        assert_eq!(error("ä: é\n b: c\n").0, 2);
        let said = ["a: 1\na: 2\n", "a: \"x\nb: c\n", "a:\n\t- b\n", "x: *nope\n", "a: {{ .Values.x }}\n", "a: .nan\n"]
            .map(error);
        assert_eq!(
            said.map(|(line, column, reason)| format!("{line}:{column} {reason}")),
            [
                "2:1 duplicate mapping key `a` is not allowed here",
                "1:4 unclosed quote",
                "2:2 tabs disallowed within this context (block indentation)",
                "1:4 reference to unknown value",
                "1:5 expected string scalar",
                "1:4 value `.nan` is not a finite number",
            ]
        );
    }

    #[test]
    fn entries_have_their_lines_in_every_style() {
        let lines = |text: &str| {
            let entries = entries(text).unwrap().unwrap();
            entries.into_iter().map(|entry| format!("{} {} {}", entry.line, entry.key, entry.value)).collect::<Vec<_>>()
        };
        assert_eq!(
            lines("# c\nname: a\n\nmaxAge: 010\npath:\n  /sso\n\"on\": 1e3\nx:\n"),
            ["2 name \"a\"", "4 maxAge 8", "6 path \"/sso\"", "7 on 1000", "8 x null"]
        );
        assert_eq!(lines("{name: a,\n maxAge: 5}\n"), ["1 name \"a\"", "2 maxAge 5"]);
        assert_eq!(lines("{}"), [""; 0]);
        assert_eq!(entries("- a\n"), Ok(None));
        assert_eq!(entries("# nothing\n"), Ok(None));
        assert_eq!(entries("a: 1\na: 2\n").unwrap_err().line, 2);
    }

    #[test]
    fn a_key_twice_is_an_error_at_the_second() {
        assert_eq!(
            error("a:\n  b: 1\n  c: 2\n  b: 3\n"),
            (4, 3, "duplicate mapping key `b` is not allowed here".to_owned())
        );
    }

    #[test]
    fn what_the_parser_says_of_its_own_options_is_not_shown() {
        assert_eq!(error("a: 1\na: 2\n").2, "duplicate mapping key `a` is not allowed here");
        assert_eq!(error("a: 1\n---\nb: 2\n").2, "only single YAML document expected but multiple found");
    }
}
