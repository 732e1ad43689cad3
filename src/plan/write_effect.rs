//! The effect of Flagger's next write on the cookie. Flagger's type of the TraefikService has no `sticky` field, so each
//! write removes it.

use crate::{
    flagger::next_write::{LivePrimary, NextWrite, When, next_write},
    observed::{Observed, Protection, State, TraefikServiceState},
    traefik::{Live, Weight},
};

/// The effect of Flagger's next write on the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is no cookie, live or declared.
    NoCookie,
    /// The cookie stays: Flagger copies the declared one itself.
    Native,
    /// The cookie stays or is added: the guard puts the declared one into the write.
    Guard,
    /// The write removes the cookie.
    Dropped,
    /// There is no live cookie, and the write adds none.
    NotLive,
    /// Flagger does not write.
    Untouched,
    /// This user may not read the guard, or the TraefikService.
    Unknown,
}

/// Flagger's next write with its effect on the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteEffect {
    /// Flagger's next write.
    pub next: NextWrite,
    /// Its effect on the cookie.
    pub outcome: Outcome,
}

/// Returns Flagger's next write with its effect on the cookie.
pub fn write_effect(observed: &Observed) -> WriteEffect {
    let next = next_write(&observed.canary, live_primary(observed));
    let outcome = match (observed.protection(), observed.state()) {
        (Protection::Native, _) => Outcome::Native,
        (Protection::Nothing, _) => Outcome::NoCookie,
        (_, State::Unknown) => Outcome::Unknown,
        _ if matches!(next.when, When::Suspended | When::Deletion) => Outcome::Untouched,
        (Protection::Guard, _) => Outcome::Guard,
        (Protection::Unknown, _) => Outcome::Unknown,
        (Protection::No, _) if observed.service().is_none_or(|service| service.live == Live::Absent) => {
            Outcome::NotLive
        }
        (Protection::No, _) => Outcome::Dropped,
    };
    WriteEffect { next, outcome }
}

fn live_primary(observed: &Observed) -> LivePrimary {
    match observed.weights().0 {
        Some(Weight::Number(weight)) => LivePrimary::Weight(weight),
        Some(Weight::Absent) => LivePrimary::Weight(0),
        None if observed.service == TraefikServiceState::NotGenerated => LivePrimary::NotGenerated,
        None => LivePrimary::Unknown,
    }
}

#[cfg(test)]
mod tests;
