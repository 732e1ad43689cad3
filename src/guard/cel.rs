//! Parts of CEL expressions that several policies or grammars share.

use std::fmt::Display;

/// Regular expression of a text that the annotations' grammars allow at all, as a CEL string literal.
pub(super) const PRINTABLE: &str = r"'^[\\t -~]*$'";

/// Returns a CEL string literal.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Returns an expression that is true if all of these are. It stops at the first that is false.
pub(super) fn all<T: Display, const N: usize>(expressions: [T; N]) -> String {
    expressions.map(|expression| format!("({expression})")).join(" && ")
}

/// Returns an expression for whether an object has an annotation. `subject` is the CEL expression for the object.
pub(super) fn has_annotation(subject: &str, key: &str) -> String {
    format!("has({subject}.metadata.annotations) && {} in {subject}.metadata.annotations", text(key))
}

/// Returns an expression for whether the write adds or changes an annotation.
pub(super) fn is_new_or_changed(key: &str) -> String {
    format!(
        "({}) && (oldObject == null || !({}) || oldObject.metadata.annotations[{key}] != object.metadata.annotations[{key}])",
        has_annotation("object", key),
        has_annotation("oldObject", key),
        key = text(key),
    )
}
