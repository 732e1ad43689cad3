//! CT054: flagger's built-in metrics look for another name.

use super::{Problem, Rule};
use crate::lint::{Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT054",
    severity: Severity::Warning,
    title: "Flagger's built-in metrics query a service name that does not exist",
    why: "Flagger's queries for Traefik look for services named after spec.targetRef.name, but Traefik names them after spec.service.name. Where the two differ, there are never any values, and the rollout fails.",
    bad: "kind: Canary
spec:
  analysis:
    metrics: [{name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}]
  service: {name: cart-web, port: 80}",
    mended: &[("cart-web", "cart")],
    fix: "Use a MetricTemplate with a query of your own, or give the Service the name of the target.",
    source: "fluxcd/flagger pkg/metrics/observers/traefik.go; fluxcd/flagger#1767",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let (Some(target), Some(service)) = (&canary.target_name, &canary.service_name) else { return Vec::new() };
    let metrics = &canary.rollout.built_in_metrics;
    if target == service || metrics.is_empty() {
        return Vec::new();
    }
    Problem::new(
        format!(
            "Flagger's own queries ({}) look for `{target}-canary`, but Traefik's service is `{service}-canary`",
            metrics.join(", ")
        ),
        "use a MetricTemplate with a query of your own, or remove spec.service.name",
    )
    .at(Place::of_canary(&["spec", "analysis", "metrics"]))
}
