//! Tests that YAML is read and written as kubectl does.

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
fn a_list_of_any_length_can_be_read() {
    let items = "- 0\n".repeat(260_000);
    assert_eq!(parse(&format!("items:\n{items}")).unwrap()["items"].as_array().map(Vec::len), Some(260_000));
}

#[test]
fn what_grows_by_aliases_alone_is_refused() {
    let ten = |of: &str| [of; 10].join(", ");
    let levels: String =
        (1..9).map(|level| format!("l{level}: &l{level} [{}]\n", ten(&format!("*l{}", level - 1)))).collect();
    let nodes = format!("l0: &l0 [{}]\n{levels}", ten("a"));
    let anchors: String = (0..200).map(|number| format!("- &a{number} 1\n")).collect();
    let bytes = format!("big: &big {}\nsmall:\n{anchors}items:\n{}", "x".repeat(200_000), "- *big\n".repeat(1000));
    for text in [nodes, bytes] {
        let reason = parse(&text).unwrap_err().reason;
        assert_eq!(
            reason.split(':').next(),
            Some("its aliases expand to too much, or it is nested too deeply"),
            "{reason}"
        );
    }
}

#[test]
fn a_long_run_of_comments_is_no_error() {
    let comments = "  # a line\n".repeat(200);
    assert_eq!(parse(&format!("a:\n{comments}  - 1\n{comments}b: 2\n")), Ok(json!({ "a": [1], "b": 2 })));
}

/// Strings that are something else, or nothing, when they are written without care.
const AWKWARD: [&str; 54] = [
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

#[test]
fn what_is_printed_is_read_back_as_the_same_value() {
    for text in AWKWARD {
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
        proptest::prop_assert!(!printed.contains(|c| crate::text::is_interpreted_by_terminal(c) && !matches!(c, '\n' | '\t')), "{}", printed);
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
    let said =
        ["a: 1\na: 2\n", "a: \"x\nb: c\n", "a:\n\t- b\n", "x: *nope\n", "a: {{ .Values.x }}\n", "a: .nan\n"].map(error);
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
