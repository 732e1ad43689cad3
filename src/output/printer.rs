//! The output formats of commands that read: those of [`Format`], and kubectl's templates.

use serde_json::Value;

use super::{Format, custom_columns::CustomColumns, jsonpath::Template};
use crate::error::Result;

/// How results are printed (`-o`).
#[derive(Debug, Clone, PartialEq)]
pub enum Printer {
    /// A format without parameters.
    Format(Format),
    /// `jsonpath=TEMPLATE`.
    JsonPath(Template),
    /// `custom-columns=HEADER:PATH,…`.
    CustomColumns(CustomColumns),
}

impl Default for Printer {
    fn default() -> Self {
        Self::Format(Format::Table)
    }
}

impl Printer {
    /// What a format with a parameter begins with.
    pub const JSONPATH: &str = "jsonpath=";
    /// Likewise.
    pub const CUSTOM_COLUMNS: &str = "custom-columns=";

    /// Parses the value of `-o`, given the offered formats; `None` if it is not one of them.
    ///
    /// # Errors
    ///
    /// What is wrong with a template.
    pub fn parse(text: &str, offered: &[&str]) -> Option<Result<Self, String>> {
        let offers = |format: &str| offered.contains(&format);
        if let Some(template) = text.strip_prefix(Self::JSONPATH).filter(|_| offers(Self::JSONPATH)) {
            return Some(Template::parse(template).map(Self::JsonPath));
        }
        if let Some(columns) = text.strip_prefix(Self::CUSTOM_COLUMNS).filter(|_| offers(Self::CUSTOM_COLUMNS)) {
            return Some(CustomColumns::parse(columns).map(Self::CustomColumns));
        }
        let format = <Format as clap::ValueEnum>::from_str(text, false).ok().filter(|_| offers(text))?;
        Some(Ok(Self::Format(format)))
    }

    /// Returns the format without parameters, if it is one.
    pub fn format(&self) -> Option<Format> {
        match self {
            Self::Format(format) => Some(*format),
            Self::JsonPath(_) | Self::CustomColumns(_) => None,
        }
    }

    /// Returns whether people read the result as a table of the program's own columns.
    pub fn is_table(&self) -> bool {
        matches!(self, Self::Format(Format::Table | Format::Wide))
    }

    /// Returns a result in this format: of the text or of the value. `headers` is about custom columns.
    ///
    /// # Errors
    ///
    /// A template does not fit the value.
    pub fn of(&self, headers: bool, text: impl FnOnce() -> String, value: impl FnOnce() -> Value) -> Result<String> {
        match self {
            Self::Format(format) => Ok(format.of(text, value)),
            Self::JsonPath(template) => template.fill(&value()),
            Self::CustomColumns(columns) => columns.table(&value(), headers),
        }
    }
}
