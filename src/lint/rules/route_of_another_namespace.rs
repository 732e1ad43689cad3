//! CT030: a route in another namespace, which Traefik does not allow.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::ObjectKind,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT030",
    severity: Severity::Error,
    title: "A route in another namespace, which Traefik does not allow",
    why: "An IngressRoute may refer to a TraefikService of another namespace only with allowCrossNamespace. Otherwise Traefik skips the route and answers 404. Where Traefik's arguments are not known, this is a warning.",
    bad: r#"kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; HttpOnly
---
kind: IngressRoute
metadata: {name: cart, namespace: edge}
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart, namespace: shop}]
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v3.7.9
          args: ["--providers.kubernetescrd"]"#,
    mended: &[("--providers.kubernetescrd", "--providers.kubernetescrd.allowCrossNamespace=true")],
    fix: "Move the route into the Canary's namespace, or start Traefik with --providers.kubernetescrd.allowCrossNamespace.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/kubernetes.go:isNamespaceAllowed; observed with Traefik 3.7.9",
    needs: &[Need::Routes, Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    const OPTION: &str = "providers.kubernetescrd.allowcrossnamespace";
    let own = &subject.observed.canary.target;
    let is_elsewhere = |route: &&Reference<'_>| {
        matches!(route.object.kind, ObjectKind::IngressRoute(_))
            && route.object.target.namespace.is_some()
            && !own.may_be_in(route.object.target.namespace.as_deref())
    };
    if subject.some_traefik(|traefik| traefik.is_on(OPTION)) {
        return Vec::new();
    }
    let is_forbidden = subject.every_traefik(|traefik| !traefik.is_on(OPTION));
    let problem = |route: &Reference<'_>| {
        let holder = route.holder();
        let (message, severity) = if is_forbidden {
            (
                format!("Traefik skips {holder}: it is in another namespace, and allowCrossNamespace is off"),
                Severity::Error,
            )
        } else {
            (format!("{holder} is in another namespace: Traefik needs allowCrossNamespace for it"), Severity::Warning)
        };
        Problem::new(
            message,
            "move it into the Canary's namespace, or start Traefik with --providers.kubernetescrd.allowCrossNamespace",
        )
        .with(severity)
        .at(route.own_place())
    };
    subject.leading().filter(is_elsewhere).flat_map(problem).collect()
}
