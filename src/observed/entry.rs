//! The declared entry compared with what makes it live.

use super::{Observed, State};
use crate::traefik::{
    Routing,
    entry::{self, Holder},
};

impl Observed {
    /// Adds the state of the entry, given what was read of the routes.
    #[must_use]
    pub fn with_entry(mut self, routing: Option<&Routing>) -> Self {
        (self.entry, self.entry_reasons) = self.entry_state(routing);
        self.live_entry = routing.and_then(|routing| routing.live_entry(&self.canary.target));
        self
    }

    fn entry_state(&self, routing: Option<&Routing>) -> (State, Vec<String>) {
        let canary = &self.canary;
        let there = routing.zip(self.entry_holder());
        let (entry, (routing, holder)) = match (&canary.entry, there) {
            (Some(Err(malformed)), _) => return (State::Malformed, vec![malformed.to_string()]),
            (Some(Ok(_)), None) => return (State::Unknown, vec!["the routes were not read".into()]),
            (Some(Ok(entry)), Some(there)) => (entry, there),
            (None, Some((routing, _))) if routing.own(&canary.target).next().is_some() => {
                return (State::Undeclared, Vec::new());
            }
            (None, _) => return (State::None, Vec::new()),
        };
        if let Some(reason) = &routing.unread {
            return (State::Unknown, vec![reason.clone()]);
        }
        let objects = entry::objects(entry, &holder, routing);
        if !objects.problems.is_empty() {
            return (State::Refused, [objects.problems, objects.notes].concat());
        }
        if objects.wanted.is_empty() || self.service().is_none() {
            return (State::Pending, Vec::new());
        }
        let compared = entry::compare(&objects.wanted, &canary.target, routing);
        let is_missing = |(_, _, live): &(_, _, Option<_>)| live.is_none();
        if !compared.foreign.is_empty() {
            let problem = |object: &&_| format!("{object} exists, but does not belong to this entry");
            return (State::Refused, compared.foreign.iter().map(problem).collect());
        }
        let state = if compared.changes.iter().any(is_missing) {
            State::Missing
        } else if compared.changes.is_empty() && compared.left_over.is_empty() {
            State::Synced
        } else {
            State::Differs
        };
        (state, Vec::new())
    }

    /// Returns what an entry of this Canary depends on; `None` if it names no TraefikService.
    pub fn entry_holder(&self) -> Option<Holder> {
        let canary = &self.canary;
        Some(Holder { canary: canary.target.clone(), uid: canary.uid.clone(), service: canary.service_target()? })
    }
}
