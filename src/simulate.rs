//! What people will see in a rollout, as a cohort model. Pure.
//!
//! Traefik never renews its cookie: a pin lasts Max-Age from its beginning, and whoever has none is pinned by the
//! weights of the moment (`pkg/server/service/loadbalancer/wrr/wrr.go`). People who were there before the rollout come
//! back all the time, so their pins follow each other without a gap, and began at any time within the last Max-Age.

use crate::flagger::{Rollout, Strategy};

/// The longest duration of Go, in seconds.
const LONGEST: i64 = 9_223_372_036;

/// Returns for each step of a canary analysis its weight and the canary's share of the page views of people who were
/// there before the rollout, as a mean over the step, both in percent. `max_age` is in seconds. `None` if there are no
/// steps that Flagger would take, or if `max_age` pins nobody.
pub fn returning_shares_of(rollout: &Rollout, max_age: i64) -> Option<Vec<(f64, f64)>> {
    let steps = rollout.steps()?;
    // Flagger takes other steps than are written where they do not rise from above 0.
    let rise = steps.first().is_some_and(|first| *first > 0) && steps.is_sorted_by(|a, b| a < b);
    let has_steps = rollout.strategy == Strategy::Canary && !rollout.skips_analysis;
    if !rise || !has_steps || ![rollout.interval, max_age].iter().all(|time| (1..=LONGEST).contains(time)) {
        return None;
    }
    // There are at most 100 of them, since they rise.
    let weights: Vec<f64> = steps
        .into_iter()
        .map(|step| u8::try_from(step).ok().filter(|weight| *weight <= 100).map(f64::from))
        .collect::<Option<_>>()?;
    let shares = returning_shares(&weights, seconds(rollout.interval), seconds(max_age));
    Some(weights.into_iter().zip(shares).collect())
}

/// Returns the canary's share of the page views of people who were there before the rollout, as a mean over each step,
/// in percent. `weights` are the canary's, one per step, in percent; `interval` is the length of a step and `max_age`
/// that of a pin, both in seconds and positive.
fn returning_shares(weights: &[f64], interval: f64, max_age: f64) -> Vec<f64> {
    // A pin was drawn by the weight of the time when it began. The share at a time is the mean weight over the last
    // Max-Age, so the mean share over a step is a difference of double integrals of the weight.
    let begins = || std::iter::successors(Some(0.0), |begin| Some(begin + interval)).zip(weights);
    let twice_integrated = |end: f64| -> f64 {
        let area = |(begin, weight): (f64, &f64)| {
            // What a step adds to the integral stays, and is integrated from then on.
            let since = (end - begin).max(0.0);
            let within = since.min(interval);
            weight * (within * within / 2.0 + interval * (since - within))
        };
        begins().map(area).sum()
    };
    let over = |from: f64| twice_integrated(from + interval) - twice_integrated(from);
    begins()
        // What is rounded must not leave its bounds, or -0 is shown.
        .map(|(begin, weight)| ((over(begin) - over(begin - max_age)) / (interval * max_age)).clamp(0.0, *weight))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "durations of Go have far fewer than 2^52 seconds")]
fn seconds(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy as Any, *};
    use serde_json::json;

    use super::*;

    fn rounded(weights: &[i64], interval: i64, max_age: i64) -> Option<Vec<String>> {
        let rollout = Rollout { step_weights: weights.to_vec(), interval, ..Rollout::default() };
        let shares = returning_shares_of(&rollout, max_age)?;
        Some(shares.iter().map(|(_, share)| format!("{share:.0}")).collect())
    }

    #[test]
    fn a_pin_as_long_as_a_step_lags_by_half_a_step_and_a_long_one_shows_next_to_nothing() {
        let of = |weights: &[i64], interval, max_age| json!(rounded(weights, interval, max_age));
        assert_eq!(of(&[10, 20, 30, 40, 50], 10, 10), json!(["5", "15", "25", "35", "45"]));
        assert_eq!(of(&[10, 20, 30, 40, 50], 10, 300), json!(["0", "1", "2", "3", "4"]));
        assert_eq!(of(&[10, 50], 60, 1), json!(["10", "50"]));
    }

    #[test]
    fn steps_that_flagger_would_not_take_and_times_beyond_gos_have_no_shares() {
        let long = LONGEST + 1;
        for (weights, interval, max_age) in [
            (vec![], 10, 10),
            (vec![0, 10], 10, 10),
            (vec![20, 10], 10, 10),
            (vec![-5, 10], 10, 10),
            (vec![10, 101], 10, 10),
            (vec![10, i64::MAX], 10, 10),
            (vec![10], 0, 10),
            (vec![10], long, 10),
            (vec![10], 10, 0),
            (vec![10], 10, long),
        ] {
            assert_eq!(rounded(&weights, interval, max_age), None, "{weights:?} {interval} {max_age}");
        }
    }

    fn rollouts() -> impl Any<Value = (Vec<f64>, f64)> {
        let weights = prop::collection::vec(0..=100_u8, 1..12).prop_map(|mut weights| {
            weights.sort_unstable();
            weights.into_iter().map(f64::from).collect()
        });
        (weights, (1..4000_i64).prop_map(seconds))
    }

    proptest! {
        #[test]
        fn a_longer_max_age_never_raises_a_share(
            (weights, interval) in rollouts(), max_age in 1..100_000_i64, more in 1..100_000_i64,
        ) {
            let shares = |max_age: i64| returning_shares(&weights, interval, seconds(max_age));
            for (short, long) in shares(max_age).iter().zip(&shares(max_age + more)) {
                prop_assert!(*long <= short + 1e-6, "{} after {}", long, short);
            }
        }

        /// Against the definition, added up in small steps.
        #[test]
        fn a_share_is_the_mean_weight_over_the_last_max_age(
            (weights, interval) in rollouts(), parts in 1..50_usize,
        ) {
            const FINE: usize = 50;
            let max_age = interval * f64::from(u8::try_from(parts).expect("few")) / 10.0;
            let weight = |time: f64| {
                let begins = std::iter::successors(Some(0.0), |begin| Some(begin + interval)).zip(&weights);
                begins.take_while(|(begin, _)| *begin <= time).last().map_or(0.0, |(_, weight)| *weight)
            };
            let middles = |length: f64| {
                (0..FINE).map(move |part| length * (f64::from(u8::try_from(part).expect("few")) + 0.5) / 50.0)
            };
            let shares = returning_shares(&weights, interval, max_age);
            let begins = std::iter::successors(Some(0.0), |begin| Some(begin + interval));
            for (begin, share) in begins.zip(&shares) {
                let at = |time: f64| middles(max_age).map(|age| weight(begin + time - age)).sum::<f64>() / 50.0;
                let added = middles(interval).map(at).sum::<f64>() / 50.0;
                prop_assert!((added - share).abs() < 3.0, "{} against {}", share, added);
            }
        }
    }
}
