//! A Canary and its TraefikService seen together.

use std::fmt;

use super::{
    canary::{Canary, Declared},
    cookie::Cookie,
    name::{Group, Target},
    traefik_service::{Live, TraefikService, Weight},
};

/// A Canary and its TraefikService, or exactly what is missing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The Canary.
    pub canary: Canary,
    /// Its TraefikService.
    pub service: Service,
    /// Whether the guard covers it.
    pub guarded: Guarded,
}

/// Whether the cluster runs the guard for a Canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarded {
    /// Nobody looked, or was allowed to.
    #[default]
    Unknown,
    /// It does not.
    No,
    /// It does.
    Yes,
}

/// The TraefikService of a Canary, or why there is none to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// Here it is.
    Present(TraefikService),
    /// One of that name is there, but something else controls it.
    Foreign(TraefikService),
    /// Flagger has not generated it yet (or it is not among the files).
    NotGenerated,
    /// Neither group is served: Traefik's custom resource definitions are not installed.
    NotServed,
    /// The server does not let this user see it; the reason.
    Forbidden(String),
}

/// Declared and live compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Neither declared nor live.
    None,
    /// Equal.
    Synced,
    /// Declared, not live.
    Missing,
    /// Both, and not equal.
    Differs,
    /// Live only.
    Undeclared,
    /// Declared, and there is no TraefikService yet.
    Pending,
    /// The declaration is not well-formed.
    Malformed,
    /// Not allowed to see the TraefikService.
    Unknown,
}

/// Whether the stanza outlives Flagger's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Flagger itself copies the declared cookie.
    Native,
    /// The guard re-adds it inside each write.
    Guard,
    /// Nothing keeps it.
    No,
    /// There is nothing to keep.
    Nothing,
    /// Not allowed to look.
    Unknown,
}

impl State {
    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Synced => "synced",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Undeclared => "undeclared",
            Self::Pending => "pending",
            Self::Malformed => "malformed",
            Self::Unknown => "<unknown>",
        }
    }
}

impl Kept {
    /// The word shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Guard => "guard",
            Self::No => "no",
            Self::Nothing => "-",
            Self::Unknown => "<unknown>",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Observed {
    /// Pairs a Canary with the TraefikService that bears its computed name.
    pub fn pair(canary: Canary, service: Option<TraefikService>) -> Self {
        let service = match service {
            None => Service::NotGenerated,
            Some(service) => match &service.controller {
                Some(controller) if !controller.is_canary(&canary.target.name) => Service::Foreign(service),
                _ => Service::Present(service),
            },
        };
        Self { canary, service, guarded: Guarded::Unknown }
    }

    /// Whether the Canary is on Traefik: it says so, or it names no provider (Flagger's own default then
    /// decides, which cannot be seen here) and its TraefikService exists or it declares a cookie.
    pub fn on_traefik(&self) -> bool {
        match self.canary.provider.as_deref() {
            Some(provider) => provider == "traefik",
            None => self.service().is_some() || self.canary.declared != Declared::Nothing,
        }
    }

    /// The TraefikService, when it is there and the Canary's own.
    pub fn service(&self) -> Option<&TraefikService> {
        match &self.service {
            Service::Present(service) => Some(service),
            _ => None,
        }
    }

    /// Why the TraefikService may not be looked at, if so.
    pub fn forbidden(&self) -> Option<&str> {
        match &self.service {
            Service::Forbidden(reason) => Some(reason),
            _ => None,
        }
    }

    /// The live cookie.
    pub fn live_cookie(&self) -> Option<&Cookie> {
        self.service().and_then(|service| service.live.cookie())
    }

    /// Declared and live compared.
    pub fn state(&self) -> State {
        let declared = match &self.canary.declared {
            Declared::Malformed(..) => return State::Malformed,
            declared => declared.cookie(),
        };
        let live = match &self.service {
            Service::Forbidden(_) => return State::Unknown,
            Service::Present(service) => &service.live,
            Service::Foreign(_) | Service::NotGenerated | Service::NotServed => {
                return if declared.is_some() { State::Pending } else { State::None };
            }
        };
        match (declared, live) {
            (None, Live::Absent) => State::None,
            (None, Live::Empty | Live::Cookie(..)) => State::Undeclared,
            (Some(_), Live::Absent) => State::Missing,
            (Some(declared), Live::Cookie(live, odd)) if declared == live && odd.is_empty() => State::Synced,
            (Some(_), Live::Empty | Live::Cookie(..)) => State::Differs,
        }
    }

    /// Whether the stanza outlives Flagger's next write.
    pub fn kept(&self) -> Kept {
        match (&self.canary.declared, self.state(), self.guarded) {
            (Declared::Native(..), ..) => Kept::Native,
            (_, State::None, _) => Kept::Nothing,
            // The guard keeps what is declared, and nothing else.
            (Declared::Nothing | Declared::Malformed(..), ..) | (_, _, Guarded::No) => Kept::No,
            (_, _, Guarded::Yes) => Kept::Guard,
            (_, _, Guarded::Unknown) => Kept::Unknown,
        }
    }

    /// The TraefikService that routes name, and the group it is looked for in.
    pub fn routed_to(&self) -> (Option<Target>, Group) {
        let group = self.service().map_or(Group::TraefikIo, |service| service.group);
        (self.canary.service_target(), group)
    }

    /// The weights of the primary and the canary, as written; `None` for a track that is not listed.
    pub fn weights(&self) -> (Option<Weight>, Option<Weight>) {
        let weight = |child: Option<String>| self.service()?.weight_of(&child?);
        (weight(self.canary.primary_name()), weight(self.canary.canary_name()))
    }
}

/// A Canary and its TraefikService with the objects themselves, untouched: what a change starts from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What was read from the objects.
    pub observed: Observed,
    /// The Canary as the server sent it or the manifest has it.
    pub canary: serde_json::Value,
    /// The TraefikService, likewise.
    pub service: Option<serde_json::Value>,
    /// Whether the cluster's Canaries have the native field.
    pub native: NativeField,
}

/// Whether the Canary's schema has `spec.service.traefik.sticky.cookie`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NativeField {
    /// It has not, or the schema could not be read.
    Absent,
    /// It has, with these keys under `cookie` and, by key, the values each allows (empty: any).
    Present(std::collections::BTreeMap<String, Vec<String>>),
}
