//! What `simulate` computes, held against what people who come back saw.

use std::time::Duration;

use canary_traefik::simulate::{Pin, Setup, Simulation};

use crate::{
    entry,
    people::{self, BETWEEN_LOGINS, LOGIN},
    rollouts::{INTERVAL_MAX_AGE, PROCESSES, ROLLOUTS, Visited},
    webhook::SHORT_MAX_AGE,
};

/// From Flagger's write until Traefik has the weights, as `simulate` assumes.
const LAG: Duration = Duration::from_secs(1);

/// The half of an interval of confidence, in standard deviations: 99 % for all 21 steps of the five set-ups together, since
/// each of them can fail the suite.
const CONFIDENCE: f64 = 3.5;

/// Asserts that at each step the measured share is within its interval of confidence around the one that is simulated, by
/// the number of pins that the page views were made with.
#[expect(clippy::cast_precision_loss, reason = "some hundred pins")]
fn assert_simulated(visited: &Visited, steps: &[u8], interval: u64, pin: Pin, entry: bool) {
    let setup = Setup {
        steps: steps.to_vec(),
        interval: interval.try_into().expect("some seconds"),
        pin,
        flow: LOGIN,
        entry,
        logins: Some(BETWEEN_LOGINS),
    };
    let simulation = Simulation::of(setup);
    let interval = Duration::from_secs(interval);
    let shares = people::step_shares(&visited.returning, &visited.seen.weights, LAG, interval);
    assert_eq!(shares.len(), steps.len(), "{shares:?}");
    for (step, share) in simulation.steps.iter().zip(shares) {
        // Without a cookie, each request is drawn.
        let drawn = if pin == Pin::Nothing { share.views } else { share.pins + share.held };
        let chance = CONFIDENCE * (step.returning * (100.0 - step.returning) / drawn as f64).sqrt();
        let measured = share.percent();
        assert!(
            (measured - step.returning).abs() <= chance,
            "{share:?} is {measured:.1} %, {step:?} within {chance:.1}"
        );
    }
}

const HALF: [u8; 5] = [10, 20, 30, 40, 50];

pub(crate) fn without_a_cookie_people_see_what_is_simulated_at_every_step() {
    assert_simulated(ROLLOUTS.nothing.get(), &HALF, 10, Pin::Nothing, false);
}

pub(crate) fn with_a_max_age_longer_than_the_rollout_people_see_what_is_simulated_at_every_step() {
    assert_simulated(ROLLOUTS.guarded.get(), &HALF, 10, Pin::For(300), false);
}

pub(crate) fn with_a_max_age_as_long_as_a_step_people_see_what_is_simulated_at_every_step() {
    assert_simulated(ROLLOUTS.interval.get(), &HALF, 10, Pin::For(INTERVAL_MAX_AGE), false);
}

pub(crate) fn with_a_max_age_of_half_a_step_people_see_what_is_simulated_at_every_step() {
    let pin = Pin::For(SHORT_MAX_AGE.try_into().expect("some seconds"));
    assert_simulated(&PROCESSES.webhook.get().timed, &[10, 30, 50, 100], 10, pin, false);
}

pub(crate) fn with_an_entry_people_who_log_in_see_what_is_simulated_at_every_step() {
    let pin = Pin::For(entry::MAX_AGE.try_into().expect("some seconds"));
    let entered = &PROCESSES.webhook.get().entered.visited;
    assert_simulated(entered, &[10, 25, 50, 100], 30, pin, true);
}
