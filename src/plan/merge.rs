//! A three-way merge of two independent changes of one cookie.

use std::fmt;

use crate::model::{Cookie, FIELDS, Field, FieldValue};

/// A field that both sides changed to different values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The field.
    pub field: &'static Field,
    /// Value before both changes.
    pub base: Option<FieldValue>,
    /// Value set by others.
    pub theirs: Option<FieldValue>,
}

/// The reason why two changes cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// Both changed these fields.
    Fields {
        /// The merged cookie, with my value of each of these fields.
        mine: Cookie,
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
                let keys: Vec<_> = clashes.iter().map(|clash| clash.field.key).collect();
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
pub fn merge(base: Option<&Cookie>, mine: &Cookie, theirs: Option<&Cookie>) -> Result<Cookie, Conflict> {
    if base.is_some() && theirs.is_none() {
        return Err(Conflict::TakenAway);
    }
    let mut merged = Cookie::default();
    let mut clashes = Vec::new();
    for field in &FIELDS {
        let of = |cookie: Option<&Cookie>| cookie.and_then(|cookie| cookie.get(field)).cloned();
        let (base, mine, theirs) = (of(base), mine.get(field).cloned(), of(theirs));
        let value = if mine == base {
            theirs
        } else if theirs == base || theirs == mine {
            mine
        } else {
            clashes.push(Clash { field, base, theirs });
            mine
        };
        if let Some(value) = value {
            merged.set(field, value);
        }
    }
    if clashes.is_empty() { Ok(merged) } else { Err(Conflict::Fields { mine: merged, clashes }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::declaration::{parse, tests::cookies};

    fn cookie(text: &str) -> Cookie {
        parse(text).expect("well-formed")
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
            let result = merge(Some(&cookie(base)), &cookie(mine), Some(&cookie(theirs)));
            assert_eq!(result, Ok(cookie(merged)), "{base} | {mine} | {theirs}");
        }
    }

    #[test]
    fn two_changes_of_one_field_clash_and_so_does_a_cookie_that_is_gone() {
        let result =
            merge(Some(&cookie("a; Max-Age=1")), &cookie("b; Max-Age=2"), Some(&cookie("a; Max-Age=3; Secure")));
        let seconds = |seconds| Some(FieldValue::Seconds(seconds));
        let clash = Clash { field: &FIELDS[1], base: seconds(1), theirs: seconds(3) };
        assert_eq!(result, Err(Conflict::Fields { mine: cookie("b; Max-Age=2; Secure"), clashes: vec![clash] }));
        assert_eq!(merge(Some(&cookie("a")), &cookie("b"), None), Err(Conflict::TakenAway));
        assert_eq!(merge(None, &cookie("b"), None), Ok(cookie("b")));
    }

    proptest! {
        #[test]
        fn where_one_side_changed_nothing_the_other_counts(base in cookies(), other in cookies()) {
            prop_assert_eq!(merge(Some(&base), &base, Some(&other)), Ok(other.clone()));
            prop_assert_eq!(merge(Some(&base), &other, Some(&base)), Ok(other.clone()));
            prop_assert_eq!(merge(Some(&base), &other, Some(&other)), Ok(other));
        }

        #[test]
        fn no_change_is_lost(base in cookies(), mine in cookies(), theirs in cookies()) {
            let Ok(merged) = merge(Some(&base), &mine, Some(&theirs)) else { return Ok(()) };
            for field in &FIELDS {
                let (base, mine, theirs) = (base.get(field), mine.get(field), theirs.get(field));
                prop_assert_eq!(merged.get(field), if mine == base { theirs } else { mine });
            }
        }
    }
}
