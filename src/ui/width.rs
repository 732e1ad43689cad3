//! How wide the terminal is.

use dialoguer::console::{Term, truncate_str};

use super::Ui;

impl Ui {
    /// The columns of the terminal that results go to; `None` when they go somewhere else.
    pub fn width(&self) -> Option<usize> {
        let terminal = Term::stdout();
        let (_, columns) = terminal.is_term().then(|| terminal.size_checked()).flatten()?;
        Some(columns.into())
    }
}

/// As much of a line as the terminal of standard error shows in one; all of it where the width is not known.
pub(super) fn cut(line: &str) -> String {
    match Term::stderr().size_checked() {
        Some((_, columns)) => truncate_str(line, usize::from(columns).saturating_sub(1), "…").into_owned(),
        None => line.to_owned(),
    }
}
