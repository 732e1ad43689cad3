//! How wide the terminal is.

use dialoguer::console::Term;

use super::Ui;

impl Ui {
    /// The columns of the terminal that results go to; `None` when they go somewhere else.
    pub fn width(&self) -> Option<usize> {
        let terminal = Term::stdout();
        let (_, columns) = terminal.is_term().then(|| terminal.size_checked()).flatten()?;
        Some(columns.into())
    }
}
