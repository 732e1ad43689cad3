//! A three-way merge of two independent changes of one cookie and its entry.

use std::fmt;

use crate::model::{Cookie, FIELDS, Stickiness};

/// A field, or the entry, that both sides changed to different values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The field's key, or `entry`.
    pub key: &'static str,
    /// Value before both changes.
    pub base: Option<String>,
    /// Value set by others.
    pub theirs: Option<String>,
}

/// The reason why two changes cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// Both changed these fields.
    Fields {
        /// What was merged, with my value of each of these fields.
        mine: Stickiness,
        /// The fields.
        clashes: Vec<Clash>,
    },
    /// Others removed the whole cookie.
    TakenAway,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenAway => f.write_str("the cookie was removed by someone else in the meantime"),
            Self::Fields { clashes, .. } => {
                let keys: Vec<_> = clashes.iter().map(|clash| clash.key).collect();
                write!(f, "someone else also changed {} in the meantime", keys.join(", "))
            }
        }
    }
}

/// Merges my change of `base` with one that others made meanwhile, field by field. Changes of the same field must
/// agree.
///
/// # Errors
///
/// Fails if both changed the same field to different values, or if others removed the cookie.
pub fn merge(base: &Stickiness, mine: &Stickiness, theirs: &Stickiness) -> Result<Stickiness, Conflict> {
    if base.cookie.is_some() && theirs.cookie.is_none() {
        return Err(Conflict::TakenAway);
    }
    let mut clashes = Vec::new();
    let mut cookie = Cookie::default();
    for field in &FIELDS {
        let of = |side: &Stickiness| side.cookie.as_ref().and_then(|cookie| cookie.get(field)).cloned();
        cookie.set(field, one(field.key, of(base), of(mine), of(theirs), &mut clashes));
    }
    let [base, mine, theirs] = [base, mine, theirs].map(|side| side.entry.clone());
    let entry = one("entry", base, mine, theirs, &mut clashes);
    let merged = Stickiness { cookie: Some(cookie), entry };
    if clashes.is_empty() { Ok(merged) } else { Err(Conflict::Fields { mine: merged, clashes }) }
}

/// Merges one value. Where both changed it, mine is taken and the clash noted.
fn one<T: PartialEq + fmt::Display>(
    key: &'static str,
    base: Option<T>,
    mine: Option<T>,
    theirs: Option<T>,
    clashes: &mut Vec<Clash>,
) -> Option<T> {
    if mine == base {
        return theirs;
    }
    if theirs != base && theirs != mine {
        let [base, theirs] = [base, theirs].map(|value| value.map(|value| value.to_string()));
        clashes.push(Clash { key, base, theirs });
    }
    mine
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{
        Entry,
        declaration::{parse, tests::cookies},
        entry::tests::entries,
    };

    fn alone(text: &str) -> Stickiness {
        Stickiness { cookie: Some(parse(text).expect("well-formed")), entry: None }
    }

    #[test]
    fn changes_of_different_fields_are_made_one() {
        for (base, mine, theirs, merged) in [
            ("a; Max-Age=1", "a; Max-Age=2", "b; Max-Age=1", "b; Max-Age=2"),
            ("a; Max-Age=1", "a", "a; Max-Age=1; Secure", "a; Secure"),
            ("a; Secure", "a; Secure; Path=/", "a", "a; Path=/"),
            ("a", "b", "b", "b"),
            ("a", "a", "b; HttpOnly", "b; HttpOnly"),
        ] {
            let result = merge(&alone(base), &alone(mine), &alone(theirs));
            assert_eq!(result, Ok(alone(merged)), "{base} | {mine} | {theirs}");
        }
    }

    #[test]
    fn two_changes_of_one_field_clash_and_so_does_a_cookie_that_is_gone() {
        let entry = |text: &str, entry: &str| Stickiness { entry: Entry::parse(entry).ok(), ..alone(text) };
        let result =
            merge(&entry("a; Max-Age=1", "/a"), &entry("b; Max-Age=2", "/b"), &entry("a; Max-Age=3; Secure", "/c, /d"));
        let clash = |key, base: &str, theirs: &str| Clash { key, base: Some(base.into()), theirs: Some(theirs.into()) };
        let clashes = vec![clash("maxAge", "1", "3"), clash("entry", "/a", "/c, /d")];
        assert_eq!(result, Err(Conflict::Fields { mine: entry("b; Max-Age=2; Secure", "/b"), clashes }));
        assert_eq!(merge(&alone("a"), &alone("b"), &Stickiness::default()), Err(Conflict::TakenAway));
        assert_eq!(merge(&Stickiness::default(), &alone("b"), &Stickiness::default()), Ok(alone("b")));
    }

    /// Generates any cookie with any entry, or none.
    fn sides() -> impl Strategy<Value = Stickiness> {
        (cookies(), prop::option::of(entries())).prop_map(|(cookie, entry)| Stickiness { cookie: Some(cookie), entry })
    }

    proptest! {
        #[test]
        fn where_one_side_changed_nothing_the_other_counts(base in sides(), other in sides()) {
            prop_assert_eq!(merge(&base, &base, &other), Ok(other.clone()));
            prop_assert_eq!(merge(&base, &other, &base), Ok(other.clone()));
            prop_assert_eq!(merge(&base, &other, &other), Ok(other));
        }

        #[test]
        fn no_change_is_lost(base in sides(), mine in sides(), theirs in sides()) {
            let Ok(merged) = merge(&base, &mine, &theirs) else { return Ok(()) };
            for field in &FIELDS {
                let of = |side: &Stickiness| side.cookie.as_ref().and_then(|cookie| cookie.get(field)).cloned();
                let (base, mine, theirs) = (of(&base), of(&mine), of(&theirs));
                prop_assert_eq!(of(&merged), if mine == base { theirs } else { mine });
            }
            let expected = if mine.entry == base.entry { theirs.entry } else { mine.entry };
            prop_assert_eq!(merged.entry, expected);
        }
    }
}
