//! What is wrong with a rollout as it is simulated, and a set-up in which it is not.

use super::{Pin, Setup, Simulation};

/// Less than this share of the logins is not worth a word, in percent. Flagger's zero is below it.
const NOTABLE: f64 = 1.0;
/// Seconds from the beginning of a step until no new visitor is sent by the weights before it any more: Traefik's
/// throttle, and one to round up (as in `guard::gate`).
const SLACK: i64 = 3;

/// Something that people or Flagger will not like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// This share of the logins changes version by routing, in percent.
    Routing(f64),
    /// People who were there before see the canary in less than half of the page views that they should.
    Starved {
        /// Their share, in percent, as a mean over the steps.
        seen: f64,
        /// That of new visitors.
        wanted: f64,
    },
    /// This share of the logins under way at the promotion changes version by it, in percent.
    Promotion(f64),
}

/// Returns what is wrong.
pub fn findings(simulation: &Simulation) -> Vec<Finding> {
    let [wanted, seen, routing] =
        [simulation.mean(|step| step.new), simulation.mean(|step| step.returning), simulation.mean(|step| step.moved)];
    let mut findings = Vec::new();
    if seen * 2.0 < wanted {
        findings.push(Finding::Starved { seen, wanted });
    }
    if routing >= NOTABLE {
        findings.push(Finding::Routing(routing));
    }
    if simulation.promotion >= NOTABLE {
        findings.push(Finding::Promotion(simulation.promotion));
    }
    findings
}

/// Returns a set-up with as few changes as possible in which nothing is wrong.
pub fn improved(setup: &Setup) -> Setup {
    let mut setup = setup.clone();
    // Each change is made once at most, apart from the interval.
    while let Some(better) = findings(&Simulation::of(setup.clone())).into_iter().find_map(|it| without(&setup, it)) {
        setup = better;
    }
    setup
}

/// Returns the set-up with a change against this finding; `None` if there is none.
fn without(setup: &Setup, finding: Finding) -> Option<Setup> {
    let mut better = setup.clone();
    let for_flow = Pin::For(setup.flow);
    let lasts = |age: i64| setup.interval.max(age.saturating_add(SLACK));
    match finding {
        Finding::Starved { .. } => match setup.pin {
            // At a first step, a pin of this length costs a fifth of the share: what is missing at the beginning of a step
            // is half of Max-Age, and Traefik's throttle.
            Pin::For(age) if age <= setup.flow => {
                better.interval = setup.interval.max(age.saturating_mul(5) / 2).saturating_add(5);
            }
            _ => better.pin = for_flow,
        },
        Finding::Routing(_) => match setup.pin {
            Pin::Nothing => better.pin = for_flow,
            Pin::For(age) if setup.entry && age < setup.flow => better.pin = for_flow,
            _ => better.entry = true,
        },
        Finding::Promotion(_) if setup.steps.last() != Some(&100) => better.steps.push(100),
        Finding::Promotion(_) => {
            let pin = setup.pin.whole();
            match if setup.entry { pin.map(|age| age.min(setup.flow)).or(Some(setup.flow)) } else { pin } {
                Some(age) => better.interval = lasts(age),
                None => better.pin = for_flow,
            }
        }
    }
    (better != *setup).then_some(better)
}
