//! The entry: the paths at which a flow begins, as one annotation on the Canary.
//!
//! ```text
//! entry = path *( "," path )
//! path  = "/" [ segment *( "/" segment ) ] [ "/" ]
//! ```
//!
//! Blanks around `,` are ignored. A segment has the characters of a path in RFC 3986 section 3.3 that mean the same in
//! each syntax of Traefik's rules and in an HTTPRoute, and is neither `.` nor `..`. Each path may be given once. Anything
//! else is an error that names the part.
//!
//! The guard's policies parse the same in CEL; `guard::entry_in_cel` generates that from what is public here, with
//! the checks in the same order.

use std::{fmt, sync::LazyLock};

use regex::Regex;

use super::declaration::{self, Malformed, Problems, malformed};

/// The annotation's key on the Canary, and on each object that is made from it.
pub const ENTRY_ANNOTATION: &str = "kubectl-canary-traefik/entry";
/// The annotation on each object of an entry that names its Canary.
pub const CANARY_ANNOTATION: &str = "kubectl-canary-traefik/canary";
/// Maximum number of paths.
pub const MAX_PATHS: usize = 16;
/// Regular expression of a path, without anchors; valid in Rust and in RE2.
pub const PATH: &str = r"/(?:(?:\.{0,2}[A-Za-z0-9_~!$&()*+=:@-][A-Za-z0-9._~!$&()*+=:@-]*)(?:/\.{0,2}[A-Za-z0-9_~!$&()*+=:@-][A-Za-z0-9._~!$&()*+=:@-]*)*/?)?";

/// The paths at which a flow begins, in the order in which they are declared; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    paths: Vec<String>,
}

impl Entry {
    /// Parses the annotation's value.
    ///
    /// The checks come in this order: the whole text, each path, their number, duplicate paths.
    ///
    /// # Errors
    ///
    /// Returns the part that is wrong, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (paths, problems) = read(text);
        problems.into_iter().next().map_or(Ok(Self { paths }), |(_, problem)| Err(problem))
    }

    /// Returns every problem of the annotation's value, in the order of the checks, with the character where it begins,
    /// from 0.
    pub fn problems(text: &str) -> Problems {
        read(text).1
    }

    /// Creates an entry from typed paths.
    ///
    /// # Errors
    ///
    /// As [`Entry::parse`].
    pub fn of(paths: &[String]) -> Result<Self, Malformed> {
        Self::parse(&paths.join(","))
    }

    /// Returns the paths.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }
}

fn read(text: &str) -> (Vec<String>, Problems) {
    let (parts, mut problems) = declaration::parts(text, ',');
    let (count, mut paths, mut twice) = (parts.len(), Vec::new(), Vec::new());
    for (at, path) in parts {
        match path {
            "" => problems.push((at, malformed("", missing()))),
            // What is no ASCII is reported already.
            path if !path.chars().all(declaration::is_allowed) => {}
            path if !is_path(path) => problems.push((at, malformed(path, not_a_path()))),
            path if paths.iter().any(|other| other == path) => {
                twice.push((at, malformed(path, declaration::TWICE.into())));
            }
            path => paths.push(path.to_owned()),
        }
    }
    if count > MAX_PATHS {
        problems.push((0, malformed("", too_many())));
    }
    problems.extend(twice);
    (paths, problems)
}

impl fmt::Display for Entry {
    /// Formats the annotation's value in normal form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths.join(", "))
    }
}

/// Checks one path as typed.
///
/// # Errors
///
/// Returns what is allowed.
pub fn check_path(text: &str) -> Result<String, String> {
    if is_path(text) { Ok(text.to_owned()) } else { Err(not_a_path()) }
}

fn is_path(text: &str) -> bool {
    static WHOLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(&format!("^{PATH}$")).expect("a valid expression"));
    WHOLE.is_match(text)
}

pub(crate) fn missing() -> String {
    "a path is missing; separate paths by single commas".into()
}

pub(crate) fn not_a_path() -> String {
    "must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..".into()
}

pub(crate) fn too_many() -> String {
    format!("it has more than {MAX_PATHS} paths")
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_read_in_their_order_and_printed_in_normal_form() {
        let entry = Entry::parse(" /login,/oauth2/start ,\t/.auth/login/aad,/").unwrap();
        assert_eq!(entry.paths(), ["/login", "/oauth2/start", "/.auth/login/aad", "/"]);
        assert_eq!(entry.to_string(), "/login, /oauth2/start, /.auth/login/aad, /");
    }

    #[test]
    fn a_malformed_part_is_named_with_what_is_allowed() {
        let path = not_a_path();
        let cases = [
            ("", "a path is missing; separate paths by single commas".to_owned()),
            ("/a,", "a path is missing; separate paths by single commas".to_owned()),
            ("login", format!("`login`: {path}")),
            ("/a b", format!("`/a b`: {path}")),
            ("/a?b", format!("`/a?b`: {path}")),
            ("/a#b", format!("`/a#b`: {path}")),
            ("/a/../b", format!("`/a/../b`: {path}")),
            ("/./a", format!("`/./a`: {path}")),
            ("//a", format!("`//a`: {path}")),
            ("/a//", format!("`/a//`: {path}")),
            ("/%61", format!("`/%61`: {path}")),
            ("/`", format!("`/``: {path}")),
            ("/{id}", format!("`/{{id}}`: {path}")),
            ("/a, /a", "`/a`: is given more than once".to_owned()),
            ("/é", "it contains a character that is not printable ASCII".to_owned()),
        ];
        for (text, message) in cases {
            assert_eq!(Entry::parse(text).unwrap_err().to_string(), message, "{text}");
        }
        assert_eq!(
            Entry::parse(&format!("/{}", "a".repeat(1024))).unwrap_err().to_string(),
            "it is longer than 1024 characters"
        );
        let many: Vec<_> = (0..17).map(|number| format!("/{number}")).collect();
        assert_eq!(Entry::of(&many).unwrap_err().to_string(), "it has more than 16 paths");
    }

    #[test]
    fn every_problem_is_found_at_once_with_its_place() {
        let found: Vec<_> = Entry::problems("login, /a b,,/a,  /a").into_iter().map(|(at, it)| (at, it.part)).collect();
        assert_eq!(found, [(0, "login"), (7, "/a b"), (12, ""), (18, "/a")].map(|(at, part)| (at, part.to_owned())));
    }

    /// Generates any entry.
    pub(crate) fn entries() -> impl Strategy<Value = Entry> {
        let path = "(/[.]{0,2}[A-Za-z0-9_~!$&()*+=:@-][A-Za-z0-9._~!$&()*+=:@-]{0,4}){1,3}/?|/";
        prop::collection::btree_set(path, 1..5)
            .prop_map(|paths| Entry::of(&paths.into_iter().collect::<Vec<_>>()).expect("valid paths"))
    }

    proptest! {
        #[test]
        fn annotation_to_entry_to_annotation_is_the_identity_on_normal_forms(entry in entries()) {
            prop_assert_eq!(Entry::parse(&entry.to_string()), Ok(entry));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
            let _ = Entry::parse(&text);
        }
    }
}
