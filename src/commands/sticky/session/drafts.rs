//! The file with the edited text: kept while it may be lost, and deleted when it is of no use any more.

use std::{
    path::{Path, PathBuf},
    sync::MutexGuard,
};

use super::Session;
use crate::{
    error::{Error, panic::lock},
    files::Draft,
    model::Stickiness,
};

impl Session<'_> {
    /// Keeps the user's edit, if any, after the editor failed.
    pub(super) fn give_up(&mut self, error: Error) -> Error {
        let typed_before = self.typed().is_some();
        let Some(draft) = &mut self.draft else { return error };
        if typed_before && !draft.path().exists() {
            // The editor deleted the file; the text typed before is still in memory.
            if draft.write(&self.text).is_err() {
                self.ctx.ui.status(&format!("your edit could not be saved, so here it is:\n{}", self.text));
            }
        } else if draft.was_edited() {
            self.keep();
        }
        error
    }

    pub(super) fn cancelled(&mut self, why: &str) -> Option<Stickiness> {
        self.ctx.ui.status(&format!("edit cancelled: {why}"));
        self.discard();
        None
    }

    fn typed(&self) -> MutexGuard<'_, Option<PathBuf>> {
        lock(&self.ctx.typed)
    }

    /// Makes every failure from here on report the path of the text.
    pub(super) fn keep(&self) {
        *self.typed() = self.draft.as_ref().map(Draft::path).map(Path::to_owned);
    }

    /// Deletes the draft.
    pub(super) fn discard(&mut self) {
        self.typed().take();
        if let Some(draft) = self.draft.take() {
            draft.discard();
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // A signal may have arrived while the editor was running.
        if self.draft.as_ref().is_some_and(Draft::was_edited) {
            self.keep();
        }
        if self.typed().is_none() {
            self.discard();
        }
    }
}
