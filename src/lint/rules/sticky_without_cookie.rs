//! CT001: the live sticky block has no cookie.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    traefik::Live,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT001",
    severity: Severity::Error,
    title: "The live sticky block has no cookie",
    why: "Traefik reads only sticky.cookie. Without it there is no cookie, and no user stays on a track. Copying the mis-indented example of Traefik's own documentation leads to this.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: TraefikService
spec:
  weighted:
    sticky: {}",
    mended: &[("sticky: {}", "sticky: {cookie: {name: login, maxAge: 120}}")],
    fix: "Set a cookie with sticky set or sticky apply, or remove spec.weighted.sticky.",
    source: "traefik/traefik pkg/server/service/loadbalancer/wrr/wrr.go:New",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.observed.service().is_none_or(|service| service.live != Live::Empty) {
        return Vec::new();
    }
    Problem::new(
        "`spec.weighted.sticky` has no `cookie`, so no user stays on a track",
        "set a cookie, or remove `spec.weighted.sticky`",
    )
    .in_service(subject, &["spec", "weighted", "sticky"])
}
