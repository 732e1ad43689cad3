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

/// Maximum length of a declaration in characters.
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
pub fn problems(text: &str) -> Vec<(usize, Malformed)> {
    read(text).1
}

fn read(text: &str) -> (Cookie, Vec<(usize, Malformed)>) {
    let (mut cookie, mut problems) = (Cookie::default(), Vec::new());
    if text.chars().count() > MAX_LENGTH {
        return (cookie, vec![(0, malformed("", too_long()))]);
    }
    let is_allowed = |c: char| c == '\t' || (' '..='~').contains(&c);
    if let Some(at) = text.chars().position(|c| !is_allowed(c)) {
        problems.push((at, malformed("", NOT_ASCII.into())));
    }
    let mut twice = BTreeMap::new();
    let mut begin = 0;
    for (number, whole) in text.split(';').enumerate() {
        let part = whole.trim_matches(BLANK);
        let at = begin + whole.chars().take_while(|c| BLANK.contains(c)).count();
        begin += whole.chars().count() + 1;
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
                cookie.set(field, value);
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

fn malformed(part: &str, reason: String) -> Malformed {
    Malformed { part: part.to_owned(), reason }
}

/// Returns the attributes as they are written.
pub(crate) fn attributes() -> impl Iterator<Item = &'static str> {
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
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_attribute_is_read() {
        let cookie =
            parse("login; Max-Age=300; Path=/sso; Domain=example.com; Secure; HttpOnly; SameSite=Lax").unwrap();
        assert_eq!(
            cookie.to_json(),
            json!({"name": "login", "maxAge": 300, "path": "/sso", "domain": "example.com", "secure": true,
                   "httpOnly": true, "sameSite": "lax"})
        );
    }

    #[test]
    fn case_blanks_and_order_are_free_and_the_normal_form_is_one() {
        let text = " login ;\tSAMESITE = none;secure ; path= /a=b ;max-age=0";
        assert_eq!(print(&parse(text).unwrap()), "login; Max-Age=0; Path=/a=b; Secure; SameSite=None");
    }

    #[test]
    fn the_name_may_be_left_to_traefik() {
        assert_eq!(parse("").unwrap(), Cookie::default());
        assert_eq!(print(&parse("; HttpOnly").unwrap()), "; HttpOnly");
    }

    #[test]
    fn a_malformed_part_is_named_with_what_is_allowed() {
        let name = "the first part must be the cookie's name alone, which may contain only letters, digits and !#$%&'*+-.^_`|~; begin with ; to leave the name to Traefik";
        let allowed = "allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite";
        let seconds = "must be whole seconds of at most ten digits, such as 300";
        let cases = [
            ("Path=/", format!("`Path=/`: {name}")),
            ("a b", format!("`a b`: {name}")),
            ("a;", format!("an attribute is missing after a ; ({allowed})")),
            ("a; Expires=0", format!("`Expires=0`: unknown attribute; {allowed}")),
            ("a; Max-Age", format!("`Max-Age`: {seconds}")),
            ("a; max-age = 5m", format!("`max-age = 5m`: {seconds}")),
            ("a; Secure=true", "`Secure=true`: it takes no value".into()),
            ("a; Secure; secure", "`Secure`: is given more than once".into()),
            (
                "a; Path=sso",
                "`Path=sso`: must start with / and contain only printable ASCII characters, no spaces or semicolons"
                    .into(),
            ),
            ("a; Domain=bad_domain", "`Domain=bad_domain`: must be a domain name, such as example.com".into()),
            ("a; SameSite=Maybe", "`SameSite=Maybe`: must be None, Lax or Strict".into()),
            ("é", "it contains a character that is not printable ASCII".into()),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
        assert_eq!(parse(&"a".repeat(1025)).unwrap_err().to_string(), "it is longer than 1024 characters");
    }

    #[test]
    fn every_problem_is_found_at_once_with_its_place() {
        let found = |text: &str| -> Vec<_> {
            problems(text).into_iter().map(|(at, problem)| (at, problem.part, problem.reason.len() > 5)).collect()
        };
        let part = |at, part: &str| (at, part.to_owned(), true);
        assert_eq!(
            found("a b; Max-Age=5m ;;Secur; Secure;  secure"),
            [part(0, "a b"), part(5, "Max-Age=5m"), part(17, ""), part(18, "Secur"), part(34, "Secure")]
        );
        assert_eq!(found("é; Max-Age=5m"), [part(0, ""), part(3, "Max-Age=5m")]);
        assert_eq!(found("login; Max-Age=300"), []);
    }

    /// Generates any cookie in normal form.
    pub(crate) fn cookies() -> impl Strategy<Value = Cookie> {
        let field = |index: usize, strategy: BoxedStrategy<String>| {
            prop::option::of(strategy.prop_map(move |text| (index, text)))
        };
        (
            field(0, "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}".boxed()),
            field(1, "0|-?[1-9][0-9]{0,9}".boxed()),
            field(2, "/[!-:<-~]{0,10}".boxed()),
            field(3, "[.]?[a-z][a-z0-9]{0,5}([.-][a-z0-9]{1,5}){0,3}".boxed()),
            field(4, Just(String::new()).boxed()),
            field(5, Just(String::new()).boxed()),
            field(6, "none|lax|strict".boxed()),
        )
            .prop_map(|(a, b, c, d, e, f, g)| {
                let mut cookie = Cookie::default();
                for (index, text) in [a, b, c, d, e, f, g].into_iter().flatten() {
                    cookie.set(&FIELDS[index], FIELDS[index].parse(&text).unwrap());
                }
                cookie
            })
    }

    proptest! {
        #[test]
        fn declaration_to_cookie_to_declaration_is_the_identity_on_normal_forms(cookie in cookies()) {
            let text = print(&cookie);
            let parsed = parse(&text).unwrap();
            prop_assert_eq!(&parsed, &cookie);
            prop_assert_eq!(print(&parsed), text);
        }

        #[test]
        fn cookie_to_sticky_to_cookie_is_the_identity(cookie in cookies()) {
            let (read, odd) = Cookie::from_json(cookie.to_json().as_object().unwrap());
            prop_assert_eq!(read, cookie);
            prop_assert!(odd.is_empty());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
            prop_assert_eq!(parse(&text).err(), problems(&text).into_iter().next().map(|(_, problem)| problem));
        }
    }
}
