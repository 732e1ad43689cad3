//! Exact texts before and after edits. Long, because each way to write a mapping has its own case with the whole text.

use std::path::PathBuf;

use super::super::{Manifests, parse};
use super::*;

const COOKIE: &str = "login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax";
const KEY: [&str; 3] = ["metadata", "annotations", "kubectl-canary-traefik/sticky-cookie"];
const HEAD: &str = "apiVersion: flagger.app/v1beta1\nkind: Canary\n";

fn manifests(text: &str) -> Manifests {
    parse(Some(PathBuf::from("canary.yaml")), text.to_owned()).unwrap()
}

/// Returns the text after these edits of its last object.
#[track_caller]
fn edited(text: &str, edits: &[Edit]) -> String {
    let manifests = manifests(text);
    let object = manifests.objects().last().unwrap();
    edit(manifests.source(object), object, edits).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Returns the error for these edits of the last object.
#[track_caller]
fn refused(text: &str, edits: &[Edit]) -> Error {
    let manifests = manifests(text);
    let object = manifests.objects().last().unwrap();
    edit(manifests.source(object), object, edits).expect_err(text)
}

fn set(value: &str) -> [Edit; 1] {
    [Edit::set(&KEY, value)]
}

fn remove() -> [Edit; 1] {
    [Edit::remove(&KEY)]
}

/// Asserts the text after setting the cookie, below a head with kind and version.
#[track_caller]
fn sets(before: &str, after: &str) {
    for line_break in ["\n", "\r\n"] {
        let [before, after] = [before, after].map(|text| format!("{HEAD}{text}").replace('\n', line_break));
        assert_eq!(edited(&before, &set(COOKIE)), after);
        assert_eq!(edited(&after, &set(COOKIE)), after, "setting it again");
    }
}

/// Like [`sets`]; also asserts that removing the cookie restores the text before, byte for byte.
#[track_caller]
fn sets_and_removes(before: &str, after: &str) {
    sets(before, after);
    for line_break in ["\n", "\r\n"] {
        let [before, after] = [before, after].map(|text| format!("{HEAD}{text}").replace('\n', line_break));
        assert_eq!(edited(&after, &remove()), before);
        assert_eq!(edited(&before, &remove()), before, "nothing to take away");
    }
}

/// Asserts the text after removing the cookie.
#[track_caller]
fn removes(before: &str, after: &str) {
    for line_break in ["\n", "\r\n"] {
        let [before, after] = [before, after].map(|text| format!("{HEAD}{text}").replace('\n', line_break));
        assert_eq!(edited(&before, &remove()), after);
    }
}

#[test]
fn a_plain_value_stays_plain_and_keeps_its_comment() {
    sets(
        "metadata:\n  annotations:\n    a: b\n    kubectl-canary-traefik/sticky-cookie: old;  Path=/   # why\n    c: d\n",
        "metadata:\n  annotations:\n    a: b\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax   # why\n    c: d\n",
    );
}

#[test]
fn quotes_stay_as_they_are_around_value_and_key() {
    sets(
        "metadata:\n  annotations:\n    \"kubectl-canary-traefik/sticky-cookie\" : 'it''s old' # why\n",
        "metadata:\n  annotations:\n    \"kubectl-canary-traefik/sticky-cookie\" : 'login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax' # why\n",
    );
    sets(
        "metadata:\n  annotations:\n    'kubectl-canary-traefik/sticky-cookie': \"o\\\"ld\"\n",
        "metadata:\n  annotations:\n    'kubectl-canary-traefik/sticky-cookie': \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"\n",
    );
}

#[test]
fn a_value_over_several_lines_becomes_one() {
    sets(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login;\n      Path=/;\n\n      Secure # why\n  name: a\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax # why\n  name: a\n",
    );
    sets(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie:\n      \"login;\n      Path=/\"\n  name: a\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie:\n      \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"\n  name: a\n",
    );
}

#[test]
fn a_block_scalar_stays_one_if_its_header_can_say_the_value() {
    sets(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: >- # why\n      login;\n      Path=/\n\n    # next\n    a: b\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: >- # why\n      login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n\n    # next\n    a: b\n",
    );
    sets(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: | # why\n      login\n\n    # next\n    a: b\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\" # why\n\n    # next\n    a: b\n",
    );
    sets(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: |-2\n       login\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"\n",
    );
}

#[test]
fn several_lines_go_into_a_literal_block_that_was_there() {
    let before = format!("{HEAD}data:\n  a: |\n    b\n  c: d\n");
    let edits = [Edit::set(&["data", "a"], "e\n\n  f\n")];
    assert_eq!(edited(&before, &edits), format!("{HEAD}data:\n  a: |\n    e\n\n      f\n  c: d\n"));
}

#[test]
fn a_value_that_is_not_written_yet_goes_behind_the_colon() {
    sets(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie:   # none\n    a: b\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax   # none\n    a: b\n",
    );
}

#[test]
fn values_that_yaml_would_misread_are_quoted() {
    let before = format!("{HEAD}metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: old # why\n");
    for value in ["on", "", "010", "a: b", "a #b", "; a\tb", "*a", "a\nb", "12:30"] {
        let after = edited(&before, &set(value));
        assert!(after.ends_with(&format!(": {} # why\n", scalar::double_quoted(value))), "{after}");
    }
}

#[test]
fn integers_and_booleans_lose_the_quotes_and_strings_of_digits_get_them() {
    let before = format!("{HEAD}a: '1'\nb: 2 # two\n");
    let edits = [Edit::set(&["a"], 300), Edit::set(&["b"], "2")];
    assert_eq!(edited(&before, &edits), format!("{HEAD}a: 300\nb: \"2\" # two\n"));
    assert_eq!(edited(&before, &[Edit::set(&["b"], true)]), format!("{HEAD}a: '1'\nb: true # two\n"));
}

#[test]
fn a_new_key_is_the_last_of_its_mapping() {
    sets_and_removes(
        "metadata:\n  annotations:\n    a: b # c\n  name: a\n",
        "metadata:\n  annotations:\n    a: b # c\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n  name: a\n",
    );
    sets_and_removes(
        "metadata:\n    annotations:\n          a: {b: c,\n             d: e} # f\n          # g\n\n    name: a",
        "metadata:\n    annotations:\n          a: {b: c,\n             d: e} # f\n          kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n          # g\n\n    name: a",
    );
}

#[test]
fn a_missing_final_line_break_stays_missing() {
    sets_and_removes(
        "metadata:\n  annotations:\n    a: b # c",
        "metadata:\n  annotations:\n    a: b # c\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax",
    );
}

#[test]
fn a_block_scalar_before_the_new_key_keeps_its_blank_lines() {
    sets_and_removes(
        "metadata:\n  annotations:\n    a: |\n      b\n      c\n\n  name: a\n",
        "metadata:\n  annotations:\n    a: |\n      b\n      c\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n\n  name: a\n",
    );
    sets_and_removes(
        "metadata:\n  annotations:\n    a: |+\n      b\n\n  name: a\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n    a: |+\n      b\n\n  name: a\n",
    );
    sets_and_removes(
        "metadata:\n  annotations:\n    a: |\n      b",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n    a: |\n      b",
    );
}

#[test]
fn missing_parents_are_made_with_the_indentation_of_the_file() {
    sets_and_removes(
        "metadata:\n  name: a\nspec: {}\n",
        "metadata:\n  name: a\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\nspec: {}\n",
    );
    sets_and_removes(
        "metadata:\n   name: a\n\n# b\nspec:\n   c: d\n",
        "metadata:\n   name: a\n   annotations:\n      kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n\n# b\nspec:\n   c: d\n",
    );
    sets(
        "spec:\n    a: b\n",
        "spec:\n    a: b\nmetadata:\n    annotations:\n        kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n",
    );
}

#[test]
fn annotations_that_are_null_or_empty_get_their_first_line() {
    let after = "metadata:\n  annotations: # none\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n    # more\n  name: a\n";
    for before in [": # none", ": ~ # none", ": null # none", ": {} # none", ":\n    {} # none", ": {\n    } # none"] {
        sets(&format!("metadata:\n  annotations{before}\n    # more\n  name: a\n"), after);
    }
    sets(
        "metadata:\n  annotations:",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax",
    );
    sets(
        "metadata:\n  annotations: &a {}\n",
        "metadata:\n  annotations: &a\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n",
    );
    sets(
        "metadata:\n  annotations: { # none\n  }\n",
        "metadata:\n  annotations: {kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax # none\n  }\n",
    );
}

#[test]
fn flow_style_on_one_line_stays_on_one_line() {
    sets_and_removes(
        "metadata:\n  annotations: { a: b } # c\n",
        "metadata:\n  annotations: { a: b, kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax } # c\n",
    );
    sets_and_removes(
        "metadata: {annotations: {'a': [b, c],}, name: d}\n",
        "metadata: {annotations: {'a': [b, c], kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax,}, name: d}\n",
    );
    sets_and_removes(
        "metadata: {name: d}\n",
        "metadata: {name: d, annotations: {kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax}}\n",
    );
    sets(
        "metadata: {annotations: {}, name: d}\n",
        "metadata: {annotations: {kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax}, name: d}\n",
    );
    sets(
        "metadata: {annotations: , name: d}\n",
        "metadata: {annotations: {kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax} , name: d}\n",
    );
    sets(
        "metadata: {annotations: {kubectl-canary-traefik/sticky-cookie: \"a, b\"}}\n",
        "metadata: {annotations: {kubectl-canary-traefik/sticky-cookie: \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"}}\n",
    );
}

