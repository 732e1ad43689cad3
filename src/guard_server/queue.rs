//! The repair queue: one entry per TraefikService, in one queue per namespace. Namespaces take turns with one repair
//! each, so however much one tenant breaks, and however slowly their webhook rejects the repair, other namespaces are
//! still served. No I/O: the time is a parameter.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{guard_server::cache::namespace_of, model::ObjectRef};

/// Maximum number of concurrent repairs.
const PLACES: usize = 8;
/// Maximum number of concurrent repairs in troubled namespaces, whose last repair failed or was slow.
const TROUBLED_PLACES: usize = 2;
/// Duration above which a repair marks its namespace as troubled.
const LONG: Duration = Duration::from_secs(1);
/// Backoff before the first retry of an entry, doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Maximum backoff while the server is unreachable.
const LONGEST_PAUSE_AWAY: Duration = Duration::from_secs(2);
/// Maximum number of objects kept in memory; others are read when their turn comes.
const MOST_OBJECTS: usize = 256;

/// A possible need for repair.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PendingRepair {
    /// The object as observed; `None` if it must be read.
    pub(super) object: Option<Value>,
    /// Whether a write removed or changed the cookie; if not, the declaration changed.
    pub(super) is_cookie_lost: bool,
    /// Time of the observation.
    pub(super) seen: Instant,
    /// For an object from a list rather than a watch event: its age at that time.
    pub(super) before: Duration,
    /// Number of failed attempts.
    pub(super) tries: u32,
}

impl PendingRepair {
    /// Returns a need for repair seen at this time, of something that must be read.
    pub(super) fn due(seen: Instant) -> Self {
        Self { object: None, is_cookie_lost: false, seen, before: Duration::ZERO, tries: 0 }
    }

    /// Returns the same loss with the time of the earlier observation.
    fn known_since(self, known: &Self) -> Self {
        Self {
            seen: known.seen,
            before: known.before,
            is_cookie_lost: known.is_cookie_lost || self.is_cookie_lost,
            ..self
        }
    }
}

/// The outcome of a repair attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing is left to do.
    Done,
    /// This object was refused; retried with increasing backoff.
    Refused,
    /// The server is unreachable, or this process lacks a permission: retried soon, without marking the namespace as
    /// troubled.
    Unreachable,
}

/// The queues.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// All waiting entries.
    entries: HashMap<ObjectRef, PendingRepair>,
    /// Entries that are due, by namespace, first in first out.
    ready: HashMap<Box<str>, VecDeque<ObjectRef>>,
    /// Entries in backoff.
    later: BTreeSet<(Instant, ObjectRef)>,
    /// Turns of the healthy namespaces and of the troubled ones.
    turns: [VecDeque<Box<str>>; 2],
    /// The namespaces in `turns`.
    queued: HashSet<Box<str>>,
    troubled: HashSet<Box<str>>,
    /// Repairs in progress, each with the latest observation made meanwhile.
    running: HashMap<ObjectRef, Option<PendingRepair>>,
}

impl Queue {
    /// Adds an observation. It replaces an earlier one of the same TraefikService but keeps the backoff: breaking it
    /// more often does not get it repaired sooner.
    pub(super) fn put(&mut self, key: ObjectRef, mut lost: PendingRepair) {
        if self.entries.len() >= MOST_OBJECTS {
            lost.object = None;
        }
        if let Some(again) = self.running.get_mut(&key) {
            // By the next attempt it will be older than the repair's own write.
            lost.object = None;
            *again = Some(match again.take() {
                Some(known) => lost.known_since(&known),
                None => lost,
            });
            return;
        }
        if let Some(known) = self.entries.get_mut(&key) {
            *known = PendingRepair { tries: known.tries, ..lost.known_since(known) };
        } else {
            self.entries.insert(key.clone(), lost);
            self.make_ready(key);
        }
    }

    fn make_ready(&mut self, key: ObjectRef) {
        let namespace: Box<str> = namespace_of(&key.target).into();
        self.ready.entry(namespace.clone()).or_default().push_back(key);
        self.line_up(namespace);
    }

    /// Queues the namespace for a turn if it has due entries and no repair in progress.
    fn line_up(&mut self, namespace: Box<str>) {
        let is_busy = self.running.keys().any(|key| namespace_of(&key.target) == &*namespace);
        if !is_busy && self.ready.contains_key(&namespace) && self.queued.insert(namespace.clone()) {
            self.turns[usize::from(self.troubled.contains(&namespace))].push_back(namespace);
        }
    }

    /// Starts the next repair; `None` if nothing is due or the limit is reached.
    pub(super) fn next(&mut self, now: Instant) -> Option<(ObjectRef, PendingRepair)> {
        while self.later.first().is_some_and(|(time, _)| *time <= now) {
            let (_, key) = self.later.pop_first()?;
            self.make_ready(key);
        }
        if self.running.len() >= PLACES {
            return None;
        }
        let troubled = self.running.keys().filter(|key| self.troubled.contains(namespace_of(&key.target))).count();
        let [good, bad] = &mut self.turns;
        let namespace = match good.pop_front() {
            None if troubled < TROUBLED_PLACES => bad.pop_front()?,
            namespace => namespace?,
        };
        self.queued.remove(&namespace);
        let ready = self.ready.get_mut(&namespace)?;
        let key = ready.pop_front()?;
        if ready.is_empty() {
            self.ready.remove(&namespace);
        }
        let lost = self.entries.remove(&key)?;
        self.running.insert(key.clone(), None);
        Some((key, lost))
    }

    /// Returns when the next backoff ends; `None` if there is none.
    pub(super) fn next_time(&self) -> Option<Instant> {
        self.later.first().map(|(time, _)| *time)
    }

    /// Records the end of a repair that took `took`.
    pub(super) fn done(&mut self, key: ObjectRef, lost: PendingRepair, ended: Outcome, took: Duration, now: Instant) {
        let Some(again) = self.running.remove(&key) else { return };
        let namespace: Box<str> = namespace_of(&key.target).into();
        match ended {
            Outcome::Unreachable => {}
            Outcome::Done if took <= LONG => drop(self.troubled.remove(&namespace)),
            Outcome::Done | Outcome::Refused => drop(self.troubled.insert(namespace.clone())),
        }
        let longest = if ended == Outcome::Unreachable { LONGEST_PAUSE_AWAY } else { LONGEST_PAUSE };
        match (ended, again) {
            (Outcome::Done, Some(again)) => {
                self.entries.insert(key.clone(), again);
                self.make_ready(key);
            }
            (Outcome::Done, None) => {}
            (Outcome::Refused | Outcome::Unreachable, again) => {
                let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(lost.tries)).min(longest);
                let tries = lost.tries.saturating_add(1);
                let lost = match again {
                    Some(again) => again.known_since(&lost),
                    None => lost,
                };
                self.entries.insert(key.clone(), PendingRepair { object: None, tries, ..lost });
                self.later.insert((now + pause, key));
            }
        }
        self.line_up(namespace);
    }

    /// Requeues all repairs in progress, after their worker was lost.
    pub(super) fn requeue_running(&mut self, now: Instant) {
        let lost = PendingRepair { tries: 1, ..PendingRepair::due(now) };
        let mut running: Vec<_> = std::mem::take(&mut self.running).into_iter().collect();
        running.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, again) in running {
            let namespace = namespace_of(&key.target).into();
            self.put(key, again.unwrap_or_else(|| lost.clone()));
            self.line_up(namespace);
        }
    }

    /// Returns the number of waiting entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;
