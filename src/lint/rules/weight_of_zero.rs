//! CT015: a weight of 0 is written.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    traefik::Weight,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT015",
    severity: Severity::Warning,
    title: "An explicit weight of 0",
    why: "Traefik drops a track with an explicit weight of 0, even for users pinned to it: they change track at once. Flagger omits the weight instead.",
    bad: "kind: Canary
---
kind: TraefikService
spec:
  weighted:
    sticky: {cookie: {name: login}}
    services:
      - {name: cart-primary, port: 80, weight: 0}
      - {name: cart-canary, port: 80, weight: 100}",
    mended: &[(", weight: 0", "")],
    fix: "Leave the weights to Flagger.",
    source: "traefik/traefik pkg/server/service/loadbalancer/wrr/wrr.go:Add; traefik/traefik#8157",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.cookie().is_none() {
        return Vec::new();
    }
    let children = subject.observed.service().into_iter().flat_map(|service| service.children.iter().flatten());
    let zero = children.into_iter().find(|child| child.weight == Weight::Number(0));
    zero.map_or_else(Vec::new, |child| {
        Problem::new(
            format!("`{}` has an explicit weight of 0: users pinned to it change track at once", child.name),
            "leave the weights to Flagger: its next write omits the weight",
        )
        .in_service(subject, &["spec", "weighted", "services"])
    })
}
