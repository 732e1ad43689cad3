//! Properties of every simulated rollout.

use proptest::prelude::{Strategy as Any, *};

use super::*;
use crate::flagger::Strategy;

fn setup(steps: &[u8], interval: i64, pin: Pin, flow: i64, entry: bool) -> Setup {
    Setup { steps: steps.to_vec(), interval, pin, flow, entry, logins: None }
}

fn pins() -> impl Any<Value = Pin> {
    prop_oneof![
        1 => Just(Pin::Nothing),
        1 => Just(Pin::Session),
        4 => (1..1000_i64).prop_map(Pin::For),
        1 => (1..=i64::MAX).prop_map(Pin::For),
    ]
}

fn setups() -> impl Any<Value = Setup> {
    let steps = prop::collection::btree_set(1..=100_u8, 1..8).prop_map(|steps| steps.into_iter().collect());
    let interval = prop_oneof![10..400_i64, 10..31_536_000_i64];
    let flow = prop_oneof![1..600_i64, 1..=86_400_i64];
    let more = prop::option::of(1..10_000_i64);
    (steps, interval, pins(), flow, any::<bool>(), more).prop_map(|(steps, interval, pin, flow, entry, more)| Setup {
        steps,
        interval,
        pin,
        flow,
        entry,
        logins: more.map(|more| flow + more),
    })
}

/// As text: the shares of new and of returning users, and the logins moved, by step; then by the promotion.
fn shown(setup: Setup) -> String {
    let simulation = Simulation::of(setup);
    let all = |of: fn(&Step) -> f64| simulation.steps.iter().map(|step| format!("{:.0}", of(step))).collect::<Vec<_>>();
    let [new, returning, moved] = [all(|step| step.new), all(|step| step.returning), all(|step| step.moved)];
    format!("{} | {} | {} | {:.0}", new.join(" "), returning.join(" "), moved.join(" "), simulation.promotion)
}

/// `tests/e2e/simulated.rs` holds such set-ups against rollouts of a real Flagger and Traefik.
#[test]
fn a_short_pin_lags_a_long_one_starves_the_canary_and_an_entry_moves_nobody() {
    let of = |pin, entry, logins| shown(Setup { logins, ..setup(&[10, 25, 50, 100], 10, pin, 3, entry) });
    assert_eq!(of(Pin::Nothing, false, None), "9 24 48 94 | 9 24 48 94 | 37 70 86 8 | 1");
    assert_eq!(of(Pin::For(300), false, None), "9 24 48 94 | 0 1 2 4 | 0 0 1 1 | 94");
    assert_eq!(of(Pin::For(8), false, None), "9 24 48 94 | 5 18 38 74 | 5 12 19 14 | 1");
    assert_eq!(of(Pin::For(8), true, None), "9 24 48 94 | 5 18 38 74 | 0 0 0 0 | 1");
    // Between two logins, pins are at least as old as a login is long.
    assert_eq!(of(Pin::For(8), true, Some(8)), "9 24 48 94 | 4 15 34 67 | 0 0 0 0 | 1");
}

#[test]
fn without_a_cookie_all_four_requests_have_to_be_drawn_alike() {
    let of = |pin, flow, entry| shown(setup(&[50], 1000, pin, flow, entry));
    assert_eq!(of(Pin::Nothing, 1, false), "50 | 50 | 88 | 50");
    // A pin that is shorter than the time between two requests is no pin; of 3 s it holds two, of 6 s all four.
    let pins = [1, 3, 6].map(|age| of(Pin::For(age), 6, true));
    assert_eq!(pins, ["50 | 50 | 88 | 50", "50 | 50 | 50 | 50", "50 | 50 | 0 | 50"]);
}

#[test]
fn flaggers_zero_sends_one_of_a_hundred_and_one_to_the_primary() {
    let simulation = Simulation::of(setup(&[50, 100], 600, Pin::For(60), 60, true));
    assert_eq!((simulation.promotion, findings(&simulation)), (0.99, vec![]));
}

#[test]
fn what_flagger_does_not_do_is_not_simulated_and_the_reason_is_given() {
    let rollout = |weights: &[i64]| Rollout { step_weights: weights.to_vec(), interval: 60, ..Rollout::default() };
    assert_eq!(steps_of(&rollout(&[10, 50])), Ok(vec![10, 50]));
    let ab = Rollout { strategy: Strategy::AbTesting, ..rollout(&[10]) };
    assert_eq!(steps_of(&ab), Err("an A/B test on Traefik sends everybody to the canary at once"));
    let skipped = Rollout { skips_analysis: true, ..rollout(&[10]) };
    assert_eq!(steps_of(&skipped), Err("Flagger promotes without an analysis, and sends the canary no traffic"));
    assert_eq!(steps_of(&rollout(&[])), Err("its analysis has neither stepWeight nor stepWeights"));
    for weights in [&[0, 10][..], &[20, 10], &[10, 10], &[-1]] {
        let reason = "Flagger needs step weights that rise, from above 0 to at most 100";
        assert_eq!(steps_of(&rollout(weights)), Err(reason), "{weights:?}");
    }
}

