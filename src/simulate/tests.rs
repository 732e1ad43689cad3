//! Tests of the model.

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
        const FINE: u8 = 50;
        let max_age = interval * f64::from(u8::try_from(parts).expect("few")) / 10.0;
        // Plain loops: without optimisation, iterators take several times as long.
        let weight = |time: f64| {
            let (mut now, mut begin) = (0.0, 0.0);
            for weight in &weights {
                if begin > time {
                    break;
                }
                (now, begin) = (*weight, begin + interval);
            }
            now
        };
        let middle = |part: u8| (f64::from(part) + 0.5) / f64::from(FINE);
        let shares = returning_shares(&weights, interval, max_age);
        let begins = std::iter::successors(Some(0.0), |begin| Some(begin + interval));
        for (begin, share) in begins.zip(&shares) {
            let mut sum = 0.0;
            for time in 0..FINE {
                for age in 0..FINE {
                    sum += weight(begin + interval * middle(time) - max_age * middle(age));
                }
            }
            let added = sum / f64::from(FINE).powi(2);
            prop_assert!((added - share).abs() < 3.0, "{} against {}", share, added);
        }
    }
}
