//! What people will see in a rollout, as a cohort model. Pure, without random numbers.
//!
//! Traefik never renews its cookie: a pin lasts Max-Age from its beginning, and whoever has none is pinned by the
//! weights of the moment (`pkg/server/service/loadbalancer/wrr/wrr.go`). What is assumed:
//!
//! - People who were there before the rollout come back all the time, so their pins follow each other without a gap,
//!   and began at any time within the last Max-Age. Their share of the canary is the mean weight over that time.
//! - New visitors are drawn by the weight of the moment.
//! - Every check passes: a step lasts one interval, and the promotion begins one interval after the last step.
//!   `stepWeightPromotion` is left out.
//! - Traefik uses new weights one second after Flagger wrote them, the mean of its throttle of two
//!   (`providersThrottleDuration`). CT021 and the durations that the wizard offers leave that out.
//! - At 100, Flagger omits the primary's weight, and Traefik takes it as 1 (`traefik::Weight`).
//! - A login has [`REQUESTS`] requests at equal distances, begins at any time, and is made by somebody who was there
//!   before. A pin that runs out on the way is drawn anew at the next request; without a cookie, each request is.
//! - With an entry, the pin begins anew with the login. Whoever logs in then counts as a new visitor, and the share of
//!   those who were there before is of those who do not; unless it is known how often they do ([`Setup::logins`]), which
//!   makes their pins as old as their last login.
//! - The promotion replaces all of the primary's pods at once. Whoever is on the primary in the middle of a login then
//!   changes version. From then on both tracks have the new version, and no routing changes it.

mod advice;
mod ages;
mod course;
mod logins;
#[cfg(test)]
mod properties;

use self::{ages::ages, course::Course};
use crate::flagger::{Rollout, Strategy};

pub use self::{
    advice::{Finding, findings, improved},
    logins::REQUESTS,
};

/// The longest duration of Go, in seconds.
pub(crate) const LONGEST: i64 = 9_223_372_036;

/// The mean time until Traefik uses new weights, in seconds.
const LAG: f64 = 1.0;
/// The weight of the primary that Flagger omits, as Traefik takes it.
const ZERO_WEIGHT: f64 = 1.0;

/// How long a user stays on a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// For one request: there is no cookie, or browsers delete it at once.
    Nothing,
    /// For this many seconds; positive.
    For(i64),
    /// Until the browser closes, which is after the rollout.
    Session,
}

impl Pin {
    /// Returns how long a cookie with this Max-Age pins: Traefik sends none for 0, and browsers delete a cookie with a
    /// negative one.
    pub fn of_max_age(max_age: Option<i64>) -> Self {
        match max_age {
            None | Some(0) => Self::Session,
            Some(age) if age < 0 => Self::Nothing,
            Some(age) => Self::For(age),
        }
    }

    fn seconds(self) -> f64 {
        self.whole().map_or(f64::INFINITY, seconds)
    }

    /// Returns whole seconds; `None` if it never ends.
    fn whole(self) -> Option<i64> {
        match self {
            Self::Nothing => Some(0),
            Self::For(age) => Some(age),
            Self::Session => None,
        }
    }
}

/// A rollout to simulate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The canary's weights, one per step, rising from at least 1 to at most 100.
    pub steps: Vec<u8>,
    /// Length of a step in seconds; positive.
    pub interval: i64,
    /// How long a user stays on a track.
    pub pin: Pin,
    /// Length of a login in seconds; positive.
    pub flow: i64,
    /// Whether the pin begins anew with each login.
    pub entry: bool,
    /// Seconds from the beginning of one login of somebody who comes back to that of the next, longer than a login;
    /// `None` if they do not log in during the rollout. It matters with an entry alone.
    pub logins: Option<i64>,
}

/// What people see in a rollout. All shares are in percent, to two decimal places.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// The rollout.
    pub setup: Setup,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The logins under way at the promotion that change version by it.
    pub promotion: f64,
    /// All logins of the rollout that change version.
    pub moved: f64,
    course: Course,
}

/// One step; shares are means over it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The canary's weight.
    pub weight: u8,
    /// The canary's share of the page views of new visitors.
    pub new: f64,
    /// The canary's share of the page views of people who were there before the rollout.
    pub returning: f64,
    /// The logins begun in the step that change version by routing.
    pub moved: f64,
}

