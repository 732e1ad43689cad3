//! CT008: SameSite on Traefik 2.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    model::version::Version,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT008",
    severity: Severity::Warning,
    title: "SameSite on Traefik 2",
    why: "Traefik 2 accepts SameSite for weighted services, but does not send it.",
    bad: r#"kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Secure; HttpOnly; SameSite=None
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v2.11.0
          args: ["--providers.kubernetescrd"]"#,
    mended: &[("v2.11.0", "v3.7.9")],
    fix: "Update to Traefik 3, or do without SameSite.",
    source: "traefik/traefik#10009; pkg/server/service/loadbalancer/wrr/wrr.go in each v2 tag",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let is_set = subject.cookie().is_some_and(|cookie| cookie.by_key("sameSite").is_some());
    let traefik = subject.older_than(Version::of(3, 0, 0)).filter(|_| is_set);
    traefik.map_or_else(Vec::new, |traefik| {
        Problem::new(
            format!("{traefik} does not send SameSite: it needs 3.0"),
            format!("update Traefik, or remove it: {}", subject.set("--unset same-site")),
        )
        .at(subject.cookie_place())
    })
}
