//! What is claimed of the guard as a process, on clusters without policies; and of the promotion gate.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use snapbox::str;
use testbed::run::exactly;

use crate::{
    claims::{ALL_ON_CANARY, ALL_ON_PRIMARY, FIVE_STEPS, Weights, assert_generations},
    guards::with,
    rollouts::PROCESSES,
    shop::{Generation, NAME, sticky},
    webhook::{MAX_AGE, SHORT_MAX_AGE, Verified, sticky_of},
};

/// What the gate waits longer than the cookies hold: whole seconds in the server's times, and Traefik's throttle.
const SLACK: u64 = 3;
/// So many plain writes take a second where a machine has nothing else to do: 2 ms each.
const A_SECOND: usize = 500;
/// How often Flagger asks, in seconds.
const INTERVAL: u64 = 10;

const LAST_STEP_100: &[Weights] =
    &[ALL_ON_PRIMARY, FIVE_STEPS[1], FIVE_STEPS[3], FIVE_STEPS[5], ALL_ON_CANARY, ALL_ON_PRIMARY];

pub(crate) fn every_generation_of_a_rollout_guarded_by_processes_has_the_declared_cookie() {
    let webhook = PROCESSES.webhook.get();
    assert_generations(&webhook.nothing.rollout, FIVE_STEPS, |_| Value::Null);
    assert_generations(&webhook.half.rollout, FIVE_STEPS, |_| sticky());
    assert_generations(&webhook.timed.rollout, LAST_STEP_100, |_| sticky_of(SHORT_MAX_AGE));
    assert_generations(&webhook.gated.rollout, LAST_STEP_100, |_| sticky_of(MAX_AGE));
    for (name, visited) in [("half", &webhook.half), ("timed", &webhook.timed), ("gated", &webhook.gated)] {
        assert_eq!(visited.seen.without, Duration::ZERO, "{name}: Traefik was without the cookie");
        assert_ne!(visited.seen.with, Duration::ZERO, "{name}");
    }
}

pub(crate) fn with_processes_that_guard_no_login_changes_version_by_routing() {
    let webhook = PROCESSES.webhook.get();
    assert_ne!(webhook.nothing.count.changed_by_routing, 0);
    for (name, visited) in [("half", &webhook.half), ("timed", &webhook.timed), ("gated", &webhook.gated)] {
        assert_eq!(visited.count.changed_by_routing, 0, "{name}");
    }
    for visited in [&webhook.nothing, &webhook.half, &webhook.timed, &webhook.gated] {
        assert_eq!(visited.failures, [""; 0]);
        assert_ne!(visited.count.new_version, 0, "nobody came to the new version");
    }
}

pub(crate) fn certificates_that_hold_for_20_s_are_renewed_throughout_rollouts_without_a_failed_call() {
    let webhook = PROCESSES.webhook.get();
    assert_eq!(webhook.failed_calls, 0, "{:?}", webhook.failed_open);
    assert_eq!(with(&webhook.lines, "repaired").len(), 0);
    assert!(renewals(&webhook.lines) >= 4, "{} renewals", renewals(&webhook.lines));
}

/// How often certificates were renewed.
pub(crate) fn renewals(lines: &[Value]) -> usize {
    // The first ones are no renewal.
    with(lines, "certificates written").len() - 1
}

pub(crate) fn with_repairs_alone_each_write_of_flaggers_is_stored_without_the_cookie_and_has_exactly_one_repair() {
    let looped = PROCESSES.looped.get();
    let twice: Vec<_> = FIVE_STEPS.iter().flat_map(|weights| [*weights, *weights]).collect();
    assert_generations(&looped.visited.rollout, &twice, |at| if at % 2 == 0 { Value::Null } else { sticky() });
    let lost_by: Vec<_> = looped.repairs.iter().map(|line| line["lost_by"].as_str()).collect();
    assert_eq!(lost_by, [Some("flagger"); FIVE_STEPS.len()]);
    // Whether Traefik sees a loss before its repair, and whom it moves then, is chance: the figures tell.
}

