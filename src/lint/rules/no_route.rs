//! CT035: no route leads to the TraefikService.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Place, Severity, subject::Subject},
    traefik::route::is_reached,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT035",
    severity: Severity::Warning,
    title: "No route leads to the TraefikService",
    why: "Without a route to it, Traefik never uses the TraefikService, and the canary gets no traffic. Not reported for manifests without any route: the routes may be elsewhere.",
    bad: "",
    mended: &[],
    fix: "Point an IngressRoute at it (kind: TraefikService, no port).",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let known = subject.scene.known.filter(|known| known.has_all_routes);
    let routing = known.and_then(|known| known.routing.as_deref());
    let (Some(routing), Some(service)) = (routing, subject.observed.service()) else { return Vec::new() };
    // What goes around it is found by another rule.
    if is_reached(routing, &service.target) || subject.around().next().is_some() {
        return Vec::new();
    }
    let name = &service.target.name;
    Problem::new(
        format!("no route leads to TraefikService `{name}`, so the canary gets no traffic"),
        format!("point an IngressRoute at it (kind: TraefikService, name: {name}, no port)"),
    )
    .at(Place::default())
}
