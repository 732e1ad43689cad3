//! CT047: step weights beside iterations.

use super::{Problem, Rule};
use crate::{
    flagger::Strategy,
    lint::{Place, Severity, subject::Subject},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT047",
    severity: Severity::Warning,
    title: "Step weights beside iterations",
    why: "With iterations Flagger takes no weight steps.",
    bad: "kind: Canary
spec:
  analysis:
    iterations: 10
    stepWeights: [10, 50, 100]",
    mended: &[("\n    iterations: 10", "")],
    fix: "For a rollout in weight steps, remove iterations; for blue/green, remove the weights.",
    source: "fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go:DeploymentStrategy",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let rollout = subject.rollout();
    if rollout.strategy == Strategy::Canary || rollout.steps().is_none() || rollout.skips_analysis {
        return Vec::new();
    }
    Problem::new(
        "with spec.analysis.iterations, Flagger ignores stepWeight and stepWeights",
        "for a rollout in weight steps, remove iterations; for blue/green, remove stepWeight and stepWeights",
    )
    .at(Place::of_canary(&["spec", "analysis", "iterations"]))
}
