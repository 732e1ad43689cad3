//! Findings, each once, with the pages that it was made at.

use std::collections::{BTreeSet, HashMap};

use crate::verify::{Finding, Outcome, Page};

/// Findings, in the order in which they were first made.
#[derive(Default)]
pub(super) struct Findings {
    all: Vec<Seen>,
    /// Their positions.
    places: HashMap<(String, String), usize>,
}

/// A finding with its pages; the message is what stands before and behind them.
pub(super) struct Seen {
    message: (String, String),
    /// The first page.
    page: Option<Page>,
    pages: BTreeSet<Page>,
    fix: Option<String>,
    pub(super) times: usize,
}

impl Findings {
    /// Adds a finding about no page.
    pub(super) fn add(&mut self, message: String, fix: impl FnOnce() -> Option<String>) -> &mut Seen {
        self.seen((message, String::new()), fix)
    }

    /// Adds a finding at a page, which comes between these texts.
    pub(super) fn add_at(&mut self, before: &str, page: &Page, after: String, fix: impl FnOnce() -> Option<String>) {
        let seen = self.seen((before.to_owned(), after), fix);
        seen.page.get_or_insert_with(|| page.clone());
        if !seen.pages.contains(page) {
            seen.pages.insert(page.clone());
        }
    }

    fn seen(&mut self, message: (String, String), fix: impl FnOnce() -> Option<String>) -> &mut Seen {
        let place = *self.places.entry(message.clone()).or_insert(self.all.len());
        if place == self.all.len() {
            self.all.push(Seen { message, page: None, pages: BTreeSet::new(), fix: fix(), times: 0 });
        }
        self.all[place].times += 1;
        &mut self.all[place]
    }

    /// Returns the outcome, given why nothing can be said if nothing was found.
    pub(super) fn outcome(self, unseen: Option<&str>) -> Outcome {
        let finding = |Seen { message: (before, after), page, pages, fix, times }: Seen| {
            let mut message = before;
            if let Some(first) = page {
                message.push_str(&format!(" {first}"));
            }
            match pages.len() {
                0 | 1 => {}
                2 => message.push_str(" and one more page"),
                all => message.push_str(&format!(" and {} more pages", all - 1)),
            }
            Finding { message: message + &after, fix, times }
        };
        match unseen {
            _ if !self.all.is_empty() => Outcome::Fails(self.all.into_iter().map(finding).collect()),
            Some(reason) => Outcome::Skipped(reason.to_owned()),
            None => Outcome::Holds,
        }
    }
}
