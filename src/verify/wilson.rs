//! How sure a share is that was counted: the score interval of E. B. Wilson, Probable inference, the law of succession,
//! and statistical inference, Journal of the American Statistical Association 22 (1927).

/// The quantile of the normal distribution that leaves 1 % outside.
pub(super) const Z_99: f64 = 2.575_829_303_548_900_4;

/// Returns the interval of the probability, from 0 to 1, behind so many successes of so many trials.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(super) fn interval(successes: usize, trials: usize, z: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (trials as f64, successes as f64 / trials as f64);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let (middle, scale) = (share + z * z / (2.0 * n), 1.0 + z * z / n);
    let low = if successes == 0 { 0.0 } else { (middle - spread) / scale };
    let high = if successes == trials { 1.0 } else { (middle + spread) / scale };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of method 3 in table I of R. G. Newcombe, Two-sided confidence intervals for the single proportion,
    /// Statistics in Medicine 17 (1998), which are for 95 %.
    #[test]
    fn intervals_are_those_of_the_literature() {
        const Z_95: f64 = 1.959_963_984_540_054;
        for (successes, trials, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (from, to) = interval(successes, trials, Z_95);
            assert!((from - low).abs() < 0.000_05 && (to - high).abs() < 0.000_05, "{successes}: {from} {to}");
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn a_share_lies_within_and_the_borders_are_exact() {
        assert_eq!(interval(0, 0, Z_99), (0.0, 1.0));
        for trials in 1..60 {
            assert_eq!((interval(0, trials, Z_99).0, interval(trials, trials, Z_99).1), (0.0, 1.0));
            for successes in 0..=trials {
                let ((low, high), (back, forth)) =
                    (interval(successes, trials, Z_99), interval(trials - successes, trials, Z_99));
                let share = successes as f64 / trials as f64;
                assert!((0.0..=share).contains(&low) && (share..=1.0).contains(&high), "{successes} of {trials}");
                assert!((low + forth - 1.0).abs() < 1e-12 && (high + back - 1.0).abs() < 1e-12);
            }
        }
    }
}
