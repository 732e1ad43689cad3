//! Verdicts on Canaries for Flagger's webhooks: looked up a few at a time, cached, and logged when they change.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use http::StatusCode;
use serde_json::json;

use crate::{
    guard_server::{
        Log,
        lookups::{Lookups, Places},
        shared::remember,
    },
    model::NamespacedName,
};

/// Number of Canaries whose last log line is remembered.
const MOST_TOLD: usize = 4096;

/// The reason for the absence of a verdict: metrics label, status and text. Flagger does not retry a status below 500
/// by itself; every status here means failed to it.
pub(super) type Unjudged = (&'static str, StatusCode, String);

/// Whether a cookie sticks.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    /// Whether no check fails.
    pub(super) holds: bool,
    /// A text that says so.
    pub(super) text: String,
}

/// The verdicts of one webhook.
pub(super) struct Verdicts<V> {
    pub(super) lookups: Lookups<Result<V, Unjudged>>,
    /// The last log line for each Canary: answers differ rarely, and Flagger asks repeatedly.
    told: Mutex<HashMap<NamespacedName, (&'static str, String)>>,
}

impl<V: Clone> Verdicts<V> {
    /// Creates an empty cache whose verdicts are valid for `remember`.
    pub(super) fn new(places: Places, remember: Duration) -> Self {
        Self { lookups: Lookups::new(places, remember), told: Mutex::default() }
    }

    /// Logs a verdict, unless its label and `version` are those of the last one.
    pub(super) fn tell(
        &self,
        log: &Log,
        target: &NamespacedName,
        (label, version): (&'static str, &str),
        message: &str,
        reason: &str,
    ) {
        let news = (label, version.to_owned());
        if remember(&self.told, MOST_TOLD, target.clone(), news.clone()) != Some(news) {
            log.info(message, &[("name", json!(target.to_string())), ("reason", json!(reason))]);
        }
    }
}
