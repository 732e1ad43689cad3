//! A cookie as text for an editor, and back: YAML with a comment per field, and errors above their lines. Pure.

use serde_json::{Map, Value, json};

use super::escaped;
use crate::{
    model::{Cookie, Entry, FIELDS, Field, FieldValue, Stickiness, field::FieldKind},
    plan::{Scope, merge::Clash, support::Support},
    yaml,
};

/// The key of the entry.
pub const ENTRY: &str = "entry";
/// What an entry is, for the editor, the wizard and the help.
pub const ENTRY_HELP: &str =
    "Paths at which a flow begins, such as /login: the pin begins anew there, and the request arrives without cookies";

/// Prefix of error lines, which are removed when the text is marked again.
const MARK: &str = "#!";

/// The content of the text for an editor.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The Canary, as displayed.
    pub canary: &'a str,
    /// The cookie and the entry to edit.
    pub stickiness: &'a Stickiness,
    /// The live cookie, shown where it differs.
    pub live: Option<&'a Cookie>,
    /// Which fields the cluster can store and its Traefik honours.
    pub support: &'a Support,
    /// Scope of the change.
    pub scope: Scope,
}

/// An error in an edited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// Line, from 1; `None` if the error belongs to no line.
    pub line: Option<usize>,
    /// The reason.
    pub reason: String,
}

/// Writes the text for an editor.
pub fn write(page: Page<'_>) -> String {
    let mut text = format!(
        "# The sticky cookie of Canary {}. Lines that begin with # are ignored.\n\
         # Save an empty or unchanged file to cancel. {{}} means a cookie with default settings.\n\
         # If something is wrong, this file opens again with the reason above the line.\n",
        escaped(page.canary)
    );
    for field in &FIELDS {
        text.push_str(&format!("\n# {}\n", field.describe()));
        for problem in [page.support.refusal(field, page.scope), page.support.ignored(field)].into_iter().flatten() {
            text.push_str(&format!("# NOT SUPPORTED: {}\n", escaped(&problem)));
        }
        let value = page.stickiness.cookie.as_ref().and_then(|cookie| cookie.get(field));
        if let Some(live) = page.live.filter(|live| live.get(field) != value) {
            text.push_str(&format!(
                "# live it is {}\n",
                live.get(field).map_or_else(|| "unset".into(), ToString::to_string)
            ));
        }
        match value {
            Some(value) => text.push_str(&line(field, &Field::to_json(value))),
            None => text.push_str(&format!("#{}: {}\n", field.key, field.example)),
        }
    }
    text.push_str(&format!("\n# {ENTRY_HELP}; unset = none\n"));
    match &page.stickiness.entry {
        Some(entry) => text.push_str(&yaml::print(&json!({ENTRY: entry.to_string()}))),
        None => text.push_str(&format!("#{ENTRY}: /login\n")),
    }
    text
}

/// Writes a field as YAML: `maxAge: 300`.
fn line(field: &Field, value: &Value) -> String {
    yaml::print(&Value::Object(Map::from_iter([(field.key.to_owned(), value.clone())])))
}

/// Returns whether the text has nothing but comments.
pub fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

/// Reads an edited text. `refusal` returns why a field cannot be set, if so.
///
/// # Errors
///
/// Returns all errors, in the order of the lines.
pub fn read(text: &str, refusal: impl Fn(&Field) -> Option<String>) -> Result<Stickiness, Vec<EditError>> {
    let whole = |line, reason| vec![EditError { line, reason }];
    let entries = yaml::entries(text).map_err(|error| whole(Some(error.line), error.reason))?;
    let entries = entries.ok_or_else(|| whole(None, "this is not a mapping of fields, such as maxAge: 300".into()))?;
    let mut cookie = Cookie::default();
    let mut paths = None;
    let mut wrong = Vec::new();
    for entry in entries {
        if entry.key == ENTRY {
            match entry_of(&entry.value) {
                Ok(read) => paths = read,
                Err(reason) => wrong.push(EditError { line: Some(entry.line), reason: format!("{ENTRY}: {reason}") }),
            }
            continue;
        }
        let value = match Field::by_key(&entry.key) {
            None => {
                let keys: Vec<_> = FIELDS.iter().map(|field| field.key).chain([ENTRY]).collect();
                Err(format!("unknown field; allowed are {}", keys.join(", ")))
            }
            Some(field) => value(field, &entry.value).and_then(|value| match (value, refusal(field)) {
                (Some(_), Some(reason)) => Err(reason),
                (value, _) => Ok(value.map(|value| (field, value))),
            }),
        };
        match value {
            Ok(Some((field, value))) => cookie.set(field, value),
            Ok(None) => {}
            Err(reason) => wrong.push(EditError { line: Some(entry.line), reason: format!("{}: {reason}", entry.key) }),
        }
    }
    if wrong.is_empty() { Ok(Stickiness { cookie: Some(cookie), entry: paths }) } else { Err(wrong) }
}