pub(crate) fn flagger_waits_at_the_gate_until_the_cookies_of_the_primary_have_run_out() {
    let webhook = PROCESSES.webhook.get();
    let since = |phase: &str| -> jiff::Timestamp {
        let is = |canary: &&Value| canary["status"]["phase"] == phase;
        transition(webhook.canaries.iter().find(is).unwrap_or_else(|| panic!("it was never in phase {phase}")))
    };
    let after =
        |time: jiff::Timestamp| Duration::try_from(time.duration_since(webhook.emptied)).expect("in this order");
    let promoted = after(since("Promoting"));
    assert!(promoted >= Duration::from_secs(MAX_AGE), "{promoted:?}");
    // Each time that Flagger asks and has to wait, it writes so; and it waits no longer than it has to.
    let waiting = webhook.canaries.iter().filter(|canary| canary["status"]["phase"] == "WaitingPromotion");
    let refused = waiting.map(|canary| after(transition(canary))).max().expect("it has to wait");
    assert!(refused < Duration::from_secs(MAX_AGE + SLACK + INTERVAL), "{refused:?}");
    assert_ne!(with(&webhook.lines, "promotion has to wait").len(), 0);
    assert_ne!(with(&webhook.lines, "promotion may start").len(), 0);
}

pub(crate) fn flagger_promotes_a_canary_whose_cookie_sticks_and_rolls_back_one_whose_cookie_does_not_and_says_why() {
    let [sticking, stopped] = &PROCESSES.webhook.get().verified;
    assert_eq!([&sticking.phase, &stopped.phase], ["Succeeded", "Failed"]);
    let weights = |verified: &Verified| -> Vec<Vec<Option<u64>>> {
        let generations = verified.rollout.generations.iter();
        generations.map(|generation| generation.weights.iter().map(|(_, weight)| *weight).collect()).collect()
    };
    assert_eq!(weights(stopped), [vec![Some(100)], vec![Some(90), Some(10)], vec![Some(100)]]);
    // What else a check finds depends on which tracks were drawn; what else Flagger warns of, on how long pods take.
    let halts = |verified: &Verified| -> BTreeSet<String> {
        let warnings = verified.rollout.warnings.iter().filter_map(|warning| warning.split_once(" external check "));
        warnings.map(|(_, check)| check.split("; ").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(halts(sticking), BTreeSet::new());
    exactly(
        &halts(stopped).into_iter().collect::<Vec<_>>().join("\n"),
        str![[r#"
sticky failed the cookie does not stick: browsers do not send the cookie to http://NS.example:8000/auth and 2 more pages: its Path is /login
"#]],
    );
}

/// When the Canary came into its phase, or said so again.
fn transition(canary: &Value) -> jiff::Timestamp {
    canary["status"]["lastTransitionTime"].as_str().and_then(|time| time.parse().ok()).expect("a time")
}

pub(crate) fn when_the_cookies_of_the_primary_run_out_first_at_most_one_login_in_500_changes_version_promotion_included()
 {
    let webhook = PROCESSES.webhook.get();
    for (name, count) in [("interval", webhook.timed.count), ("gate", webhook.gated.count)] {
        // One alone is no share of anything.
        assert!(count.changed() <= 1.max(count.logins / 500), "{name}: {count:?}");
    }
    // There is something to be won: without the gate promotion moves those who are pinned to the primary.
    assert!(webhook.half.count.changed_by_promotion * 500 > webhook.half.count.logins, "{:?}", webhook.half.count);
}

pub(crate) fn of_two_processes_a_kill_costs_each_writer_at_most_the_answer_in_flight_and_what_was_lost_is_repaired() {
    let faulty = PROCESSES.faulty.get();
    let (without, rest): (Vec<_>, Vec<_>) =
        faulty.rollout.generations.iter().enumerate().partition(|(_, one)| one.sticky == Value::Null);
    let [before, after] = faulty.gone;
    let outside: Vec<_> = without.iter().filter(|(at, _)| !(before..after).contains(at)).collect();
    for (at, one) in &outside {
        // Only before that is anybody killed; the API server's restarts, which come after it, cost nothing.
        let why = || faulty.failed_open.iter().rev().take(5).cloned().collect::<Vec<_>>().join("\n");
        assert!(*at < before, "lost while processes were there: {one:?}\n{}", why());
        let next = faulty.rollout.generations.get(at + 1).unwrap_or_else(|| panic!("never repaired: {one:?}"));
        assert_eq!((&next.weights, &next.sticky), (&one.weights, &sticky()), "{one:?}");
    }
    assert!(rest.iter().all(|(_, one)| one.sticky == sticky()), "{rest:?}");
    let numbers: Vec<_> = faulty.rollout.generations.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "a generation was not seen");
    assert_eq!(steps(&faulty.rollout.generations), [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 0]);
    // Two write at the same time, each one object after the other: whoever is killed in mid-answer takes at most one
    // answer of each with it.
    let replayed = faulty.replayed.iter().filter(|has_sticky| !**has_sticky).count();
    assert!(outside.len() <= faulty.kills, "{} of Flagger's at {} kills", outside.len(), faulty.kills);
    assert!(replayed <= faulty.kills, "{replayed} of {} at {} kills", faulty.replayed.len(), faulty.kills);
    assert!(faulty.kills >= 4 && faulty.replayed.len() > 100, "{} kills, {}", faulty.kills, faulty.replayed.len());
}

/// The weights of the canary, one after the other.
fn steps(generations: &[Generation]) -> Vec<u64> {
    let mut steps: Vec<_> = generations
        .iter()
        .map(|one| {
            one.weights.iter().find(|(name, _)| name == "shop-canary").and_then(|(_, weight)| *weight).unwrap_or(0)
        })
        .collect();
    steps.dedup();
    steps
}

pub(crate) fn while_no_process_answers_writes_pass_in_two_seconds_and_each_loss_is_repaired_within_one_of_the_return() {
    let faulty = PROCESSES.faulty.get();
    // Two seconds, and what a busy machine's clocks are late.
    let slow: Vec<_> = faulty.asked.iter().filter(|took| **took > Duration::from_millis(2_500)).collect();
    assert!(slow.is_empty(), "of {} writes {slow:?}", faulty.writes.len());
    assert_eq!(faulty.lost.len(), 21, "{:?}", faulty.lost);
    let text = |line: &Value, key: &str| line[key].as_str().expect("a line has it").to_owned();
    let repaired = with(&faulty.lines, "repaired");
    let name = |line: &&Value| text(line, "name").rsplit_once('/').expect("a namespace").1.to_owned();
    let mut names: Vec<_> = repaired.iter().map(name).collect();
    names.sort();
    let mut lost = faulty.lost.clone();
    lost.sort();
    // Where Flagger's own next write came before the repair, the guard put the cookie into it, and there was nothing left to
    // repair.
    let generations = &faulty.rollout.generations;
    let at = generations.iter().rposition(|one| one.sticky == Value::Null).expect("one was lost");
    let next = generations.get(at + 1).expect("it came back");
    assert_eq!(next.sticky, sticky());
    if next.weights != generations[at].weights {
        lost.retain(|name| name != NAME);
    }
    assert_eq!(names, lost, "each loss has one line");
    let time = |line: &Value| -> jiff::Timestamp { text(line, "time").parse().expect("a time") };
    let back = with(&faulty.lines, "listening").into_iter().map(time).min().expect("somebody came back");
    let last = repaired.into_iter().map(time).max().expect("somebody repaired");
    let took = Duration::try_from(last.duration_since(back)).expect("in this order");
    // Of a machine that has other work a second is less: then what others got done meanwhile is counted.
    let beside = faulty.pace.iter().filter(|time| (back..=last).contains(time)).count();
    assert!(took <= Duration::from_secs(1) || beside <= A_SECOND, "{took:?}, in which {beside} plain writes were done");
}
