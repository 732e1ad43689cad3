//! What waits to be repaired: one entry for each TraefikService, in a queue for each namespace. Namespaces take turns and
//! each has one repair under way, so however much one tenant breaks, and however long a webhook of theirs takes to
//! refuse it, the others' repairs go on. Pure: time is handed in.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::model::{Target, name::Group};

/// Repairs under way at a time, in all.
const PLACES: usize = 8;
/// Of them in namespaces whose last repair failed or took long.
const TROUBLED_PLACES: usize = 2;
/// A repair that takes longer makes its namespace a troubled one.
const LONG: Duration = Duration::from_secs(1);
/// Before the second try of an entry; doubled for each one after it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The same while the server does not answer.
const LONGEST_PAUSE_AWAY: Duration = Duration::from_secs(2);
/// Objects that are kept as they were seen; the others are read when their turn comes.
const MOST_OBJECTS: usize = 256;

/// Which TraefikService.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) group: Group,
    pub(super) target: Target,
}

impl Key {
    fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }
}

/// Why a TraefikService may need a repair.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lost {
    /// As it was seen; `None` when it has to be read.
    pub(super) object: Option<Value>,
    /// Whether a write took the stanza; else another one was declared.
    pub(super) is_loss: bool,
    /// When it was seen.
    pub(super) seen: Instant,
    /// How long ago it was written when it was seen, for one that was found and not told.
    pub(super) before: Duration,
    /// How often it was tried already.
    pub(super) tries: u32,
}

impl Lost {
    /// The same loss, known for as long as `known`: since then the stanza is missing.
    fn known_since(self, known: &Self) -> Self {
        Self { seen: known.seen, before: known.before, is_loss: known.is_loss || self.is_loss, ..self }
    }
}

/// How a repair ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// There is nothing more to do.
    Done,
    /// It was refused, for this one object: tried again, less and less often.
    Refused,
    /// The server does not answer: tried again soon, and no fault of its namespace.
    Away,
}

/// A repair under way.
#[derive(Debug)]
struct Running {
    /// What was seen meanwhile.
    again: Option<Lost>,
    is_troubled: bool,
}

/// The queues.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Everything that waits.
    entries: HashMap<Key, Lost>,
    /// What can be done now, by namespace, first come first served.
    ready: HashMap<Box<str>, VecDeque<Key>>,
    /// What can be done later.
    later: BTreeSet<(Instant, Key)>,
    /// Whose turn it is, of the namespaces in good order and of the troubled ones.
    turns: [VecDeque<Box<str>>; 2],
    /// The namespaces in `turns`.
    lined_up: HashSet<Box<str>>,
    troubled: HashSet<Box<str>>,
    running: HashMap<Key, Running>,
    /// The namespaces with a repair under way.
    busy: HashSet<Box<str>>,
}

impl Queue {
    /// Takes what was seen. What is known of the same TraefikService gives way to it, but a pause that its failures
    /// have earned stays: nobody gets it served sooner by breaking it more often.
    pub(super) fn put(&mut self, key: Key, mut lost: Lost) {
        if self.entries.len() >= MOST_OBJECTS {
            lost.object = None;
        }
        if let Some(running) = self.running.get_mut(&key) {
            // By then it is older than what the repair has written.
            lost.object = None;
            running.again = Some(match running.again.take() {
                Some(known) => lost.known_since(&known),
                None => lost,
            });
            return;
        }
        if let Some(known) = self.entries.get_mut(&key) {
            *known = Lost { tries: known.tries, ..lost.known_since(known) };
        } else {
            self.entries.insert(key.clone(), lost);
            self.make_ready(key);
        }
    }

    fn make_ready(&mut self, key: Key) {
        let namespace: Box<str> = key.namespace().into();
        self.ready.entry(namespace.clone()).or_default().push_back(key);
        self.line_up(namespace);
    }

    /// Has the namespace wait for its turn, if it has something to do and nothing under way.
    fn line_up(&mut self, namespace: Box<str>) {
        let can = self.ready.contains_key(&namespace) && !self.busy.contains(&namespace);
        if can && self.lined_up.insert(namespace.clone()) {
            self.turns[usize::from(self.troubled.contains(&namespace))].push_back(namespace);
        }
    }

    /// What to do next; `None` while there is nothing to do, or enough under way.
    pub(super) fn next(&mut self, now: Instant) -> Option<(Key, Lost)> {
        while self.later.first().is_some_and(|(time, _)| *time <= now) {
            let (_, key) = self.later.pop_first()?;
            self.make_ready(key);
        }
        if self.running.len() >= PLACES {
            return None;
        }
        let troubled = self.running.values().filter(|running| running.is_troubled).count();
        let [good, bad] = &mut self.turns;
        let namespace = match good.pop_front() {
            None if troubled < TROUBLED_PLACES => bad.pop_front()?,
            namespace => namespace?,
        };
        self.lined_up.remove(&namespace);
        let ready = self.ready.get_mut(&namespace)?;
        let key = ready.pop_front()?;
        if ready.is_empty() {
            self.ready.remove(&namespace);
        }
        let lost = self.entries.remove(&key)?;
        let is_troubled = self.troubled.contains(&namespace);
        self.running.insert(key.clone(), Running { again: None, is_troubled });
        self.busy.insert(namespace);
        Some((key, lost))
    }

    /// When something that can only be done later can be done; `None` when there is no such thing.
    pub(super) fn next_time(&self) -> Option<Instant> {
        self.later.first().map(|(time, _)| *time)
    }

    /// What was under way has ended, after this time.
    pub(super) fn done(&mut self, key: Key, lost: Lost, ended: Ended, took: Duration, now: Instant) {
        let Some(Running { again, .. }) = self.running.remove(&key) else { return };
        let namespace: Box<str> = key.namespace().into();
        self.busy.remove(&namespace);
        match ended {
            Ended::Away => {}
            Ended::Done if took <= LONG => drop(self.troubled.remove(&namespace)),
            Ended::Done | Ended::Refused => drop(self.troubled.insert(namespace.clone())),
        }
        let longest = if ended == Ended::Away { LONGEST_PAUSE_AWAY } else { LONGEST_PAUSE };
        match (ended, again) {
            (Ended::Done, Some(again)) => {
                self.entries.insert(key.clone(), again);
                self.make_ready(key);
            }
            (Ended::Done, None) => {}
            (Ended::Refused | Ended::Away, again) => {
                let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(lost.tries)).min(longest);
                let tries = lost.tries.saturating_add(1);
                let lost = match again {
                    Some(again) => again.known_since(&lost),
                    None => lost,
                };
                self.entries.insert(key.clone(), Lost { object: None, tries, ..lost });
                self.later.insert((now + pause, key));
            }
        }
        self.line_up(namespace);
    }

    /// Has everything under way wait again: whoever was at it is gone.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.busy.clear();
        let lost = Lost { object: None, is_loss: false, seen: now, before: Duration::ZERO, tries: 1 };
        let mut again: Vec<_> = std::mem::take(&mut self.running).into_iter().collect();
        again.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (key, running) in again {
            let namespace = key.namespace().into();
            self.put(key, running.again.unwrap_or_else(|| lost.clone()));
            self.line_up(namespace);
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;
