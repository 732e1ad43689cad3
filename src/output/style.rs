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

/// What styles are made of here and in the parser's messages, one after the other.
pub const SEQUENCES: [&str; 7] =
    ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[4m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[36m"];

/// How long the one at the beginning of this text is.
pub fn sequence(text: &str) -> Option<usize> {
    SEQUENCES.iter().find(|own| text.starts_with(*own)).map(|own| own.len())
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
