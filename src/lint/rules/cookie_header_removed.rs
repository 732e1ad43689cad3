//! CT062: a middleware takes the cookie from every route.

use super::{Problem, Rule};
use crate::lint::{Need, Severity, reference::Reference, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT062",
    severity: Severity::Error,
    title: "A middleware removes the cookie",
    why: "Traefik runs a route's middlewares before its service. Without the Cookie header, each request begins a new pin; without Set-Cookie in the response, the browser never gets one. Not reported if another route to the Canary keeps the cookie.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: clean}
spec: {headers: {customRequestHeaders: {Cookie: ''}}}
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      middlewares: [{name: clean}]
      services: [{kind: TraefikService, name: cart}]",
    mended: &[("Cookie: ''", "X-Debug: ''")],
    fix: "Leave the headers Cookie and Set-Cookie out of the middleware.",
    source: "traefik/traefik pkg/middlewares/headers/header.go, pkg/server/router/router.go:buildHTTPHandler",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.cookie().is_none() {
        return Vec::new();
    }
    let taken = subject.serving().map(|route| Some((route, subject.scene.middlewares.taking_cookies(route)?)));
    // One that leaves the cookie alone is enough for a design of one's own.
    let Some(taken) = taken.collect::<Option<Vec<_>>>() else { return Vec::new() };
    let problem = |(route, what): (&Reference<'_>, String)| {
        Problem::new(
            format!(
                "{what} removes the cookie from the requests or responses of {}: nobody stays on a track",
                route.holder()
            ),
            "leave the headers Cookie and Set-Cookie out of it",
        )
        .at(route.own_place())
    };
    taken.into_iter().flat_map(problem).collect()
}