#[test]
fn flow_style_over_lines_gets_a_line() {
    sets_and_removes(
        "metadata:\n  annotations: {\n    a: b # c\n  }\n",
        "metadata:\n  annotations: {\n    a: b, # c\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n  }\n",
    );
    sets_and_removes(
        "metadata:\n  annotations: {\n    a: b, # c\n  }\n",
        "metadata:\n  annotations: {\n    a: b, # c\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax,\n  }\n",
    );
    sets_and_removes(
        "metadata:\n  annotations: {\n    a: b}\n",
        "metadata:\n  annotations: {\n    a: b,\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax}\n",
    );
}

#[test]
fn json_stays_json() {
    for (before, after) in [
        (
            "{\n  \"kind\": \"Canary\",\n  \"metadata\": {\n    \"annotations\": {\n      \"a\": \"b\"\n    },\n    \"name\": \"c\"\n  }\n}\n",
            "{\n  \"kind\": \"Canary\",\n  \"metadata\": {\n    \"annotations\": {\n      \"a\": \"b\",\n      \"kubectl-canary-traefik/sticky-cookie\": \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"\n    },\n    \"name\": \"c\"\n  }\n}\n",
        ),
        (
            "{\n\t\"kind\": \"Canary\",\n\t\"metadata\": {\n\t\t\"name\": \"c\"\n\t}\n}",
            "{\n\t\"kind\": \"Canary\",\n\t\"metadata\": {\n\t\t\"name\": \"c\",\n\t\t\"annotations\": {\n\t\t\t\"kubectl-canary-traefik/sticky-cookie\": \"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"\n\t\t}\n\t}\n}",
        ),
        (
            "{\"kind\":\"Canary\",\"metadata\":{\"name\":\"c\"}}",
            "{\"kind\":\"Canary\",\"metadata\":{\"name\":\"c\",\"annotations\":{\"kubectl-canary-traefik/sticky-cookie\":\"login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\"}}}",
        ),
    ] {
        assert_eq!(edited(before, &set(COOKIE)), after);
        assert_eq!(edited(after, &remove()), before);
        serde_json::from_str::<Value>(after).unwrap();
    }
    for before in ["{}", "null"] {
        let after = edited(
            &format!("{{\n  \"kind\": \"Canary\",\n  \"metadata\": {{\n    \"annotations\": {before}\n  }}\n}}\n"),
            &set("a"),
        );
        assert_eq!(
            after,
            "{\n  \"kind\": \"Canary\",\n  \"metadata\": {\n    \"annotations\": {\n      \"kubectl-canary-traefik/sticky-cookie\": \"a\"\n    }\n  }\n}\n"
        );
        assert_eq!(edited(&after, &set("é\"\u{7}")), after.replace("\"a\"", "\"é\\\"\\u0007\""));
    }
}

