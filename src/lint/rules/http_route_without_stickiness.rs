//! CT034: an HTTPRoute without stickiness.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::{ObjectKind, name::Group, view},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT034",
    severity: Severity::Warning,
    title: "An HTTPRoute without stickiness",
    why: "Traefik has no stickiness of its own for the Gateway API: it ignores sessionPersistence, and a route to the Service always reaches the primary. An HTTPRoute is sticky only through the TraefikService, named with its group.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: HTTPRoute
spec:
  hostnames: [cart.example]
  rules:
    - backendRefs: [{name: cart, port: 80}]",
    mended: &[("{name: cart, port: 80}", "{group: traefik.io, kind: TraefikService, name: cart}")],
    fix: "In the backendRef, set group: traefik.io and kind: TraefikService, without a port, and remove sessionPersistence.",
    source: "traefik/traefik#12537, #12910; pkg/provider/kubernetes/gateway/httproute.go",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let name = subject.observed.canary.service_name.as_deref().unwrap_or_default();
    let fix = format!("backendRefs: [{{group: traefik.io, kind: TraefikService, name: {name}}}]");
    let of_gateway = |route: &&Reference<'_>| route.object.kind == ObjectKind::HttpRoute;
    let mut problems = Vec::new();
    for route in subject.around().filter(of_gateway) {
        problems.extend(
            Problem::new(
                format!(
                    "{} leads to the Service `{}`, bypassing the TraefikService and its cookie",
                    route.holder(),
                    route.name()
                ),
                fix.clone(),
            )
            .at(route.own_place()),
        );
    }
    for route in subject.leading().filter(of_gateway) {
        if view::text(route.item, &["group"]).and_then(Group::named).is_none() {
            let message = format!("{}: a TraefikService needs its group in a backendRef", route.holder());
            problems.extend(Problem::new(message, fix.clone()).at(route.own_place()));
        }
        if route.rule().get("sessionPersistence").is_some() {
            let index = route.route.to_string();
            problems.extend(
                Problem::new(
                    format!("{}: Traefik ignores sessionPersistence", route.holder()),
                    "remove it: the sticky cookie takes its place",
                )
                .at(route.place(&["spec", "rules", &index, "sessionPersistence"])),
            );
        }
    }
    problems
}
