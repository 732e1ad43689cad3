//! CT014: sticky on a route's reference to a TraefikService.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::view,
    text::quoted,
    traefik::traefik_service::pod_cookie,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT014",
    severity: Severity::Warning,
    title: "sticky on a route's reference to a TraefikService",
    why: "Traefik ignores sticky on a reference of kind TraefikService, so it pins nobody.",
    bad: "kind: Canary
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart, sticky: {cookie: {name: login}}}]",
    mended: &[(", sticky: {cookie: {name: login}}", "")],
    fix: "Remove sticky from the route, and declare the cookie on the Canary with sticky set.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go:nameAndService; observed with Traefik 3.7.9",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let with = |route: &&Reference<'_>| view::object(route.item, &["sticky"]).is_some();
    let problem = |route: &Reference<'_>| {
        let name = pod_cookie(route.item).filter(|name| !name.is_empty());
        let name = name.map_or_else(String::new, |name| format!("--name {} ", quoted(&name)));
        let declared = subject.cookie().is_some();
        let fix = if declared {
            "remove sticky from the route".to_owned()
        } else {
            format!("remove sticky from the route, and: {}", subject.set(&format!("{name}--max-age 2m")))
        };
        Problem::new(format!("{}: Traefik ignores sticky beside kind: TraefikService", route.holder()), fix)
            .at(route.own_place().below("sticky"))
    };
    subject.to_service.iter().copied().filter(with).flat_map(problem).collect()
}