#[test]
fn only_the_document_of_the_object_changes() {
    let before = "# licence\n---\nkind: A\nmetadata: &a\n  name: x # y\n--- # two\nkind: B\n...\n%YAML 1.2\n---\nkind: Canary\nmetadata: &a\n  name: z\n";
    let after = format!("{before}  annotations:\n    {}: {COOKIE}\n", KEY[2]);
    assert_eq!(edited(before, &set(COOKIE)), after);
    assert_eq!(edited(&after, &remove()), before);
    let middle = format!("{before}---\nkind: C\n");
    assert_eq!(edited_at(&middle, 2, &set(COOKIE)), format!("{after}---\nkind: C\n"));
}

#[track_caller]
fn edited_at(text: &str, index: usize, edits: &[Edit]) -> String {
    let manifests = manifests(text);
    let object = manifests.objects().nth(index).unwrap();
    edit(manifests.source(object), object, edits).unwrap()
}

#[test]
fn items_of_lists_are_edited_whether_indented_or_not() {
    for (dash, blanks) in [("- ", "  "), ("  - ", "    "), ("-   ", "    "), ("-\n  ", "  ")] {
        let item = |name: &str, more: &str| {
            format!("{dash}metadata:\n{blanks}  name: {name}\n{more}{blanks}kind: Canary # {name}\n")
        };
        let more = format!("{blanks}  annotations:\n{blanks}    {}: {COOKIE}\n", KEY[2]);
        let list = |first: &str| format!("kind: List\nitems:\n{}{}# end\n", item("a", first), item("b", ""));
        assert_eq!(edited_at(&list(""), 0, &set(COOKIE)), list(&more));
        assert_eq!(edited_at(&list(&more), 0, &remove()), list(""));
    }
}

