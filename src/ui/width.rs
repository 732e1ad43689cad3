//! The size of the terminal, and how much of a text fits into it.

use std::io;

use super::Ui;
pub(super) use crate::output::wrap::cut as fitted;
use terminal_size::{Height, Width, terminal_size_of};

impl Ui {
    /// Returns the columns of the terminal on standard output; `None` if it is not a terminal.
    #[expect(clippy::unused_self, reason = "whoever asks has the terminal")]
    pub fn width(&self) -> Option<usize> {
        terminal_size_of(io::stdout()).map(|(Width(columns), _)| columns.into())
    }
}

/// Returns the rows and columns of the terminal on standard error, where questions are asked.
pub(super) fn window() -> (usize, usize) {
    let size = terminal_size_of(io::stderr());
    size.map_or((24, 80), |(Width(columns), Height(rows))| (rows.into(), columns.into()))
}

/// Cuts a line to the width of the terminal on standard error, if that is known.
pub(super) fn cut(line: &str) -> String {
    match terminal_size_of(io::stderr()) {
        Some((Width(columns), _)) => fitted(line, usize::from(columns).saturating_sub(1)),
        None => line.to_owned(),
    }
}

/// Returns the rows and columns of the terminal on standard output.
pub(super) fn of_output() -> (usize, usize) {
    let size = terminal_size_of(io::stdout());
    size.map_or((24, 80), |(Width(columns), Height(rows))| (rows.into(), columns.into()))
}
