//! Logins that change version on the way: by routing, and by the promotion.

use super::{Setup, course::Course, seconds};

/// The requests of a login: to the application, and back to it by way of an identity provider.
pub const REQUESTS: u8 = 4;
/// A mean over a step is taken at this many times.
const TIMES: u8 = 60;

/// Returns how many of the logins that begin in this step change version by routing, in percent.
pub(super) fn moved_by_routing(course: &Course, setup: &Setup, begin: f64) -> f64 {
    let interval = seconds(setup.interval);
    let times = (0..TIMES).map(|time| begin + interval * (f64::from(time) + 0.5) / f64::from(TIMES));
    let kept: f64 = times.map(|start| kept(course, setup, start)).sum();
    (100.0 * (1.0 - kept / f64::from(TIMES))).clamp(0.0, 100.0)
}

/// Returns how many of the logins that are under way at the promotion change version by it, in percent: those on the
/// primary.
pub(super) fn moved_by_promotion(course: &Course, setup: &Setup) -> f64 {
    let pin = setup.pin.seconds();
    // With an entry, their pins are no older than they are themselves.
    let age = if setup.entry { pin.min(seconds(setup.flow)) } else { pin };
    100.0 - course.mean_before(course.end(), 0.0, age)
}

/// Returns how much of a step falls into the time in which the logins began that are under way at the promotion.
pub(super) fn part_under_way(course: &Course, setup: &Setup, begin: f64) -> f64 {
    let interval = seconds(setup.interval);
    ((begin + interval - (course.end() - seconds(setup.flow))) / interval).clamp(0.0, 1.0)
}

/// Returns the probability that a login which begins at this time is on one track from its first request to its last
/// one before the promotion.
fn kept(course: &Course, setup: &Setup, start: f64) -> f64 {
    let (flow, pin) = (seconds(setup.flow), setup.pin.seconds());
    let after = |request: u8| flow * f64::from(request) / f64::from(REQUESTS - 1);
    // Afterwards both tracks have the new version.
    let requests = (0..REQUESTS).filter(|request| *request == 0 || start + after(*request) < course.end()).count();
    // The probabilities that all pins drawn from this request on are for the canary, and for the primary.
    let all_alike = |first: u8| {
        let drawn = (first..REQUESTS).take(requests.saturating_sub(first.into())).step_by(requests_per_pin(setup));
        drawn
            .map(|request| course.at(start + after(request)) / 100.0)
            .fold((1.0, 1.0), |(canary, primary), share| (canary * share, primary * (1.0 - share)))
    };
    if setup.entry || pin == 0.0 {
        let (canary, primary) = all_alike(0);
        return canary + primary;
    }
    // The pin that is there runs out before one of the requests, with equal probability at any time within Max-Age.
    let (mut kept, mut lasts) = (0.0, 1.0);
    for request in (1..REQUESTS).take(requests - 1) {
        let (from, to) = (after(request - 1), after(request).min(pin));
        let runs_out = (to - from) / pin;
        // What is less is a rounding error of an instant.
        if runs_out < 1e-9 {
            break;
        }
        let was_canary = course.mean(start + from - pin, start + to - pin) / 100.0;
        let (canary, primary) = all_alike(request);
        kept += runs_out * (was_canary * canary + (1.0 - was_canary) * primary);
        lasts -= runs_out;
    }
    kept + lasts
}

/// Returns how many requests of a login come before a pin that began with one of them runs out, that one included.
fn requests_per_pin(setup: &Setup) -> usize {
    let last = i128::from(REQUESTS - 1);
    let within = setup.pin.whole().map_or(last, |pin| i128::from(pin) * last / i128::from(setup.flow));
    usize::try_from(within.min(last)).unwrap_or_default() + 1
}
