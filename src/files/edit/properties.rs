//! Property tests of edits, on manifests that nobody would write by hand: random comments, indentation, quotes, styles,
//! line breaks, documents and lists. Long, because half of it generates such manifests.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::super::{Manifests, parse};
use super::*;

/// Turns random bytes into choices. Bytes shrink to zero, so the first choice is the plainest.
struct Choices {
    bytes: Vec<u8>,
    at: usize,
    anchors: Vec<String>,
    may_share: bool,
}

impl Choices {
    fn pick(&mut self, of: usize) -> usize {
        self.at += 1;
        usize::from(self.bytes[self.at % self.bytes.len()]) % of
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.pick(of.len())]
    }

    /// Returns true once in `of` times.
    fn rarely(&mut self, of: usize) -> bool {
        self.pick(of) == of - 1
    }
}

const TEXTS: [&str; 12] =
    ["a", "login; Path=/", "on", "", "a: b", "it's", "say \"a\"", "a #b", "10", "é😀", "a, [b]", "two\nlines\n"];

fn scalar(choices: &mut Choices) -> Value {
    match choices.pick(6) {
        0..=3 => choices.one(&TEXTS).into(),
        4 => json!(choices.pick(300)),
        _ => json!(choices.pick(2) == 1),
    }
}

fn mapping(choices: &mut Choices, keys: &[&str], depth: usize) -> Value {
    let mut fields = Map::new();
    for key in keys {
        let value = match choices.pick(8) {
            0 => continue,
            1 => Value::Null,
            2 => json!({}),
            3 if depth > 0 => mapping(choices, &["a", "b", "on", "x/y"], depth - 1),
            4 if depth > 0 => {
                (0..choices.pick(3)).map(|_| mapping(choices, &["a", "b"], depth - 1)).collect::<Vec<_>>().into()
            }
            _ => scalar(choices),
        };
        fields.insert((*key).to_owned(), value);
    }
    Value::Object(fields)
}

fn object(choices: &mut Choices) -> Value {
    let mut object = json!({ "kind": "Canary", "metadata": mapping(choices, &["name", "labels"], 1) });
    if !choices.rarely(3) {
        let annotations = mapping(choices, &["a", KEY[2], "z.io/b"], 0);
        object["metadata"]["annotations"] = if choices.rarely(5) { Value::Null } else { annotations };
    }
    if !choices.rarely(3) {
        object["spec"] = mapping(choices, &["analysis", "skip"], 2);
        object["spec"]["service"] = mapping(choices, &["port", "hosts"], 1);
        if choices.rarely(2) {
            object["spec"]["service"]["traefik"] = json!({ "sticky": { "cookie": mapping(choices, &FIELDS, 0) } });
        }
    }
    object
}

const KEY: [&str; 3] = ["metadata", "annotations", "kubectl-canary-traefik/sticky-cookie"];
const FIELDS: [&str; 3] = ["name", "maxAge", "secure"];

