//! CT044: an A/B test on Traefik.

use super::{Problem, Rule};
use crate::{
    flagger::Strategy,
    lint::{Place, Severity, subject::Subject},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT044",
    severity: Severity::Error,
    title: "An A/B test on Traefik",
    why: "Flagger's Traefik router ignores match, so all users get the canary during an A/B test.",
    bad: r#"kind: Canary
spec:
  analysis:
    iterations: 10
    match: [{headers: {x-tester: {exact: "true"}}}]"#,
    mended: &[("\n    match: [{headers: {x-tester: {exact: \"true\"}}}]", "")],
    fix: "Replace match and iterations with stepWeights, or remove match for blue/green.",
    source: "fluxcd/flagger pkg/router/traefik.go:SetRoutes, pkg/controller/scheduler.go:runAB",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let rollout = subject.rollout();
    if rollout.strategy != Strategy::AbTesting || rollout.skips_analysis {
        return Vec::new();
    }
    Problem::new(
        "on Traefik, Flagger ignores spec.analysis.match: each iteration sends all users to the canary",
        "replace match and iterations with stepWeights",
    )
    .at(Place::of_canary(&["spec", "analysis", "match"]))
}
