//! `-o jsonpath=TEMPLATE`: kubectl's templates over the published JSON (`k8s.io/client-go/util/jsonpath`).
//!
//! Not RFC 9535, which the crates implement: kubectl's fields need no quotes around dashes and slashes, its dots are
//! escaped with a backslash, and its templates have text, `range` and `end`. Where kubectl fails because two values of
//! different types are compared, they are different here: a phase that is not set yet is no reason to print nothing.

mod eval;
mod parse;

use std::cmp::Ordering::{self, Equal, Greater, Less};

use serde_json::Value;

use crate::error::{Error, Result};

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Piece>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    /// Text outside of braces.
    Text(String),
    /// `{…}`: the values it leads to, separated by spaces.
    Values(Vec<Step>),
    /// `{range …}…{end}`: the pieces, for each value.
    Range(Vec<Step>, Vec<Piece>),
}

/// A step from some values to others.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// `.name` or `['name']`.
    Field(String),
    /// `.*`.
    Wildcard,
    /// `..`.
    Recursive,
    /// `[from:to:step]`.
    Slice(Slice),
    /// `[a,b]`.
    Union(Vec<Vec<Step>>),
    /// `[?(left operator right)]`.
    Filter(Box<Filter>),
    /// A quoted text, a number or a boolean.
    Constant(Value),
}

/// Part of a list; negative places count from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    from: Option<i64>,
    to: To,
    step: Option<i64>,
}

/// Where a slice ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    /// Behind its first entry: `[from]`.
    Next,
    /// Before this place.
    Before(i64),
    /// At the end of the list.
    End,
}

/// A condition on the entries of a list.
#[derive(Debug, Clone, PartialEq)]
struct Filter {
    left: Vec<Step>,
    /// When it holds and what to compare with; without them, the left side has to exist.
    compared: Option<(Orders, Vec<Step>)>,
}

/// The orders of the left side and the right for which a comparison holds; `None` if they have none.
type Orders = &'static [Option<Ordering>];

/// The operators.
const OPERATORS: [(&str, Orders); 6] = [
    ("==", &[Some(Equal)]),
    ("!=", &[Some(Less), Some(Greater), None]),
    ("<", &[Some(Less)]),
    ("<=", &[Some(Less), Some(Equal)]),
    (">", &[Some(Greater)]),
    (">=", &[Some(Greater), Some(Equal)]),
];

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::template(text).map(Self)
    }

    /// Parses a path without text around it; braces and the first dot may be left out
    /// (`k8s.io/kubectl/pkg/cmd/get/customcolumn.go:RelaxedJSONPathExpression`).
    ///
    /// # Errors
    ///
    /// As [`Template::parse`].
    pub fn parse_path(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let inner = inner.strip_prefix('.').unwrap_or(inner);
        if inner.is_empty() || inner.contains(['{', '}']) {
            return Err(format!("`{text}` is not a path such as .name"));
        }
        Self::parse(&format!("{{.{inner}}}"))
    }

    /// Fills in the template.
    ///
    /// # Errors
    ///
    /// A place is not in its list, or something that is no list is taken for one.
    pub fn fill(&self, value: &Value) -> Result<String> {
        let mut text = String::new();
        eval::pieces(&self.0, value, &mut text).map_err(|problem| Error::usage(format!("jsonpath: {problem}")))?;
        Ok(text)
    }

    /// Returns the values that a path leads to.
    ///
    /// # Errors
    ///
    /// As [`Template::fill`].
    pub fn values(&self, value: &Value) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for piece in &self.0 {
            if let Piece::Values(steps) = piece {
                let values =
                    eval::values(steps, value).map_err(|problem| Error::usage(format!("custom-columns: {problem}")))?;
                all.extend(values.into_iter().map(std::borrow::Cow::into_owned));
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
