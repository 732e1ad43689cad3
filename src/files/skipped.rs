//! What was found in folders and not read, and how it is reported. Pure.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// So many files are named one by one; the rest is counted.
const NAMED: usize = 10;

/// A file, a folder or a document that was found in a folder and skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    /// The file or the folder.
    pub(super) file: String,
    /// Line and column, where the reason has them.
    pub(super) position: Option<(usize, usize)>,
    /// Why.
    pub(super) reason: Reason,
    /// Where it mentions what must not be missed, as `file:line`.
    pub(super) mention: Option<String>,
}

impl Skipped {
    /// Creates the record of a whole file or folder.
    pub(super) fn whole(file: &Path, reason: Reason) -> Self {
        Self { file: file.display().to_string(), position: None, reason, mention: None }
    }

    fn place(&self) -> String {
        match self.position {
            Some((line, column)) => format!("{}:{line}:{column}", self.file),
            None => self.file.clone(),
        }
    }
}

/// Why something was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// It cannot be opened or listed, with the operating system's reason.
    Unreadable(String),
    /// Opening a pipe or a device could block forever.
    NotRegular,
    /// Its bytes are not UTF-8.
    NotText,
    /// It is not YAML that can be read.
    NotYaml,
    /// It is a template, of the chart in this folder if it belongs to one, else of the folder it is in.
    Template { folder: PathBuf, is_chart: bool },
}

/// Returns a sentence for each file and each chart.
pub(super) fn sentences(skipped: &[Skipped]) -> Vec<String> {
    let mut templates: BTreeMap<_, Vec<&Skipped>> = BTreeMap::new();
    let mut sentences = Vec::new();
    for it in skipped {
        let reason = match &it.reason {
            Reason::Template { folder, is_chart } => {
                templates.entry((folder, *is_chart)).or_default().push(it);
                continue;
            }
            Reason::Unreadable(reason) => format!("cannot be read: {reason}"),
            Reason::NotRegular => "not a regular file".to_owned(),
            Reason::NotText => "not UTF-8 text".to_owned(),
            Reason::NotYaml => "cannot be read as YAML".to_owned(),
        };
        sentences.push(format!("{}: skipped, {reason}", it.place()));
    }
    if sentences.len() > NAMED + 1 {
        let more = sentences.split_off(NAMED).len();
        sentences.push(format!("and {more} more files skipped"));
    }
    sentences.extend(templates.into_iter().map(|((folder, is_chart), templates)| {
        let mentions: Vec<_> = templates.iter().filter_map(|it| it.mention.as_deref()).collect();
        let canaries = if mentions.is_empty() { "" } else { "; with a Canary in: " };
        let kind = if is_chart { "Helm template" } else { "template" };
        let text = match templates[..] {
            [one] => format!("{}: skipped, a {kind}", one.place()),
            _ => format!("{}: {} {kind}s skipped", folder.display(), templates.len()),
        };
        format!("{text}{canaries}{}", mentions.join(", "))
    }));
    sentences
}
