//! `docs/json.md` as data: the fields of each published kind, to be held against what the program prints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bed;

/// The fields of one kind: path, and the types that the page allows.
#[derive(Debug)]
pub struct Fields {
    documented: BTreeMap<String, BTreeSet<String>>,
    inherited: BTreeSet<String>,
    seen: BTreeSet<String>,
}

/// The kinds that have a heading.
pub fn kinds() -> BTreeSet<String> {
    sections().into_keys().collect()
}

fn sections() -> BTreeMap<String, String> {
    let path = bed::root().join("docs/json.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let sections = text.split("\n## ").skip(1).filter_map(|section| {
        let (head, body) = section.split_once('\n')?;
        Some((head.strip_prefix('`')?.strip_suffix('`')?.to_owned(), body.to_owned()))
    });
    sections.collect()
}

impl Fields {
    /// The fields that the page lists for this kind.
    pub fn of(kind: &str) -> Self {
        let sections = sections();
        let body = sections.get(kind).unwrap_or_else(|| panic!("docs/json.md has no heading `{kind}`"));
        let rows = body.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| {
            let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
            let types = cells[1].split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
            (cells[0].trim_end_matches('`').to_owned(), types)
        });
        let mut documented: BTreeMap<_, _> = rows.collect();
        // What a kind takes over from another is held where that one is.
        let mut inherited = BTreeSet::new();
        if let Some(rest) = body.split_once("Every field of a `").map(|(_, rest)| rest) {
            let (base, _) = rest.split_once('`').expect("the kind's name ends");
            for (path, types) in Self::of(base).documented {
                inherited.insert(path.clone());
                documented.entry(path).or_insert(types);
            }
        }
        Self { documented, inherited, seen: BTreeSet::new() }
    }

    /// Holds one printed value against the page: each of its fields is there, with its type.
    pub fn hold(&mut self, value: &Value) {
        let mut found = Vec::new();
        walk("", value, &self.documented, &mut found);
        for (path, kind) in found {
            let types = self.documented.get(&path);
            let types = types.unwrap_or_else(|| panic!("docs/json.md does not list `{path}`: {value:#}"));
            assert!(types.contains(kind), "`{path}` is {kind}, and docs/json.md says {types:?}");
            self.seen.insert(path);
        }
    }

    /// Each documented field has been printed.
    #[track_caller]
    pub fn were_all_seen(&self) {
        let unseen: Vec<_> = self
            .documented
            .keys()
            .filter(|path| !self.seen.contains(*path) && !self.inherited.contains(*path))
            .collect();
        assert!(unseen.is_empty(), "docs/json.md lists what is not printed: {unseen:?}");
    }
}

/// Every field with its type. An object whose own fields are not listed is a value by itself: `cookie`.
fn walk(
    path: &str,
    value: &Value,
    documented: &BTreeMap<String, BTreeSet<String>>,
    found: &mut Vec<(String, &'static str)>,
) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !path.is_empty() {
        found.push((path.to_owned(), kind));
    }
    match value {
        Value::Object(fields) => {
            let inside = if path.is_empty() { String::new() } else { format!("{path}.") };
            if path.is_empty() || documented.keys().any(|known| known.starts_with(&inside)) {
                for (key, value) in fields {
                    walk(&format!("{inside}{key}"), value, documented, found);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(&format!("{path}[]"), item, documented, found);
            }
        }
        _ => {}
    }
}
