//! Edits of one object in the text of its source that leave every other byte alone. Pure.
//!
//! An edit proposes changes of the text, best first, and uses the first one that, once parsed, has the wanted effect
//! and no other. Proposals may therefore be bold: a wrong one is never written.

mod find;
mod insert;
#[cfg(test)]
mod properties;
mod remove;
mod replace;
mod scalar;
#[cfg(test)]
mod tests;

use std::ops::Range;

use serde_json::{Map, Value};

use self::find::Found;
use super::{Object, Place, Source, document, tree};
use crate::{
    error::{Error, Result},
    text::quoted,
    yaml,
};

/// One edit: sets the scalar at a path, or removes the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Keys that lead to the scalar.
    pub path: Vec<String>,
    /// A string, an integer or a boolean; `None` removes the key.
    pub value: Option<Value>,
}

impl Edit {
    /// Creates an edit that sets the scalar at this path.
    pub fn set(path: &[&str], value: impl Into<Value>) -> Self {
        Self { path: path.iter().map(|key| (*key).to_owned()).collect(), value: Some(value.into()) }
    }

    /// Creates an edit that removes the key at this path, and the mappings that it leaves empty except `metadata`,
    /// `spec` and `spec.service`.
    pub fn remove(path: &[&str]) -> Self {
        Self { path: path.iter().map(|key| (*key).to_owned()).collect(), value: None }
    }
}

/// Returns the text of the whole source with these edits made in this object, and nothing else changed.
///
/// # Errors
///
/// Fails if no change of the text has the wanted effect and no other; says why, and what to write by hand.
pub fn edit(source: &Source, object: &Object, edits: &[Edit]) -> Result<String> {
    let place = &object.place;
    let range = source.documents[place.document].range.clone();
    let refuse = |reason: String| refusal(object, edits, &reason, "by hand");
    let before = &source.text[range.clone()];
    let mut text = before.to_owned();
    let mut value = read(before).map_err(refuse)?;
    if is_sealed(&value) {
        let file = source.path.as_ref().map_or_else(|| "FILE".into(), |_| quoted(object.file()));
        let with_sops = format!("with `sops edit {file}`");
        return Err(refusal(
            object,
            edits,
            "SOPS would no longer decrypt it, as its checksum in `sops.mac` covers all values",
            &with_sops,
        ));
    }
    let line_break = line_break(before).or_else(|| line_break(&source.text)).unwrap_or("\n");
    for edit in edits {
        (text, value) = make(text, value, line_break, place, edit).map_err(refuse)?;
    }
    let whole = [&source.text[..range.start], &text, &source.text[range.end..]].concat();
    if others_are_the_same(source, &whole, place.document) {
        Ok(whole)
    } else {
        Err(refuse("the documents around it would be read differently".to_owned()))
    }
}

/// One replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    range: Range<usize>,
    with: String,
}

impl Change {
    fn new(range: Range<usize>, with: impl Into<String>) -> Self {
        Self { range, with: with.into() }
    }

    fn of(&self, text: &str) -> String {
        [&text[..self.range.start], &self.with, &text[self.range.end..]].concat()
    }
}

/// The context for proposing a change.
struct Site<'t> {
    /// The text of the document.
    text: &'t str,
    /// The line break of the document.
    line_break: &'t str,
    /// The root node of the document.
    root: &'t tree::Node,
    /// The path of the edit.
    path: &'t [String],
}

/// Makes one edit in the text of a document with this value; returns the new text and value.
fn make(text: String, value: Value, line_break: &str, place: &Place, edit: &Edit) -> Result<(String, Value), String> {
    let mut wished = value.clone();
    let object = at_mut(&mut wished, &place.items).ok_or("the list is not written at this place (an alias?)")?;
    if get(object, &edit.path) == edit.value.as_ref() {
        return Ok((text, value));
    }
    wish(object, &edit.path, edit.value.as_ref())?;
    tidy(object, &edit.path);

    let root = tree::parse(&text).ok_or("its parts cannot be separated")?;
    let site = Site { text: &text, line_break, root: &root, path: &edit.path };
    let mut problem = None;
    for change in propose(&site, place, edit.value.as_ref())? {
        let changed = change.of(&text);
        match check(&changed, &wished, place, edit) {
            Ok(value) => return Ok((changed, value)),
            Err(reason) => problem = problem.or(Some(reason)),
        }
    }
    let shared = find::shared_reason(&root, &place.items, &edit.path);
    Err(shared
        .or(problem)
        .unwrap_or_else(|| "no place was found where it can be written without changing other lines".to_owned()))
}

