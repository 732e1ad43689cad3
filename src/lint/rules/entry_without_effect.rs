//! CT041: something else serves the paths of the entry.

use super::{Problem, Rule};
use crate::{
    lint::{Place, Severity, subject::Subject},
    model::entry::ENTRY_ANNOTATION,
    observed::State,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT041",
    severity: Severity::Error,
    title: "Something else serves the paths of the entry",
    why: "If another router serves a path, no new pin begins there, so the entry is refused.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
    kubectl-canary-traefik/entry: /login
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart}]
---
kind: IngressRoute
metadata: {name: other}
spec:
  routes:
    - match: Host(`cart.example`) && Path(`/login`)
      priority: 1000
      services: [{name: login, port: 80}]",
    mended: &[("/login`)", "/help`)"), ("name: login, port", "name: help, port")],
    fix: "Name other paths with sticky set --entry, or give the route to the TraefikService a higher priority.",
    source: "traefik/traefik pkg/muxer/http/mux.go; src/traefik/entry",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.observed.entry != State::Refused {
        return Vec::new();
    }
    Problem::new(
        format!("no new pin begins at some of the entry's paths: {}", subject.observed.entry_reasons.join("; ")),
        "name other paths with sticky set --entry, or give the route to the TraefikService a higher priority",
    )
    .at(Place::of_canary(&["metadata", "annotations", ENTRY_ANNOTATION]))
}
