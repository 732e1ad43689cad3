//! The declaration: the cookie as one annotation on the Canary, in the syntax of a `Set-Cookie` header
//! without the value (RFC 6265 section 4.1.1).
//!
//! ```text
//! declaration = [ name ] *( ";" attribute )
//! attribute   = "Max-Age=" seconds / "Path=" path / "Domain=" domain / "Secure" / "HttpOnly"
//!             / "SameSite=" ( "None" / "Lax" / "Strict" )
//! ```
//!
//! Attribute names and SameSite are case-insensitive, blanks around `;` and `=` are ignored, and attributes may come in
//! any order, each at most once. Anything else is an error that names the part.
//!
//! The guard's policies parse the same in CEL; `guard::declared_in_cel` generates that from [`FIELDS`] and the messages
//! in this file, with the checks in the same order.

use std::{collections::BTreeMap, fmt};

use super::{
    cookie::Cookie,
    field::{FIELDS, Field, FieldKind, FieldValue},
};

/// The annotation's key on the Canary.
pub const ANNOTATION: &str = "kubectl-canary-traefik/sticky-cookie";

/// Keys from a Canary down to its native cookie, as requested in fluxcd/flagger#1884.
pub const NATIVE_COOKIE: [&str; 5] = ["spec", "service", "traefik", "sticky", "cookie"];

/// Maximum length of a declaration, and of an entry, in characters.
pub const MAX_LENGTH: usize = 1024;

/// The part of a declaration that is wrong, and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The part as written; empty if the whole declaration is meant.
    pub part: String,
    /// What is wrong, and what is allowed.
    pub reason: String,
}

impl Malformed {
    /// Returns the error for an annotation that is a number, a boolean, a list or a mapping.
    pub(crate) fn not_text(value: &str) -> Self {
        malformed(value, "it is not a string: put it in quotes".into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.part.is_empty() { f.write_str(&self.reason) } else { write!(f, "`{}`: {}", self.part, self.reason) }
    }
}

/// What is wrong, each with the character where it begins, from 0.
pub(crate) type Problems = Vec<(usize, Malformed)>;

/// Parses a declaration.
///
/// The checks come in this order: the whole text, the name, each attribute, duplicate attributes.
///
/// # Errors
///
/// Returns the first problem.
pub fn parse(text: &str) -> Result<Cookie, Malformed> {
    let (cookie, problems) = read(text);
    problems.into_iter().next().map_or(Ok(cookie), |(_, problem)| Err(problem))
}

/// Returns every problem of a declaration, in the order of the checks, with the character where it begins, from 0.
pub fn problems(text: &str) -> Problems {
    read(text).1
}

fn read(text: &str) -> (Cookie, Problems) {
    let (parts, mut problems) = parts(text, ';');
    let (mut cookie, mut twice) = (Cookie::default(), BTreeMap::new());
    for (number, (at, part)) in parts.into_iter().enumerate() {
        let read = match number {
            // What is no ASCII is reported already.
            _ if !part.chars().all(is_allowed) => Ok(None),
            0 => read_name(part).map(|value| value.map(|value| (&FIELDS[0], value))),
            _ => read_attribute(part).map(Some),
        };
        match read {
            Ok(Some((field, value))) => {
                if number > 0 && cookie.get(field).is_some() {
                    twice.insert(field.attribute.unwrap_or_default(), at);
                }
                cookie.set(field, Some(value));
            }
            Ok(None) => {}
            Err(problem) => problems.push((at, problem)),
        }
    }
    for attribute in attributes() {
        problems.extend(twice.get(attribute).map(|at| (*at, malformed(attribute, TWICE.into()))));
    }
    (cookie, problems)
}

/// Splits an annotation: returns its parts without blanks around them, and what is wrong with it as a whole, each with the
/// character where it begins, from 0. There are no parts if it is too long.
pub(super) fn parts(text: &str, separator: char) -> (Vec<(usize, &str)>, Problems) {
    if text.chars().count() > MAX_LENGTH {
        return (Vec::new(), vec![(0, malformed("", too_long()))]);
    }
    let (mut begin, mut parts) = (0, Vec::new());
    for whole in text.split(separator) {
        parts.push((begin + whole.chars().take_while(|c| BLANK.contains(c)).count(), whole.trim_matches(BLANK)));
        begin += whole.chars().count() + 1;
    }
    let problem = text.chars().position(|c| !is_allowed(c)).map(|at| (at, malformed("", NOT_ASCII.into())));
    (parts, problem.into_iter().collect())
}

pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | ' '..='~')
}

fn read_name(name: &str) -> Result<Option<FieldValue>, Malformed> {
    if name.is_empty() {
        return Ok(None);
    }
    FIELDS[0].parse(name).map(Some).map_err(|_| malformed(name, not_a_name()))
}

fn read_attribute(part: &str) -> Result<(&'static Field, FieldValue), Malformed> {
    let (attribute, value) = match part.split_once('=') {
        Some((attribute, value)) => (attribute.trim_end_matches(BLANK), Some(value.trim_start_matches(BLANK))),
        None => (part, None),
    };
    if part.is_empty() {
        return Err(malformed("", missing()));
    }
    let field = by_attribute(attribute).ok_or_else(|| malformed(part, unknown()))?;
    let text = match (field.kind, value) {
        (FieldKind::Switch, None) => "",
        (FieldKind::Switch, Some(_)) | (_, None) => return Err(malformed(part, field.allowed())),
        (_, Some(value)) => value,
    };
    let value = field.parse(text).map_err(|allowed| malformed(part, allowed))?;
    Ok((field, value))
}

/// Writes a declaration in normal form: name, then the attributes in the order of [`FIELDS`].
pub fn print(cookie: &Cookie) -> String {
    let mut text = cookie.name().unwrap_or_default().to_owned();
    for (field, value) in cookie.fields() {
        let Some(attribute) = field.attribute else { continue };
        text.push_str("; ");
        text.push_str(attribute);
        if let Some(value) = field.to_attribute(value) {
            text.push('=');
            text.push_str(&value);
        }
    }
    text
}

const BLANK: [char; 2] = [' ', '\t'];

fn by_attribute(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.attribute.is_some_and(|attribute| attribute.eq_ignore_ascii_case(name)))
}

pub(super) fn malformed(part: &str, reason: String) -> Malformed {
    Malformed { part: part.to_owned(), reason }
}

/// Returns the attributes as they are written.
pub(crate) fn attributes() -> impl DoubleEndedIterator<Item = &'static str> {
    FIELDS.iter().filter_map(|field| field.attribute)
}

pub(crate) const NOT_ASCII: &str = "it contains a character that is not printable ASCII";
pub(crate) const TWICE: &str = "is given more than once";

pub(crate) fn too_long() -> String {
    format!("it is longer than {MAX_LENGTH} characters")
}

pub(crate) fn not_a_name() -> String {
    format!(
        "the first part must be the cookie's name alone, which {}; begin with ; to leave the name to Traefik",
        FIELDS[0].allowed()
    )
}

pub(crate) fn missing() -> String {
    format!("an attribute is missing after a ; (allowed are {})", attributes().collect::<Vec<_>>().join(", "))
}

pub(crate) fn unknown() -> String {
    format!("unknown attribute; allowed are {}", attributes().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
pub(crate) mod tests;
