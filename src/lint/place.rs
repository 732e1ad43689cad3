//! What a finding is about: an object and a field of it.

use std::fmt;

use crate::model::ObjectRef;

/// The manifest that an object was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, as it was named or found.
    pub file: String,
    /// Position of the object among all that were read.
    pub number: usize,
}

/// An object and a field of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The object; `None` for the Canary itself.
    pub object: Option<ObjectRef>,
    /// The manifest of that object; `None` in a cluster.
    pub origin: Option<Origin>,
    /// The keys that lead to the field, and the positions in lists; empty for the whole object.
    pub path: Vec<String>,
    /// Which character of the field, from 0.
    pub offset: usize,
}

impl Place {
    /// Returns the place of a field of the Canary.
    pub fn of_canary(path: &[&str]) -> Self {
        Self { path: path.iter().map(|key| (*key).to_owned()).collect(), ..Self::default() }
    }

    /// Returns the place one key further down.
    #[must_use]
    pub fn below(mut self, key: &str) -> Self {
        self.path.push(key.to_owned());
        self
    }

    /// Returns the place of a field of another object.
    pub fn of_object(object: &ObjectRef, path: &[&str]) -> Self {
        Self { object: Some(object.clone()), ..Self::of_canary(path) }
    }
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The file, as it was named or found; `stdin` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
