//! Tests of declarations.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn every_attribute_is_read() {
    let cookie = parse("login; Max-Age=300; Path=/sso; Domain=example.com; Secure; HttpOnly; SameSite=Lax").unwrap();
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
            "`Path=sso`: must start with / and contain only printable ASCII characters, no spaces or semicolons".into(),
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
    let field =
        |index: usize, strategy: BoxedStrategy<String>| prop::option::of(strategy.prop_map(move |text| (index, text)));
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
                cookie.set(&FIELDS[index], Some(FIELDS[index].parse(&text).unwrap()));
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