/// Proposes changes of the text, best first.
fn propose(site: &Site, place: &Place, value: Option<&Value>) -> Result<Vec<Change>, String> {
    Ok(match (find::find(site.root, &place.items, site.path)?, value) {
        (Found::Entry(steps), Some(value)) => replace::propose(site, &steps, value)?,
        (Found::Mapping(steps, mapping), Some(value)) => insert::propose(site, &steps, mapping, value),
        (Found::Empty(steps), Some(value)) => insert::propose_first(site, &steps, value),
        (Found::Entry(steps), None) => remove::propose(site, &steps)?,
        (Found::Mapping(..) | Found::Empty(_), None) => return Err(find::MERGED.to_owned()),
    })
}

/// Returns the value of the changed text, if it is the wanted one.
fn check(changed: &str, wished: &Value, place: &Place, edit: &Edit) -> Result<Value, String> {
    let value = read(changed)?;
    let mut tidied = value.clone();
    if let Some(object) = at_mut(&mut tidied, &place.items) {
        tidy(object, &edit.path);
    }
    if tidied == *wished { Ok(value) } else { Err("other parts of the file would change".to_owned()) }
}

fn read(text: &str) -> Result<Value, String> {
    yaml::parse(text).map_err(|error| format!("the result would not be valid YAML: {}", error.reason))
}

/// Returns whether SOPS has put a checksum over the values of a document, encrypted or not (getsops/sops
/// `sops.go:Metadata`).
fn is_sealed(value: &Value) -> bool {
    value.get("sops").is_some_and(|metadata| metadata.get("mac").is_some())
}

/// Returns the object within the value of its document.
fn at_mut<'v>(value: &'v mut Value, items: &[usize]) -> Option<&'v mut Value> {
    items.iter().try_fold(value, |value, index| value.get_mut("items")?.get_mut(index))
}

fn get<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Makes the edit in the value, as it is made in the text.
fn wish(object: &mut Value, path: &[String], value: Option<&Value>) -> Result<(), String> {
    let (last, parents) = path.split_last().ok_or("the edit has no path")?;
    let mut fields = object;
    for (depth, key) in parents.iter().enumerate() {
        fields = fields_of(fields, &path[..depth])?.entry(key).or_insert(Value::Null);
    }
    let fields = fields_of(fields, parents)?;
    match value {
        Some(value) => fields.insert(last.clone(), value.clone()),
        None => fields.remove(last),
    };
    Ok(())
}

fn fields_of<'v>(value: &'v mut Value, path: &[String]) -> Result<&'v mut Map<String, Value>, String> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().ok_or_else(|| format!("`{}` is not a mapping", path.join(".")))
}

/// Removes empty and null mappings along the path: absent, null and empty mean the same.
fn tidy(value: &mut Value, path: &[String]) {
    let [key, rest @ ..] = path else { return };
    let Some(fields) = value.as_object_mut().filter(|_| !rest.is_empty()) else { return };
    if let Some(child) = fields.get_mut(key) {
        tidy(child, rest);
        if child.is_null() || child.as_object().is_some_and(Map::is_empty) {
            fields.remove(key);
        }
    }
}

/// Returns whether every other document has the same bytes, and therefore the same meaning.
fn others_are_the_same(source: &Source, changed: &str, edited: usize) -> bool {
    let (before, after) = (&source.documents, document::split(changed));
    before.len() == after.len()
        && before.iter().zip(&after).enumerate().all(|(index, (before, after))| {
            index == edited || source.text[before.range.clone()] == changed[after.range.clone()]
        })
}

/// Returns the line break of the first line.
fn line_break(text: &str) -> Option<&str> {
    let line = document::lines(text).next()?;
    let end = &line[line.trim_end_matches(['\r', '\n']).len()..];
    (!end.is_empty()).then_some(end)
}

/// Returns the error for edits that cannot be made, with what to write and how.
fn refusal(object: &Object, edits: &[Edit], reason: &str, how: &str) -> Error {
    let mut lines = Value::Null;
    let mut error = Error::usage(format!("cannot edit {} in place: {reason}", object.origin()));
    for edit in edits {
        match &edit.value {
            // A path through a scalar was refused for just that reason; there are no lines to show.
            Some(value) => drop(wish(&mut lines, &edit.path, Some(value))),
            None => error = error.hint(format!("edit it {how}: remove `{}`", edit.path.join("."))),
        }
    }
    if lines.is_null() {
        error
    } else {
        error.hint(format!("edit it {how}, so that it says\n{}", yaml::print(&lines).trim_end()))
    }
}
