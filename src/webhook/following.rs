//! Collections followed for as long as the process lives: a way that breaks is tried again, and a server that
//! keeps saying no ends the process with the reason.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;

use super::Shared;
use crate::{
    cluster::{Collection, Event, Failure, Place, Verb},
    error::Error,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A kind that is not served may come.
const NOT_SERVED_PAUSE: Duration = Duration::from_secs(10);
/// A server that has just started refuses what it will allow once it has read its own roles, and does not know kinds
/// that it will serve once it has read their definitions.
const STARTING: Duration = Duration::from_secs(30);

/// What it means when the server says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing can be done without it.
    Must,
    /// It is gone without: a group that is in use on few clusters.
    May,
}

/// When something was last heard of each collection that nothing can be done without. A watch ends in good order every
/// few seconds, so silence means that there is no way to the server, whatever its connections look like.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<HashMap<&'static str, Instant>>);

/// Twice what a watch may be silent.
const STALE: Duration = Duration::from_secs(30);

impl Watches {
    fn all(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self, resource: &'static str) {
        self.all().entry(resource).and_modify(|heard| *heard = Instant::now());
    }

    /// Whether all are up to date.
    pub(super) fn are_fresh(&self) -> bool {
        self.all().values().all(|heard| heard.elapsed() < STALE)
    }
}

/// When a server that says no, or knows no such kind, means it. One that has just started does not.
#[derive(Debug, Default)]
struct Refusals {
    /// Whether all was told once.
    is_listed: bool,
    /// Whether that was nothing, since the kind is not served.
    is_unserved: bool,
    /// Whether the server was away before it first told all.
    was_away: bool,
    /// Since when it says so.
    since: Option<Instant>,
}

impl Refusals {
    fn is_final(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        // Whoever lacks rights from the beginning is told at once.
        let at_first = !self.is_listed && !self.was_away;
        at_first || self.is_unserved || now.saturating_duration_since(since) > STARTING
    }

    /// It answers what was asked.
    fn answers(&mut self) {
        (self.since, self.is_unserved) = (None, false);
    }

    /// It does not answer. When it does again it has just started.
    fn is_away(&mut self) {
        (self.since, self.was_away) = (None, true);
    }
}

/// Tells every change of the collection; returns only with the reason why that cannot go on.
pub(super) async fn follow(
    shared: &Shared,
    collection: &Collection,
    need: Need,
    mut take: impl FnMut(Event) + Send,
) -> Error {
    if need == Need::Must {
        shared.watches.all().insert(collection.resource(), Instant::now());
    }
    let mut place = Place::default();
    let mut pause = FIRST_PAUSE;
    let mut refusals = Refusals::default();
    let mut broken = false;
    loop {
        let mut heard = false;
        let began = Instant::now();
        let mut told = |event: Event| {
            if !std::mem::replace(&mut heard, true) {
                shared.watches.heard(collection.resource());
            }
            refusals.is_listed = refusals.is_listed || event == Event::Listed;
            take(event);
        };
        let result = shared.cluster.follow(collection, &mut place, &mut told).await;
        if (heard || result.is_ok()) && std::mem::take(&mut broken) {
            shared.log.info("following again", &[("resource", json!(collection.resource()))]);
        }
        if result.is_ok() {
            shared.watches.heard(collection.resource());
        }
        if heard || result.is_ok() {
            pause = FIRST_PAUSE;
            refusals.answers();
        }
        match result {
            // A watch that ends at once must not become a busy loop.
            Ok(()) if began.elapsed() > FIRST_PAUSE => {}
            Ok(()) => tokio::time::sleep(FIRST_PAUSE).await,
            Err(failure) => {
                let is_missing = failure.is_no_such_resource();
                if is_missing || failure.is_denied() {
                    let is_final = refusals.is_final(Instant::now());
                    if is_final && !is_missing && need == Need::Must {
                        return failure.into_error(&collection.call(verb(refusals.is_listed)));
                    }
                    if is_final {
                        // What is not served is empty.
                        place = Place::default();
                        take(Event::Begin);
                        take(Event::Listed);
                        (refusals.is_listed, refusals.is_unserved) = (true, true);
                        tokio::time::sleep(NOT_SERVED_PAUSE).await;
                        continue;
                    }
                } else {
                    refusals.is_away();
                }
                say(shared, collection, failure, &mut broken, refusals.is_listed);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// One line an outage.
fn say(shared: &Shared, collection: &Collection, failure: Failure, broken: &mut bool, listed: bool) {
    if std::mem::replace(broken, true) {
        return;
    }
    let verb = verb(listed);
    let reason = failure.in_words(&collection.call(verb));
    shared.log.warning("cannot follow", &[("resource", json!(collection.resource())), ("reason", json!(reason))]);
}

fn verb(listed: bool) -> Verb {
    if listed { Verb::Watch } else { Verb::List }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_at_once_at_first_and_else_after_half_a_minute_of_refusals() {
        let now = Instant::now();
        let late = now + STARTING + Duration::from_secs(1);
        assert!(Refusals::default().is_final(now));

        let listed = || Refusals { is_listed: true, ..Refusals::default() };
        let mut refusals = listed();
        assert_eq!((refusals.is_final(now), refusals.is_final(late)), (false, true));

        // A server that went away, before the first list or after it, and one that goes away again and again.
        for mut refusals in [Refusals::default(), listed()] {
            refusals.is_away();
            assert!(!refusals.is_final(now));
            refusals.is_away();
            assert!(!refusals.is_final(late));
            assert!(refusals.is_final(late + STARTING * 2));
        }
        let mut refusals = listed();
        assert!(!refusals.is_final(now));
        refusals.answers();
        assert!(!refusals.is_final(late));
    }
}
