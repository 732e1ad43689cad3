//! Flagger's next write in words, the same for `describe` and for commands that write.

use crate::{
    flagger::next_write::{NextWrite, When},
    plan::write_effect::{Outcome, WriteEffect},
};

/// Returns which write is next, to be put in brackets after "Flagger's next write".
pub fn which(next: NextWrite) -> String {
    let step = next.weights.map(|(_, canary)| canary);
    match (next.when, step) {
        (When::NotKnown, _) => "a weight step, promotion or rollback".into(),
        (When::Generation, _) => "the one that creates the TraefikService".into(),
        (When::NewRevision, _) => "the first step of the next rollout".into(),
        (When::RolloutGate, _) => "the first step of the rollout, once its gate opens".into(),
        (When::Step, Some(weight)) => format!("the step to {weight}, or a rollback"),
        (When::Step, None) => "a step, or a rollback".into(),
        (When::Iteration, _) => "an iteration, or a rollback".into(),
        (When::LastIteration, _) => "all traffic to the canary after the last iteration, or a rollback".into(),
        (When::Promotion, _) => "the promotion".into(),
        (When::PromotionGate, _) => "the promotion once its gate opens, or a rollback".into(),
        (When::Rollback, _) => "the rollback".into(),
        (When::NoSteps, _) => "a rollback, because the analysis has no steps".into(),
        (When::Reset, _) => "a reset to what Flagger generates at its next check".into(),
        (When::StuckPromotion, _) => {
            "none: the promotion never ends, because the primary's weight is 100 already".into()
        }
        (When::Suspended, _) => "none while the Canary is suspended".into(),
        (When::Deletion, _) => "none: it is being deleted".into(),
    }
}

/// Returns when the write is due; `None` if a gate, a person or a new revision decides. `interval` is the number of
/// seconds between two steps.
pub fn due(next: NextWrite, interval: i64) -> Option<String> {
    match next.when {
        When::Step | When::Iteration => Some(format!("within {interval}s if its checks pass")),
        When::Rollback => Some(format!("within {interval}s")),
        When::Promotion => Some("once the primary is ready".into()),
        _ => None,
    }
}

/// Returns the effect of the write on the cookie.
pub fn outcome(fate: WriteEffect) -> &'static str {
    match (fate.outcome, fate.next.when) {
        (Outcome::NoCookie, _) => "there is no cookie to protect",
        (Outcome::Native, _) => "Flagger itself copies the declared cookie into it",
        (Outcome::Guard, _) => "the guard puts the declared cookie into it",
        (Outcome::Dropped, _) => "it removes the cookie",
        (Outcome::NotLive, _) => "it writes no cookie; there is none now",
        (Outcome::Untouched, When::Deletion) => "the TraefikService goes with its Canary",
        (Outcome::Untouched, When::StuckPromotion) => "the cookie stays as it is",
        (Outcome::Untouched, _) => "the cookie stays as it is until then",
        (Outcome::Unknown, _) => "its effect on the cookie is <unknown>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_write_has_words() {
        let said = |when: When| {
            let next = NextWrite { when, weights: Some((80, 20)) };
            let due = due(next, 30).map_or_else(String::new, |due| format!(", {due}"));
            format!("{}{due}", which(next))
        };
        let all = [
            (When::NotKnown, "a weight step, promotion or rollback"),
            (When::Generation, "the one that creates the TraefikService"),
            (When::NewRevision, "the first step of the next rollout"),
            (When::RolloutGate, "the first step of the rollout, once its gate opens"),
            (When::Step, "the step to 20, or a rollback, within 30s if its checks pass"),
            (When::Iteration, "an iteration, or a rollback, within 30s if its checks pass"),
            (When::LastIteration, "all traffic to the canary after the last iteration, or a rollback"),
            (When::Promotion, "the promotion, once the primary is ready"),
            (When::PromotionGate, "the promotion once its gate opens, or a rollback"),
            (When::Rollback, "the rollback, within 30s"),
            (When::NoSteps, "a rollback, because the analysis has no steps"),
            (When::Reset, "a reset to what Flagger generates at its next check"),
            (When::StuckPromotion, "none: the promotion never ends, because the primary's weight is 100 already"),
            (When::Suspended, "none while the Canary is suspended"),
            (When::Deletion, "none: it is being deleted"),
        ];
        for (when, words) in all {
            assert_eq!(said(when), words);
        }
        assert_eq!(which(NextWrite { when: When::Step, weights: None }), "a step, or a rollback");
    }
}