impl Simulation {
    /// Simulates a rollout.
    pub fn of(setup: Setup) -> Self {
        let weight = |step: &u8| f64::from(*step).min(100.0 * 100.0 / (100.0 + ZERO_WEIGHT));
        let course = Course::new(setup.steps.iter().map(weight).collect(), seconds(setup.interval), LAG);
        let ages = ages(&setup);
        let returning = |begin: f64| -> f64 {
            ages.iter().map(|it| it.part * course.step_mean(begin, it.youngest, it.oldest)).sum()
        };
        let steps: Vec<_> = course
            .begins()
            .zip(&setup.steps)
            .map(|(begin, weight)| Step {
                weight: *weight,
                new: hundredths(course.step_mean(begin, 0.0, 0.0)),
                returning: hundredths(returning(begin)),
                moved: hundredths(logins::moved_by_routing(&course, &setup, begin)),
            })
            .collect();
        let promotion = hundredths(logins::moved_by_promotion(&course, &setup));
        // Who was moved by routing already is not counted again.
        let moved = |(begin, step): (f64, &Step)| {
            step.moved + logins::part_under_way(&course, &setup, begin) * promotion * (1.0 - step.moved / 100.0)
        };
        let moved = hundredths(mean(course.begins().zip(&steps).map(moved)));
        Self { setup, steps, promotion, moved, course }
    }

    /// Returns the mean over the steps, which all take the same time.
    pub fn mean(&self, of: impl Fn(&Step) -> f64) -> f64 {
        hundredths(mean(self.steps.iter().map(of)))
    }

    /// Returns the seconds from the first step to the promotion.
    pub fn length(&self) -> f64 {
        self.course.end()
    }

    /// Returns the canary's share of the page views of new visitors and of people who were there before, at this time.
    pub fn shares_at(&self, time: f64) -> (f64, f64) {
        let (new, ages) = (self.course.at(time), ages(&self.setup));
        let returning: f64 =
            ages.iter().map(|it| it.part * self.course.mean_before(time, it.youngest, it.oldest)).sum();
        (new, returning.min(new))
    }
}

/// Returns the steps that Flagger takes.
///
/// # Errors
///
/// Returns why it takes none, or others than are written.
pub fn steps_of(rollout: &Rollout) -> Result<Vec<u8>, &'static str> {
    if rollout.skips_analysis {
        return Err("Flagger promotes without an analysis, and sends the canary no traffic");
    }
    match rollout.strategy {
        Strategy::Canary => {}
        Strategy::AbTesting => return Err("an A/B test on Traefik sends everybody to the canary at once"),
        Strategy::BlueGreen => return Err("blue/green sends everybody to the canary at once"),
    }
    if rollout.mirrors {
        return Err("Flagger's mirroring never ends on Traefik: the canary gets no traffic");
    }
    let steps = rollout.steps().ok_or("its analysis has neither stepWeight nor stepWeights")?;
    // There are at most 100 of them, if they rise.
    let weights: Option<Vec<u8>> = steps.into_iter().map(|step| u8::try_from(step).ok()).collect();
    weights.filter(|weights| rise(weights)).ok_or("Flagger needs step weights that rise, from above 0 to at most 100")
}

/// Returns whether these are weights of steps: they rise, from above 0 to at most 100.
pub fn rise(weights: &[u8]) -> bool {
    let (first, last) = (weights.first(), weights.last());
    first.is_some_and(|first| *first > 0) && last.is_some_and(|last| *last <= 100) && weights.is_sorted_by(|a, b| a < b)
}

/// Returns for each step of a canary analysis its weight and the canary's share of the page views of people who were
/// there before the rollout, as a mean over the step, both in percent. `max_age` is in seconds. `None` if there are no
/// steps that Flagger would take, or if `max_age` pins nobody.
pub fn returning_shares_of(rollout: &Rollout, max_age: i64) -> Option<Vec<(f64, f64)>> {
    let weights: Vec<f64> = steps_of(rollout).ok()?.into_iter().map(f64::from).collect();
    if ![rollout.interval, max_age].iter().all(|time| (1..=LONGEST).contains(time)) {
        return None;
    }
    let shares = returning_shares(&weights, seconds(rollout.interval), seconds(max_age));
    Some(weights.into_iter().zip(shares).collect())
}

/// Returns the canary's share of the page views of people who were there before the rollout, as a mean over each step,
/// in percent. `weights` are the canary's, one per step, in percent; `interval` is the length of a step and `max_age`
/// that of a pin, both in seconds and positive.
fn returning_shares(weights: &[f64], interval: f64, max_age: f64) -> Vec<f64> {
    let course = Course::new(weights.to_vec(), interval, 0.0);
    course.begins().map(|begin| course.step_mean(begin, 0.0, max_age)).collect()
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    sum / count
}

/// Rounds to two decimal places; never returns -0.
fn hundredths(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0 + 0.0
}

#[expect(clippy::cast_precision_loss, reason = "durations of Go have far fewer than 2^52 seconds")]
fn seconds(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
