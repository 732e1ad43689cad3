//! CT013: the TraefikService is below a weighted one without a cookie.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, reference::Reference, subject::Subject},
    model::ObjectKind,
    traefik::Live,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT013",
    severity: Severity::Warning,
    title: "The parent TraefikService has no cookie",
    why: "A user stays on a track only if every weighted service on the way is sticky. Otherwise, the one without a cookie chooses again for each request.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: TraefikService
metadata: {name: regions}
spec:
  weighted:
    services:
      - {kind: TraefikService, name: cart, weight: 90}
      - {name: elsewhere, port: 80, weight: 10}",
    mended: &[("weight: 10}", "weight: 10}\n    sticky: {cookie: {name: region}}")],
    fix: "Give the parent TraefikService a cookie of another name.",
    source: "traefik/traefik#6475; observed with Traefik 3.7.15",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(cookie) = subject.cookie() else { return Vec::new() };
    let of_upper = |upper: &&Reference<'_>| {
        let live = Live::read(upper.value);
        let (problem, fix) = match live.cookie() {
            _ if upper.backends < 2 => return Vec::new(),
            None => ("no cookie: it chooses again for each request", "give it a cookie of another name"),
            Some(other) if other.name().is_some() && other.name() == cookie.name() => {
                ("a cookie of the same name", "give one of them another name")
            }
            Some(_) => return Vec::new(),
        };
        let message = format!("TraefikService `{}` is above this one and has {problem}", upper.object.target);
        Problem::new(message, fix).at(upper.place(&["spec", "weighted"]))
    };
    let uppers = subject.to_service.iter().filter(|it| matches!(it.object.kind, ObjectKind::TraefikService(_)));
    uppers.flat_map(of_upper).collect()
}
