//! CT037: allowEmptyServices before Traefik 2.9.6.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Place, Severity, subject::Subject},
    model::version::Version,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT037",
    severity: Severity::Warning,
    title: "allowEmptyServices before Traefik 2.9.6",
    why: "Before 2.9.6 allowEmptyServices does not reach the children of a TraefikService: a track without ready pods makes every route to it answer 404.",
    bad: r#"kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v2.9.1
          args: ["--providers.kubernetescrd.allowEmptyServices=true"]"#,
    mended: &[("v2.9.1", "v2.9.6")],
    fix: "Update Traefik.",
    source: "traefik/traefik#9423",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let is_on = subject.every_traefik(|traefik| traefik.is_on("providers.kubernetescrd.allowemptyservices"));
    let traefik = subject.older_than(Version::of(2, 9, 6)).filter(|_| is_on);
    traefik.map_or_else(Vec::new, |traefik| {
        Problem::new(
            format!("allowEmptyServices of {traefik} does not reach TraefikServices: it needs 2.9.6"),
            "update Traefik",
        )
        .at(Place::default())
    })
}
