//! CT055: nothing checks the canary.

use super::{Problem, Rule};
use crate::lint::{Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT055",
    severity: Severity::Info,
    title: "Nothing checks the canary",
    why: "Without metrics and webhooks every check passes: Flagger promotes the canary even if it returns errors, as long as its pods are ready.",
    bad: "kind: Canary
spec:
  analysis:
    stepWeights: [10, 50, 100]",
    mended: &[(
        "stepWeights: [10, 50, 100]",
        "metrics: [{name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}]",
    )],
    fix: "Add metrics to spec.analysis. Where spec.service.name differs from the target's name, they need a MetricTemplate (CT054).",
    source: "fluxcd/flagger pkg/controller/scheduler_metrics.go:runMetricChecks; fluxcd/flagger#1098",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    if canary.rollout.is_checked || canary.rollout.skips_analysis {
        return Vec::new();
    }
    let fix = if canary.target_name == canary.service_name {
        "add metrics to spec.analysis, such as request-success-rate"
    } else {
        "add metrics with a MetricTemplate: Flagger's own queries look for the target's name, not for spec.service.name"
    };
    Problem::new("the analysis has no metrics and no webhooks: Flagger promotes even a broken canary", fix)
        .at(Place::of_canary(&["spec", "analysis"]))
}