/// Generates the text of a source with random objects.
fn source(choices: &mut Choices) -> String {
    let mut text = String::new();
    for index in 0..=choices.pick(3) {
        if index > 0 || choices.rarely(3) {
            text.push_str(choices.one(&["---\n", "--- # next\n", "\n# before\n---\n", "...\n%YAML 1.2\n---\n"]));
        }
        choices.anchors.clear();
        let value = if choices.rarely(4) {
            let items: Vec<_> = (0..=choices.pick(3)).map(|_| object(choices)).collect();
            json!({ "apiVersion": "v1", "kind": "List", "items": items })
        } else {
            object(choices)
        };
        match choices.pick(6) {
            4 => writeln!(text, "{}", serde_json::to_string_pretty(&value).unwrap()).unwrap(),
            5 => writeln!(text, "{value}").unwrap(),
            _ => block(choices, &mut text, &value, 0, false),
        }
    }
    if choices.rarely(4) {
        text = text.replace('\n', "\r\n");
    }
    if choices.rarely(3) {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    if choices.rarely(6) { format!("\u{feff}{text}") } else { text }
}

/// Writes a mapping in block style; its first line may already be started.
fn block(choices: &mut Choices, text: &mut String, value: &Value, column: usize, begun: bool) {
    let mut begun = begun;
    for (key, value) in value.as_object().unwrap() {
        if !begun {
            if choices.rarely(6) {
                text.push_str(choices.one(&["\n", "# free\n", "\t# tab\n"]));
            }
            if choices.rarely(5) {
                writeln!(text, "{}# about {key}", " ".repeat(column)).unwrap();
            }
            text.push_str(&" ".repeat(column));
        }
        begun = false;
        let quoted = if matches!(key.as_str(), "on") { 1 + choices.pick(2) } else { choices.pick(6) };
        match quoted {
            1 => write!(text, "\"{key}\":").unwrap(),
            2 => write!(text, "'{key}' :").unwrap(),
            _ => write!(text, "{key}:").unwrap(),
        }
        if choices.may_share && choices.rarely(4) && (value.is_object() || value.is_string()) {
            let name = format!("n{}", choices.anchors.len());
            write!(text, " &{name}").unwrap();
            choices.anchors.push(name);
        } else if choices.may_share && choices.rarely(6) && !choices.anchors.is_empty() && key != "kind" {
            let index = choices.pick(choices.anchors.len());
            writeln!(text, " *{} # alias", choices.anchors[index]).unwrap();
            continue;
        }
        under(choices, text, value, column);
    }
}

/// Writes a value after its colon, and the line break after it.
fn under(choices: &mut Choices, text: &mut String, value: &Value, column: usize) {
    let comment = choices.one(&["", "", "", " # why", "\t#\ttab", " #", "  "]);
    let nested = column + choices.one(&[2, 2, 4, 1]);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            if choices.rarely(5) {
                return flow(choices, text, value, comment, nested);
            }
            writeln!(text, "{comment}").unwrap();
            block(choices, text, value, nested, false);
        }
        Value::Array(items) if !items.is_empty() => {
            writeln!(text, "{comment}").unwrap();
            let column = if choices.rarely(2) { column } else { nested };
            for item in items {
                let gap = choices.one(&[" ", " ", "   "]);
                write!(text, "{}-{gap}", " ".repeat(column)).unwrap();
                if item.as_object().is_some_and(|fields| !fields.is_empty()) {
                    block(choices, text, item, column + 1 + gap.len(), true);
                } else {
                    writeln!(text, "{item}").unwrap();
                }
            }
        }
        Value::Null => writeln!(text, "{}{comment}", choices.one(&["", " ~", " null"])).unwrap(),
        Value::String(string) => text.push_str(&string_under(choices, string, comment, nested)),
        other => writeln!(text, " {other}{comment}").unwrap(),
    }
}

fn flow(choices: &mut Choices, text: &mut String, value: &Value, comment: &str, column: usize) {
    let blanks = " ".repeat(column);
    if choices.rarely(2) {
        return writeln!(text, " {value}{comment}").unwrap();
    }
    let entries: Vec<_> = value.as_object().unwrap().iter().map(|(key, value)| format!("{key:?}: {value}")).collect();
    let open = choices.one(&[" {", "\n{"]).replace('\n', &format!("\n{blanks}"));
    let (between, close) = (choices.one(&["\n", " # one\n"]), choices.one(&["\n", ",\n", "", " # last\n"]));
    let last = entries.join(&format!(",{between}{blanks} "));
    let close_blanks = if close.is_empty() { "" } else { &blanks };
    writeln!(text, "{open}\n{blanks} {last}{close}{close_blanks}}}{comment}").unwrap();
}

