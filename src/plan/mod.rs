//! What would change: a wish and what was seen become a [`Plan`], at most one patch for the Canary and one
//! for its TraefikService. Pure.

pub mod change;
pub mod consent;
pub mod fate;
pub mod generated;
pub mod managers;
pub mod merge;
pub mod native;
pub mod patch;
#[cfg(test)]
pub(crate) mod properties;
pub mod purpose;
pub mod step;
pub mod support;
pub mod undo;

pub use change::Wish;
pub use consent::{Confirmed, Consent, Write, decide};
pub use step::{ObjectKind, ObjectRef, Step};

use crate::{
    error::{Error, Kind, Result},
    model::{Cookie, Loaded, NativeField, Service, Target},
};

/// The field manager of every write of this program. It must not begin with `kubectl`: Flux takes over what a manager
/// of such a name has set and then drops what its source does not declare (fluxcd/kustomize-controller
/// `internal/controller/kustomization_controller.go:apply`, fluxcd/pkg `ssa/patch.go:matchFieldManager`).
pub const FIELD_MANAGER: &str = "canary-traefik";

/// Which of the two objects a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The declaration and the stanza.
    #[default]
    Both,
    /// The stanza alone.
    LiveOnly,
    /// The declaration alone.
    DeclareOnly,
}

/// A change that was worked out and not yet agreed to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The Canary.
    pub target: Target,
    /// What was declared, what was live.
    pub before: Sides,
    /// What will be.
    pub after: Sides,
    /// The patches, the declaration first. None: nothing to do.
    pub steps: Vec<Step>,
    /// Why the stanza is left alone although the change is for it too.
    pub stanza_left: Option<String>,
}

/// The cookie as declared and as live.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sides {
    /// On the Canary.
    pub declared: Option<Cookie>,
    /// On the TraefikService.
    pub live: Option<Cookie>,
}

impl Plan {
    /// Works out how to make `cookie` (or none) the declared and the live one.
    ///
    /// # Errors
    ///
    /// The native field of this cluster's Canaries cannot hold the cookie, or the TraefikService is not
    /// weighted, or is not there although the change is for it alone.
    pub fn new(loaded: &Loaded, cookie: Option<&Cookie>, scope: Scope) -> Result<Self> {
        let observed = &loaded.observed;
        let before =
            Sides { declared: observed.canary.declared.cookie().cloned(), live: observed.live_cookie().cloned() };
        let mut after = before.clone();
        let mut steps = Vec::new();
        if scope != Scope::LiveOnly {
            steps.extend(step::declaration(loaded, cookie)?);
            after.declared = cookie.cloned();
        }
        let stanza_left = Self::why_left(loaded, scope);
        if scope != Scope::DeclareOnly {
            match &stanza_left {
                Some(reason) if scope == Scope::LiveOnly => {
                    return Err(Error::new(Kind::NotFound, format!("nothing to change live: {reason}")));
                }
                Some(_) => {}
                None => {
                    steps.extend(step::stanza(loaded, cookie)?);
                    after.live = cookie.cloned();
                }
            }
        }
        Ok(Self { target: observed.canary.target.clone(), before, after, steps, stanza_left })
    }

    /// Why a change of this scope leaves the stanza alone, if it does.
    pub fn why_left(loaded: &Loaded, scope: Scope) -> Option<String> {
        if scope == Scope::DeclareOnly { None } else { why_left(loaded, scope) }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether the stanza of the TraefikService is among what changes.
    pub fn touches_stanza(&self) -> bool {
        self.steps.iter().any(|step| step.object.kind != ObjectKind::Canary)
    }

    /// Whether this plan makes the changes that are still open in `agreed`, starting from the same values or from what
    /// a step of Flagger left of them: then nobody needs to be asked again. `agreed` may have more, already made.
    pub fn is_rest_of(&self, agreed: &Self) -> bool {
        let is_agreed =
            |step: &Step| agreed.steps.iter().any(|other| other.same_change(step) || step.is_after_a_drop(other));
        !self.is_empty() && self.steps.iter().all(is_agreed)
    }
}

/// Why the stanza is not written, if so.
fn why_left(loaded: &Loaded, scope: Scope) -> Option<String> {
    let name = || loaded.observed.canary.service_target().map_or_else(String::new, |target| target.name);
    match &loaded.observed.service {
        _ if loaded.native != NativeField::Absent && scope == Scope::Both => {
            Some("Flagger itself copies to it what is declared".into())
        }
        Service::Present(_) => None,
        Service::Foreign(service) => Some(match &service.controller {
            Some(owner) => format!("TraefikService `{}` is controlled by {} `{}`", name(), owner.kind, owner.name),
            None => format!("TraefikService `{}` is controlled by something else", name()),
        }),
        Service::NotGenerated => Some(match loaded.observed.canary.service_problem() {
            Some(problem) => format!("Flagger can generate no TraefikService: {problem}"),
            None => format!("Flagger has not generated TraefikService `{}` yet", name()),
        }),
        Service::NotServed => Some("the cluster serves no TraefikServices".into()),
        Service::Forbidden(reason) => Some(reason.clone()),
    }
}
