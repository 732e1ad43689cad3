//! The size of the terminal, and how much of a text fits into it.

use std::io;

use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Ui;

impl Ui {
    /// Returns the columns of the terminal on standard output; `None` if it is not a terminal.
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

/// Cuts a text to this many columns.
pub(super) fn fitted(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or_default();
        let fits = width <= left;
        left = if fits { left - width } else { 0 };
        fits
    };
    let begin: String = text.chars().take_while(fits).collect();
    if columns == 0 { String::new() } else { begin + "…" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_does_not_fit_ends_in_an_ellipsis() {
        for (text, columns, shown) in
            [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本", 3, "日…"), ("日本", 2, "…"), ("ab", 1, "…"), ("ab", 0, "")]
        {
            assert_eq!(fitted(text, columns), shown, "{text} in {columns}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC*", columns in 0usize..20) {
            prop_assert!(fitted(&text, columns).width() <= columns);
        }
    }
}
