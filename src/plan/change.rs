//! Requested changes of a cookie and its entry.

use super::{Scope, merge::merge};
use crate::{
    error::{Error, Kind, Result},
    flagger::Declared,
    model::{Cookie, Entry, Field, FieldValue, Stickiness},
    observed::{Loaded, State},
    traefik::entry::Need,
};

/// A requested change of a Canary's cookie, and of its entry. It is applied to each state that is read, because the objects may change
/// until the change is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieChange {
    /// Sets and unsets fields and the entry; the rest stays as it is.
    Set {
        /// The fields.
        fields: FieldChanges,
        /// The entry.
        entry: EntryChange,
        /// The requested scope, which decides between the declared and the live cookie as the start.
        scope: Scope,
        /// What to do if the declaration is malformed and has no fields to change, as a hint.
        if_malformed: String,
    },
    /// Removes the cookie and the entry.
    Remove,
    /// Makes the declared cookie and entry live.
    Apply,
    /// Merges an edit with what others changed since it began.
    Merge {
        /// The state before the edit.
        base: Stickiness,
        /// The edited state.
        mine: Stickiness,
        /// The requested scope, as in `Set`.
        scope: Scope,
    },
}

impl CookieChange {
    /// Returns how much of the routing the change needs.
    pub fn needs(&self) -> Need {
        match self {
            Self::Set { entry: EntryChange::Set(_), .. } => Need::All,
            Self::Set { entry: EntryChange::Keep, .. } => Need::IfDeclared,
            Self::Merge { base, mine, .. } if base.entry == mine.entry => Need::IfDeclared,
            Self::Merge { mine, .. } if mine.entry.is_some() => Need::All,
            Self::Set { .. } | Self::Merge { .. } | Self::Remove | Self::Apply => Need::Own,
        }
    }

    /// Returns what is wanted after the change of this state.
    ///
    /// # Errors
    ///
    /// Fails if a malformed declaration would have to be changed field by field or applied, if there is nothing to
    /// apply any more, or if others changed the same fields ([`Kind::Conflict`]).
    pub fn on(&self, loaded: &Loaded) -> Result<Stickiness> {
        let canary = &loaded.observed.canary;
        match (self, &canary.declared) {
            // Flux substitutes variables before it applies the Canary (kustomize-controller, `spec.postBuild`).
            (Self::Set { scope, .. }, Declared::Malformed(text, _))
                if *scope != Scope::LiveOnly && text.contains("${") =>
            {
                Err(Error::usage(format!("the declaration of Canary `{}` has a variable: {text}", canary.target))
                    .caused_by("its value is not known here")
                    .hint("change the cookie where the variable is set"))
            }
            (Self::Set { scope, if_malformed, .. }, Declared::Malformed(_, malformed)) if *scope != Scope::LiveOnly => {
                Err(Error::usage(format!(
                    "the declaration of Canary `{}` is malformed, so it cannot be changed field by field",
                    canary.target
                ))
                .caused_by(malformed.to_string())
                .hint(if_malformed))
            }
            (Self::Set { fields, entry, scope, .. }, _) => {
                let before = before(loaded, *scope);
                let entry = match (entry, &canary.entry) {
                    (EntryChange::Set(entry), _) => Some(entry.clone()),
                    (EntryChange::Unset, _) => None,
                    (EntryChange::Keep, Some(Err(malformed))) if *scope != Scope::LiveOnly => {
                        return Err(Error::usage(format!("the entry of Canary `{}` is malformed", canary.target))
                            .caused_by(malformed.to_string())
                            .hint("replace it with --entry PATH, or remove it with --unset entry"));
                    }
                    // Objects that disagree are of no entry; the declared one is meant.
                    (EntryChange::Keep, _) if loaded.observed.entry == State::Differs => {
                        before.entry.or_else(|| canary.declared_entry().cloned())
                    }
                    (EntryChange::Keep, _) => before.entry,
                };
                Ok(Stickiness { cookie: Some(fields.on(before.cookie.as_ref())), entry })
            }
            (Self::Remove, _) => Ok(Stickiness::default()),
            (Self::Apply, Declared::Malformed(_, malformed)) => Err(Error::usage(malformed.to_string())),
            (Self::Apply, declared) => {
                let live = loaded.live();
                let cookie = match declared {
                    Declared::Nothing if loaded.observed.entry == State::None => {
                        return Err(Error::new(Kind::Conflict, "the declaration was removed in the meantime"));
                    }
                    // An undeclared cookie stays. An undeclared entry is left over from a removal that was cut short.
                    Declared::Nothing => live.cookie,
                    declared => declared.cookie().cloned(),
                };
                match &canary.entry {
                    Some(Err(malformed)) => Err(Error::usage(malformed.to_string())),
                    _ => Ok(Stickiness { cookie, entry: canary.declared_entry().cloned() }),
                }
            }
            (Self::Merge { base, mine, scope }, _) => merge(base, mine, &before(loaded, *scope))
                .map_err(|conflict| Error::new(Kind::Conflict, conflict.to_string())),
        }
    }
}

/// Returns what a change starts from: the declared cookie and entry, else the live ones; with [`Scope::LiveOnly`] the
/// other way round.
pub fn before(loaded: &Loaded, scope: Scope) -> Stickiness {
    let (declared, live) = (loaded.declared(), loaded.live());
    let (first, second) = if scope == Scope::LiveOnly { (live, declared) } else { (declared, live) };
    match first.cookie {
        Some(_) => first,
        None => Stickiness { cookie: second.cookie, entry: first.entry.or(second.entry) },
    }
}

/// A requested change of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EntryChange {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes this one.
    Set(Entry),
    /// It is removed.
    Unset,
}

/// Fields with their new values; `None` unsets a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldChanges(pub Vec<(&'static Field, Option<FieldValue>)>);

impl FieldChanges {
    /// Returns the cookie with the requested changes; other fields stay as they were.
    pub fn on(&self, before: Option<&Cookie>) -> Cookie {
        let mut cookie = before.cloned().unwrap_or_default();
        for (field, value) in &self.0 {
            cookie.set(field, value.clone());
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
        Loaded { observed, canary, service: Some(service), native: NativeField::Absent, routing: None }
    }

    fn after(change: &CookieChange, loaded: &Loaded) -> Result<Option<String>, String> {
        let wanted = change.on(loaded).map_err(|error| error.message().to_owned())?;
        Ok(wanted.cookie.map(|cookie| declaration::print(&cookie)))
    }

    fn secure(scope: Scope) -> CookieChange {
        let field = FIELDS.iter().find(|field| field.key == "secure").unwrap();
        let fields = FieldChanges(vec![(field, Some(FieldValue::On))]);
        CookieChange::Set { fields, entry: EntryChange::Keep, scope, if_malformed: "mend it".into() }
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
        let base = Stickiness { cookie: declaration::parse("a; Max-Age=60").ok(), entry: None };
        let mine = Stickiness { cookie: declaration::parse("a; Max-Age=300").ok(), entry: None };
        let merge = CookieChange::Merge { base, mine, scope: Scope::Both };
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
