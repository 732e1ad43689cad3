//! Watches for as long as somebody looks: what breaks is begun again, and what is refused for good ends the command.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{
    apiserver::{ApiServer, Collection, Event, backoff::Backoff},
    error::{Error, panic::lock},
    ui::Ui,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Retry interval for a kind that is not served, which may be installed later.
const NOT_SERVED_PAUSE: Duration = Duration::from_secs(10);
/// How long an API server that has just started may deny what it allowed before.
const STARTING: Duration = Duration::from_secs(30);

/// Something that a watch tells.
#[derive(Debug)]
pub(super) enum News {
    /// An event of the list or watch.
    Event(Event),
    /// The kind is not served.
    NotServed,
    /// The user may not list or not watch the kind; with the reason.
    Forbidden(String),
}

/// Whether the command can do without a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It cannot.
    Must,
    /// What is not served, or may not be listed or watched, is shown as such.
    Less,
}

/// Watches that are broken at the moment, by resource.
#[derive(Debug)]
pub(super) struct Outages {
    ui: Arc<Ui>,
    /// Whether the view itself shows them.
    is_live: bool,
    broken: Mutex<BTreeMap<&'static str, String>>,
}

impl Outages {
    pub(super) fn new(ui: Arc<Ui>, is_live: bool) -> Self {
        Self { ui, is_live, broken: Mutex::default() }
    }

    /// Returns a sentence about the outage, if there is one.
    pub(super) fn sentence(&self) -> Option<String> {
        let broken = lock(&self.broken);
        broken.values().next().map(|reason| format!("not up to date, retrying: {reason}"))
    }

    /// Notes that something is out of date until [`Outages::end`].
    pub(super) fn begin(&self, resource: &'static str, reason: String) {
        let mut broken = lock(&self.broken);
        if !self.is_live && broken.is_empty() {
            self.ui.warning(&format!("not up to date, retrying: {reason}"));
        }
        broken.entry(resource).or_insert(reason);
    }

    pub(super) fn end(&self, resource: &'static str) {
        let mut broken = lock(&self.broken);
        if broken.remove(resource).is_some() && broken.is_empty() && !self.is_live {
            self.ui.status("note: up to date again");
        }
    }
}

/// Passes the list and every change of the collection to `take`; returns only the error that ends the watch for good.
pub(super) async fn follow(
    api: &ApiServer,
    collection: &Collection,
    need: Need,
    outages: &Outages,
    mut take: impl FnMut(News) + Send,
) -> Error {
    let resource = collection.resource();
    let (mut place, mut pause) = (String::new(), Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
    // What was told before an outage stays true until it ends; without anything to show, the command ends.
    let (mut has_begun, mut is_listed, mut is_watched, mut denied) = (false, false, false, None);
    loop {
        let (began, mut heard) = (Instant::now(), false);
        let mut pass = |event: Event| {
            (heard, has_begun) = (true, true);
            is_watched = is_watched || is_listed && matches!(event, Event::Apply(_) | Event::Delete(_));
            is_listed = is_listed || event == Event::InitDone;
            // A list is only current once it is complete.
            if matches!(event, Event::InitDone | Event::Apply(_) | Event::Delete(_)) {
                outages.end(resource);
            }
            take(News::Event(event));
        };
        let result = api.follow(collection, &mut place, &mut pass).await;
        if heard || result.is_ok() {
            pause.reset();
            denied = None;
            outages.end(resource);
        }
        let Err(failure) = result else {
            is_watched = true;
            // Avoids a busy loop if the watch ends immediately.
            tokio::time::sleep(FIRST_PAUSE.saturating_sub(began.elapsed())).await;
            continue;
        };
        if failure.is_no_such_resource() && need == Need::Less {
            take(News::NotServed);
            outages.end(resource);
            has_begun = true;
            place.clear();
            tokio::time::sleep(NOT_SERVED_PAUSE).await;
            continue;
        }
        // A server that has just started does not know its kinds yet.
        if failure.is_denied() || failure.is_no_such_resource() {
            if need == Need::Less && !is_watched && failure.is_forbidden() {
                take(News::Forbidden(failure.into_message()));
                return std::future::pending().await;
            }
            if !is_watched || denied.get_or_insert(began).elapsed() > STARTING {
                return failure.into();
            }
        } else if !has_begun {
            return failure.into();
        }
        outages.begin(resource, failure.into_log_message());
        pause.wait().await;
    }
}
