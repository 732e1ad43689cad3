//! Finds the manifests named by `-f`, reads them, and finds the objects in them, as kubectl does.
#![expect(clippy::disallowed_methods, reason = "this file is where manifests are read")]

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, mem};

use serde_json::Value;

use super::document::{self, Document};
use super::{Manifests, Object, Place, Source, tree};
use crate::{
    error::{Error, Result, reason},
    text::{quoted, without_password},
    yaml,
};

/// File extensions of manifests in a directory.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Reads files, directories and `-` (standard input). A directory means the manifests directly in it or, if
/// `recursive`, anywhere below it. A file that is named twice is read once.
///
/// # Errors
///
/// Fails if an input cannot be read or is not YAML, a named file contains anything but Kubernetes objects, a directory
/// has no manifests, or there is no object at all.
pub fn read(inputs: &[PathBuf], recursive: bool) -> Result<Manifests> {
    read_with(inputs, recursive, &mut io::stdin())
}

/// Parses the manifests of a text that is already read.
///
/// # Errors
///
/// Fails as for a named file.
pub fn parse(path: Option<PathBuf>, text: String) -> Result<Manifests> {
    let mut reader = Reader::default();
    reader.text(path, text, Named::Yes)?;
    reader.finish()
}

pub(super) fn read_with(inputs: &[PathBuf], recursive: bool, stdin: &mut dyn Read) -> Result<Manifests> {
    let mut reader = Reader::default();
    let mut stdin = Some(stdin);
    for input in inputs {
        if input == Path::new("-") {
            let stdin = stdin.take().ok_or_else(|| Error::usage("standard input (`-`) can be read only once"))?;
            let mut bytes = Vec::new();
            stdin.read_to_end(&mut bytes).map_err(|error| unreadable("standard input", &error))?;
            reader.text(None, utf8(bytes, "standard input")?, Named::Yes)?;
        } else if fs::metadata(input).map_err(|error| missing(input, &error))?.is_dir() {
            let mut found = Vec::new();
            walk(input, recursive, &mut found, &mut reader.left_out)?;
            if found.is_empty() {
                return Err(without_manifests(input, recursive));
            }
            for path in found {
                reader.file(path, Named::No)?;
            }
        } else {
            reader.file(input.clone(), Named::Yes)?;
        }
    }
    reader.finish()
}

/// Whether the user named the file, or it was found in a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Yes,
    No,
}

#[derive(Default)]
struct Reader {
    sources: Vec<Source>,
    objects: Vec<Object>,
    left_out: Vec<String>,
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn file(&mut self, path: PathBuf, named: Named) -> Result<()> {
        if fs::canonicalize(&path).is_ok_and(|real| !self.seen.insert(real)) {
            return Ok(());
        }
        let name = format!("`{}`", path.display());
        let bytes = fs::read(&path).map_err(|error| unreadable(&name, &error))?;
        self.text(Some(path), utf8(bytes, &name)?, named)
    }

    fn text(&mut self, path: Option<PathBuf>, text: String, named: Named) -> Result<()> {
        let name = path.as_ref().map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
        let source = Source { path, documents: document::split(&text), text };
        let name: Arc<str> = name.into();
        for (index, document) in source.documents.iter().enumerate().filter(|(_, it)| it.content.is_some()) {
            let text = &source.text[document.range.clone()];
            let value = match yaml::parse(text) {
                Ok(value) => value,
                // A folder may contain a chart, whose templates cannot be interpreted here.
                Err(error) if named == Named::No && is_template(text) => {
                    let place = format!("{name}:{}:{}", document.line + error.line - 1, error.column);
                    self.left_out.push(format!("{place}: skipped, a template and not plain YAML: {}", error.reason));
                    continue;
                }
                Err(error) => return Err(not_yaml(&name, document, text, &error, named)),
            };
            let line = document.content.unwrap_or(document.line);
            let place = Place { source: self.sources.len(), name: name.clone(), document: index, line, items: vec![] };
            let mut found = Found { text, document, root: None, objects: &mut self.objects, named };
            found.add(value, place)?;
        }
        self.sources.push(source);
        Ok(())
    }

    fn finish(self) -> Result<Manifests> {
        if self.objects.is_empty() {
            let names: Vec<_> = self.sources.iter().map(|it| it.path.as_ref()).collect();
            let names = match names[..] {
                [] => "the input".to_owned(),
                [None] => "standard input".to_owned(),
                [Some(path)] => format!("`{}`", path.display()),
                _ => format!("the {} files read", names.len()),
            };
            let error = Error::usage(format!("no Kubernetes object in {names}"));
            return Err(self.left_out.into_iter().fold(error, Error::caused_by));
        }
        Ok(Manifests { sources: self.sources, objects: self.objects, left_out: self.left_out })
    }
}