fn string_under(choices: &mut Choices, string: &str, comment: &str, column: usize) -> String {
    let blanks = " ".repeat(column);
    let lines = |header: &str| {
        let body = string.trim_end_matches('\n').replace('\n', &format!("\n{blanks}"));
        format!(" {header}{}\n{blanks}{body}\n", if comment.contains('#') { comment } else { "" })
    };
    match (choices.pick(7), string) {
        (1, _) => scalar::single_quoted(string).map(|text| format!(" {text}{comment}\n")),
        (2, "") => None,
        (2, _) => Some(lines(if string.ends_with('\n') { "|" } else { "|-" })),
        (3, _) => (!string.contains('\n') && !string.is_empty()).then(|| lines(">-")),
        (4, _) => Some(format!("\n{blanks}{}{comment}\n", scalar::double_quoted(string))),
        (5, "login; Path=/") => Some(format!(" login;\n\n{blanks} Path=/{comment}\n").replace("\n\n", "\n")),
        _ => None,
    }
    .unwrap_or_else(|| format!(" {}{comment}\n", scalar::write_text(string, scalar::Style::Block)))
}

/// Generates an edit that makes sense for this object: through mappings only, of a scalar or an absent key.
fn wish_for(choices: &mut Choices, object: &Value) -> Edit {
    let cookie = ["spec", "service", "traefik", "sticky", "cookie"];
    let field = [&cookie[..], &[choices.one(&FIELDS)]].concat();
    let paths: [&[&str]; 6] =
        [&KEY, &KEY, &field, &["metadata", "annotations", "a"], &["metadata", "labels", "new"], &["spec", "skip"]];
    let path = choices.one(&paths);
    let through = (1..path.len()).all(|depth| {
        let path: Vec<_> = path[..depth].iter().map(|key| (*key).to_owned()).collect();
        get(object, &path).is_none_or(|value| value.is_null() || value.is_object())
    });
    let path: Vec<_> = if through { path } else { &KEY }.iter().map(|key| (*key).to_owned()).collect();
    let end = get(object, &path).is_none_or(|value| !value.is_object() && !value.is_array());
    let value = if choices.rarely(3) || !end { None } else { Some(scalar(choices)) };
    let wished = Edit { path, value };
    if wish(&mut object.clone(), &wished.path, None).is_ok() { wished } else { Edit::set(&["new"], 1) }
}

/// Removes null fields and empty mappings everywhere.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), bare(value)));
            let fields: Map<_, _> = fields.filter(|(_, value)| !value.is_null() && *value != json!({})).collect();
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

fn wished(value: &Value, edit: &Edit) -> Value {
    let mut value = value.clone();
    wish(&mut value, &edit.path, edit.value.as_ref()).unwrap();
    bare(&value)
}

/// Returns where two texts start to differ, and the differing parts.
fn difference<'t>(before: &'t str, after: &'t str) -> (usize, &'t str, &'t str) {
    let mut start = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
    while !before.is_char_boundary(start) || !after.is_char_boundary(start) {
        start -= 1;
    }
    let tails = before[start..].bytes().rev().zip(after[start..].bytes().rev());
    let mut end = tails.take_while(|(one, other)| one == other).count();
    while !before.is_char_boundary(before.len() - end) || !after.is_char_boundary(after.len() - end) {
        end -= 1;
    }
    (start, &before[start..before.len() - end], &after[start..after.len() - end])
}

fn comments(text: &str) -> Vec<&str> {
    let comments = document::lines(text).filter_map(|line| line.find('#').map(|at| line[at..].trim_end()));
    comments
        .filter(|comment| ["# about", "# free", "# tab", "# next", "# before"].iter().any(|it| comment.starts_with(it)))
        .collect()
}

struct Case {
    text: String,
    manifests: Manifests,
    index: usize,
    edit: Edit,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "object {} of\n{}\nby {:?}", self.index, self.text, self.edit)
    }
}

fn random(may_share: bool) -> impl Strategy<Value = Case> {
    prop::collection::vec(any::<u8>(), 8..160).prop_filter_map("a source with objects", move |bytes| {
        let mut choices = Choices { bytes, at: 0, anchors: Vec::new(), may_share };
        let text = source(&mut choices);
        let manifests = match parse(None, text.clone()) {
            Ok(manifests) => manifests,
            Err(_) if may_share => return None,
            Err(error) => panic!("{error}\n{text}"),
        };
        let index = choices.pick(manifests.objects().count());
        let edit = wish_for(&mut choices, &manifests.objects().nth(index)?.value);
        Some(Case { text, manifests, index, edit })
    })
}

