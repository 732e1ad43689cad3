//! CT016: the primary keeps who is pinned to it in the step to 100.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    traefik::Weight,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT016",
    severity: Severity::Info,
    title: "At the step to 100, users pinned to the primary stay there",
    why: "At 100, Flagger omits the primary's weight, and Traefik then uses 1: 1 in 101 new users, and all who are pinned to the primary, stay there until their cookie expires.",
    bad: "kind: Canary
status: {phase: Progressing}
---
kind: TraefikService
spec:
  weighted:
    sticky: {cookie: {name: login, maxAge: 120}}
    services:
      - {name: cart-primary, port: 80}
      - {name: cart-canary, port: 80, weight: 100}",
    mended: &[("cart-primary, port: 80", "cart-primary, port: 80, weight: 10"), ("weight: 100", "weight: 90")],
    fix: "Nothing, if Max-Age is shorter than the interval: the step then drains the primary.",
    source: "fluxcd/flagger pkg/apis/traefik/v1alpha1/types.go; traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go:buildServicesLB",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.cookie().is_none()
        || !matches!(subject.observed.weights(), (Some(Weight::Absent), Some(Weight::Number(_))))
    {
        return Vec::new();
    }
    Problem::new(
        "the primary has no weight, so Traefik uses 1: users pinned to it stay until their cookie expires",
        "no change is needed; a Max-Age shorter than the interval lets this step drain the primary",
    )
    .in_service(subject, &["spec", "weighted", "services"])
}