/// Parses an entry: its text, or a list of paths.
fn entry_of(value: &Value) -> Result<Option<Entry>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Array(paths) => {
            let paths: Option<Vec<_>> = paths.iter().map(Value::as_str).collect();
            paths.ok_or("must be paths such as /login")?.join(",")
        }
        _ => return Err("must be paths such as /login".into()),
    };
    Entry::parse(&text).map(Some).map_err(|malformed| malformed.to_string())
}

/// Parses a value as users write it in YAML.
fn value(field: &Field, value: &Value) -> Result<Option<FieldValue>, String> {
    match (field.kind, value) {
        (FieldKind::Seconds, Value::Number(number)) => field.parse_typed(&number.to_string()).map(Some),
        (FieldKind::Seconds, Value::String(text)) => field.parse_typed(text).map(Some),
        (FieldKind::Seconds, Value::Bool(_)) => field.parse_typed("").map(Some),
        (FieldKind::Switch, Value::Null | Value::Bool(_)) => field.from_json(value),
        (FieldKind::Switch, _) => Err("must be true or false".into()),
        (_, Value::Bool(_) | Value::Number(_)) => Err(format!("YAML reads this as {value}: put it in quotes")),
        _ => field.from_json(value),
    }
}

/// Puts errors above their lines, in place of former ones.
pub fn mark(text: &str, wrong: &[EditError]) -> String {
    let is_mark = |line: &str| line.starts_with(MARK);
    let comment = |reason: &str| reason.lines().map(|line| format!("{MARK} {}\n", escaped(line))).collect::<String>();
    let last = text.lines().count();
    let (mut body, mut places) = (String::new(), Vec::new());
    let mut count = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let here: Vec<_> =
            wrong.iter().filter(|wrong| wrong.line.map(|line| line.clamp(1, last)) == Some(number)).collect();
        for wrong in &here {
            let reason = comment(&wrong.reason);
            count += reason.lines().count();
            body.push_str(&reason);
        }
        if !is_mark(line) {
            count += 1;
            body.push_str(line);
            body.push('\n');
            if !here.is_empty() {
                places.push(count);
            }
        }
    }
    let general: String =
        wrong.iter().filter(|wrong| wrong.line.is_none()).map(|wrong| comment(&wrong.reason)).collect();
    let above = general.lines().count() + usize::from(!places.is_empty());
    let places: Vec<_> = places.iter().map(|place| (place + above).to_string()).collect();
    let pointer = match places.as_slice() {
        [] => String::new(),
        [one] => format!("{MARK} line {one} is invalid; see the note above that line\n"),
        [more @ .., last] => {
            format!("{MARK} lines {} and {last} are invalid; see the notes above them\n", more.join(", "))
        }
    };
    format!("{general}{pointer}{body}")
}

