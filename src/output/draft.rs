//! A cookie as text for an editor, and back: YAML with a comment per field, and what is wrong above its line. Pure.

use serde_json::{Map, Value};

use super::escaped;
use crate::{
    model::{Cookie, FIELDS, Field, FieldValue, field::FieldKind},
    plan::{Scope, merge::Clash, support::Support},
    yaml,
};

/// How the lines begin that say what is wrong; they go when the text is marked anew.
const MARK: &str = "#!";

/// What an editor is given.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The Canary, as people call it.
    pub canary: &'a str,
    /// The cookie to edit.
    pub cookie: &'a Cookie,
    /// What is live, where that is something else.
    pub live: Option<&'a Cookie>,
    /// What the cluster can store, and Traefik honours.
    pub support: &'a Support,
    /// What the change is for.
    pub scope: Scope,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// In which line, from 1; `None` when no line is to blame.
    pub line: Option<usize>,
    /// The reason.
    pub reason: String,
}

/// The text for an editor.
pub fn write(page: Page<'_>) -> String {
    let mut text = format!(
        "# The sticky cookie of Canary {}. Lines that begin with # are ignored.\n\
         # A file that is empty or left as it is changes nothing; {{}} is a cookie without any field.\n\
         # If something is wrong, this file opens again with the reason above the line.\n",
        escaped(page.canary)
    );
    for field in &FIELDS {
        text.push_str(&format!("\n# {}\n", field.describe()));
        for problem in [page.support.refusal(field, page.scope), page.support.ignored(field)].into_iter().flatten() {
            text.push_str(&format!("# NOT SUPPORTED: {}\n", escaped(&problem)));
        }
        let value = page.cookie.get(field);
        if let Some(live) = page.live.filter(|live| live.get(field) != value) {
            text.push_str(&format!("# live it is {}\n", live.get(field).map_or_else(|| "unset".into(), shown)));
        }
        match value {
            Some(value) => text.push_str(&line(field, &Field::to_json(value))),
            None => text.push_str(&format!("#{}: {}\n", field.key, field.example)),
        }
    }
    text
}

/// `maxAge: 300`
fn line(field: &Field, value: &Value) -> String {
    yaml::print(&Value::Object(Map::from_iter([(field.key.to_owned(), value.clone())])))
}

/// A value in a sentence.
pub fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Seconds(seconds) => seconds.to_string(),
        FieldValue::On => "true".into(),
    }
}

/// Whether there is nothing but comments in it.
pub fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

/// Reads what an editor left. `refusal` says of a field why it cannot be had, if so.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of the lines.
pub fn read(text: &str, refusal: impl Fn(&Field) -> Option<String>) -> Result<Cookie, Vec<Wrong>> {
    let whole = |line, reason| vec![Wrong { line, reason }];
    let entries = yaml::entries(text).map_err(|error| whole(Some(error.line), error.reason))?;
    let entries = entries.ok_or_else(|| whole(None, "this is not a mapping of fields, such as maxAge: 300".into()))?;
    let mut cookie = Cookie::default();
    let mut wrong = Vec::new();
    for entry in entries {
        let value = match Field::by_key(&entry.key) {
            None => {
                let keys: Vec<_> = FIELDS.iter().map(|field| field.key).collect();
                Err(format!("there is no such field, allowed are {}", keys.join(", ")))
            }
            Some(field) => value(field, &entry.value).and_then(|value| match (value, refusal(field)) {
                (Some(_), Some(reason)) => Err(reason),
                (value, _) => Ok(value.map(|value| (field, value))),
            }),
        };
        match value {
            Ok(Some((field, value))) => cookie.set(field, value),
            Ok(None) => {}
            Err(reason) => wrong.push(Wrong { line: Some(entry.line), reason: format!("{}: {reason}", entry.key) }),
        }
    }
    if wrong.is_empty() { Ok(cookie) } else { Err(wrong) }
}

/// A value as a person writes it in YAML.
fn value(field: &Field, value: &Value) -> Result<Option<FieldValue>, String> {
    match (field.kind, value) {
        (FieldKind::Seconds, Value::Number(number)) => field.parse_typed(&number.to_string()).map(Some),
        (FieldKind::Seconds, Value::String(text)) => field.parse_typed(text).map(Some),
        (FieldKind::Seconds, Value::Bool(_)) => field.parse_typed("").map(Some),
        (FieldKind::Switch, Value::Null | Value::Bool(_)) => field.from_json(value),
        (FieldKind::Switch, _) => Err("true and false are allowed".into()),
        (_, Value::Bool(_) | Value::Number(_)) => Err(format!("YAML takes it for {value}, put it in quotes")),
        _ => field.from_json(value),
    }
}

