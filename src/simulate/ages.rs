//! How old the pins are behind the page views of people who come back.

use super::{Setup, seconds};

/// Pins of these ages, equally frequent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ages {
    /// The youngest and the oldest, in seconds. Both are 0 without a cookie; the oldest is infinite if pins do not end.
    pub(super) youngest: f64,
    pub(super) oldest: f64,
    /// Their part of all page views; all parts add up to 1.
    pub(super) part: f64,
}

/// Returns the ages of the pins of those who come back in this set-up.
pub(super) fn ages(setup: &Setup) -> Vec<Ages> {
    let (pin, flow) = (setup.pin.seconds(), seconds(setup.flow));
    // Their views are between two logins, and the pin of a login is followed by others if it runs out before the next.
    match setup.logins.map(seconds).filter(|logins| setup.entry && pin > 0.0 && *logins > flow) {
        Some(logins) => between(flow, logins, pin),
        None => vec![Ages { youngest: 0.0, oldest: pin, part: 1.0 }],
    }
}

/// Returns the ages between two times after the beginning of a first pin that others follow without a gap.
fn between(from: f64, to: f64, pin: f64) -> Vec<Ages> {
    let pins = |time: f64| (time / pin).floor();
    let (first, last) = (pins(from), pins(to));
    // No longer than all of it: with a pin that does not end there is no second one.
    let age = |time: f64, pins: f64| if pins == 0.0 { time } else { (time - pins * pin).clamp(0.0, pin) };
    let (begin, end) = (age(from, first), age(to, last));
    let ranges = if last - first < 1.0 {
        vec![(begin, end, 1.0)]
    } else {
        vec![(begin, pin, 1.0), (0.0, pin, last - first - 1.0), (0.0, end, 1.0)]
    };
    let lasts = |(youngest, oldest, times): &(f64, f64, f64)| (oldest - youngest) * times;
    let all: f64 = ranges.iter().map(lasts).sum();
    ranges
        .iter()
        .filter(|range| lasts(range) > 0.0)
        .map(|range| Ages { youngest: range.0, oldest: range.1, part: lasts(range) / all })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Pin;

    fn shown(pin: Pin, flow: i64, logins: Option<i64>, entry: bool) -> String {
        let setup = Setup { steps: vec![10], interval: 60, pin, flow, entry, logins };
        let all = ages(&setup);
        let all: Vec<_> = all.iter().map(|it| format!("{}..{} {:.2}", it.youngest, it.oldest, it.part)).collect();
        all.join(", ")
    }

    #[test]
    fn pins_are_as_old_as_the_last_login_and_then_as_the_pin_that_followed_its_own() {
        for (pin, logins, expected) in [
            (Pin::For(15), Some(8), "3..8 1.00"),
            (Pin::For(15), Some(15), "3..15 1.00"),
            (Pin::For(15), Some(20), "3..15 0.71, 0..5 0.29"),
            (Pin::For(15), Some(50), "3..15 0.26, 0..15 0.64, 0..5 0.11"),
            (Pin::For(2), Some(8), "1..2 0.20, 0..2 0.80"),
            (Pin::Session, Some(8), "3..8 1.00"),
            (Pin::For(15), Some(3), "0..15 1.00"),
            (Pin::For(15), None, "0..15 1.00"),
            (Pin::Nothing, Some(8), "0..0 1.00"),
        ] {
            assert_eq!(shown(pin, 3, logins, true), expected, "{pin:?} {logins:?}");
        }
        assert_eq!(shown(Pin::For(15), 3, Some(8), false), "0..15 1.00", "without an entry a login begins no pin");
    }
}