fn made(manifests: &Manifests, index: usize, wanted: &Edit) -> Result<String> {
    let object = manifests.objects().nth(index).unwrap();
    edit(manifests.source(object), object, std::slice::from_ref(wanted))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_changes_what_was_wished_and_nothing_else(Case { text, manifests, index, edit } in random(false)) {
        let after = made(&manifests, index, &edit).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let changed = parse(None, after.clone()).unwrap();
        prop_assert_eq!(manifests.objects().count(), changed.objects().count());
        for (at, (before, after)) in manifests.objects().zip(changed.objects()).enumerate() {
            if at == index {
                prop_assert_eq!(bare(&after.value), wished(&before.value, &edit));
            } else {
                prop_assert_eq!(&after.value, &before.value);
            }
        }
        let object = &manifests.objects().nth(index).unwrap().value;
        if get(object, &edit.path).is_some_and(|value| value.is_object() || value.is_array()) {
            return Ok(());
        }
        prop_assert_eq!(comments(&text), comments(&after), "{}=>\n{}", text, after);
    }

    #[test]
    fn an_edit_is_refused_rather_than_changing_what_shares_an_anchor(Case { manifests, index, edit, .. } in random(true)) {
        if let Ok(after) = made(&manifests, index, &edit) {
            let changed = parse(None, after).unwrap();
            for (at, (before, after)) in manifests.objects().zip(changed.objects()).enumerate() {
                let expected = if at == index { wished(&before.value, &edit) } else { bare(&before.value) };
                prop_assert_eq!(bare(&after.value), expected);
            }
        }
    }

    #[test]
    fn the_bytes_that_differ_are_the_value_or_lines_of_their_own(Case { text, manifests, index, edit } in random(false)) {
        let object = &manifests.objects().nth(index).unwrap().value;
        let old = get(object, &edit.path);
        let parent = get(object, &edit.path[..edit.path.len() - 1]);
        let has_siblings = parent.and_then(Value::as_object).is_some_and(|fields| fields.len() > usize::from(old.is_some()));
        let after = made(&manifests, index, &edit).unwrap();
        let (_, gone, come) = difference(&text, &after);
        match (old, &edit.value) {
            (None, Some(_)) if has_siblings => {
                // Only a comma before a comment is apart from the inserted text.
                prop_assert!(gone.trim().is_empty() || gone.starts_with(" #"), "{gone:?} became {come:?}");
            }
            (Some(_), None) if has_siblings => {
                prop_assert!(come.trim().is_empty() || come.starts_with(" #"), "{gone:?} became {come:?}");
            }
            (Some(Value::String(old)), Some(Value::String(_))) if !old.contains('\n') => {
                prop_assert!(document::breaks(gone) <= 2 && document::breaks(come) <= 2, "{gone:?} became {come:?}");
            }
            (None, None) => prop_assert_eq!(&text, &after),
            _ => {}
        }
    }

    #[test]
    fn a_new_key_set_and_taken_away_leaves_the_bytes_that_were_there(Case { text, manifests, index, edit } in random(false)) {
        let object = &manifests.objects().nth(index).unwrap().value;
        let written = (0..=edit.path.len()).rev().find(|depth| get(object, &edit.path[..*depth]).is_some()).unwrap();
        let mapping = get(object, &edit.path[..written]).and_then(Value::as_object);
        let has_entries = mapping.is_some_and(|fields| !fields.is_empty());
        let lasting = edit.path[0] == "spec" && written < 2 && edit.path.len() > 2 || written == 0;
        if written == edit.path.len() || !has_entries || lasting {
            return Ok(());
        }
        let set = Edit { value: Some("login".into()), ..edit.clone() };
        let set = made(&manifests, index, &set).unwrap();
        let back = made(&parse(None, set.clone()).unwrap(), index, &Edit { value: None, ..edit }).unwrap();
        prop_assert_eq!(back, text, "{}", set);
    }
}
