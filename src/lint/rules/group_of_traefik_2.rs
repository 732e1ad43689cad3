//! CT029: traefik 3 does not read traefik.containo.us.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::{ObjectKind, name::Group, version::Version},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT029",
    severity: Severity::Error,
    title: "Traefik 3 does not read traefik.containo.us",
    why: "Flagger before 1.42 writes the older API group, and old routes are in it. Traefik 3 reads only traefik.io.",
    bad: r#"kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login
---
apiVersion: traefik.containo.us/v1alpha1
kind: TraefikService
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v3.7.9
          args: ["--providers.kubernetescrd"]"#,
    mended: &[("v3.7.9", "v2.11.0")],
    fix: "Update Flagger to 1.42 or later, and rewrite the routes to apiVersion traefik.io/v1alpha1.",
    source: "fluxcd/flagger#1641, #1775, #1835",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(traefik) = subject.not_older_than(Version::of(3, 0, 0)) else { return Vec::new() };
    let service = subject.observed.service().filter(|service| service.group == Group::TraefikContainoUs);
    if service.is_some() {
        return Problem::new(
            format!("{traefik} does not read TraefikServices of traefik.containo.us"),
            "update Flagger to 1.42 or later",
        )
        .in_service(subject, &[]);
    }
    let old = |route: &&Reference<'_>| route.object.kind == ObjectKind::IngressRoute(Group::TraefikContainoUs);
    subject.leading().find(old).map_or_else(Vec::new, |route| {
        Problem::new(
            format!("{traefik} does not read {}, of traefik.containo.us", route.holder()),
            "write it as apiVersion: traefik.io/v1alpha1",
        )
        .at(route.place(&["apiVersion"]))
    })
}