/// Collects the objects of one document.
struct Found<'r> {
    text: &'r str,
    document: &'r Document,
    /// The nodes of the document, parsed once it turns out to be a list.
    root: Option<tree::Node>,
    objects: &'r mut Vec<Object>,
    named: Named,
}

impl Found<'_> {
    fn add(&mut self, mut value: Value, place: Place) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind.is_empty() {
            if self.named == Named::No {
                return Ok(());
            }
            let what = match &value {
                Value::Object(_) => "has no `kind`",
                Value::Array(items) if !items.is_empty() && items.iter().all(is_operation) => "is a JSON patch",
                _ => "is not a mapping",
            };
            let message = format!("{}:{}: this {what}, so it is not a Kubernetes object", place.name, place.line);
            return Err(Error::usage(message));
        }
        let of_kind = kind.strip_suffix("List").map(str::to_owned);
        match (of_kind, value.get_mut("items").map(mem::take)) {
            (Some(of_kind), Some(Value::Array(items))) => {
                let version = value.get("apiVersion").cloned();
                let lines = self.lines(&place, items.len());
                for (index, mut item) in items.into_iter().enumerate() {
                    if let (Value::Object(fields), false, Some(version)) = (&mut item, of_kind.is_empty(), &version)
                        && !(fields.contains_key("kind") && fields.contains_key("apiVersion"))
                    {
                        fields.insert("apiVersion".to_owned(), version.clone());
                        fields.insert("kind".to_owned(), of_kind.clone().into());
                    }
                    let mut place = Place { line: lines[index], ..place.clone() };
                    place.items.push(index);
                    self.add(item, place)?;
                }
            }
            (Some(_), Some(Value::Null)) => {}
            (_, items) => {
                if let (Some(items), Some(field)) = (items, value.get_mut("items")) {
                    *field = items;
                }
                self.objects.push(Object { value, place });
            }
        }
        Ok(())
    }

    /// Returns the lines on which the items of a list begin.
    fn lines(&mut self, list: &Place, count: usize) -> Vec<usize> {
        if self.root.is_none() {
            self.root = tree::parse(self.text);
        }
        let mut node = self.root.as_ref();
        for index in &list.items {
            node = node.and_then(tree::Node::items).and_then(|items| items.get(*index));
        }
        let (mut line, mut at) = (self.document.line, 0);
        let items = node.and_then(tree::Node::items).unwrap_or_default();
        let mut lines: Vec<_> = items
            .iter()
            .map(|item| {
                line += document::breaks(&self.text[at..item.start]);
                at = item.start;
                line
            })
            .collect();
        lines.resize(count, list.line);
        lines
    }
}

/// Returns whether this is one operation of a JSON patch (RFC 6902).
fn is_operation(item: &Value) -> bool {
    item.get("op").is_some() && item.get("path").is_some()
}

/// Returns whether this looks like a template of Helm or a similar tool.
fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// Finds the manifests in a directory, sorted by name.
fn walk(directory: &Path, recursive: bool, found: &mut Vec<PathBuf>, left_out: &mut Vec<String>) -> Result<()> {
    let name = format!("`{}`", directory.display());
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|error| unreadable(&name, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to directories are not followed, because they may lead back here.
        let into = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if into && recursive {
            walk(&path, recursive, found, left_out)?;
        } else if path.extension().is_some_and(|it| EXTENSIONS.iter().any(|known| it == *known)) && !path.is_dir() {
            // Opening a pipe could block forever.
            if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
                left_out.push(format!("{}: skipped, not a regular file", path.display()));
            } else {
                found.push(path);
            }
        }
    }
    Ok(())
}

fn utf8(bytes: Vec<u8>, name: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::usage(format!("{name} is not UTF-8 text: the byte at offset {at} is not part of a character"))
    })
}

fn missing(input: &Path, error: &io::Error) -> Error {
    let name = input.display().to_string();
    let name = without_password(&name);
    let failed = unreadable(&format!("`{name}`"), error);
    if name.starts_with("https://") || name.starts_with("http://") {
        return failed.hint(format!("curl -fsSL {} | kubectl canary-traefik … -f -", quoted(&name)));
    }
    failed
}

fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::usage(format!("cannot read {name}")).caused_by(reason(error))
}

fn without_manifests(directory: &Path, recursive: bool) -> Error {
    let name = directory.display();
    let error = Error::usage(format!("no manifest in `{name}`: no file ends in .json, .yaml or .yml"));
    if recursive { error } else { error.hint(format!("-R -f {}", quoted(&name.to_string()))) }
}

fn not_yaml(name: &str, document: &Document, text: &str, error: &yaml::SyntaxError, named: Named) -> Error {
    let line = document.line + error.line - 1;
    let failed = Error::usage(format!("{name}:{line}:{}: {}", error.column, error.reason));
    if is_template(text) {
        failed.hint("this looks like a template: render it first, and give the result (-f -)")
    } else if named == Named::No {
        failed.hint("to skip this file, name the others: -f FILE -f FILE")
    } else {
        failed
    }
}
