//! CT026: with safeNaming, Flagger's built-in metrics return no values.

use super::{Problem, Rule};
use crate::lint::{Need, Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT026",
    severity: Severity::Warning,
    title: "With safeNaming, Flagger's built-in metrics return no values",
    why: "With safeNaming, Traefik names its services differently. Flagger's built-in queries still use the names without safeNaming and return no values, so the rollout fails.",
    bad: r#"kind: Canary
spec:
  analysis:
    metrics: [{name: request-success-rate, interval: 1m, thresholdRange: {min: 99}}]
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v3.7.15
          args: ["--providers.kubernetescrd", "--providers.kubernetescrd.safenaming=true"]"#,
    mended: &[(r#", "--providers.kubernetescrd.safenaming=true""#, "")],
    fix: "Use a MetricTemplate with a query of your own, or turn safeNaming off.",
    source: "traefik/traefik#13689; fluxcd/flagger pkg/metrics/observers/traefik.go",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let metrics = &subject.rollout().built_in_metrics;
    if metrics.is_empty() || !subject.every_traefik(|traefik| traefik.is_on("providers.kubernetescrd.safenaming")) {
        return Vec::new();
    }
    Problem::new(
        format!("with Traefik's safeNaming, Flagger's own queries find no values ({})", metrics.join(", ")),
        "use a MetricTemplate with a query of your own, or turn safeNaming off",
    )
    .at(Place::of_canary(&["spec", "analysis", "metrics"]))
}
