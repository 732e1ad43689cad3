//! CT017: a Service of a track is missing.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    traefik::traefik_service::Child,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT017",
    severity: Severity::Error,
    title: "A Service of a track is missing",
    why: "Traefik drops a TraefikService whose child does not exist or has no such port: every route to it answers 404, for users of both tracks.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login
---
kind: TraefikService
spec:
  weighted:
    sticky: {cookie: {name: login}}
    services:
      - {name: cart-primary, port: 80, weight: 90}
      - {name: cart-canary, port: 80, weight: 10}
---
apiVersion: v1
kind: Service
metadata: {name: cart-primary}
spec: {ports: [{port: 80}]}",
    mended: &[("\n      - {name: cart-canary, port: 80, weight: 10}", "")],
    fix: "Let Flagger create the Services: see the events of the Canary for what stops it.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes_http.go:loadServers; traefik/traefik#9423",
    needs: &[Need::Services],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let is_known = subject.scene.known.is_some_and(|known| known.services.is_some());
    let Some(service) = subject.observed.service().filter(|_| is_known) else { return Vec::new() };
    // Flagger's children are in the namespace of the Canary.
    let namespace = service.target.namespace.as_deref();
    let port = subject.observed.canary.port.map(|port| port.to_string());
    let ports = |name: &str| {
        let all = subject.scene.track_services(name, subject.observed);
        all.into_iter().find(|service| service.target.may_be_in(namespace)).map(|service| &service.ports)
    };
    let problem = |child: &Child| {
        let problem = match (ports(&child.name), &port) {
            (None, _) => "does not exist".to_owned(),
            (Some(ports), Some(port)) if !ports.contains(port) => format!("has no port {port}"),
            _ => return Vec::new(),
        };
        let message = format!("Service `{}` {problem}, so each route to the TraefikService answers 404", child.name);
        let fix = format!("see what stops Flagger, in its events: kubectl canary-traefik describe {}", subject.name());
        Problem::new(message, fix).in_service(subject, &["spec", "weighted", "services"])
    };
    let of_flagger = [subject.observed.canary.primary_name(), subject.observed.canary.canary_name()];
    let is_of_flagger = |child: &&Child| of_flagger.iter().flatten().any(|name| *name == child.name);
    let children: Vec<_> = service.children.iter().flatten().filter(is_of_flagger).collect();
    // Manifests have the Services that Flagger makes only if they were copied from a cluster.
    if subject.observed.manifest.is_some() && !children.iter().any(|child| ports(&child.name).is_some()) {
        return Vec::new();
    }
    children.into_iter().flat_map(problem).collect()
}