#[test]
fn a_key_on_the_line_of_the_dash_can_be_added_and_taken_away() {
    let before = "kind: List\nitems:\n- kind: Canary\n  spec: |+\n    a\n\n";
    let after = "kind: List\nitems:\n- b: c\n  kind: Canary\n  spec: |+\n    a\n\n";
    assert_eq!(edited(before, &[Edit::set(&["b"], "c")]), after);
    assert_eq!(edited(after, &[Edit::remove(&["b"])]), before);
}

#[test]
fn a_mapping_that_becomes_empty_goes_too() {
    removes(
        "metadata:\n  name: a\n  # about\n  annotations: # these\n    kubectl-canary-traefik/sticky-cookie: >-\n      login\n\nspec: {}\n",
        "metadata:\n  name: a\n  # about\n  annotations: {} # these\n\nspec: {}\n",
    );
    removes(
        "metadata: {name: a, annotations: {kubectl-canary-traefik/sticky-cookie: login}}\n",
        "metadata: {name: a}\n",
    );
    let before = format!(
        "{HEAD}spec:\n  service:\n    port: 80\n    traefik:\n      sticky:\n        cookie:\n          name: a\n  x: y\n"
    );
    let path = ["spec", "service", "traefik", "sticky", "cookie", "name"];
    assert_eq!(edited(&before, &[Edit::remove(&path)]), format!("{HEAD}spec:\n  service:\n    port: 80\n  x: y\n"));
}

#[test]
fn metadata_and_service_stay_even_if_empty() {
    removes(
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: a\nspec: {}\n",
        "metadata: {}\nspec: {}\n",
    );
    removes(
        "metadata: &m # about\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: a\n  # more",
        "metadata: &m {} # about\n  # more",
    );
    removes("metadata: { annotations: {kubectl-canary-traefik/sticky-cookie: a}, }\n", "metadata: {}\n");
    let before = format!("{HEAD}spec:\n  service:\n    traefik: {{sticky: {{cookie: {{name: a}}}}}}");
    let path = ["spec", "service", "traefik", "sticky", "cookie", "name"];
    assert_eq!(edited(&before, &[Edit::remove(&path)]), format!("{HEAD}spec:\n  service: {{}}"));
}

#[test]
fn comments_inside_keep_an_emptied_mapping() {
    removes(
        "metadata:\n  annotations: # these\n    # sticky\n    kubectl-canary-traefik/sticky-cookie: a # b\n    # c\n",
        "metadata:\n  annotations: {} # these\n    # sticky\n    # c\n",
    );
}

