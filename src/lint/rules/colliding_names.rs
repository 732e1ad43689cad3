//! CT028: two TraefikServices have the same name in Traefik.

use super::{Problem, Rule};
use crate::lint::{Need, Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT028",
    severity: Severity::Error,
    title: "Two TraefikServices have the same name in Traefik",
    why: "Traefik joins namespace and name by a dash and replaces other characters, so a-b/c and a/b-c get the same name, and one replaces the other.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: TraefikService
metadata: {name: -cart, namespace: shop}",
    mended: &[("name: -cart, namespace: shop", "name: cart, namespace: shop2")],
    fix: "Rename one of them: another spec.service.name for this Canary.",
    source: "traefik/traefik pkg/provider/configuration.go:Normalize; traefik/traefik#13656",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(own) = subject.service_target() else { return Vec::new() };
    if own.namespace.is_none() || subject.every_traefik(|traefik| traefik.is_on("providers.kubernetescrd.safenaming")) {
        return Vec::new();
    }
    let other = subject.scene.called_alike(&own).find(|other| other.namespace.is_some() && **other != own);
    other.map_or_else(Vec::new, |other| {
        Problem::new(
            format!("in Traefik, TraefikService `{other}` has the same name as `{own}`: one replaces the other"),
            "give this Canary another spec.service.name",
        )
        .at(Place::of_canary(&["spec", "service", "name"]))
    })
}
