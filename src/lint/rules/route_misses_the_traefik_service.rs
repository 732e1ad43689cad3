//! CT060: a route to a TraefikService that does not exist.

use std::collections::BTreeSet;

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::{NamespacedName, ObjectKind},
    traefik::routing::Unread,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT060",
    severity: Severity::Error,
    title: "A route to a TraefikService that does not exist",
    why: "The route names a TraefikService that does not exist. Flagger generates it in the Canary's namespace, under spec.service.name or, if that is not set, the name of the target. Traefik skips the route and answers 404. For manifests this is a warning: the TraefikService may be elsewhere.",
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
    mended: &[("\nspec:\n  service: {name: cart-web, port: 80}", "")],
    fix: "Write the name and the namespace of the TraefikService into the route.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go:nameAndService; fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go:GetServiceNames",
    needs: &[Need::Canaries, Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let Some(own) = subject.service_target() else { return Vec::new() };
    let unread = |here: bool| {
        let kinds = subject.scene.known.and_then(|known| known.routing.as_deref()).map(|routing| &routing.unread_kinds);
        let is_unread = |it: &Unread| matches!(it.kind, ObjectKind::TraefikService(_)) && !(here && it.only_elsewhere);
        kinds.into_iter().flatten().any(is_unread)
    };
    let named = |name: &str, namespace: Option<&str>| subject.scene.named(name, namespace, subject.observed);
    let mut found = Vec::new();
    // In the Canary's namespace, a name that nearly fits.
    if !unread(true) {
        let names = [canary.target_name.as_deref(), Some(canary.target.name.as_str())].into_iter().flatten();
        let names: BTreeSet<&str> = names.filter(|name| *name != own.name).collect();
        let here = names.into_iter().flat_map(|name| named(name, own.namespace.as_deref()));
        found.extend(here.map(|route| (route, true)));
    }
    // In another one, the name itself, if that can mean no other Canary.
    if !unread(false) && subject.scene.is_only_one(&own.name) {
        let elsewhere = named(&own.name, None).into_iter().filter(|route| !own.may_be_in(route.namespace));
        found.extend(elsewhere.map(|route| (route, false)));
    }
    found.retain(|(route, _)| {
        route.is_traefik_service
            && route.is_in_route()
            && !subject.scene.has_traefik_service(route.namespace, route.name())
    });
    found.into_iter().flat_map(|(route, is_here)| problem(subject, &own, route, is_here)).collect()
}

fn problem(subject: Subject<'_>, own: &NamespacedName, route: &Reference<'_>, is_here: bool) -> Vec<Problem> {
    let place = route.namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
    let is_manifest = subject.observed.manifest.is_some();
    let gone = if is_manifest { "which is not among the manifests" } else { "which does not exist" };
    // In another namespace, Flagger may be about to generate it.
    let severity = if is_manifest || !is_here { Severity::Warning } else { Severity::Error };
    let fix = if is_here {
        format!("use name: {}", own.name)
    } else {
        format!(
            "use namespace: {} in the reference (requires allowCrossNamespace), or move the route there",
            own.namespace.as_deref().unwrap_or_default()
        )
    };
    let message = format!(
        "{} leads to TraefikService `{place}{}`, {gone}: Flagger generates `{own}`",
        route.holder(),
        route.name()
    );
    Problem::new(message, fix).with(severity).at(route.own_place())
}