/// Marks fields that others changed meanwhile in a text of `write`, with the values before and after their change.
pub fn clashing(text: &str, clashes: &[Clash]) -> String {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "unset".into());
    let wrong: Vec<_> = clashes
        .iter()
        .map(|clash| {
            let key = clash.key;
            let starts = |line: &str| line.trim_start_matches('#').starts_with(&format!("{key}:"));
            let reason = format!(
                "{key} was changed by someone else while you were editing, from {} to {}; delete this line to overwrite that",
                word(&clash.base),
                word(&clash.theirs)
            );
            EditError { line: text.lines().position(starts).map(|index| index + 1), reason }
        })
        .collect();
    mark(text, &wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::model::{
        declaration::{parse, tests::cookies},
        entry::tests::entries,
    };

    fn page<'a>(stickiness: &'a Stickiness, support: &'a Support) -> Page<'a> {
        Page { canary: "shop/checkout", stickiness, live: None, support, scope: Scope::Both }
    }

    fn alone(cookie: &Cookie) -> Stickiness {
        Stickiness::of_cookie(Some(cookie))
    }

    fn parsed(text: &str) -> Result<Stickiness, Vec<EditError>> {
        Ok(alone(&parse(text).unwrap()))
    }

    fn wrong(text: &str) -> Vec<String> {
        let wrong = read(text, |_| None).expect_err("something is wrong");
        let place = |wrong: &EditError| wrong.line.map_or("-".into(), |line| line.to_string());
        wrong.iter().map(|wrong| format!("{} {}", place(wrong), wrong.reason)).collect()
    }

    #[test]
    fn each_field_has_its_comment_and_what_is_not_supported_is_marked() {
        let support = Support {
            keys: Some(FIELDS.iter().map(|field| field.key.to_owned()).filter(|key| key != "domain").collect()),
            traefik: Some((crate::plan::support::Version(3, 2), "edge/traefik".into())),
            native: None,
        };
        let (cookie, live) =
            (parse("login; Max-Age=300; HttpOnly").unwrap(), parse("login; Max-Age=60; Secure").unwrap());
        let text = write(Page { live: Some(&live), ..page(&alone(&cookie), &support) });
        assert_data_eq!(
            text,
            str![[r#"
# The sticky cookie of Canary shop/checkout. Lines that begin with # are ignored.
# Save an empty or unchanged file to cancel. {} means a cookie with default settings.
# If something is wrong, this file opens again with the reason above the line.

# Cookie name; unset = Traefik chooses one, such as _8d2a5 (Traefik 2.0+)
name: login

# How long a client stays on its version: seconds, or 5m, 1h30m. Counted from the first response, not extended; unset = until the browser closes (Traefik 3.0+)
# live it is 60
maxAge: 300

# Path the browser sends the cookie to; unset = / (Traefik 3.3+)
# NOT SUPPORTED: Traefik 3.2 (edge/traefik) ignores it: it needs 3.3
#path: /

# Domain the browser sends the cookie to; unset = the host that set it (Traefik 3.4+)
# NOT SUPPORTED: the TraefikServices of this cluster have no such field: it needs the CRDs of Traefik 3.4
# NOT SUPPORTED: Traefik 3.2 (edge/traefik) ignores it: it needs 3.4
#domain: example.com

# Send the cookie over HTTPS only; unset = false (Traefik 2.0+)
# live it is true
#secure: true

# Hide the cookie from scripts; unset = false (Traefik 2.0+)
# live it is unset
httpOnly: true

# Send the cookie on requests that come from other sites: none (always), lax (links) or strict (never); unset = the browser decides, mostly lax (Traefik 3.0+)
#sameSite: lax

# Paths at which a flow begins, such as /login: the pin begins anew there, and the request arrives without cookies; unset = none
#entry: /login

"#]]
        );
    }

    #[test]
    fn every_commented_field_is_right_once_its_comment_sign_is_taken_away() {
        let (nothing, support) = (Stickiness::default(), Support::default());
        let text = write(page(&nothing, &support));
        let all: String = text
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' '))
            .fold(String::new(), |all, line| all + line + "\n");
        let expected = parse("login; Max-Age=300; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax").unwrap();
        let entry = Entry::parse("/login").ok();
        assert_eq!(read(&all, |_| None), Ok(Stickiness { entry, ..alone(&expected) }));
    }

    #[test]
    fn people_write_values_as_they_are_used_to() {
        let text = "maxAge: 1h30m\nname: \"7\"\nsameSite: Lax\nsecure: yes\nhttpOnly: false\npath:\ndomain: ''\n";
        assert_eq!(read(text, |_| None), parsed("7; Max-Age=5400; Secure; SameSite=Lax"));
        assert_eq!(read("maxAge: '300'\n", |_| None), read("{maxAge: 300}", |_| None));
        assert_eq!(read("{}", |_| None), parsed(""));
        let entry = Entry::parse("/login, /sso/start").ok();
        for text in ["entry: /login, /sso/start", "entry: [/login, /sso/start]", "entry:\n- /login\n- /sso/start\n"] {
            assert_eq!(read(text, |_| None), Ok(Stickiness { entry: entry.clone(), ..parsed("").unwrap() }), "{text}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_line() {
        assert_eq!(
            wrong("name: a b\n\nmaxAge: 1.5\nmax-age: 3\nsecure: maybe\npath: sso\nsameSite: no\ndomain: [a]\n"),
            [
                "1 name: may contain only letters, digits and !#$%&'*+-.^_`|~",
                "3 maxAge: must be whole seconds of at most ten digits, such as 300, or a duration such as 5m or 1h30m",
                "4 max-age: unknown field; allowed are name, maxAge, path, domain, secure, httpOnly, sameSite, entry",
                "5 secure: must be true or false",
                "6 path: must start with / and contain only printable ASCII characters, no spaces or semicolons",
                "7 sameSite: YAML reads this as false: put it in quotes",
                "8 domain: must be a domain name, such as example.com",
            ]
        );
        assert_eq!(wrong("name: 1_0\n"), ["1 name: YAML reads this as 10: put it in quotes"]);
        assert_eq!(wrong("- name\n"), ["- this is not a mapping of fields, such as maxAge: 300"]);
        assert_eq!(wrong("# c\nname: \"a\nmaxAge: 3\n"), ["2 unclosed quote"]);
        assert_eq!(wrong("name: a\nname: b\n"), ["2 duplicate mapping key `name` is not allowed here"]);
        assert_eq!(wrong("maxAge: 99999999999\n").len(), 1);
        let refused = read("name: a\npath: /\n", |field| (field.key == "path").then(|| "too old".into()));
        assert_eq!(refused, Err(vec![EditError { line: Some(2), reason: "path: too old".into() }]));
    }

    #[test]
    fn reasons_stand_above_their_lines_and_go_when_the_text_is_marked_anew() {
        let wrong = |line, reason: &str| EditError { line, reason: reason.into() };
        let once = mark("# c\nname: a b\nmaxAge: x\n", &[wrong(Some(2), "one"), wrong(Some(3), "two")]);
        assert_eq!(
            once,
            "#! lines 4 and 6 are invalid; see the notes above them\n# c\n#! one\nname: a b\n#! two\nmaxAge: x\n"
        );
        assert_eq!(once.lines().nth(3), Some("name: a b"));
        // Line numbers are those of the text with its marks.
        let again = mark(&once, &[wrong(Some(6), "three"), wrong(None, "all of it\n\u{1b}[2J")]);
        assert_eq!(
            again,
            "#! all of it\n#! \\u{1b}[2J\n#! line 7 is invalid; see the note above that line\n# c\nname: a b\n#! three\nmaxAge: x\n"
        );
        assert_eq!(again.lines().nth(6), Some("maxAge: x"));
        assert_eq!(mark(&again, &[]), "# c\nname: a b\nmaxAge: x\n");
        // A line after the end means the last one.
        assert!(mark("a: 1", &[wrong(Some(9), "end")]).ends_with("#! end\na: 1\n"));
    }

    #[test]
    fn a_clash_shows_both_values_above_the_line() {
        let (cookie, support) = (alone(&parse("a; Max-Age=900").unwrap()), Support::default());
        let clash = |key, base: Option<&str>, theirs: Option<&str>| {
            let [base, theirs] = [base, theirs].map(|value| value.map(str::to_owned));
            Clash { key, base, theirs }
        };
        let text = clashing(
            &write(page(&cookie, &support)),
            &[clash("maxAge", Some("300"), Some("600")), clash("path", Some("/"), None)],
        );
        let marks: Vec<_> =
            text.lines().zip(text.lines().skip(1)).filter(|(line, _)| line.starts_with("#! ")).collect();
        assert_eq!(
            marks,
            [
                (
                    "#! lines 11 and 15 are invalid; see the notes above them",
                    "# The sticky cookie of Canary shop/checkout. Lines that begin with # are ignored."
                ),
                (
                    "#! maxAge was changed by someone else while you were editing, from 300 to 600; delete this line to overwrite that",
                    "maxAge: 900"
                ),
                (
                    "#! path was changed by someone else while you were editing, from / to unset; delete this line to overwrite that",
                    "#path: /"
                ),
            ]
        );
    }

    #[test]
    fn comments_and_blanks_alone_are_nothing() {
        for text in ["", "\n", "# a\n\n  # b\n", "---\n#! c\n"] {
            assert!(is_blank(text), "{text}");
        }
        assert!(!is_blank("{}\n") && !is_blank("name:\n"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            cookie in cookies(), live in cookies(), entry in prop::option::of(entries()),
        ) {
            let support = Support::default();
            let written = Stickiness { entry, ..alone(&cookie) };
            let text = write(Page { live: Some(&live), ..page(&written, &support) });
            if written == alone(&Cookie::default()) {
                prop_assert!(is_blank(&text));
            } else {
                prop_assert_eq!(read(&text, |_| None), Ok(written));
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-zA-Z:#!{}\\[\\]\"' \n-]{0,80}") {
            if let Err(wrong) = read(&text, |_| None) {
                let marked = mark(&text, &wrong);
                prop_assert_eq!(marked.lines().filter(|line| !line.starts_with(MARK)).count(),
                    text.lines().filter(|line| !line.starts_with(MARK)).count());
            }
        }
    }
}
