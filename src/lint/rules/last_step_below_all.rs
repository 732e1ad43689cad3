//! CT043: with an entry, a last step below 100.

use super::{Problem, Rule};
use crate::{
    flagger::Strategy,
    lint::{Place, Severity, subject::Subject},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT043",
    severity: Severity::Warning,
    title: "With an entry, a last step below 100",
    why: "With an entry the last step can drain the primary before the promotion replaces its pods, but only if it is 100. Otherwise, flows still on the primary change version midway.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
    kubectl-canary-traefik/entry: /login
spec:
  analysis:
    interval: 5m
    stepWeights: [10, 50]",
    mended: &[("interval: 5m", "interval: 5m5s"), ("[10, 50]", "[10, 50, 100]")],
    fix: "End stepWeights with 100.",
    source: "src/simulate; docs/promotion.md",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let rollout = subject.rollout();
    let last = rollout.steps().and_then(|steps| steps.last().copied());
    let Some(last) = last.filter(|_| subject.observed.canary.declared_entry().is_some()) else { return Vec::new() };
    if last >= 100 || rollout.strategy != Strategy::Canary || rollout.skips_analysis {
        return Vec::new();
    }
    Problem::new(
        format!(
            "the last step is {last}, so {} % of the flows are on the primary when the promotion replaces it",
            100 - last.clamp(0, 100)
        ),
        "end the Canary's stepWeights with 100, or replace stepWeight with such a list",
    )
    .at(Place::of_canary(&["spec", "analysis"]))
}
