//! A Canary together with its TraefikService.

mod entry;
mod loaded;

use std::fmt;

pub use self::loaded::Loaded;

use crate::{
    error::Result,
    flagger::{Canary, Declared, generated},
    model::{Entry, cookie::Cookie, name::Group},
    traefik::{Live, TraefikService, Weight},
};

/// A Canary and its TraefikService, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The Canary.
    pub canary: Canary,
    /// Its TraefikService.
    pub service: TraefikServiceState,
    /// Whether the guard covers the Canary.
    pub guarded: Guarded,
    /// The declared entry compared with the objects that make it live.
    pub entry: State,
    /// Why the entry is refused, malformed or unknown; a sentence each.
    pub entry_reasons: Vec<String>,
    /// The entry that its objects were made from.
    pub live_entry: Option<Entry>,
    /// Flagger's mesh provider, where the Canary names no provider and it can be seen.
    pub mesh_provider: Option<String>,
    /// The manifest that the Canary was read from; `None` for one of a cluster.
    pub manifest: Option<Manifest>,
}

/// Where in the manifests a Canary is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The file, as it was named or found; `stdin` for standard input.
    pub file: String,
    /// The line that the Canary begins on, from 1.
    pub line: usize,
    /// Where kustomize patches are that may change it, as `file:line`. They are not applied.
    pub patches: Vec<String>,
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Whether the guard covers a Canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarded {
    /// Not checked, or not readable by this user.
    #[default]
    Unknown,
    /// The guard does not cover it.
    No,
    /// The guard covers it.
    Yes,
}

/// The TraefikService of a Canary, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraefikServiceState {
    /// The Canary's own TraefikService.
    Present(TraefikService),
    /// A TraefikService of that name which something else controls.
    Foreign(TraefikService),
    /// Flagger has not generated it yet, or it is not among the files.
    NotGenerated,
    /// Neither API group is served: Traefik's custom resource definitions are not installed.
    NotServed,
    /// This user may not read it; with the reason.
    Forbidden(String),
}

/// What is declared compared with what is live: of the cookie, or of the entry and the objects that make it live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Neither declared nor live.
    None,
    /// Declared and live, and equal.
    Synced,
    /// Declared, but not live; of an entry, some or all of its objects are missing.
    Missing,
    /// Declared and live, but different; of an entry, its objects no longer fit the routes.
    Differs,
    /// Live, but not declared.
    Undeclared,
    /// Declared, but there is no TraefikService yet; of an entry, or no route to it that the entry applies to.
    Pending,
    /// Only of an entry: something else serves its paths, or has the name of one of its objects.
    Refused,
    /// The declaration is not well-formed.
    Malformed,
    /// This user may not read the TraefikService; of an entry, the routes were not or cannot be read.
    Unknown,
}

/// What protects the live cookie from Flagger's next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Flagger copies the declared cookie itself.
    Native,
    /// The guard puts the cookie back into every write.
    Guard,
    /// Nothing: the write removes the cookie.
    No,
    /// There is no cookie to protect.
    Nothing,
    /// Unknown, because the guard was not or could not be checked.
    Unknown,
}

impl State {
    /// Returns the word to print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Synced => "synced",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Undeclared => "undeclared",
            Self::Pending => "pending",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Unknown => "<unknown>",
        }
    }
}

impl Protection {
    /// Returns the word to print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "flagger",
            Self::Guard => "guard",
            Self::No => "none",
            Self::Nothing => "-",
            Self::Unknown => "<unknown>",
        }
    }
}

impl Observed {
    /// Pairs a Canary with the TraefikService that has its computed name.
    pub fn pair(canary: Canary, service: Option<TraefikService>) -> Self {
        let service = match service {
            None => TraefikServiceState::NotGenerated,
            Some(service) => match &service.controller {
                Some(controller) if !controller.is_canary(&canary.target.name) => TraefikServiceState::Foreign(service),
                _ => TraefikServiceState::Present(service),
            },
        };
        Self {
            canary,
            service,
            guarded: Guarded::Unknown,
            entry: State::None,
            entry_reasons: Vec::new(),
            live_entry: None,
            mesh_provider: None,
            manifest: None,
        }
    }