#[test]
fn an_entry_goes_with_its_lines_and_the_comma_that_parted_it() {
    removes(
        "metadata:\n  annotations:\n    # a\n    kubectl-canary-traefik/sticky-cookie: |\n      b\n      c\n\n    # d\n    e: f\n",
        "metadata:\n  annotations:\n    # a\n\n    # d\n    e: f\n",
    );
    removes(
        "metadata:\n  annotations: {kubectl-canary-traefik/sticky-cookie: a, b: c}\n",
        "metadata:\n  annotations: {b: c}\n",
    );
    removes(
        "metadata:\n  annotations: {b: c, kubectl-canary-traefik/sticky-cookie: a, d: e}\n",
        "metadata:\n  annotations: {b: c, d: e}\n",
    );
    removes(
        "metadata:\n  annotations: {\n    kubectl-canary-traefik/sticky-cookie: a, # b\n    c: d\n  }\n",
        "metadata:\n  annotations: {\n    c: d\n  }\n",
    );
    removes(
        "metadata: {name: a,\n  annotations: {kubectl-canary-traefik/sticky-cookie: a}}\n",
        "metadata: {name: a}\n",
    );
}

#[test]
fn several_edits_are_made_in_order() {
    let before = format!("{HEAD}metadata:\n  name: a\nspec:\n  service: # svc\n    port: 80\n");
    let cookie = ["spec", "service", "traefik", "sticky", "cookie"];
    let field = |name: &'static str| [&cookie[..], &[name]].concat();
    let edits = [
        Edit::set(&field("name"), "login"),
        Edit::set(&field("maxAge"), 300),
        Edit::set(&field("httpOnly"), true),
        Edit::remove(&field("domain")),
    ];
    let after = format!(
        "{HEAD}metadata:\n  name: a\nspec:\n  service: # svc\n    port: 80\n    traefik:\n      sticky:\n        cookie:\n          name: login\n          maxAge: 300\n          httpOnly: true\n"
    );
    assert_eq!(edited(&before, &edits), after);
    let edits = ["name", "maxAge", "httpOnly"].map(|name| Edit::remove(&field(name)));
    assert_eq!(edited(&after, &edits), before);
}

#[test]
fn anchors_tags_and_merges_do_no_harm_where_nobody_shares() {
    sets_and_removes(
        "metadata: &m\n  annotations: &a !!map\n    a: b\n",
        "metadata: &m\n  annotations: &a !!map\n    a: b\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n",
    );
    sets_and_removes(
        "x: &x {a: b}\nmetadata:\n  annotations:\n    <<: *x\n",
        "x: &x {a: b}\nmetadata:\n  annotations:\n    <<: *x\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n",
    );
    let before = format!("{HEAD}a: !!str 5\n");
    assert_eq!(edited(&before, &[Edit::set(&["a"], "6")]), format!("{HEAD}a: !!str \"6\"\n"));
    assert_eq!(edited(&before, &[Edit::set(&["a"], 6)]), format!("{HEAD}a: 6\n"));
    let before = format!("{HEAD}x: &x a\nmetadata:\n  annotations:\n    {}: *x # b\n", KEY[2]);
    assert_eq!(edited(&before, &set("c")), before.replace("*x", "c"));
}

#[test]
fn what_others_share_is_refused_with_the_reason() {
    for (text, reason) in [
        (
            "x: &x {a: b}\nmetadata:\n  annotations: *x\n",
            "`metadata.annotations` is an alias of what is written elsewhere",
        ),
        (
            "metadata:\n  annotations: &x\n    a: b\ny: *x\n",
            "`metadata.annotations` has an anchor and may be used elsewhere too",
        ),
        ("x: &x {annotations: {a: b}}\nmetadata:\n  <<: *x\n", "some of it is merged in (`<<`) from elsewhere"),
        ("metadata:\n  annotations: a\n", "`metadata.annotations` is not a mapping"),
        (
            "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: [a]\n",
            "`metadata.annotations.kubectl-canary-traefik/sticky-cookie` is a list, not one value",
        ),
    ] {
        let error = refused(&format!("# top\n{HEAD}{text}"), &set(COOKIE));
        assert_eq!(error.message(), format!("cannot edit canary.yaml:2 in place: {reason}"));
        assert_eq!(error.kind(), crate::error::Kind::Usage);
        assert_eq!(
            error.hints(),
            [format!("edit it by hand, so that it says\nmetadata:\n  annotations:\n    {}: {COOKIE}", KEY[2])]
        );
    }
}

