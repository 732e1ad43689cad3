//! CT002: a track's own cookie has the name of the sticky cookie.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::Cookie,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT002",
    severity: Severity::Error,
    title: "A pod-level cookie has the sticky cookie's name",
    why: "A pod-level cookie (of a Service) pins to a pod. If it has the name of the cookie that pins to a track, each response sets both, the browser keeps the last one, and Traefik does not recognise it: the track changes with each request.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: TraefikService
spec:
  weighted:
    sticky: {cookie: {name: login, maxAge: 120}}
    services:
      - {name: cart-primary, port: 80, weight: 90, sticky: {cookie: {name: login}}}
      - {name: cart-canary, port: 80, weight: 10}",
    mended: &[("weight: 90, sticky: {cookie: {name: login}}", "weight: 90, sticky: {cookie: {name: pod}}")],
    fix: "Give one of them another name, or remove the cookie of the Service: Flagger's next write removes it anyway.",
    source: "traefik/traefik pkg/server/service/service.go; observed with Traefik 3.7.9",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let (Some(name), Some(service)) = (subject.cookie().and_then(Cookie::name), subject.observed.service()) else {
        return Vec::new();
    };
    let same = service.children.iter().flatten().find(|child| child.pod_cookie.as_deref() == Some(name));
    same.map_or_else(Vec::new, |child| {
        Problem::new(
            format!(
                "Service `{}` sets a cookie of the same name, `{name}`, so users change track at each request",
                child.name
            ),
            "give the sticky cookie another --name, or remove the sticky of the Service",
        )
        .in_service(subject, &["spec", "weighted", "services"])
    })
}
