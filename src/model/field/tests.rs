//! Tests of the fields.

use super::*;

#[test]
fn keys_flags_and_attributes_are_unique() {
    for (index, field) in FIELDS.iter().enumerate() {
        for other in &FIELDS[index + 1..] {
            assert_ne!(field.key, other.key);
            assert_ne!(field.flag, other.flag);
            assert_ne!(field.attribute, other.attribute);
        }
    }
}

#[test]
fn flags_are_the_kebab_case_of_keys() {
    for field in &FIELDS {
        let kebab: String = field
            .key
            .chars()
            .flat_map(|c| if c.is_ascii_uppercase() { vec!['-', c.to_ascii_lowercase()] } else { vec![c] })
            .collect();
        assert_eq!(field.flag, kebab);
        assert!(!field.help.ends_with('.'), "{}", field.help);
    }
}

#[test]
fn values_are_taken_as_traefik_and_browsers_take_them_and_nothing_else_is() {
    let long = format!("{}.com", "a".repeat(64));
    for (flag, good, bad) in [
        ("name", vec!["login", "_8d2a5", "a!#$%&'*+-.^_`|~"], vec!["", "a b", "a=b", "a;", "ä", "a\n", "a/b"]),
        (
            "max-age",
            vec!["0", "300", "-1", "9999999999"],
            vec!["", "-", "+5", "007", "-0", "1.5", "5m", "12345678901", "٣"],
        ),
        ("path", vec!["/", "/sso", "/a=b/~x"], vec!["", "sso", "/a b", "/ä", "/a;b"]),
        (
            "domain",
            vec!["example.com", ".example.com", "localhost", "a-b.c1"],
            vec!["", ".", "a..b", "-a.com", "a-.com", "a_b", "a b", &long],
        ),
        ("same-site", vec!["none", "Lax", "STRICT"], vec!["", "maybe", "lax "]),
        ("secure", vec![""], vec!["true", " "]),
    ] {
        let field = Field::by_flag(flag).unwrap();
        for text in good {
            assert!(field.parse(text).is_ok(), "{flag} {text}");
        }
        for text in bad {
            assert!(field.parse(text).is_err(), "{flag} {text}");
        }
    }
}

#[test]
fn durations_become_seconds() {
    for (text, expected) in [
        ("300", "300"),
        ("5m", "300"),
        ("1h30m", "5400"),
        ("90s", "90"),
        ("1h1s", "3601"),
        ("0s", "0"),
        ("5m1h", "5m1h"),
        ("m", "m"),
        ("5", "5"),
        ("5m5", "5m5"),
        ("-1", "-1"),
        ("1d", "1d"),
        ("", ""),
    ] {
        assert_eq!(crate::model::duration::seconds(text), expected, "{text}");
    }
}