    /// Returns whether the Canary is on Traefik: its provider says so, or it names none and has a TraefikService, or
    /// Flagger's mesh provider says so. Where that is not known, a declared cookie counts.
    pub fn on_traefik(&self) -> bool {
        match (self.is_certainly_on_traefik(), &self.canary.provider, &self.mesh_provider) {
            (false, None, None) => self.canary.declared != Declared::Nothing,
            (is, ..) => is,
        }
    }

    /// Returns whether the Canary is on Traefik as far as can be seen, whatever it declares.
    pub fn is_certainly_on_traefik(&self) -> bool {
        match self.canary.provider.as_ref() {
            Some(provider) => provider == "traefik",
            None => self.service().is_some() || self.mesh_provider.as_deref() == Some("traefik"),
        }
    }

    /// Returns the TraefikService, if it exists and is the Canary's own.
    pub fn service(&self) -> Option<&TraefikService> {
        match &self.service {
            TraefikServiceState::Present(service) => Some(service),
            _ => None,
        }
    }

    /// Returns why this user may not read the TraefikService, if so.
    pub fn forbidden(&self) -> Option<&str> {
        match &self.service {
            TraefikServiceState::Forbidden(reason) => Some(reason),
            _ => None,
        }
    }

    /// Returns the live cookie.
    pub fn live_cookie(&self) -> Option<&Cookie> {
        self.service().and_then(|service| service.live.cookie())
    }

    /// Returns the declared cookie, else the live one.
    pub fn cookie(&self) -> Option<&Cookie> {
        self.canary.declared.cookie().or_else(|| self.live_cookie())
    }

    /// Compares the declared cookie with the live one.
    pub fn state(&self) -> State {
        let declared = match &self.canary.declared {
            Declared::Malformed(..) => return State::Malformed,
            declared => declared.cookie(),
        };
        let live = match &self.service {
            TraefikServiceState::Forbidden(_) => return State::Unknown,
            TraefikServiceState::Present(service) => &service.live,
            TraefikServiceState::Foreign(_) | TraefikServiceState::NotGenerated | TraefikServiceState::NotServed => {
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

    /// Compares everything declared with what is live: the cookie, and then the entry.
    pub fn whole_state(&self) -> State {
        match (self.state(), self.entry) {
            (_, State::Malformed) => State::Malformed,
            (State::None, State::Undeclared) => State::Undeclared,
            (State::Synced, State::Refused) => State::Differs,
            (State::Synced, entry) if entry != State::None => entry,
            (state, _) => state,
        }
    }

    /// Returns what protects the live cookie from Flagger's next write.
    pub fn protection(&self) -> Protection {
        match (&self.canary.declared, self.state(), self.guarded) {
            (Declared::Native(..), ..) => Protection::Native,
            (_, State::None, _) => Protection::Nothing,
            // The guard protects only what is declared.
            (Declared::Nothing | Declared::Malformed(..), ..) | (_, _, Guarded::No) => Protection::No,
            (_, _, Guarded::Yes) => Protection::Guard,
            (_, _, Guarded::Unknown) => Protection::Unknown,
        }
    }

    /// Returns the canary's weight as Flagger reads it: 100 minus the primary's, or 0 if the canary is not listed
    /// (`pkg/router/traefik.go:GetRoutes`).
    pub fn canary_weight(&self) -> i64 {
        match self.weights() {
            (Some(Weight::Number(primary)), Some(_)) => 100_i64.saturating_sub(primary).clamp(0, 100),
            (Some(Weight::Absent), Some(_)) => 100,
            _ => 0,
        }
    }

    /// Returns the TraefikService that Flagger generates for this weight of the canary; `None` means the live weight.
    ///
    /// # Errors
    ///
    /// See [`generated::traefik_service`].
    pub fn generated(&self, weight: Option<u8>) -> Result<serde_json::Value> {
        let group = self.service().map_or(Group::TraefikIo, |service| service.group);
        generated::traefik_service(&self.canary, group, weight.map_or_else(|| self.canary_weight(), i64::from))
    }

    /// Returns the weights of the primary and the canary, as written; `None` for a track that is not listed.
    pub fn weights(&self) -> (Option<Weight>, Option<Weight>) {
        let weight = |child: Option<String>| self.service()?.weight_of(&child?);
        (weight(self.canary.primary_name()), weight(self.canary.canary_name()))
    }
}
