//! Whether the watches are current.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::error::panic::lock;

/// Time of the last response for each required watch. A watch ends normally every few seconds, so a longer silence
/// means that the server is unreachable, even if its connections seem open.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<HashMap<&'static str, Instant>>);

/// Age at which a watch is stale: twice the time that a healthy watch may be silent.
const STALE: Duration = Duration::from_secs(30);

impl Watches {
    /// Requires this watch.
    pub(super) fn begin(&self, resource: &'static str) {
        lock(&self.0).insert(resource, Instant::now());
    }

    /// Records a response, if the watch is required.
    pub(super) fn heard(&self, resource: &'static str) {
        lock(&self.0).entry(resource).and_modify(|heard| *heard = Instant::now());
    }

    /// Returns whether all watches are current.
    pub(super) fn are_fresh(&self) -> bool {
        lock(&self.0).values().all(|heard| heard.elapsed() < STALE)
    }
}
