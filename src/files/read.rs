//! Reads the manifests named by `-f` and finds the objects in them, as kubectl does.
#![expect(clippy::disallowed_methods, reason = "this file is where manifests are read")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::{self, Document};
use super::found::Found;
use super::inputs::{self, Input, Named, unreadable};
use super::skipped::{Reason, Skipped};
use super::{Manifests, Place, Source};
use crate::{
    error::{Error, Result, reason},
    yaml,
};

/// Finds the first line, from 1, of a text that must not be missed. What cannot be read and has none is skipped.
pub type Mention = fn(&str) -> Option<usize>;

/// Reads files, directories, patterns and `-` (standard input). A directory means the manifests directly in it or, if
/// `recursive`, anywhere below it. A file that is named twice is read once. What was found, not named, and cannot be
/// read or is not YAML is skipped, unless it has a `mention`.
///
/// # Errors
///
/// Fails if an input cannot be read or is not YAML, a named file contains anything but Kubernetes objects, a directory
/// has no manifests, or there is no object at all.
pub fn read(inputs: &[PathBuf], recursive: bool, mention: Mention) -> Result<Manifests> {
    read_with(inputs, recursive, mention, &mut io::stdin())
}

/// Parses the manifests of a text that is already read.
///
/// # Errors
///
/// Fails as for a named file.
pub fn parse(path: Option<PathBuf>, text: String) -> Result<Manifests> {
    let mut reader = Reader::new(|_| None);
    reader.text(path, text, Named::Yes)?;
    reader.finish()
}

pub(super) fn read_with(
    inputs: &[PathBuf],
    recursive: bool,
    mention: Mention,
    stdin: &mut dyn Read,
) -> Result<Manifests> {
    let mut reader = Reader::new(mention);
    let mut stdin = Some(stdin);
    for input in inputs::find(inputs, recursive, &mut reader.manifests.skipped)? {
        match input {
            Input::Stdin => {
                let stdin = stdin.take().ok_or_else(|| Error::usage("standard input (`-`) can be read only once"))?;
                let mut bytes = Vec::new();
                stdin.read_to_end(&mut bytes).map_err(|error| unreadable("standard input", &error))?;
                let text = String::from_utf8(bytes).map_err(|error| not_text("standard input", &error))?;
                reader.text(None, text, Named::Yes)?;
            }
            Input::File(path, named) => reader.file(path, named)?,
        }
    }
    reader.finish()
}

