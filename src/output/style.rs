//! ANSI styles by meaning. All output is readable without them.

use anstyle::AnsiColor;

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether colour is on.
    pub colored: bool,
}

/// The meaning of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// An added line.
    Added,
    /// A removed line.
    Removed,
    /// The header of a hunk.
    Hunk,
    /// A good state.
    Good,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// A hint.
    Hint,
}

/// ANSI sequences that make up the styles here and in the parser's messages.
pub const SEQUENCES: [&str; 7] =
    ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[4m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[36m"];

/// Returns the length of the sequence at the beginning of this text, if there is one.
pub fn sequence(text: &str) -> Option<usize> {
    SEQUENCES.iter().find(|own| text.starts_with(*own)).map(|own| own.len())
}

/// Returns a text without these sequences.
pub fn plain(text: &str) -> String {
    SEQUENCES.iter().fold(text.to_owned(), |text, own| text.replace(own, ""))
}

impl Style {
    /// No colour.
    pub const PLAIN: Self = Self { colored: false };

    /// Returns the text in the style of its meaning.
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
