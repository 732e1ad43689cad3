//! Tests of reading folders.

use super::*;

/// Returns the text of every node from the root down, keys before their values.
fn spans(text: &str) -> Vec<&str> {
    fn collect<'t>(text: &'t str, node: &Node, all: &mut Vec<&'t str>) {
        all.push(&text[node.span.clone()]);
        match &node.shape {
            Shape::Mapping { entries, .. } => {
                for entry in entries {
                    collect(text, &entry.key, all);
                    collect(text, &entry.value, all);
                }
            }
            Shape::Sequence(items) => items.iter().for_each(|item| collect(text, item, all)),
            Shape::Scalar(..) | Shape::Missing | Shape::Alias => {}
        }
    }
    let mut all = Vec::new();
    collect(text, &parse(text).unwrap(), &mut all);
    all
}

fn value<'t>(text: &'t str, key: &str) -> &'t str {
    &text[parse(text).unwrap().get(key).unwrap().span.clone()]
}

#[test]
fn scalars_have_their_quotes_and_no_comment() {
    assert_eq!(spans("a: b # c\n"), ["a: b", "a", "b"]);
    assert_eq!(spans("'a': \"b\"\nc: d\n  e\n\n# f\n")[1..], ["'a'", "\"b\"", "c", "d\n  e"]);
}

#[test]
fn a_block_scalar_spans_header_to_last_line_that_is_not_blank() {
    assert_eq!(value("a: |\n  b\n  c\n\n# d\ne: f\n", "a"), "|\n  b\n  c");
    assert_eq!(value("a: >2- # d\n    b\n\ne: f\n", "a"), ">2- # d\n    b");
    assert_eq!(value("a: |+\n\n\ne: f\n", "a"), "|+");
    assert_eq!(value("a: &x !!str |-\n  - b\n", "a"), "|-\n  - b");
    assert_eq!(value("a: |\r\n  b\r\nc: d\r\n", "a"), "|\r\n  b");
    assert_eq!(value("a: |\n  b", "a"), "|\n  b");
}

#[test]
fn a_value_that_is_not_written_is_behind_its_colon() {
    for (text, at) in
        [("a:\nb: 1\n", 2), ("a : # c\nb: 1\n", 3), ("a: &x # c\nb: 1\n", 5), ("a:", 2), ("{a: , b: 1}", 3)]
    {
        let node = parse(text).unwrap().get("a").unwrap().clone();
        assert_eq!((node.span, node.shape), (at..at, Shape::Missing), "{text}");
    }
    assert_eq!(parse("{a, b: 1}").unwrap().get("a").unwrap().span, 2..2);
}

#[test]
fn an_item_that_is_not_written_is_behind_its_dash() {
    let text = "- a\n- # c\n-\n";
    let Shape::Sequence(items) = parse(text).unwrap().shape else { panic!("a sequence") };
    assert_eq!(items.iter().map(|item| item.span.end).collect::<Vec<_>>(), [3, 5, 11]);
}

#[test]
fn a_collection_ends_with_its_last_node() {
    assert_eq!(value("a:\n  b:\n  - c: d # e\n  # f\n\ng: h\n", "a"), "b:\n  - c: d");
    assert_eq!(value("a:\n  b: |\n    c\n\ng: h\n", "a"), "b: |\n    c");
    assert_eq!(value("a: {b: [c, d], } # e\n", "a"), "{b: [c, d], }");
    assert_eq!(value("a:\n  b:\n  c:\ng: h\n", "a"), "b:\n  c:");
}

#[test]
fn anchors_and_tags_are_before_the_span_but_in_the_node() {
    let text = "a: &x !!map\n  b: c\nd: *x\n";
    let node = parse(text).unwrap();
    let value = node.get("a").unwrap();
    assert_eq!((value.start, &text[value.span.clone()], value.anchored), (3, "b: c", true));
    assert_eq!(node.get("d").unwrap().shape, Shape::Alias);
}

#[test]
fn items_of_a_list_have_their_places() {
    let text = "kind: List\nitems:\n- a: b\n-\n  c: d\n- {e: f}\n";
    let node = parse(text).unwrap();
    let items: Vec<_> = node.items().unwrap().iter().map(|item| &text[item.span.clone()]).collect();
    assert_eq!(items, ["a: b", "c: d", "{e: f}"]);
}

#[test]
fn markers_and_directives_are_no_nodes() {
    assert_eq!(spans("%YAML 1.2\n--- # c\na: b\n...\n"), ["a: b", "a", "b"]);
    assert_eq!(parse("# c\n"), None);
    assert_eq!(parse("a: [b\n"), None);
}
