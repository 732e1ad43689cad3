//! Manifests from files, directories and standard input, and edits of them in place.
//!
//! Never talks to a cluster and knows no kind of object: it finds mappings with a `kind` and leaves their
//! meaning to others.

mod document;
mod draft;
mod edit;
mod link;
mod read;
mod scratch;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod tree;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use self::document::Document;

pub use self::draft::Draft;
pub use self::edit::{Edit, edit};
pub use self::link::{Linked, link};
pub use self::read::{parse, read};
pub use self::scratch::Scratch;
pub use self::write::{in_place, replace, write_atomically, write_into};

/// What `-f` names: the texts, and the objects found in them.
#[derive(Debug, Clone)]
pub struct Manifests {
    sources: Vec<Source>,
    objects: Vec<Object>,
    left_out: Vec<String>,
}

impl Manifests {
    /// What was found in folders and not read, with the reason: one sentence for each document.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Where one of these words stands in a document with no object that is `known`, as `file:line`, the first place
    /// of each document. Comments do not count.
    pub fn mentions(&self, words: &[&str], known: impl Fn(&Object) -> bool) -> Vec<String> {
        let is_known = |source: usize, document: usize| {
            let mut here = self.objects.iter().filter(|it| (it.place.source, it.place.document) == (source, document));
            here.any(&known)
        };
        let mut places = Vec::new();
        for (index, source) in self.sources.iter().enumerate() {
            let name = source.path.as_ref().map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
            for (_, document) in source.documents.iter().enumerate().filter(|(it, _)| !is_known(index, *it)) {
                let lines = document::lines(&source.text[document.range.clone()]);
                let mut said = lines.zip(document.line..).filter(|(line, _)| {
                    !line.trim_start().starts_with('#') && words.iter().any(|word| line.contains(word))
                });
                places.extend(said.next().map(|(_, line)| format!("{name}:{line}")));
            }
        }
        places
    }

    /// The objects in the order of the inputs, and within one as they are written.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    /// The text this object was found in.
    ///
    /// # Panics
    ///
    /// When the object is of other manifests.
    pub fn source(&self, object: &Object) -> &Source {
        &self.sources[object.place.source]
    }
}

/// One file, or standard input, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file; none for standard input.
    pub path: Option<PathBuf>,
    /// The whole text, to the byte.
    pub text: String,
    documents: Vec<Document>,
}

/// One Kubernetes object in a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its fields, read the way kubectl reads them.
    pub value: Value,
    place: Place,
}

impl Object {
    /// Where it begins: `dir/canary.yaml:12`, or `stdin:1`.
    pub fn origin(&self) -> String {
        format!("{}:{}", self.place.name, self.place.line)
    }
}

/// Where an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    source: usize,
    name: Arc<str>,
    /// Which document of the source.
    document: usize,
    /// The line of the source it begins on, from 1.
    line: usize,
    /// Which of the `items`, once for every list it is in; nothing for a whole document.
    items: Vec<usize>,
}
