//! CT050: a route and its TraefikService in different API groups.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::{ObjectKind, name::Group, version::Version},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT050",
    severity: Severity::Warning,
    title: "A route and its TraefikService in different API groups",
    why: "Traefik 2.10 and 2.11 find a TraefikService in the other group, too; Traefik 3 reads only traefik.io. Where the version of Traefik is known, CT029 decides.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
apiVersion: traefik.containo.us/v1alpha1
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart}]",
    mended: &[("traefik.containo.us", "traefik.io")],
    fix: "Use traefik.io/v1alpha1 for both: Flagger writes it from 1.42 on.",
    source: "traefik/traefik pkg/provider/kubernetes/crd/client.go; fluxcd/flagger#1641, #1775",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let traefik_3 = Version::of(3, 0, 0);
    if subject.not_older_than(traefik_3).or(subject.older_than(traefik_3)).is_some() {
        return Vec::new();
    }
    let own = subject.observed.service().map_or(Group::TraefikIo, |service| service.group);
    let other = |route: &&Reference<'_>| matches!(route.object.kind, ObjectKind::IngressRoute(group) if group != own);
    subject.leading().find(other).map_or_else(Vec::new, |route| {
        let theirs = route.object.kind.group();
        Problem::new(
            format!(
                "{} is of {theirs}, the TraefikService of {}: Traefik 3 reads only traefik.io",
                route.holder(),
                own.as_str()
            ),
            "use traefik.io/v1alpha1 for both: Flagger writes it from 1.42 on",
        )
        .at(route.place(&["apiVersion"]))
    })
}
