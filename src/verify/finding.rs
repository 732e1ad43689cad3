//! The outcome: what was checked, what was found, and what to change.

use serde::Serialize;

use crate::traefik::Weight;

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// Every page sets the cookie.
    Set,
    /// Browsers store the cookie and send it back.
    Returned,
    /// Each browser stays on its track.
    Track,
    /// Nothing else sets a cookie of the name.
    Name,
    /// The cookie lives as long as a flow.
    MaxAge,
    /// At the entry, and nowhere else, the pin begins anew.
    Entry,
    /// The tracks are drawn as the weights say.
    Split,
}

impl Check {
    /// Returns what should hold.
    pub fn claim(self) -> &'static str {
        match self {
            Self::Set => "every page sets the cookie",
            Self::Returned => "browsers store the cookie and send it back",
            Self::Track => "each browser stays on its track",
            Self::Name => "nothing else sets a cookie of this name",
            Self::MaxAge => "the cookie lives as long as a flow",
            Self::Entry => "Traefik chooses a track again at the entry, and only there",
            Self::Split => "the tracks are chosen in proportion to their weights",
        }
    }
}

/// What was found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A sentence that says what is wrong, and why.
    pub message: String,
    /// The command that changes it.
    pub fix: Option<String>,
    /// How often it was seen.
    pub times: usize,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails(Vec<Finding>),
    /// It could not be checked; with the reason.
    Skipped(String),
}

/// What was seen of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackCount {
    /// `primary`, `canary`, or the name of a child that is neither.
    pub name: String,
    /// Its weight; `None` if it is not listed.
    pub weight: Option<Weight>,
    /// How often it was drawn.
    pub pins: usize,
    /// How many requests it answered.
    pub requests: usize,
}

/// How often the canary was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// How often it was drawn.
    pub canary: usize,
    /// How often any track was drawn.
    pub drawn: usize,
    /// The interval of 99 % of the canary's share, from 0 to 1.
    pub interval: (f64, f64),
    /// Its share by the weights; `None` if they are not known.
    pub expected: Option<f64>,
}

/// Whether the cookie sticks, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The checks with their outcomes, in their order.
    pub checks: Vec<(Check, Outcome)>,
    /// The tracks.
    pub tracks: Vec<TrackCount>,
    /// The split.
    pub split: Split,
    /// How many browsers there were.
    pub browsers: usize,
    /// How many requests there were.
    pub requests: usize,
    /// Why the browsers did not get to the end, if so.
    pub ended: Option<String>,
}

impl Verification {
    /// Returns whether browsers were seen to send the cookie back and to stay on their track, and nothing fails.
    pub fn sticks(&self) -> bool {
        let is_seen = |wanted: Check| self.checks.contains(&(wanted, Outcome::Holds));
        self.holds() && self.ended.is_none() && is_seen(Check::Returned) && is_seen(Check::Track)
    }

    /// Returns the verdict in words.
    pub fn verdict(&self) -> &'static str {
        match (self.holds(), self.sticks()) {
            (false, _) => "the cookie does not stick",
            (true, true) => "the cookie sticks",
            (true, false) => "no check fails, but too little was seen to say that the cookie sticks",
        }
    }

    /// Returns whether no check fails.
    pub fn holds(&self) -> bool {
        !self.checks.iter().any(|(_, outcome)| matches!(outcome, Outcome::Fails(_)))
    }
}
