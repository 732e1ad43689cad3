//! The grammar of the entry in CEL, generated from what `model::entry` exports, which is the same parser in Rust.

use super::cel::{PRINTABLE, has_annotation, text};
use crate::model::{
    declaration::{self, MAX_LENGTH, NOT_ASCII, TWICE},
    entry::{self, ENTRY_ANNOTATION, MAX_PATHS, PATH},
};

/// Returns the variables of a policy as names and expressions. Each expression may use the variables before it.
///
/// The result is `entryProblem`: the first parse error of the written object's entry, empty if well-formed.
///
/// The API server evaluates a variable when it is first used, and lets a write pass whose evaluation costs too much:
/// the text is split only if its length is bounded, and paths are compared with each other only if they are few.
pub(super) fn variables() -> Vec<(&'static str, String)> {
    let key = ENTRY_ANNOTATION;
    vec![
        ("entry", format!("{} ? object.metadata.annotations[{}] : ''", has_annotation("object", key), text(key))),
        ("paths", "variables.entry.split(',').map(path, path.trim())".into()),
        ("malformedPaths", format!("variables.paths.filter(path, !path.matches({}))", text(&format!("^(?:{PATH})$")))),
        ("repeatedPaths", "variables.paths.transformList(at, path, variables.paths.indexOf(path) < at, path)".into()),
        ("entryProblem", problem()),
    ]
}

/// Returns an expression for the first error, in the order of `Entry::parse`, or an empty string.
fn problem() -> String {
    format!(
        "variables.entry.size() > {MAX_LENGTH} ? {} : \
         !variables.entry.matches({PRINTABLE}) ? {} : \
         variables.malformedPaths.size() > 0 ? \
         (variables.malformedPaths[0] == '' ? {} : '`' + variables.malformedPaths[0] + {}) : \
         variables.paths.size() > {MAX_PATHS} ? {} : \
         variables.repeatedPaths.size() > 0 ? '`' + variables.repeatedPaths[0] + {} : ''",
        text(&declaration::too_long()),
        text(NOT_ASCII),
        text(&entry::missing()),
        text(&format!("`: {}", entry::not_a_path())),
        text(&entry::too_many()),
        text(&format!("`: {TWICE}")),
    )
}
