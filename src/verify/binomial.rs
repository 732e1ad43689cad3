//! Whether a count can come about by chance: the exact two-sided test of a share.

/// Returns the probability that of so many trials, each of which succeeds with this probability, the number of successes
/// is as unlikely as this one, or more.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(super) fn p_value(successes: usize, trials: usize, share: f64) -> f64 {
    if share <= 0.0 || share >= 1.0 {
        let certain = if share <= 0.0 { 0 } else { trials };
        return if successes == certain { 1.0 } else { 0.0 };
    }
    let odds = (share / (1.0 - share)).ln();
    let mut logarithm = trials as f64 * (1.0 - share).ln();
    let mut logarithms = Vec::with_capacity(trials + 1);
    for count in 0..=trials {
        logarithms.push(logarithm);
        logarithm += ((trials - count) as f64 / (count + 1) as f64).ln() + odds;
    }
    // Equally likely numbers differ by rounding.
    let limit = logarithms[successes] + 1e-7;
    logarithms.into_iter().filter(|other| *other <= limit).map(f64::exp).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first is the example in the manual of R's `binom.test`; the others were computed in Python by `lgamma`.
    #[test]
    fn probabilities_are_those_of_another_implementation() {
        for (successes, trials, share, expected) in [
            (682, 925, 0.75, 0.382_491_559_6),
            (2, 3, 0.5, 1.0),
            (18, 36, 0.05, 1.446_872_125e-14),
            (0, 20, 0.1, 0.254_529_978_0),
        ] {
            let found = p_value(successes, trials, share);
            assert!((found / expected - 1.0).abs() < 1e-8, "{successes} of {trials}: {found}");
        }
    }

    #[test]
    fn what_is_certain_and_what_cannot_be_are_told_apart() {
        let is = |successes, trials, share| format!("{}", p_value(successes, trials, share));
        assert_eq!([is(0, 9, 0.0), is(1, 9, 0.0), is(9, 9, 1.0), is(8, 9, 1.0)], ["1", "0", "1", "0"]);
        assert_eq!(is(0, 0, 0.3), "1");
    }
}