/// The text with what is wrong above its lines, in place of what was wrong before.
pub fn mark(text: &str, wrong: &[Wrong]) -> String {
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
        [one] => format!("{MARK} line {one} was not accepted, the reason stands above it\n"),
        [more @ .., last] => {
            format!("{MARK} lines {} and {last} were not accepted, the reasons stand above them\n", more.join(", "))
        }
    };
    format!("{general}{pointer}{body}")
}

/// The text that `write` made of a cookie which others changed meanwhile, with both values where they clash.
pub fn clashing(text: &str, clashes: &[Clash]) -> String {
    let word = |value: &Option<FieldValue>| value.as_ref().map_or_else(|| "unset".into(), shown);
    let wrong: Vec<_> = clashes
        .iter()
        .map(|clash| {
            let key = clash.field.key;
            let starts = |line: &str| line.trim_start_matches('#').starts_with(&format!("{key}:"));
            let reason = format!(
                "{key}: others changed it meanwhile, from {} to {}; take this line away to overwrite that",
                word(&clash.base),
                word(&clash.theirs)
            );
            Wrong { line: text.lines().position(starts).map(|index| index + 1), reason }
        })
        .collect();
    mark(text, &wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::model::declaration::{parse, tests::cookies};

    fn page<'a>(cookie: &'a Cookie, support: &'a Support) -> Page<'a> {
        Page { canary: "shop/checkout", cookie, live: None, support, scope: Scope::Both }
    }

    fn wrong(text: &str) -> Vec<String> {
        let wrong = read(text, |_| None).expect_err("something is wrong");
        let place = |wrong: &Wrong| wrong.line.map_or("-".into(), |line| line.to_string());
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
        let text = write(Page { live: Some(&live), ..page(&cookie, &support) });
        assert_data_eq!(
            text,
            str![[r#"
# The sticky cookie of Canary shop/checkout. Lines that begin with # are ignored.
# A file that is empty or left as it is changes nothing; {} is a cookie without any field.
# If something is wrong, this file opens again with the reason above the line.

# Name of the cookie; unset = Traefik derives one, such as _8d2a5 (Traefik 2.0+)
name: login

# Seconds that a client stays on its track, also 5m or 1h30m; never renewed; unset = until the browser closes (Traefik 3.0+)
# live it is 60
maxAge: 300

# Path the browser sends the cookie to; unset = / (Traefik 3.3+)
# NOT SUPPORTED: Traefik 3.2 (edge/traefik) takes no notice of it: 3.3 does
#path: /

# Domain the browser sends the cookie to; unset = the host that set it (Traefik 3.4+)
# NOT SUPPORTED: the TraefikServices of this cluster have no such field: Traefik's definitions of 3.4 have
# NOT SUPPORTED: Traefik 3.2 (edge/traefik) takes no notice of it: 3.4 does
#domain: example.com

# Send the cookie over HTTPS only; unset = false (Traefik 2.0+)
# live it is true
#secure: true

# Hide the cookie from scripts; unset = false (Traefik 2.0+)
# live it is unset
httpOnly: true

# Send the cookie on requests that come from other sites: none (always), lax (links) or strict (never); unset = the browser decides, mostly lax (Traefik 3.0+)
#sameSite: lax

"#]]
        );
    }

    #[test]
    fn every_commented_field_is_right_once_its_comment_sign_is_taken_away() {
        let (cookie, support) = (Cookie::default(), Support::default());
        let text = write(page(&cookie, &support));
        let all: String = text
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' '))
            .fold(String::new(), |all, line| all + line + "\n");
        let expected = parse("login; Max-Age=300; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax").unwrap();
        assert_eq!(read(&all, |_| None), Ok(expected));
    }

    #[test]
    fn people_write_values_as_they_are_used_to() {
        let text = "maxAge: 1h30m\nname: \"7\"\nsameSite: Lax\nsecure: yes\nhttpOnly: false\npath:\ndomain: ''\n";
        assert_eq!(read(text, |_| None), Ok(parse("7; Max-Age=5400; Secure; SameSite=Lax").unwrap()));
        assert_eq!(read("maxAge: '300'\n", |_| None), read("{maxAge: 300}", |_| None));
        assert_eq!(read("{}", |_| None), Ok(Cookie::default()));
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_line() {
        assert_eq!(
            wrong("name: a b\n\nmaxAge: 1.5\nmax-age: 3\nsecure: maybe\npath: sso\nsameSite: no\ndomain: [a]\n"),
            [
                "1 name: letters, digits and !#$%&'*+-.^_`|~ are allowed",
                "3 maxAge: whole seconds of at most ten digits are allowed, such as 300, or a duration such as 5m or 1h30m",
                "4 max-age: there is no such field, allowed are name, maxAge, path, domain, secure, httpOnly, sameSite",
                "5 secure: true and false are allowed",
                "6 path: it must begin with / and hold printable ASCII without blanks and ;",
                "7 sameSite: YAML takes it for false, put it in quotes",
                "8 domain: a domain name is allowed, such as example.com",
            ]
        );
        assert_eq!(wrong("name: 1_0\n"), ["1 name: YAML takes it for 10, put it in quotes"]);
        assert_eq!(wrong("- name\n"), ["- this is not a mapping of fields, such as maxAge: 300"]);
        assert_eq!(wrong("# c\nname: \"a\nmaxAge: 3\n"), ["2 unclosed quote"]);
        assert_eq!(wrong("name: a\nname: b\n"), ["2 duplicate mapping key `name` is not allowed here"]);
        assert_eq!(wrong("maxAge: 99999999999\n").len(), 1);
        let refused = read("name: a\npath: /\n", |field| (field.key == "path").then(|| "too old".into()));
        assert_eq!(refused, Err(vec![Wrong { line: Some(2), reason: "path: too old".into() }]));
    }

    #[test]
    fn reasons_stand_above_their_lines_and_go_when_the_text_is_marked_anew() {
        let wrong = |line, reason: &str| Wrong { line, reason: reason.into() };
        let once = mark("# c\nname: a b\nmaxAge: x\n", &[wrong(Some(2), "one"), wrong(Some(3), "two")]);
        assert_eq!(
            once,
            "#! lines 4 and 6 were not accepted, the reasons stand above them\n# c\n#! one\nname: a b\n#! two\nmaxAge: x\n"
        );
        assert_eq!(once.lines().nth(3), Some("name: a b"));
        // The lines are those of the text with its marks.
        let again = mark(&once, &[wrong(Some(6), "three"), wrong(None, "all of it\n\u{1b}[2J")]);
        assert_eq!(
            again,
            "#! all of it\n#! \\u{1b}[2J\n#! line 7 was not accepted, the reason stands above it\n# c\nname: a b\n#! three\nmaxAge: x\n"
        );
        assert_eq!(again.lines().nth(6), Some("maxAge: x"));
        assert_eq!(mark(&again, &[]), "# c\nname: a b\nmaxAge: x\n");
        // A line behind the end is the last.
        assert!(mark("a: 1", &[wrong(Some(9), "end")]).ends_with("#! end\na: 1\n"));
    }

    #[test]
    fn a_clash_shows_both_values_above_the_line() {
        let (cookie, support) = (parse("a; Max-Age=900").unwrap(), Support::default());
        let clash = |index: usize, base, theirs| Clash { field: &FIELDS[index], base, theirs };
        let text = clashing(
            &write(page(&cookie, &support)),
            &[
                clash(1, Some(FieldValue::Seconds(300)), Some(FieldValue::Seconds(600))),
                clash(2, Some(FieldValue::Text("/".into())), None),
            ],
        );
        let marks: Vec<_> =
            text.lines().zip(text.lines().skip(1)).filter(|(line, _)| line.starts_with("#! ")).collect();
        assert_eq!(
            marks,
            [
                (
                    "#! lines 11 and 15 were not accepted, the reasons stand above them",
                    "# The sticky cookie of Canary shop/checkout. Lines that begin with # are ignored."
                ),
                (
                    "#! maxAge: others changed it meanwhile, from 300 to 600; take this line away to overwrite that",
                    "maxAge: 900"
                ),
                (
                    "#! path: others changed it meanwhile, from / to unset; take this line away to overwrite that",
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
        fn what_is_written_is_read_back(cookie in cookies(), live in cookies()) {
            let support = Support::default();
            let text = write(Page { live: Some(&live), ..page(&cookie, &support) });
            if cookie == Cookie::default() {
                prop_assert!(is_blank(&text));
            } else {
                prop_assert_eq!(read(&text, |_| None), Ok(cookie));
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