struct Reader {
    mention: Mention,
    manifests: Manifests,
    seen: BTreeSet<PathBuf>,
    /// The chart that the templates in a folder belong to.
    charts: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Reader {
    fn new(mention: Mention) -> Self {
        Self { mention, manifests: Manifests::default(), seen: BTreeSet::new(), charts: BTreeMap::new() }
    }

    fn file(&mut self, path: PathBuf, named: Named) -> Result<()> {
        if fs::canonicalize(&path).is_ok_and(|real| !self.seen.insert(real)) {
            return Ok(());
        }
        let name = path.display().to_string();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if named == Named::Yes => return Err(unreadable(&format!("`{name}`"), &error)),
            Err(error) => {
                self.manifests.skipped.push(Skipped::whole(&path, Reason::Unreadable(reason(&error))));
                return Ok(());
            }
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let failed = not_text(&format!("`{name}`"), &error);
                // UTF-16 is UTF-8 with zeros between the letters, as far as the words looked for go.
                let mention = (self.mention)(&String::from_utf8_lossy(error.as_bytes()).replace('\0', ""));
                if named == Named::Yes {
                    return Err(failed);
                }
                return self.skip(Skipped::whole(&path, Reason::NotText), failed, mention);
            }
        };
        self.text(Some(path), text, named)
    }

    fn text(&mut self, path: Option<PathBuf>, text: String, named: Named) -> Result<()> {
        let name = path.as_ref().map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
        let source = Source { path, documents: document::split(&text), text };
        let name: Arc<str> = name.into();
        for (index, document) in source.documents.iter().enumerate().filter(|(_, it)| it.content.is_some()) {
            let text = &source.text[document.range.clone()];
            let value = match yaml::parse(text) {
                Ok(value) => value,
                Err(error) => {
                    self.not_yaml(&source, document, &error, named)?;
                    continue;
                }
            };
            let line = document.content.unwrap_or(document.line);
            let source = self.manifests.sources.len();
            let place = Place { source, name: name.clone(), document: index, line, items: vec![] };
            Found { text, document, root: None, manifests: &mut self.manifests, named }.add(value, place)?;
        }
        self.manifests.sources.push(source);
        Ok(())
    }

    /// Skips a document that is not YAML, or refuses it.
    fn not_yaml(
        &mut self,
        source: &Source,
        document: &Document,
        error: &yaml::SyntaxError,
        named: Named,
    ) -> Result<()> {
        let (path, text) = (source.path.as_deref(), &source.text[document.range.clone()]);
        let name = path.map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
        let (line, column) = (document.line + error.line - 1, error.column);
        let failed = Error::usage(format!("{name}:{line}:{column}: {}", error.reason));
        let skipped = |reason| Skipped { file: name.clone(), position: Some((line, column)), reason, mention: None };
        let is_template = is_template(text);
        // A template is one piece, wherever its documents begin.
        let (from, text) = if is_template { (1, source.text.as_str()) } else { (document.line, text) };
        let mention = (self.mention)(text).map(|line| from + line - 1);
        match (named, is_template) {
            (Named::Yes, true) if mention.is_none() || path.is_none() => {
                Err(failed.hint("this looks like a template; render it and pipe the result: helm template DIR | kubectl canary-traefik … -f -"))
            }
            (Named::Yes, false) => Err(failed),
            // The templates of a chart cannot be interpreted here.
            (_, true) => {
                let mention = mention.map(|line| format!("{name}:{line}"));
                let folder =
                    path.and_then(Path::parent).filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let chart = self.chart(folder);
                let (folder, is_chart) = (chart.clone().unwrap_or_else(|| folder.to_owned()), chart.is_some());
                self.add_skipped(Skipped { mention, ..skipped(Reason::Template { folder, is_chart }) });
                Ok(())
            }
            (Named::No, false) => self.skip(skipped(Reason::NotYaml), failed, mention),
        }
    }

    /// Skips what was found and is not a template. If it has a mention, in this line, the command fails instead.
    fn skip(&mut self, skipped: Skipped, failed: Error, mention: Option<usize>) -> Result<()> {
        if let Some(line) = mention {
            return Err(failed
                .caused_by(format!("line {line} mentions a Canary or its cookie, so the file is not skipped"))
                .hint("fix the file, or name only the other files: -f FILE -f FILE"));
        }
        self.add_skipped(skipped);
        Ok(())
    }

    /// Adds what is skipped, once for each file.
    fn add_skipped(&mut self, skipped: Skipped) {
        match self.manifests.skipped.last_mut().filter(|last| last.file == skipped.file) {
            Some(last) => last.mention = last.mention.take().or(skipped.mention),
            None => self.manifests.skipped.push(skipped),
        }
    }

    /// Returns the folder of the Helm chart whose `templates` this folder is, or is in.
    fn chart(&mut self, folder: &Path) -> Option<PathBuf> {
        let find = || {
            let templates = folder.ancestors().find(|it| it.file_name().is_some_and(|name| name == "templates"))?;
            let chart = templates.parent()?;
            chart.join("Chart.yaml").is_file().then(|| chart.to_owned())
        };
        self.charts.entry(folder.to_owned()).or_insert_with(find).clone()
    }

    fn finish(self) -> Result<Manifests> {
        let Self { manifests, .. } = self;
        let has_canary = manifests.skipped.iter().any(|it| it.mention.is_some());
        if manifests.objects.is_empty() && !has_canary {
            let names: Vec<_> = manifests.sources.iter().map(|it| it.path.as_ref()).collect();
            let names = match names[..] {
                [] => "the input".to_owned(),
                [None] => "standard input".to_owned(),
                [Some(path)] => format!("`{}`", path.display()),
                _ => format!("the {} files read", names.len()),
            };
            let error = Error::usage(format!("no Kubernetes object in {names}"));
            return Err(manifests.skipped().into_iter().fold(error, Error::caused_by));
        }
        Ok(manifests)
    }
}

/// Returns whether this looks like a template of Helm, Jinja or a similar tool.
fn is_template(text: &str) -> bool {
    ["{{", "{%", "<%"].iter().any(|open| text.contains(open))
}

fn not_text(name: &str, error: &std::string::FromUtf8Error) -> Error {
    let at = error.utf8_error().valid_up_to();
    Error::usage(format!("{name} is not UTF-8 text: the byte at offset {at} is not part of a character"))
}
