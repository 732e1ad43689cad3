//! What would change: a request and the observed state become a [`Plan`], with at most one patch for the Canary and one
//! for its TraefikService, and the changes of the entry's objects. Pure.

pub mod change;
pub mod consent;
pub(crate) mod entry;
pub mod merge;
pub mod patch;
#[cfg(test)]
pub(crate) mod properties;
pub mod purpose;
pub mod step;
pub mod support;
pub mod undo;
pub mod write_effect;

pub use change::{CookieChange, EntryChange, FieldChanges};
pub use consent::{Confirmed, Write, decide};
pub use step::{Action, Step};

use crate::{
    error::{Error, Kind, Result},
    flagger::NativeField,
    model::{NamespacedName, ObjectKind, Stickiness},
    observed::{Loaded, TraefikServiceState},
};

/// Which of the two objects to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The declaration and the live cookie.
    #[default]
    Both,
    /// Only the live cookie.
    LiveOnly,
    /// Only the declaration.
    DeclareOnly,
}

/// A planned change that is not confirmed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The Canary.
    pub target: NamespacedName,
    /// The declared and the live cookie before the change.
    pub before: Sides,
    /// The declared and the live cookie after the change.
    pub after: Sides,
    /// The steps, the declaration first; empty if there is nothing to do.
    pub steps: Vec<Step>,
    /// Why the TraefikService is not changed, although it is in scope.
    pub why_service_not_changed: Option<String>,
    /// What else there is to say about the entry, one sentence each.
    pub notes: Vec<String>,
}

/// The declared and the live cookie, each with its entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sides {
    /// On the Canary.
    pub declared: Stickiness,
    /// On the TraefikService, and by the entry's objects.
    pub live: Stickiness,
}

impl Plan {
    /// Plans how to make this cookie and entry (or none) the declared and the live ones.
    ///
    /// # Errors
    ///
    /// Fails if the native field of this cluster's Canaries cannot hold the cookie, or if the TraefikService is not
    /// weighted, or is missing in a change of it alone; and if the entry is refused.
    pub fn new(loaded: &Loaded, wanted: &Stickiness, scope: Scope) -> Result<Self> {
        let observed = &loaded.observed;
        let before = Sides { declared: loaded.declared(), live: loaded.live() };
        let mut after = before.clone();
        let mut steps = Vec::new();
        if scope != Scope::LiveOnly {
            steps.extend(step::declaration(loaded, wanted)?);
            after.declared.clone_from(wanted);
        }
        let why_service_not_changed = Self::why_not_changed(loaded, scope);
        if scope != Scope::DeclareOnly {
            match &why_service_not_changed {
                Some(reason) if scope == Scope::LiveOnly => {
                    return Err(Error::new(Kind::NotFound, format!("the live cookie cannot be changed: {reason}")));
                }
                Some(_) => {}
                None => {
                    steps.extend(step::sticky(loaded, wanted.cookie.as_ref())?);
                    after.live.cookie.clone_from(&wanted.cookie);
                }
            }
        }
        // Without a cookie, no pin can begin anew.
        let entry = wanted.entry.as_ref().filter(|_| wanted.cookie.is_some());
        let made = entry::steps(loaded, entry, scope)?;
        if made.is_live {
            after.live.entry = entry.cloned();
        }
        steps.extend(made.steps);
        let (target, notes) = (observed.canary.target.clone(), made.notes);
        Ok(Self { target, before, after, steps, why_service_not_changed, notes })
    }

    /// Plans how to make the declared entry live, and nothing else.
    ///
    /// # Errors
    ///
    /// None of its own: what stands in the way of a declared entry is a note.
    pub fn of_entry(loaded: &Loaded) -> Result<Self> {
        let before = Sides { declared: loaded.declared(), live: loaded.live() };
        let made = entry::steps(loaded, loaded.observed.canary.declared_entry(), Scope::LiveOnly)?;
        Ok(Self {
            target: loaded.observed.canary.target.clone(),
            after: before.clone(),
            before,
            steps: made.steps,
            why_service_not_changed: None,
            notes: made.notes,
        })
    }

    /// Returns why a change of this scope does not change the TraefikService, if so.
    pub fn why_not_changed(loaded: &Loaded, scope: Scope) -> Option<String> {
        let name = || loaded.observed.canary.service_target().map_or_else(String::new, |target| target.name);
        match &loaded.observed.service {
            _ if scope == Scope::DeclareOnly => None,
            _ if loaded.native != NativeField::Absent && scope == Scope::Both => {
                Some("Flagger itself copies the declared cookie to it".into())
            }
            TraefikServiceState::Present(_) => None,
            TraefikServiceState::Foreign(service) => Some(match &service.controller {
                Some(owner) => format!("TraefikService `{}` is controlled by {} `{}`", name(), owner.kind, owner.name),
                None => format!("TraefikService `{}` is controlled by something else", name()),
            }),
            TraefikServiceState::NotGenerated => Some(match loaded.observed.canary.service_problem() {
                Some(problem) => format!("Flagger can generate no TraefikService: {problem}"),
                None => format!("Flagger has not created TraefikService `{}` yet", name()),
            }),
            TraefikServiceState::NotServed => Some("the cluster serves no TraefikServices".into()),
            TraefikServiceState::Forbidden(reason) => Some(reason.clone()),
        }
    }

    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns whether the plan changes the TraefikService.
    pub fn touches_sticky(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.object.kind, ObjectKind::TraefikService(_)))
    }

    /// Returns whether this plan has nothing but changes of `agreed`, from the same values or from those that a step of
    /// Flagger left, so that it needs no further confirmation. Further changes of `agreed` are already made.
    pub fn is_rest_of(&self, agreed: &Self) -> bool {
        let is_agreed =
            |step: &Step| agreed.steps.iter().any(|other| other.same_change(step) || step.is_same_after_removal(other));
        !self.is_empty() && self.steps.iter().all(is_agreed)
    }
}
