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
        match self.entries.get_mut(&key) {
            Some(known) => *known = Lost { tries: known.tries, ..lost.known_since(known) },
            None => {
                self.entries.insert(key.clone(), lost);
                self.make_ready(key);
            }
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
                let lost = again.map_or_else(|| lost.clone(), |again| again.known_since(&lost));
                self.entries.insert(key.clone(), Lost { object: None, tries, ..lost });
                self.later.insert((now + pause, key));
            }
        }
        self.line_up(namespace);
    }

    /// Has everything under way wait again: whoever was at it is gone.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.busy.clear();
        for (key, Running { again, .. }) in std::mem::take(&mut self.running) {
            let lost = Lost { object: None, is_loss: false, seen: now, before: Duration::ZERO, tries: 1 };
            self.put(key, again.unwrap_or(lost));
        }
        let namespaces: Vec<_> = self.ready.keys().cloned().collect();
        namespaces.into_iter().for_each(|namespace| self.line_up(namespace));
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(namespace: &str, name: &str) -> Key {
        Key { group: Group::TraefikIo, target: Target { namespace: Some(namespace.into()), name: name.into() } }
    }

    fn lost(seen: Instant) -> Lost {
        Lost { object: None, is_loss: true, seen, before: Duration::ZERO, tries: 0 }
    }

    fn take(queue: &mut Queue, now: Instant) -> Vec<Key> {
        std::iter::from_fn(|| queue.next(now)).map(|(key, _)| key).collect()
    }

    #[test]
    fn namespaces_take_turns_and_each_has_one_repair_under_way() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for name in ["a", "b", "c"] {
            queue.put(key("one", name), lost(now));
        }
        queue.put(key("two", "a"), lost(now));
        assert_eq!(take(&mut queue, now), [key("one", "a"), key("two", "a")]);
        queue.done(key("one", "a"), lost(now), Ended::Done, Duration::ZERO, now);
        assert_eq!(take(&mut queue, now), [key("one", "b")]);
    }

    #[test]
    fn a_service_that_is_broken_again_and_again_has_one_entry_with_the_time_of_the_first() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        for seen in [now, later, later] {
            queue.put(key("one", "a"), lost(seen));
        }
        assert_eq!(queue.next(later).map(|(_, lost)| lost.seen), Some(now));
        queue.put(key("one", "a"), lost(later));
        queue.put(key("one", "a"), lost(later));
        assert_eq!(queue.next(later), None);
        queue.done(key("one", "a"), lost(later), Ended::Done, Duration::ZERO, later);
        assert_eq!(take(&mut queue, later), [key("one", "a")]);
        queue.done(key("one", "a"), lost(later), Ended::Done, Duration::ZERO, later);
        assert_eq!((take(&mut queue, later), queue.len()), (vec![], 0));
    }

    #[test]
    fn who_fails_waits_longer_each_time_and_gains_nothing_by_being_broken_again() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        queue.put(key("one", "a"), lost(now));
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let (key, lost) = queue.next(now).unwrap();
            queue.put(key.clone(), lost.clone());
            queue.done(key.clone(), lost.clone(), Ended::Refused, Duration::ZERO, now);
            queue.put(key, lost);
            assert_eq!(queue.next(now), None);
            let next = queue.next_time().unwrap();
            pauses.push((next - now).as_millis());
            now = next;
        }
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[11], LONGEST_PAUSE.as_millis());
    }

    #[test]
    fn troubled_namespaces_leave_most_places_to_the_others() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let names: Vec<String> = (0..PLACES).map(|number| format!("n{number}")).collect();
        for name in &names {
            queue.put(key(name, "a"), lost(now));
        }
        for key in take(&mut queue, now) {
            queue.done(key, lost(now), Ended::Done, LONG * 2, now);
        }
        for name in &names {
            queue.put(key(name, "a"), lost(now));
        }
        assert_eq!(take(&mut queue, now).len(), TROUBLED_PLACES);
        queue.put(key("good", "a"), lost(now));
        assert_eq!(take(&mut queue, now), [key("good", "a")]);
    }

    #[test]
    fn what_was_under_way_when_its_worker_vanished_is_done_by_the_next() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.put(key("one", "a"), lost(now));
        queue.put(key("one", "b"), lost(now));
        assert_eq!(take(&mut queue, now), [key("one", "a")]);
        queue.begin_anew(now);
        let first = take(&mut queue, now).remove(0);
        queue.done(first.clone(), lost(now), Ended::Done, Duration::ZERO, now);
        let mut both = [first, take(&mut queue, now).remove(0)];
        both.sort();
        assert_eq!(both, [key("one", "a"), key("one", "b")]);
    }

    proptest! {
        /// Whatever happens in whichever order: nothing is lost, nothing is done twice at a time, no namespace has two
        /// under way, and in the end everything was done.
        #[test]
        fn everything_that_was_put_is_done_in_the_end(
            events in prop::collection::vec((0..4usize, 0..3usize, 0..4u8), 1..80),
        ) {
            let mut now = Instant::now();
            let (mut queue, mut running) = (Queue::default(), Vec::<(Key, Lost)>::new());
            let mut owed = HashSet::new();
            for (namespace, name, event) in events {
                let key = key(&format!("n{namespace}"), &format!("s{name}"));
                match event {
                    0 | 1 => {
                        owed.insert(key.clone());
                        queue.put(key, lost(now));
                    }
                    2 => running.extend(queue.next(now)),
                    _ if running.is_empty() => now += Duration::from_millis(50),
                    _ => {
                        let (key, lost) = running.remove(name % running.len());
                        let ended = [Ended::Refused, Ended::Away, Ended::Done, Ended::Done][namespace];
                        queue.done(key, lost, ended, Duration::from_secs(namespace as u64), now);
                    }
                }
                let namespaces: HashSet<_> = running.iter().map(|(key, _)| key.namespace().to_owned()).collect();
                prop_assert_eq!(namespaces.len(), running.len());
            }
            let mut done = HashSet::new();
            for _ in 0..1000 {
                running.extend(std::iter::from_fn(|| queue.next(now)));
                for (key, lost) in running.drain(..) {
                    queue.done(key.clone(), lost, Ended::Done, Duration::ZERO, now);
                    done.insert(key);
                }
                now = queue.next_time().unwrap_or(now);
            }
            prop_assert_eq!(queue.len(), 0);
            prop_assert!(done.is_subset(&owed));
        }
    }
}
