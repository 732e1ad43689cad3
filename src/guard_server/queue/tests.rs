//! Tests with a simulated clock.

use proptest::prelude::*;

use crate::{
    guard_server::queue::*,
    model::{NamespacedName, ObjectKind, name::Group},
};

fn key(namespace: &str, name: &str) -> ObjectRef {
    let kind = ObjectKind::TraefikService(Group::TraefikIo);
    ObjectRef { kind, target: NamespacedName { namespace: Some(namespace.into()), name: name.into() } }
}

fn lost(seen: Instant) -> PendingRepair {
    PendingRepair { object: None, is_cookie_lost: true, seen, before: Duration::ZERO, tries: 0 }
}

fn take(queue: &mut Queue, now: Instant) -> Vec<ObjectRef> {
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
    queue.done(key("one", "a"), lost(now), Outcome::Done, Duration::ZERO, now);
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
    queue.done(key("one", "a"), lost(later), Outcome::Done, Duration::ZERO, later);
    assert_eq!(take(&mut queue, later), [key("one", "a")]);
    queue.done(key("one", "a"), lost(later), Outcome::Done, Duration::ZERO, later);
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
        queue.done(key.clone(), lost.clone(), Outcome::Refused, Duration::ZERO, now);
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
        queue.done(key, lost(now), Outcome::Done, LONG * 2, now);
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
    queue.requeue_running(now);
    let first = take(&mut queue, now).remove(0);
    queue.done(first.clone(), lost(now), Outcome::Done, Duration::ZERO, now);
    let mut both = [first, take(&mut queue, now).remove(0)];
    both.sort();
    assert_eq!(both, [key("one", "a"), key("one", "b")]);
}

proptest! {
    /// For any order of events: no entry is lost or repaired twice at a time, no namespace has two repairs in progress,
    /// and in the end the queue is empty.
    #[test]
    fn everything_that_was_put_is_done_in_the_end(
        events in prop::collection::vec((0..4usize, 0..3usize, 0..4u8), 1..80),
    ) {
        let mut now = Instant::now();
        let (mut queue, mut running) = (Queue::default(), Vec::<(ObjectRef, PendingRepair)>::new());
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
                    let ended = [Outcome::Refused, Outcome::Unreachable, Outcome::Done, Outcome::Done][namespace];
                    queue.done(key, lost, ended, Duration::from_secs(namespace as u64), now);
                }
            }
            let namespaces: HashSet<_> = running.iter().map(|(key, _)| namespace_of(&key.target).to_owned()).collect();
            prop_assert_eq!(namespaces.len(), running.len());
        }
        let mut done = HashSet::new();
        for _ in 0..1000 {
            running.extend(std::iter::from_fn(|| queue.next(now)));
            for (key, lost) in running.drain(..) {
                queue.done(key.clone(), lost, Outcome::Done, Duration::ZERO, now);
                done.insert(key);
            }
            now = queue.next_time().unwrap_or(now);
        }
        prop_assert_eq!(queue.len(), 0);
        prop_assert!(done.is_subset(&owed));
    }
}
