//! What people will see in a rollout, as a cohort model. Pure.
//!
//! Traefik never renews its cookie: a pin lasts Max-Age from its beginning, and whoever has none is pinned by the
//! weights of the moment (`pkg/server/service/loadbalancer/wrr/wrr.go`). People who were there before the rollout come
//! back all the time, so their pins follow each other without a gap, and began at any time within the last Max-Age.

use crate::flagger::{Rollout, Strategy};

/// No more steps than there are weights.
const MOST_STEPS: usize = 100;
/// The longest duration of Go, in seconds.
const LONGEST: i64 = 9_223_372_036;

/// Returns for each step of a canary analysis its weight and the canary's share of the page views of people who were
/// there before the rollout, as a mean over the step, in percent. `max_age` is in seconds and positive. `None` if there
/// are no steps that Flagger would take.
pub fn returning_shares_of(rollout: &Rollout, max_age: i64) -> Option<Vec<(i64, f64)>> {
    let weights = rollout.steps()?;
    // Flagger takes other steps than are written where they do not rise.
    let rise = weights.first().is_some_and(|first| *first > 0)
        && weights.is_sorted_by(|a, b| a < b)
        && weights.iter().all(|weight| *weight <= 100);
    let is_plain = rise && weights.len() <= MOST_STEPS && (1..=LONGEST).contains(&rollout.interval);
    let has_steps = rollout.strategy == Strategy::Canary && !rollout.skips_analysis;
    (is_plain && has_steps && (1..=LONGEST).contains(&max_age)).then(|| {
        let shares = returning_shares(&weights, rollout.interval, max_age);
        weights.into_iter().zip(shares).collect()
    })
}

/// Returns the canary's share of the page views of people who were there before the rollout, as a mean over each step,
/// in percent. `weights` are the canary's, one per step, `interval` is the length of a step and `max_age` that of a
/// pin, both in seconds and positive.
fn returning_shares(weights: &[i64], interval: i64, max_age: i64) -> Vec<f64> {
    let (interval, max_age) = (seconds(interval), seconds(max_age));
    // A pin that is `age` old was drawn by the weight of that time. The share at a time is the mean weight over the last
    // Max-Age, so the mean share over a step is a difference of double integrals of the weight.
    let over =
        |from: f64| twice_integrated(weights, interval, from + interval) - twice_integrated(weights, interval, from);
    (0..weights.len())
        .map(|step| {
            let from = index(step) * interval;
            (over(from) - over(from - max_age)) / (interval * max_age)
        })
        .collect()
}

/// Returns the double integral of the weight from the first step to `end`; 0 before that.
fn twice_integrated(weights: &[i64], interval: f64, end: f64) -> f64 {
    let area = |(step, weight): (usize, &i64)| {
        // What a step adds to the integral stays, and is integrated from then on.
        let since = (end - index(step) * interval).max(0.0);
        let within = since.min(interval);
        percent(*weight) * (within * within / 2.0 + interval * (since - within))
    };
    weights.iter().enumerate().map(area).sum()
}

/// Returns a weight as a share.
pub fn percent(weight: i64) -> f64 {
    seconds(weight)
}

#[expect(clippy::cast_precision_loss, reason = "weights, seconds and numbers of steps are far below 2^52")]
fn seconds(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "weights, seconds and numbers of steps are far below 2^52")]
fn index(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, *};

    use super::{returning_shares, seconds};

    fn rounded(weights: &[i64], interval: i64, max_age: i64) -> Vec<String> {
        returning_shares(weights, interval, max_age).iter().map(|share| format!("{share:.0}")).collect()
    }

    #[test]
    fn a_pin_as_long_as_a_step_lags_by_half_a_step_and_a_long_one_shows_next_to_nothing() {
        assert_eq!(rounded(&[10, 20, 30, 40, 50], 10, 10), ["5", "15", "25", "35", "45"]);
        assert_eq!(rounded(&[10, 20, 30, 40, 50], 10, 300), ["0", "1", "2", "3", "4"]);
        assert_eq!(rounded(&[10, 50], 60, 1), ["10", "50"]);
    }

    fn rollouts() -> impl Strategy<Value = (Vec<i64>, i64)> {
        let weights = prop::collection::vec(0..=100_i64, 1..12).prop_map(|mut weights| {
            weights.sort_unstable();
            weights
        });
        (weights, 1..4000_i64)
    }

    proptest! {
        #[test]
        fn shares_lie_between_nothing_and_the_weight((weights, interval) in rollouts(), max_age in 1..100_000_i64) {
            for (share, weight) in returning_shares(&weights, interval, max_age).iter().zip(&weights) {
                prop_assert!(*share >= -1e-6 && *share <= seconds(*weight) + 1e-6, "{} at {}", share, weight);
            }
        }

        #[test]
        fn a_longer_max_age_never_raises_a_share(
            (weights, interval) in rollouts(), max_age in 1..100_000_i64, more in 1..100_000_i64,
        ) {
            let (short, long) = (
                returning_shares(&weights, interval, max_age), returning_shares(&weights, interval, max_age + more),
            );
            for (short, long) in short.iter().zip(&long) {
                prop_assert!(*long <= short + 1e-6, "{} after {}", long, short);
            }
        }
    }
}