/// Goes through a login request by request, for a pin that runs out at each of many times.
fn moved_by_definition(setup: &Setup, begin: f64) -> f64 {
    const FINE: u32 = 60;
    let weights = setup.steps.iter().map(|step| f64::from(*step).min(10_000.0 / 101.0)).collect();
    let course = Course::new(weights, seconds(setup.interval), LAG);
    let end = course.end();
    let (flow, pin) = (seconds(setup.flow), setup.pin.seconds());
    let moved = |start: f64, left: f64| {
        // How probable it is that all requests so far went to the canary, and to the primary.
        let (mut canary, mut primary) = (1.0, 1.0);
        let mut draw = |time: f64| {
            let share = course.at(time) / 100.0;
            canary *= share;
            primary *= 1.0 - share;
        };
        draw(if setup.entry { start } else { start + left - pin });
        let mut runs_out = if setup.entry { pin } else { left };
        for request in 1..REQUESTS {
            let time = flow * f64::from(request) / f64::from(REQUESTS - 1);
            if start + time >= end {
                break;
            }
            if time > runs_out + 1e-9 {
                draw(start + time);
                runs_out = time + pin;
            }
        }
        1.0 - canary - primary
    };
    // Plain loops: without optimisation, iterators take several times as long.
    let middle = |part: u32| (f64::from(part) + 0.5) / f64::from(FINE);
    let mut sum = 0.0;
    for start in 0..FINE {
        for left in 0..FINE {
            sum += moved(begin + seconds(setup.interval) * middle(start), pin * middle(left));
        }
    }
    100.0 * sum / f64::from(FINE * FINE)
}

proptest! {
    #[test]
    fn no_share_is_below_0_or_above_the_weight(setup in setups()) {
        let simulation = Simulation::of(setup);
        for step in &simulation.steps {
            let weight = f64::from(step.weight);
            prop_assert!((0.0..=weight).contains(&step.new) && (0.0..=weight).contains(&step.returning), "{:?}", step);
            prop_assert!(step.returning <= step.new, "{:?}", step);
            prop_assert!((0.0..=100.0).contains(&step.moved), "{:?}", step);
        }
        prop_assert!((0.0..=100.0).contains(&simulation.promotion) && (0.0..=100.0).contains(&simulation.moved));
        for part in 0..=20_u8 {
            let (new, returning) = simulation.shares_at(simulation.length() * f64::from(part) / 20.0);
            prop_assert!((0.0..=100.0).contains(&new) && (0.0..=new).contains(&returning), "{} {}", new, returning);
        }
    }

    #[test]
    fn a_longer_pin_never_raises_the_share_of_those_who_were_there_before(
        setup in setups(), age in 1..100_000_i64, more in 1..100_000_i64,
    ) {
        // Where people log in, a longer pin can end shortly before the next login, and its successor be younger.
        let shares = |pin: Pin| Simulation::of(Setup { pin, logins: None, ..setup.clone() }).steps;
        let pins = [Pin::Nothing, Pin::For(age), Pin::For(age + more), Pin::Session];
        for pair in pins.windows(2) {
            for (short, long) in shares(pair[0]).iter().zip(shares(pair[1])) {
                prop_assert!(long.returning <= short.returning, "{:?} after {:?}", long, short);
            }
        }
    }

    #[test]
    fn with_an_entry_no_login_shorter_than_max_age_is_moved_by_routing(setup in setups(), more in 0..100_i64) {
        for pin in [Pin::For(setup.flow + more), Pin::Session] {
            let simulation = Simulation::of(Setup { pin, entry: true, ..setup.clone() });
            prop_assert!(simulation.steps.iter().all(|step| step.moved == 0.0), "{:?}", simulation.steps);
        }
    }

    #[test]
    fn in_an_improved_set_up_nothing_is_wrong(setup in setups()) {
        let better = improved(&setup);
        prop_assert_eq!(findings(&Simulation::of(better.clone())), vec![], "{:?}", better);
        if findings(&Simulation::of(setup.clone())).is_empty() {
            prop_assert_eq!(better, setup);
        }
    }

    #[test]
    fn logins_are_moved_as_their_requests_are_drawn(
        steps in prop::collection::btree_set(1..=100_u8, 1..4), interval in 30..100_i64, age in 1..100_i64,
        flow in 1..50_i64, entry: bool,
    ) {
        let steps: Vec<u8> = steps.into_iter().collect();
        let setup = setup(&steps, interval, Pin::For(age), flow, entry);
        let simulation = Simulation::of(setup.clone());
        for (begin, step) in simulation.course.begins().zip(&simulation.steps) {
            let expected = moved_by_definition(&setup, begin);
            prop_assert!((expected - step.moved).abs() < 2.5, "{} against {}", step.moved, expected);
        }
    }
}
