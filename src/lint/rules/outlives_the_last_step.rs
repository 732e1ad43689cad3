//! CT049: the cookie outlives the last step of 100.

use super::{NOTABLE, Problem, Rule};
use crate::{
    lint::{Place, Severity, subject::Subject},
    model::Cookie,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT049",
    severity: Severity::Warning,
    title: "The cookie outlives the last step of 100",
    why: "A last step of 100 drains the primary before the promotion replaces its pods, but users pinned to the primary stay there until the cookie expires. Reported if at least a tenth of the logins under way are still there. Not reported with a confirm-promotion webhook, which can wait for that.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
spec:
  analysis:
    interval: 1m
    stepWeights: [10, 50, 100]",
    mended: &[
        ("Max-Age=300", "Max-Age=60\n    kubectl-canary-traefik/entry: /login"),
        ("interval: 1m", "interval: 2m35s"),
    ],
    fix: "Make the interval a few seconds longer than Max-Age, or Max-Age shorter. With an entry, Max-Age only has to last for one login.",
    source: "src/simulate; docs/promotion.md",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(simulation) = subject.simulation() else { return Vec::new() };
    // Whoever opens the gate can wait until the primary is drained, as the gate of `guard run` does.
    if subject.rollout().has_promotion_gate {
        return Vec::new();
    }
    if simulation.setup.steps.last() != Some(&100) || simulation.promotion < NOTABLE {
        return Vec::new();
    }
    let lasts = match subject.cookie().and_then(Cookie::max_age) {
        Some(age) if age > 0 => format!("Max-Age={age}"),
        _ => "a session cookie".to_owned(),
    };
    Problem::new(
        format!(
            "with {lasts} and an interval of {} s, {:.0} % of the logins under way are still on the primary when the promotion replaces it",
            simulation.setup.interval, simulation.promotion
        ),
        "make Max-Age a few seconds shorter than the interval, or the interval longer; with an entry, Max-Age only has to last for one login",
    )
    .at(Place::of_canary(&["spec", "analysis", "interval"]))
}
