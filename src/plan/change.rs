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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        flagger::{Canary, NativeField},
        model::{FIELDS, declaration, name::Group},
        observed::Observed,
        traefik::TraefikService,
    };

    /// Returns a Canary that declares this, with this live cookie.
    fn loaded(declared: Option<&str>, live: Option<&str>) -> Loaded {
        let mut canary = json!({"metadata": {"name": "a"}, "spec": {"targetRef": {"name": "a"}}});
        if let Some(declared) = declared {
            canary["metadata"]["annotations"] = json!({declaration::ANNOTATION: declared});
        }
        let mut service = json!({"metadata": {"name": "a"}, "spec": {"weighted": {"services": []}}});
        if let Some(live) = live {
            service["spec"]["weighted"]["sticky"] = declaration::parse(live).unwrap().to_sticky();
        }
        let view = TraefikService::from_object(&service, Group::TraefikIo);
        let observed = Observed::pair(Canary::from_object(&canary).unwrap(), view);
        Loaded { observed, canary, service: Some(service), native: NativeField::Absent }
    }

    fn after(change: &CookieChange, loaded: &Loaded) -> Result<Option<String>, String> {
        let cookie = change.on(loaded).map_err(|error| error.message().to_owned())?;
        Ok(cookie.map(|cookie| declaration::print(&cookie)))
    }

    fn secure(scope: Scope) -> CookieChange {
        let field = FIELDS.iter().find(|field| field.key == "secure").unwrap();
        let fields = FieldChanges { set: vec![(field, Some(FieldValue::On))], unset: Vec::new() };
        CookieChange::Set { fields, scope, if_malformed: "mend it".into() }
    }

    #[test]
    fn a_change_starts_from_the_side_that_was_asked_for() {
        let both = loaded(Some("a; Max-Age=60"), Some("b"));
        assert_eq!(after(&secure(Scope::Both), &both), Ok(Some("a; Max-Age=60; Secure".into())));
        assert_eq!(after(&secure(Scope::LiveOnly), &both), Ok(Some("b; Secure".into())));
        assert_eq!(after(&secure(Scope::Both), &loaded(None, Some("b"))), Ok(Some("b; Secure".into())));
        assert_eq!(after(&CookieChange::Remove, &both), Ok(None));
        assert_eq!(after(&CookieChange::Apply, &both), Ok(Some("a; Max-Age=60".into())));
        // Others made the live cookie what it is; that is no change of the declared one.
        let base = declaration::parse("a; Max-Age=60").unwrap();
        let mine = declaration::parse("a; Max-Age=300").unwrap();
        let merge = CookieChange::Merge { base: Some(base), mine, scope: Scope::Both };
        assert_eq!(after(&merge, &both), Ok(Some("a; Max-Age=300".into())));
        assert_eq!(
            after(&merge, &loaded(Some("a; Max-Age=90"), Some("b"))),
            Err("someone else also changed maxAge in the meantime".into())
        );
    }

    #[test]
    fn what_is_malformed_or_gone_is_not_changed_and_the_hint_says_what_to_do() {
        let malformed = loaded(Some("a b"), Some("b"));
        let error = secure(Scope::Both).on(&malformed).unwrap_err();
        assert_eq!(error.hints(), ["mend it"]);
        assert_eq!(after(&secure(Scope::LiveOnly), &malformed), Ok(Some("b; Secure".into())));
        assert_eq!(
            after(&CookieChange::Apply, &loaded(None, Some("b"))),
            Err("the declaration was removed in the meantime".into())
        );
    }
}
