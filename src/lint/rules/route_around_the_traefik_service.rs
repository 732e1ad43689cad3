//! CT011: a route bypasses the TraefikService.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    model::ObjectKind,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT011",
    severity: Severity::Error,
    title: "A route bypasses the TraefikService",
    why: "Only the TraefikService has the cookie. A route to the Service of the same name always reaches the primary, one to -primary or -canary always that track, and one with several services is split by Traefik without any cookie. If some routes of a host lead to the TraefikService, the others should, too. Not reported: a route that only redirects, a separate host for the canary, and chosen requests to one track, such as those with a header. For an Ingress without a class this is a warning.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{name: cart, port: 80}]",
    mended: &[(
        "{name: cart, port: 80}]",
        "{kind: TraefikService, name: cart}]
---
kind: IngressRoute
metadata: {name: preview}
spec:
  routes:
    - match: Host(`canary.example`)
      services: [{name: cart-canary, port: 80}]",
    )],
    fix: "Point the route at the TraefikService alone (kind: TraefikService, no port).",
    source: "traefik/traefik#6883; pkg/provider/kubernetes/crd/kubernetes_http.go:buildServices",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let name = subject.observed.canary.service_name.as_deref().unwrap_or_default();
    let mut problems = Vec::new();
    for route in subject.around().filter(|route| route.object.kind != ObjectKind::HttpRoute) {
        let to = route.name();
        let track = if to.ends_with("-canary") && to != name { "canary" } else { "primary" };
        problems.extend(
            Problem::new(
                format!("{} leads to the Service `{to}`, so always to the {track}, without a cookie", route.holder()),
                format!("point it at the TraefikService (kind: TraefikService, name: {name}, no port)"),
            )
            // An Ingress without a class may be for another controller.
            .with(if route.is_for_traefik() == Some(true) { Severity::Error } else { Severity::Warning })
            .at(route.own_place()),
        );
    }
    for route in subject.serving().filter(|route| route.backends > 1) {
        problems.extend(
            Problem::new(
                format!(
                    "{} splits a route among {} backends, request by request, without a cookie",
                    route.holder(),
                    route.backends
                ),
                "point the route at the TraefikService alone",
            )
            .at(route.own_place()),
        );
    }
    problems
}
