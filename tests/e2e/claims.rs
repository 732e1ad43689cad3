//! What is claimed of the guard, and what the rollouts without it show, so that the claims mean something.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use crate::{
    people::{self, Share},
    rollouts::{ROLLOUTS, Rollout, Visited},
    shop::{Generation, other_sticky, sticky},
};

/// The weights of the two tracks, as stored.
pub(crate) type Weights = &'static [(&'static str, Option<u64>)];

pub(crate) const ALL_ON_PRIMARY: Weights = &[("shop-primary", Some(100))];
/// Flagger writes no weight of 0.
pub(crate) const ALL_ON_CANARY: Weights = &[("shop-primary", None), ("shop-canary", Some(100))];

pub(crate) const FIVE_STEPS: &[Weights] = &[
    ALL_ON_PRIMARY,
    &[("shop-primary", Some(90)), ("shop-canary", Some(10))],
    &[("shop-primary", Some(80)), ("shop-canary", Some(20))],
    &[("shop-primary", Some(70)), ("shop-canary", Some(30))],
    &[("shop-primary", Some(60)), ("shop-canary", Some(40))],
    &[("shop-primary", Some(50)), ("shop-canary", Some(50))],
    ALL_ON_PRIMARY,
];
const ROLLED_BACK: &[Weights] = &[FIVE_STEPS[0], FIVE_STEPS[1], FIVE_STEPS[2], ALL_ON_PRIMARY];
const A_B: &[Weights] = &[ALL_ON_PRIMARY, ALL_ON_CANARY, ALL_ON_PRIMARY];

/// Asserts that the generations are exactly these, from the first on and none missed, each with this cookie.
pub(crate) fn assert_generations(rollout: &Rollout, weights: &[Weights], sticky: impl Fn(usize) -> Value) {
    let expected = weights.iter().enumerate().map(|(at, weights)| Generation {
        number: at as u64 + 1,
        weights: weights.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect(),
        sticky: sticky(at),
    });
    let lines = |generations: &[Generation]| generations.iter().map(ToString::to_string).collect::<String>();
    let expected: Vec<_> = expected.collect();
    assert!(
        rollout.generations == expected,
        "expected these generations\n{}but there were\n{}",
        lines(&expected),
        lines(&rollout.generations)
    );
}

pub(crate) fn every_generation_of_a_guarded_rollout_has_the_declared_cookie_from_create_on() {
    assert_generations(&ROLLOUTS.guarded.get().rollout, FIVE_STEPS, |_| sticky());
}

pub(crate) fn a_guarded_rollout_has_the_weights_of_an_unguarded_one_generation_for_generation() {
    let weights = |visited: &Visited| -> Vec<_> {
        visited.rollout.generations.iter().map(|one| (one.number, one.weights.clone())).collect()
    };
    assert_eq!(weights(ROLLOUTS.guarded.get()), weights(ROLLOUTS.nothing.get()));
}

pub(crate) fn a_guarded_rollout_has_no_warning_that_an_unguarded_one_has_not() {
    let (guarded, control) = (&ROLLOUTS.guarded.get().rollout.warnings, &ROLLOUTS.nothing.get().rollout.warnings);
    // Both wait for pods, so that there is something to see. For how many of them, and which, is chance.
    assert_ne!(*control, BTreeSet::new());
    let more =
        guarded.difference(control).filter(|warning| !warning.contains(" not ready: waiting for rollout to finish"));
    assert_eq!(more.collect::<Vec<_>>(), [""; 0]);
}

pub(crate) fn a_cookie_patched_once_is_lost_at_the_first_step() {
    let mut weights = FIVE_STEPS.to_vec();
    weights.insert(1, ALL_ON_PRIMARY);
    let patched = |at| if at == 1 { sticky() } else { Value::Null };
    assert_generations(&ROLLOUTS.patched.get().rollout, &weights, patched);
}

pub(crate) fn a_rollout_without_guard_has_no_cookie() {
    assert_generations(&ROLLOUTS.nothing.get().rollout, FIVE_STEPS, |_| Value::Null);
}

pub(crate) fn a_canary_created_with_its_declaration_has_the_cookie_in_every_generation() {
    assert_generations(&ROLLOUTS.created_later.get().rollout, FIVE_STEPS, |_| sticky());
}

pub(crate) fn a_declaration_changed_in_mid_rollout_is_what_the_next_generation_has() {
    assert_generations(ROLLOUTS.redeclared.get(), FIVE_STEPS, |at| match at {
        2 | 3 => sticky(),
        4 | 5 => other_sticky(),
        _ => Value::Null,
    });
}

pub(crate) fn an_undeclared_cookie_goes_with_the_next_write_in_whatever_order_the_policies_run() {
    let stickies = ROLLOUTS.undeclared.get();
    let left = stickies.iter().filter(|sticky| **sticky != Value::Null).count();
    assert_eq!(left, 0, "a cookie was left in {left} of {} orders", stickies.len());
    assert_ne!(stickies.len(), 0);
}

