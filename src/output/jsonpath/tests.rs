//! Tests of templates. `tests/cluster/templates.rs` compares them with kubectl's own.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn filled(template: &str) -> String {
    let value = json!({"kind": "List", "n": null, "items": [
        {"name": "a", "weights": {"canary": 10}, "on": true, "app.io/x": "l", "tags": ["<x>", "y"]},
        {"name": "b", "weights": {"canary": 30}, "on": false, "phase": null, "tags": []},
        {"name": "c", "weights": {"canary": null}},
    ]});
    match Template::parse(template) {
        Ok(parsed) => parsed.fill(&value).unwrap_or_else(|error| format!("! {}", error.message())),
        Err(problem) => format!("? {problem}"),
    }
}

#[test]
fn templates_are_filled_in_as_kubectl_does() {
    for (template, text) in [
        ("plain", "plain"),
        ("{.kind}", "List"),
        ("{$.kind}/{@.kind}", "List/List"),
        ("{.items[*].name}", "a b c"),
        ("{.items[0].name}{.items[-1].name}", "ac"),
        ("{.items[0:2].name} {.items[::2].name} {.items[1:].name}", "a b a c b c"),
        ("{.items[0,2].name}", "a c"),
        ("{.items[0]['name','on']}", "a true"),
        (r"{.items[0].app\.io/x} {.items[0]['app\.io/x']}", "l l"),
        ("{range .items[*]}{.name}{\"\\t\"}{.weights.canary}{'\\n'}{end}!", "a\t10\nb\t30\nc\tnull\n!"),
        ("{range .items[*]}{.name}:{range .tags[*]}{@},{end};{end}", "a:<x>,y,;b:;c:;"),
        ("{.items[?(@.weights.canary>10)].name}", "b"),
        ("{.items[?(@.name!=\"a\")].name} {.items[?(@.on)].name} {.items[?(@.on==true)].name}", "b c a b a"),
        ("{.items[?(@.phase==\"x\")].name}.", "."),
        ("{range .items[*]}{.name}", "abc"),
        ("{..canary}", "10 30 null"),
        ("{.items[0].*.canary}", "10"),
        ("{.items[0].tags} {.items[0].weights}", r#"["\u003cx\u003e","y"] {"canary":10}"#),
        ("{.nothing.at.all}|{.n}|{.n.x}", "|null|"),
        ("{\"a\\u00e9\\\"\"}", "aé\""),
        ("{1}{2.5}{true}", "12.5true"),
    ] {
        assert_eq!(filled(template), text, "{template}");
    }
}

#[test]
fn what_is_wrong_with_a_template_is_named() {
    for (template, problem) in [
        ("{.kind", "? { without }"),
        ("{end}", "? {end} without {range}"),
        ("{kind}", "? `kind` is not a path: begin it with a dot, `.kind`"),
        ("{.items[}", "? [ without ]"),
        ("{.items[x]}", "? `[x]` is not a place in a list"),
        ("{.items[?(@.a==1}", "? [?( without )]"),
        ("{.items[?(@.a=1)]}", "? `=` is not one of ==, !=, <, <=, > and >="),
        ("{\"a}", "? unclosed \""),
        ("{\"\\q\"}", "? `\\q` is not an escape sequence"),
        ("{....a}", "? `....` is not a path"),
        ("{%}", "? `%` is not allowed in braces"),
        ("{1.2.3}", "? `1.2.3` is not a number"),
        ("{.items[3].name}", "! jsonpath: index 3 is out of range in a list of 3"),
        ("{.kind[0]}", "! jsonpath: List is not a list"),
        ("{.items[0:3:0]}", "! jsonpath: the step of a slice must be greater than 0"),
    ] {
        assert_eq!(filled(template), problem, "{template}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[{}\\[\\]().,:*?@$'\"\\\\a-c0-2=<>! \\n-]{0,40}") {
        let _ = filled(&text);
    }
}
