//! The declared entry compared with what makes it live.

use super::Observed;
use crate::traefik::{
    Routing,
    entry::{self, Holder},
};

/// The declared entry compared with the objects that make it live.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EntryState {
    /// None is declared, and there are no objects.
    #[default]
    None,
    /// Declared and live.
    Synced,
    /// Declared, but some or all of its objects are missing.
    Missing,
    /// Declared and live, but its objects no longer fit the routes.
    Differs,
    /// Its objects are there, but it is not declared.
    Undeclared,
    /// Declared, but there is no TraefikService yet, or no route to it that could be covered.
    Pending,
    /// Declared, but something else serves its paths, or has the name of one of its objects; a sentence each.
    Refused(Vec<String>),
    /// The annotation is not well-formed.
    Malformed,
    /// Declared, but the routes were not or cannot be read; with the reason.
    Unknown(String),
}

impl EntryState {
    /// Returns the word to print.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Synced => "synced",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Undeclared => "undeclared",
            Self::Pending => "pending",
            Self::Refused(_) => "refused",
            Self::Malformed => "malformed",
            Self::Unknown(_) => "<unknown>",
        }
    }
}

impl Observed {
    /// Adds the state of the entry, given what was read of the routes.
    #[must_use]
    pub fn with_entry(mut self, routing: Option<&Routing>) -> Self {
        self.entry = self.entry_state(routing);
        self.live_entry = routing.and_then(|routing| routing.live_entry(&self.canary.target));
        self
    }

    fn entry_state(&self, routing: Option<&Routing>) -> EntryState {
        let canary = &self.canary;
        let (Some(routing), Some(holder)) = (routing, self.entry_holder()) else {
            return match &canary.entry {
                None => EntryState::None,
                Some(Err(_)) => EntryState::Malformed,
                Some(Ok(_)) => EntryState::Unknown("the routes were not read".into()),
            };
        };
        let entry = match &canary.entry {
            None if routing.own(&canary.target).next().is_some() => return EntryState::Undeclared,
            None => return EntryState::None,
            Some(Err(_)) => return EntryState::Malformed,
            Some(Ok(entry)) => entry,
        };
        if let Some(reason) = &routing.unread {
            return EntryState::Unknown(reason.clone());
        }
        let objects = entry::objects(entry, &holder, routing);
        if !objects.problems.is_empty() {
            return EntryState::Refused([objects.problems, objects.notes].concat());
        }
        if objects.wanted.is_empty() || self.service().is_none() {
            return EntryState::Pending;
        }
        let compared = entry::compare(&objects.wanted, &canary.target, routing);
        let is_missing = |(_, _, live): &(_, _, Option<_>)| live.is_none();
        if !compared.foreign.is_empty() {
            let problem = |object: &&_| format!("{object} exists, but does not belong to this entry");
            EntryState::Refused(compared.foreign.iter().map(problem).collect())
        } else if compared.changes.iter().any(is_missing) {
            EntryState::Missing
        } else if compared.changes.is_empty() && compared.left_over.is_empty() {
            EntryState::Synced
        } else {
            EntryState::Differs
        }
    }

    /// Returns what an entry of this Canary depends on; `None` if it names no TraefikService.
    pub fn entry_holder(&self) -> Option<Holder> {
        let canary = &self.canary;
        Some(Holder { canary: canary.target.clone(), uid: canary.uid.clone(), service: canary.service_target()? })
    }
}
