//! Manifests from files, directories and standard input, and edits of them in place.
//!
//! Never contacts a cluster and knows no kind of object: it finds mappings with a `kind` and leaves their meaning to
//! others.

mod document;
mod draft;
mod edit;
mod found;
mod inputs;
mod link;
mod position;
mod read;
mod scratch;
mod skipped;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod tree;
mod write;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use self::{document::Document, skipped::Skipped};

pub use self::draft::Draft;
pub use self::edit::{Edit, edit};
pub use self::link::{Linked, link};
pub use self::position::Field;
pub use self::read::{Mention, parse, read};
pub use self::scratch::Scratch;
pub use self::write::{in_place, replace, write_atomically, write_into};

/// The manifests named by `-f`: their texts, and the objects found in them.
#[derive(Debug, Clone, Default)]
pub struct Manifests {
    sources: Vec<Source>,
    objects: Vec<Object>,
    /// Documents without a kind that may still say something about objects.
    without_kind: Vec<Object>,
    skipped: Vec<Skipped>,
}

impl Manifests {
    /// Returns what was found in folders but not read, with the reason: a sentence for each file and each chart.
    pub fn skipped(&self) -> Vec<String> {
        skipped::sentences(&self.skipped)
    }

    /// Returns the skipped templates with a mention of what must not be missed, as `file:line`.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.skipped.iter().filter_map(|it| it.mention.as_deref())
    }

    /// Returns the lines of those templates, comments left out, each with its place as `file:line`.
    pub fn template_lines(&self) -> impl Iterator<Item = (String, &str)> {
        let with_mention = self.skipped.iter().filter(|it| it.mention.is_some());
        let files: BTreeSet<&str> = with_mention.map(|it| it.file.as_str()).collect();
        self.sources.iter().flat_map(move |source| {
            let file = source.path.as_ref().map(|path| path.display().to_string());
            let file = file.filter(|file| files.contains(file.as_str()));
            file.into_iter().flat_map(|file| {
                let lines = document::lines(&source.text).zip(1..);
                let lines = lines.filter(|(line, _)| !line.trim_start().starts_with('#'));
                lines.map(move |(line, number)| (format!("{file}:{number}"), line))
            })
        })
    }

    /// Returns the JSON patches and kustomizations without a kind.
    pub fn without_kind(&self) -> impl Iterator<Item = &Object> {
        self.without_kind.iter()
    }

    /// Returns the manifests without these objects; their texts stay.
    #[must_use]
    pub fn without(&self, is_left_out: impl Fn(&Object) -> bool) -> Self {
        let objects = self.objects.iter().filter(|object| !is_left_out(object)).cloned().collect();
        Self { objects, ..self.clone() }
    }

    /// Returns the place, as `file:line`, where one of these words first occurs in the document of an object, else where
    /// the object begins. Comments are ignored.
    pub fn place_of(&self, object: &Object, words: &[&str]) -> String {
        let source = self.source(object);
        let document = &source.documents[object.place.document];
        let mut lines = document::lines(&source.text[document.range.clone()]).zip(document.line..);
        let said =
            lines.find(|(line, _)| !line.trim_start().starts_with('#') && words.iter().any(|word| line.contains(word)));
        said.map_or_else(|| object.origin(), |(_, line)| format!("{}:{line}", object.file()))
    }

    /// Returns the objects in the order of the inputs, and within each as they are written.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    /// Returns the source that this object was found in.
    ///
    /// # Panics
    ///
    /// Panics if the object belongs to other manifests.
    pub fn source(&self, object: &Object) -> &Source {
        &self.sources[object.place.source]
    }
}

/// A file, or standard input, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The whole text, byte for byte.
    pub text: String,
    documents: Vec<Document>,
}

/// A Kubernetes object in a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The object's fields, parsed as kubectl does.
    pub value: Value,
    place: Place,
}

impl Object {
    /// Returns the file, as it was named or found; `stdin` for standard input.
    pub fn file(&self) -> &str {
        &self.place.name
    }

    /// Returns the line of the file on which the object begins, from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// Returns where the object begins: `dir/canary.yaml:12`, or `stdin:1`.
    pub fn origin(&self) -> String {
        format!("{}:{}", self.place.name, self.place.line)
    }
}

/// The position of an object in its source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    source: usize,
    name: Arc<str>,
    /// Index of the document in the source.
    document: usize,
    /// Line of the source on which the object begins, from 1.
    line: usize,
    /// Indices into `items`, one for each enclosing list; empty for a whole document.
    items: Vec<usize>,
}
