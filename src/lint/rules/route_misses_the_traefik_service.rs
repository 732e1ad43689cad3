//! CT060: a route to a TraefikService that does not exist.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Place, Severity, subject::Subject},
    model::ObjectKind,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT060",
    severity: Severity::Error,
    title: "A route to a TraefikService that does not exist",
    why: "A route names a TraefikService of another namespace or of another name than the one that Flagger generates, which is called spec.service.name, or else like the target, and is in the Canary's namespace. Traefik skips such a route, and answers 404.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
spec:
  service: {name: cart-web, port: 80}
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart}]",
    good: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart}]",
    fix: "Write the name and the namespace of the TraefikService into the route.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go:nameAndService; fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go:GetServiceNames",
    needs: &[Need::Canaries, Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let Some(own) = subject.service_target() else { return Vec::new() };
    let names = [Some(own.name.as_str()), canary.target_name.as_deref(), Some(canary.target.name.as_str())];
    let mut names: Vec<&str> = names.into_iter().flatten().collect();
    names.sort_unstable();
    names.dedup();
    let mut problems = Vec::new();
    for route in names.iter().flat_map(|name| subject.scene.named(name)) {
        let is_route = matches!(route.object.kind, ObjectKind::IngressRoute(_) | ObjectKind::HttpRoute);
        let is_here = own.may_be_in(route.namespace);
        let is_own = is_here && route.name() == own.name;
        // A name that fits in another namespace, or one that nearly fits in this one.
        let is_near = is_here || route.name() == own.name;
        if !is_route
            || !route.is_traefik_service
            || is_own
            || !is_near
            || subject.scene.has_traefik_service(route.namespace, route.name())
        {
            continue;
        }
        let place = route.namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
        problems.extend(
            Problem::new(
                format!(
                    "{} leads to TraefikService `{place}{}`, which does not exist: Flagger generates `{own}`",
                    route.holder(),
                    route.name()
                ),
                if is_here {
                    format!("use name: {}", own.name)
                } else {
                    format!(
                        "use namespace: {} in the reference (requires allowCrossNamespace), or move the route there",
                        own.namespace.as_deref().unwrap_or_default()
                    )
                },
            )
            // In another namespace there may be one that is not known.
            .with(if is_here { Severity::Error } else { Severity::Warning })
            .at(Place::of_object(route.object, &route.path())),
        );
    }
    problems
}