pub(crate) fn a_rollback_keeps_the_cookie() {
    assert_generations(ROLLOUTS.rolled_back.control.get(), ROLLED_BACK, |_| Value::Null);
    assert_generations(ROLLOUTS.rolled_back.guarded.get(), ROLLED_BACK, |_| sticky());
}

pub(crate) fn an_a_b_test_keeps_the_cookie() {
    assert_generations(ROLLOUTS.a_b.control.get(), A_B, |_| Value::Null);
    assert_generations(ROLLOUTS.a_b.guarded.get(), A_B, |_| sticky());
}

pub(crate) fn a_paused_rollout_stands_still_and_keeps_the_cookie_when_it_goes_on() {
    let (control, guarded) = (ROLLOUTS.paused.control.get(), ROLLOUTS.paused.guarded.get());
    assert_eq!((control.changed_while_paused, guarded.changed_while_paused), (false, false));
    assert_generations(&control.rollout, FIVE_STEPS, |_| Value::Null);
    assert_generations(&guarded.rollout, FIVE_STEPS, |_| sticky());
}

pub(crate) fn a_restart_of_the_api_server_in_mid_rollout_loses_no_cookie() {
    let restarted = ROLLOUTS.restarted.get();
    assert_eq!(restarted.generations_before, 3, "the server was killed after the second step");
    assert_generations(&restarted.rollout, FIVE_STEPS, |_| sticky());
}

pub(crate) fn no_login_fails() {
    for (name, visited) in set_ups() {
        assert_eq!(visited.failures, [""; 0], "{name}");
        assert_eq!(visited.seen.absent, Duration::ZERO, "{name}: Traefik had no such TraefikService");
        assert_ne!(visited.count.new_version, 0, "{name}: nobody came to the new version");
    }
}

pub(crate) fn without_a_cookie_logins_change_version_by_routing() {
    assert_ne!(ROLLOUTS.nothing.get().count.changed_by_routing, 0);
    assert_ne!(ROLLOUTS.patched.get().count.changed_by_routing, 0);
}

pub(crate) fn with_the_guard_no_login_changes_version_by_routing() {
    assert_eq!(ROLLOUTS.guarded.get().count.changed_by_routing, 0);
}

pub(crate) fn with_the_guard_traefik_is_never_without_the_cookie() {
    let (guarded, patched) = (&ROLLOUTS.guarded.get().seen, &ROLLOUTS.patched.get().seen);
    assert_eq!(guarded.without, Duration::ZERO);
    assert_ne!(guarded.with, Duration::ZERO);
    assert_ne!(patched.without, Duration::ZERO);
}

#[expect(clippy::cast_precision_loss, reason = "some hundred page views")]
pub(crate) fn without_a_cookie_people_who_come_back_see_the_canary_as_its_weight_says() {
    let shares = shares(ROLLOUTS.nothing.get());
    assert_eq!(shares.iter().map(|share| share.weight).collect::<Vec<_>>(), [10, 20, 30, 40, 50]);
    for share in shares {
        // What chance does in 1 of 1,000 steps.
        let weight = share.weight as f64;
        let chance = 3.3 * (weight * (100.0 - weight) / share.views as f64).sqrt();
        assert!(
            (share.percent() - weight).abs() <= chance,
            "{share:?} is {:.1} %, not within {chance:.1}",
            share.percent()
        );
    }
}

pub(crate) fn a_max_age_longer_than_the_rollout_keeps_people_who_come_back_off_the_canary_until_it_has_succeeded() {
    let guarded = ROLLOUTS.guarded.get();
    let shares = shares(guarded);
    assert_eq!(shares.iter().map(|share| (share.weight, share.of_canary)).collect::<Vec<_>>(), FIVE_STEPS_UNSEEN);
    let views: usize = shares.iter().map(|share| share.views).sum();
    assert!(views > 100, "{views} page views");
    // Their logins stay on one track, for what that is worth.
    assert_eq!(people::rerouted(&guarded.returning), 0);
    assert_ne!(people::rerouted(&ROLLOUTS.nothing.get().returning), 0);
}

/// The weights of the canary, and how many page views it had.
const FIVE_STEPS_UNSEEN: [(u64, usize); 5] = [(10, 0), (20, 0), (30, 0), (40, 0), (50, 0)];

fn shares(visited: &Visited) -> Vec<Share> {
    people::shares(&visited.returning, &visited.seen.weights)
}

fn set_ups() -> [(&'static str, &'static Visited); 3] {
    [("nothing", ROLLOUTS.nothing.get()), ("patched once", ROLLOUTS.patched.get()), ("guard", ROLLOUTS.guarded.get())]
}
