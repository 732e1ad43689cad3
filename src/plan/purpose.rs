//! The purpose of a cookie, and the Max-Age that follows from the Canary's analysis.

use crate::{
    flagger::analysis::{Rollout, Strategy, divided_up},
    simulate,
};

/// How long a login with its redirects takes at most, in seconds: people type passwords and second factors.
pub const FLOW: i64 = 120;

/// The purpose of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// One login with its redirects.
    Flow,
    /// A whole rollout.
    Rollout,
    /// The browser session.
    Session,
    /// Custom: the user sets each field.
    Own,
}

/// A purpose with a Max-Age to suggest for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The purpose.
    pub purpose: Purpose,
    /// Seconds; `None` for a session cookie, or if there is nothing to suggest.
    pub max_age: Option<i64>,
    /// Explanation for display: how the number is computed, or what it means.
    pub why: String,
}

/// The duration of a rollout in which every check passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// Seconds from the first step until all traffic is back on the primary.
    pub seconds: i64,
    /// The arithmetic, for display.
    pub sum: String,
}

/// Returns the suggestions for a Canary, the most usual first.
pub fn suggestions(rollout: &Rollout) -> Vec<Suggestion> {
    let interval = seconds(rollout.interval);
    let fits = if FLOW <= rollout.interval { "no longer" } else { "longer" };
    let mut suggestions = vec![Suggestion {
        purpose: Purpose::Flow,
        max_age: Some(FLOW),
        why: format!("{fits} than one step ({interval}){}", returning(rollout, FLOW)),
    }];
    if let Some(length) = length(rollout) {
        let why = length.sum + &returning(rollout, length.seconds);
        suggestions.push(Suggestion { purpose: Purpose::Rollout, max_age: Some(length.seconds), why });
    }
    suggestions.push(Suggestion { purpose: Purpose::Session, max_age: None, why: "until the browser closes".into() });
    suggestions.push(Suggestion { purpose: Purpose::Own, max_age: None, why: "set every field yourself".into() });
    suggestions
}

impl Purpose {
    /// Returns the name shown to the user.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flow => "one login",
            Self::Rollout => "the whole rollout",
            Self::Session => "the browser session",
            Self::Own => "custom",
        }
    }
}

/// Returns the duration of a rollout in which every check passes, from the first step to the end of the promotion;
/// `None` if it has no steps, and so never advances, or skips the analysis.
///
/// The first step comes in the tick that begins the analysis, each further one an interval later, and the promotion
/// in the tick after the last (`pkg/controller/scheduler.go:advanceCanary`, `runCanary`, `runAB`, `runBlueGreen`,
/// `runPromotionTrafficShift`).
pub fn length(rollout: &Rollout) -> Option<Length> {
    if rollout.skips_analysis {
        return None;
    }
    let (ticks, word) = match rollout.strategy {
        Strategy::Canary => (rollout.steps()?.len(), "step"),
        Strategy::AbTesting | Strategy::BlueGreen => (usize::try_from(rollout.iterations).ok()?, "iteration"),
    };
    let ticks = i64::try_from(ticks).ok()?;
    let highest = rollout.steps().and_then(|steps| steps.last().copied()).unwrap_or(100);
    let promotion = match rollout.step_weight_promotion {
        Some(step) if rollout.strategy == Strategy::Canary => divided_up(highest, step),
        _ => 1,
    };
    let interval = seconds(rollout.interval);
    let plural = |count: i64, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    Some(Length {
        seconds: ticks.checked_add(promotion)?.checked_mul(rollout.interval)?,
        sum: format!("({} + {promotion} to promote) x {interval}", plural(ticks, word)),
    })
}

/// Returns how much of the canary people see who were there before the rollout, for display; empty if there are no steps.
fn returning(rollout: &Rollout, max_age: i64) -> String {
    let shares = simulate::returning_shares_of(rollout, max_age);
    let Some((weight, share)) = shares.and_then(|shares| shares.last().copied()) else { return String::new() };
    format!("; at weight {weight}, returning users see the canary in {share:.0} % of page views")
}

