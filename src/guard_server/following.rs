//! Watches that run as long as the process: a broken watch is retried, and a server that keeps denying access ends the
//! process with the reason.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Notify;

use crate::{
    apiserver::{Collection, Event, Failure, backoff::Backoff},
    error::Error,
    guard_server::shared::Shared,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Retry interval for a kind that is not served, which may be installed later.
const NOT_SERVED_PAUSE: Duration = Duration::from_secs(10);
/// Grace period for an API server that has just started: until it has read its own RBAC and CRDs it denies requests and
/// does not know kinds that it serves later.
const STARTING: Duration = Duration::from_secs(30);

/// Whether a watch is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requirement {
    /// The process cannot run without the watch.
    Required,
    /// The process runs without the watch: few clusters use this API group.
    Optional,
}

/// Decides when a denial or an unknown kind is final rather than the result of an API server that has just started.
#[derive(Debug, Default)]
struct Refusals {
    /// Whether a complete list has been received.
    is_listed: bool,
    /// Whether that list was empty because the kind is not served.
    is_unserved: bool,
    /// Whether the server has been unreachable.
    was_away: bool,
    /// Start of the current series of refusals.
    since: Option<Instant>,
}

impl Refusals {
    fn is_final(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        // Permissions that are missing from the start are reported at once.
        let at_first = !self.is_listed && !self.was_away;
        at_first || self.is_unserved || now.saturating_duration_since(since) > STARTING
    }

    /// Records a successful response.
    fn answers(&mut self) {
        (self.since, self.is_unserved) = (None, false);
    }

    /// Records that the server is unreachable. When it responds again, it has just started.
    fn is_away(&mut self) {
        (self.since, self.was_away) = (None, true);
    }
}

/// Passes every change of the collection to `take`; returns only the error that ends the watch for good.
pub(super) async fn follow(
    shared: &Shared,
    collection: &Collection,
    need: Requirement,
    mut take: impl FnMut(Event) + Send,
) -> Error {
    if need == Requirement::Required {
        shared.known.watches.begin(collection.resource());
    }
    let mut place = String::new();
    let mut pause = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut refusals = Refusals::default();
    let mut broken = false;
    loop {
        let mut heard = false;
        let began = Instant::now();
        let mut told = |event: Event| {
            if !std::mem::replace(&mut heard, true) {
                shared.known.watches.heard(collection.resource());
            }
            refusals.is_listed = refusals.is_listed || event == Event::InitDone;
            take(event);
        };
        let result = shared.cluster.api().follow(collection, &mut place, &mut told).await;
        if (heard || result.is_ok()) && std::mem::take(&mut broken) {
            shared.log.info("watch resumed", &[("resource", json!(collection.resource()))]);
        }
        if result.is_ok() {
            shared.known.watches.heard(collection.resource());
        }
        if heard || result.is_ok() {
            pause.reset();
            refusals.answers();
        }
        match result {
            // Avoids a busy loop if the watch ends immediately.
            Ok(()) if began.elapsed() > FIRST_PAUSE => {}
            Ok(()) => tokio::time::sleep(FIRST_PAUSE).await,
            Err(failure) => {
                let is_missing = failure.is_no_such_resource();
                if is_missing || failure.is_denied() {
                    let is_final = refusals.is_final(Instant::now());
                    if is_final && !is_missing && need == Requirement::Required {
                        return failure.into();
                    }
                    if is_final {
                        // A kind that is not served is an empty list.
                        shared.known.watches.heard(collection.resource());
                        place.clear();
                        take(Event::Init);
                        take(Event::InitDone);
                        (refusals.is_listed, refusals.is_unserved) = (true, true);
                        tokio::time::sleep(NOT_SERVED_PAUSE).await;
                        continue;
                    }
                } else {
                    refusals.is_away();
                }
                say(shared, collection, failure, &mut broken);
                pause.wait().await;
            }
        }
    }
}

/// Tells of every change of the collection; returns only the error that ends the watch for good.
pub(super) async fn notify(shared: &Shared, collection: &Collection, changed: &Notify) -> Error {
    let told = |event| {
        if matches!(event, Event::InitApply(_) | Event::Apply(_) | Event::Delete(_)) {
            changed.notify_one();
        }
    };
    follow(shared, collection, Requirement::Required, told).await
}

/// Logs one line per outage.
fn say(shared: &Shared, collection: &Collection, failure: Failure, broken: &mut bool) {
    if std::mem::replace(broken, true) {
        return;
    }
    let reason = failure.into_log_message();
    shared.log.warning("watch failed", &[("resource", json!(collection.resource())), ("reason", json!(reason))]);
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

        // A server that became unreachable before or after the first list, and one that does so repeatedly.
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
