//! CT035: no route leads to the TraefikService.

use super::{Problem, Rule};
use crate::lint::{Need, Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT035",
    severity: Severity::Warning,
    title: "No route leads to the TraefikService",
    why: "Without a route to it, Traefik never uses the TraefikService, and the canary gets no traffic. Not reported for manifests without any route: the routes may be elsewhere.",
    bad: "",
    good: "",
    fix: "Let an IngressRoute lead to it: kind: TraefikService, without a port.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let is_known = subject.scene.known.is_some_and(|known| known.has_all_routes);
    let canary = &subject.observed.canary;
    // What goes around it, or misses it, is found by other rules.
    let is_reached = subject.references_to_service().next().is_some() || subject.around().next().is_some();
    if !is_known || is_reached || subject.observed.service().is_none() {
        return Vec::new();
    }
    let name = canary.service_name.as_deref().unwrap_or_default();
    Problem::new(
        format!("no route leads to TraefikService `{name}`, so the canary gets no traffic"),
        format!("let an IngressRoute lead to it: kind: TraefikService, name: {name}, without a port"),
    )
    .at(Place::default())
}
