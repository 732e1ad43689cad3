//! Meanings to ANSI styles, or to nothing. Everything reads well without.

use anstyle::AnsiColor;

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Colour is on.
    pub colored: bool,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A line that comes.
    Added,
    /// A line that goes.
    Removed,
    /// A line about lines.
    Hunk,
    /// As it should be.
    Good,
    /// To be looked at.
    Warning,
    /// Wrong.
    Error,
    /// Something to type.
    Hint,
}

impl Style {
    /// Without colour.
    pub const PLAIN: Self = Self { colored: false };

    /// The text in the style of its meaning.
    pub fn paint(self, meaning: Meaning, text: &str) -> String {
        if !self.colored {
            return text.to_owned();
        }
        let style = match meaning {
            Meaning::Added | Meaning::Good => AnsiColor::Green.on_default(),
            Meaning::Removed => AnsiColor::Red.on_default(),
            Meaning::Error => AnsiColor::Red.on_default().bold(),
            Meaning::Hunk | Meaning::Hint => AnsiColor::Cyan.on_default(),
            Meaning::Warning => AnsiColor::Yellow.on_default(),
        };
        format!("{style}{text}{style:#}")
    }
}
