//! A watch in a pipe: each Canary as it is at first, then again whenever something that is printed of it changes.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher as _},
};

use serde_json::Value;

use super::board::Board;
use crate::{
    error::Result,
    model::NamespacedName,
    observed::Observed,
    output::{self, Format, escaped, json, printer::Printer, report, show, table},
    yaml,
};

/// Text in place of the phase of a Canary that was deleted.
const DELETED: &str = "<deleted>";

/// What was printed so far.
pub(super) struct Lines<'a> {
    printer: &'a Printer,
    columns: show::Columns,
    widths: table::Columns,
    /// A digest of what was last printed of each Canary.
    printed: HashMap<NamespacedName, u64>,
    has_begun: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(printer: &'a Printer, columns: show::Columns) -> Self {
        Self { printer, columns, widths: table::Columns::default(), printed: HashMap::new(), has_begun: false }
    }

    /// Returns the text of all changes since the last call.
    pub(super) fn changes(&mut self, board: &mut Board, now: i64) -> Result<String> {
        self.columns.now = now;
        let (changed, deleted) = board.take_changes();
        let mut shown: Vec<(Observed, bool)> = deleted
            .into_iter()
            .filter(|observed| self.printed.remove(&observed.canary.target).is_some())
            .map(|observed| (observed, true))
            .collect();
        shown.extend(changed.iter().filter_map(|name| Some((board.observed(name)?, false))));
        if self.printer.is_table() || matches!(self.printer, Printer::CustomColumns(_)) {
            self.rows(shown)
        } else {
            self.documents(shown)
        }
    }

    fn rows(&mut self, shown: Vec<(Observed, bool)>) -> Result<String> {
        let heads = match self.printer {
            Printer::CustomColumns(columns) => columns.heads(),
            _ => show::heads(self.columns),
        };
        let mut rows = Vec::new();
        for (mut observed, is_deleted) in shown {
            if is_deleted {
                observed.canary.phase = Some(DELETED.to_owned());
            }
            let cells = match self.printer {
                Printer::CustomColumns(columns) => columns.cells(&value(&observed, is_deleted))?,
                _ => show::row(&observed, self.columns),
            };
            let lasting = cells.iter().zip(&heads).filter(|(_, head)| **head != "AGE").map(|(cell, _)| cell);
            let digest = digest(lasting.collect::<Vec<_>>());
            if is_deleted || self.is_new(&observed, digest) {
                rows.push(cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>());
            }
        }
        if rows.is_empty() {
            return Ok(String::new());
        }
        let mut text = String::new();
        self.widths.widen(&heads);
        for row in &rows {
            self.widths.widen(row);
        }
        if !std::mem::replace(&mut self.has_begun, true) && self.columns.headers {
            text.push_str(&(self.widths.line(&heads) + "\n"));
        }
        for row in &rows {
            text.push_str(&(self.widths.line(row) + "\n"));
        }
        Ok(text)
    }

    fn documents(&mut self, shown: Vec<(Observed, bool)>) -> Result<String> {
        let mut text = String::new();
        for (observed, is_deleted) in shown {
            let value = value(&observed, is_deleted);
            if !is_deleted && !self.is_new(&observed, digest(value.to_string())) {
                continue;
            }
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            match self.printer {
                Printer::JsonPath(template) => text.push_str(&template.fill(&value)?),
                Printer::Format(Format::Yaml) => {
                    text.push_str(if is_first { "" } else { "---\n" });
                    text.push_str(&yaml::print(&value));
                }
                Printer::Format(Format::Json) => text.push_str(&json(&value)),
                _ => {
                    let name = output::escaped(&observed.canary.target.name);
                    text.push_str(&format!("canary.flagger.app/{name}\n"));
                }
            }
        }
        Ok(text)
    }

    /// Records what is printed of a Canary; returns whether it is not what was printed last.
    fn is_new(&mut self, observed: &Observed, digest: u64) -> bool {
        self.printed.insert(observed.canary.target.clone(), digest) != Some(digest)
    }
}

/// Returns the document about a Canary.
fn value(observed: &Observed, is_deleted: bool) -> Value {
    let mut value = report::single(observed);
    if is_deleted {
        value["deleted"] = true.into();
    }
    value
}

fn digest(shown: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    shown.hash(&mut hasher);
    hasher.finish()
}