/// Formats seconds exactly, as `--max-age` accepts them: 300 as `5m`.
pub fn seconds(total: i64) -> String {
    if total <= 0 {
        return total.to_string();
    }
    [(3600, "h", i64::MAX), (60, "m", 60), (1, "s", 60)]
        .into_iter()
        .map(|(unit, letter, modulus)| (total / unit % modulus, letter))
        .filter(|(count, _)| *count > 0)
        .map(|(count, letter)| format!("{count}{letter}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        flagger::Canary,
        model::{FIELDS, FieldValue},
    };

    fn rollout(analysis: &Value) -> Rollout {
        let object = json!({"metadata": {"name": "a"}, "spec": {"analysis": analysis}});
        Canary::from_object(&object).expect("a Canary").rollout
    }

    #[test]
    fn a_rollout_takes_its_steps_and_the_promotion() {
        for (analysis, expected) in [
            (json!({"interval": "1m", "stepWeight": 10, "maxWeight": 50}), "360 (5 steps + 1 to promote) x 1m"),
            (json!({"interval": "30s", "stepWeight": 30, "maxWeight": 50}), "90 (2 steps + 1 to promote) x 30s"),
            (json!({"interval": "30s", "stepWeight": 50}), "90 (2 steps + 1 to promote) x 30s"),
            (json!({"stepWeight": 100}), "120 (1 step + 1 to promote) x 1m"),
            (json!({"interval": "1m30s", "stepWeights": [1, 10, 100]}), "360 (3 steps + 1 to promote) x 1m30s"),
            // stepWeight takes precedence; the last entry of stepWeights is the maximum.
            (json!({"stepWeight": 20, "stepWeights": [1, 40], "maxWeight": 90}), "180 (2 steps + 1 to promote) x 1m"),
            (
                json!({"stepWeight": 25, "maxWeight": 50, "stepWeightPromotion": 20}),
                "300 (2 steps + 3 to promote) x 1m",
            ),
            (json!({"interval": "5s", "iterations": 10}), "110 (10 iterations + 1 to promote) x 10s"),
            (json!({"iterations": 1, "match": [{}]}), "120 (1 iteration + 1 to promote) x 1m"),
            (json!({"interval": "2m", "iterations": 2, "mirror": true}), "360 (2 iterations + 1 to promote) x 2m"),
            (json!({"interval": "1m"}), "none"),
            (json!({"interval": "nonsense", "stepWeight": 50, "maxWeight": 50}), "120 (1 step + 1 to promote) x 1m"),
        ] {
            let length = length(&rollout(&analysis));
            let text = length.map_or("none".into(), |length| format!("{} {}", length.seconds, length.sum));
            assert_eq!(text, expected, "{analysis}");
        }
        let none = Canary::from_object(&json!({"metadata": {"name": "a"}})).expect("a Canary").rollout;
        assert_eq!(length(&none), None);
    }

    #[test]
    fn the_whole_rollout_is_offered_only_where_it_has_an_end() {
        let offered = |analysis| suggestions(&rollout(&analysis)).iter().map(|it| it.purpose).collect::<Vec<_>>();
        let with = [Purpose::Flow, Purpose::Rollout, Purpose::Session, Purpose::Own];
        assert_eq!(offered(json!({"stepWeight": 10})), with);
        assert_eq!(offered(json!({})), [Purpose::Flow, Purpose::Session, Purpose::Own]);
    }

    #[test]
    fn seconds_are_written_as_max_age_takes_them() {
        for total in [-1, 0, 1, 59, 60, 61, 300, 3599, 3600, 3661, 5400, 86_400, 9_999_999_999] {
            assert_eq!(FIELDS[1].parse_typed(&seconds(total)), Ok(FieldValue::Seconds(total)), "{}", seconds(total));
        }
        assert_eq!([300, 5400, 86_400, 61].map(seconds), ["5m", "1h30m", "24h", "1m1s"]);
    }
}