#[test]
fn what_others_share_cannot_be_taken_away() {
    for text in [
        "x: &x {kubectl-canary-traefik/sticky-cookie: a}\nmetadata:\n  annotations:\n    <<: *x\n",
        "metadata:\n  annotations:\n    kubectl-canary-traefik/sticky-cookie: &x a\ny: *x\n",
        "metadata:\n  ? annotations\n  : kubectl-canary-traefik/sticky-cookie: a\n",
    ] {
        let error = refused(&format!("{HEAD}{text}"), &remove());
        assert_eq!(
            error.hints(),
            ["edit it by hand: remove `metadata.annotations.kubectl-canary-traefik/sticky-cookie`"]
        );
    }
}

#[test]
fn what_sops_has_put_a_checksum_over_is_left_to_sops() {
    let (sealed, other) =
        ("sops:\n  mac: ENC[AES256_GCM,data:aa==,type:str]\n  version: 3.13.3\n", "sops: {mask: 1}\n");
    let text = format!("{HEAD}metadata:\n  annotations:\n    a: b\n    {}: c\n{sealed}", KEY[2]);
    let reason = "SOPS would no longer decrypt it, as its checksum in `sops.mac` covers all values";
    let (setting, removing) = (refused(&text, &set(COOKIE)), refused(&text, &remove()));
    assert_eq!(setting.message(), format!("cannot edit canary.yaml:1 in place: {reason}"));
    assert_eq!(
        [setting.hints(), removing.hints()].concat(),
        [
            format!(
                "edit it with `sops edit canary.yaml`, so that it says\nmetadata:\n  annotations:\n    {}: {COOKIE}",
                KEY[2]
            ),
            format!("edit it with `sops edit canary.yaml`: remove `metadata.annotations.{}`", KEY[2]),
        ]
    );
    let beside = format!("{text}---\n{HEAD}metadata:\n  name: b\n{other}");
    assert_eq!(
        edited(&beside, &set(COOKIE)),
        format!("{text}---\n{HEAD}metadata:\n  name: b\n  annotations:\n    {}: {COOKIE}\n{other}", KEY[2])
    );
}

#[test]
fn tabs_and_odd_comments_are_left_as_they_are() {
    sets_and_removes(
        "metadata:\n  annotations:\t# tab\t\n    a: b\t#\ttab\n  # c\t\n\t# d\n",
        "metadata:\n  annotations:\t# tab\t\n    a: b\t#\ttab\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Path=/; HttpOnly; SameSite=Lax\n  # c\t\n\t# d\n",
    );
}

#[test]
fn a_byte_order_mark_stays() {
    let before = format!("\u{feff}{HEAD}metadata:\n  name: a\n");
    let after = edited(&before, &set(COOKIE));
    assert!(after.starts_with("\u{feff}apiVersion"));
    assert_eq!(edited(&after, &remove()), before);
}

#[test]
fn a_document_on_the_line_of_its_marker_is_edited() {
    let before = "--- {kind: Canary, metadata: {name: a}}\n";
    let after = edited(before, &set("b"));
    assert_eq!(after, format!("--- {{kind: Canary, metadata: {{name: a, annotations: {{{}: b}}}}}}\n", KEY[2]));
    assert_eq!(edited(&after, &remove()), before);
}

#[test]
fn a_change_that_reaches_another_document_is_noticed() {
    let text = "kind: A\n---\nkind: B\n---\nkind: C\n";
    let manifests = manifests(text);
    let source = manifests.source(manifests.objects().next().unwrap());
    for (changed, same) in [
        ("kind: A\n---\nkind: X\n---\nkind: C\n", true),
        ("kind: A\n---\nkind: B\n---\nkind: X\n", false),
        ("kind: A\n---\nkind: B\n", false),
        ("kind: A\n---\nkind: B\n---\n---\nkind: C\n", false),
    ] {
        assert_eq!(others_are_the_same(source, changed, 1), same, "{changed}");
    }
}
