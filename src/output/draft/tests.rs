//! Tests of the text for an editor.

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
    Stickiness { cookie: Some(cookie.clone()), entry: None }
}

fn parsed(text: &str) -> Stickiness {
    alone(&parse(text).unwrap())
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
        traefik: Some(((3, 2), "edge/traefik".into())),
        native: None,
    };
    let (cookie, live) = (parse("login; Max-Age=300; HttpOnly").unwrap(), parse("login; Max-Age=60; Secure").unwrap());
    let text = write(Page { live: Some(&live), ..page(&alone(&cookie), &support) });
    assert_data_eq!(
        text,
        str![[r#"
# The sticky cookie of Canary shop/checkout. Lines that begin with # are ignored.
# Save an empty or unchanged file to cancel. {} means a cookie with default settings.
# If something is wrong, this file opens again with the reason above the line.

# Cookie name; unset = Traefik derives one, such as _8d2a5 (Traefik 2.0+)
name: login

# How long a user stays on one track: seconds, or 5m, 1h30m. Counted from the first response, not extended; unset = until the browser closes (Traefik 3.0+)
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

# Paths where logins begin, such as /login: Traefik chooses a track again, and removes all cookies from the request; unset = none
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
    assert_eq!(read(text, |_| None), Ok(parsed("7; Max-Age=5400; Secure; SameSite=Lax")));
    assert_eq!(read("maxAge: '300'\n", |_| None), read("{maxAge: 300}", |_| None));
    assert_eq!(read("{}", |_| None), Ok(parsed("")));
    let entry = Entry::parse("/login, /sso/start").ok();
    for text in ["entry: /login, /sso/start", "entry: [/login, /sso/start]", "entry:\n- /login\n- /sso/start\n"] {
        assert_eq!(read(text, |_| None), Ok(Stickiness { entry: entry.clone(), ..parsed("") }), "{text}");
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
    let marks: Vec<_> = text.lines().zip(text.lines().skip(1)).filter(|(line, _)| line.starts_with("#! ")).collect();
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
