//! Requested changes of a cookie.

use super::{Scope, merge::merge};
use crate::{
    error::{Error, Kind, Result},
    flagger::Declared,
    model::{Cookie, Field, FieldValue},
    observed::Loaded,
};

/// A requested change of a Canary's cookie. It is applied to each state that is read, because the objects may change
/// until the change is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieChange {
    /// Sets and unsets fields; others stay as they are.
    Set {
        /// The fields.
        fields: FieldChanges,
        /// The requested scope, which decides between the declared and the live cookie as the start.
        scope: Scope,
        /// What to do if the declaration is malformed and has no fields to change, as a hint.
        if_malformed: String,
    },
    /// Removes the cookie.
    Remove,
    /// Makes the declared cookie live.
    Apply,
    /// Merges an edit with what others changed since it began.
    Merge {
        /// The cookie before the edit.
        base: Option<Cookie>,
        /// The edited cookie.
        mine: Cookie,
        /// The requested scope, as in `Set`.
        scope: Scope,
    },
}

impl CookieChange {
    /// Returns the cookie after the change of this state; `None` for no cookie.
    ///
    /// # Errors
    ///
    /// Fails if a malformed declaration would have to be changed field by field or applied, if there is nothing to
    /// apply any more, or if others changed the same fields ([`Kind::Conflict`]).
    pub fn on(&self, loaded: &Loaded) -> Result<Option<Cookie>> {
        let declared = &loaded.observed.canary.declared;
        match (self, declared) {
            (Self::Set { scope, if_malformed, .. }, Declared::Malformed(_, malformed)) if *scope != Scope::LiveOnly => {
                Err(Error::usage(format!(
                    "the declaration of Canary `{}` is malformed, so it cannot be changed field by field",
                    loaded.observed.canary.target
                ))
                .caused_by(malformed.to_string())
                .hint(if_malformed))
            }
            (Self::Set { fields, scope, .. }, _) => Ok(Some(fields.on(before(loaded, *scope)))),
            (Self::Remove, _) => Ok(None),
            (Self::Apply, Declared::Malformed(_, malformed)) => Err(Error::usage(malformed.to_string())),
            (Self::Apply, Declared::Nothing) => {
                Err(Error::new(Kind::Conflict, "the declaration was removed in the meantime"))
            }
            (Self::Apply, declared) => Ok(declared.cookie().cloned()),
            (Self::Merge { base, mine, scope }, _) => merge(base.as_ref(), mine, before(loaded, *scope))
                .map(Some)
                .map_err(|conflict| Error::new(Kind::Conflict, conflict.to_string())),
        }
    }
}

/// Returns the cookie that a change starts from: the declared one, else the live one; with [`Scope::LiveOnly`] the
/// other way round.
pub fn before(loaded: &Loaded, scope: Scope) -> Option<&Cookie> {
    let (declared, live) = (loaded.observed.canary.declared.cookie(), loaded.observed.live_cookie());
    if scope == Scope::LiveOnly { live.or(declared) } else { declared.or(live) }
}

/// Fields to set and fields to unset.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldChanges {
    /// Fields with their new values; `None` turns a switch off.
    pub set: Vec<(&'static Field, Option<FieldValue>)>,
    /// Fields to remove.
    pub unset: Vec<&'static Field>,
}

impl FieldChanges {
    /// Returns whether nothing is requested.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Returns the cookie with the requested changes; other fields stay as they were.
    pub fn on(&self, before: Option<&Cookie>) -> Cookie {
        let mut cookie = before.cloned().unwrap_or_default();
        for field in &self.unset {
            cookie.unset(field);
        }
        for (field, value) in &self.set {
            match value {
                Some(value) => cookie.set(field, value.clone()),
                None => cookie.unset(field),
            }
        }
        cookie
    }
}
