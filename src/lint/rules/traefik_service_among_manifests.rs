//! CT052: a TraefikService among the manifests that Flagger writes.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    traefik::TraefikService,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT052",
    severity: Severity::Warning,
    title: "The manifests contain a TraefikService that Flagger writes",
    why: "Flagger takes over a TraefikService of this name and rewrites it: the primary at 100, and no cookie. Whatever applies the manifest then works against Flagger.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: TraefikService
spec:
  weighted:
    services: [{name: cart, port: 80}]
    sticky: {cookie: {name: old}}",
    mended: &[
        (
            "kind: TraefikService",
            "kind: TraefikService
metadata:
  ownerReferences: [{apiVersion: flagger.app/v1beta1, kind: Canary, name: cart, controller: true}]",
        ),
        ("name: cart, port", "name: cart-primary, port"),
        ("\n    sticky: {cookie: {name: old}}", ""),
    ],
    fix: "Remove it from the manifests, and declare the cookie on the Canary.",
    source: "fluxcd/flagger pkg/router/traefik.go:Reconcile; fluxcd/flagger#1444",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let observed = subject.observed;
    // A change, or a list, is about something else.
    let is_lint = subject.scene.known.is_some();
    let is_source = |service: &&TraefikService| is_lint && observed.manifest.is_some() && service.controller.is_none();
    let Some(service) = observed.service().filter(is_source) else { return Vec::new() };
    // What Flagger generated has only its children. One that was copied from a cluster is no source of anything.
    let of_flagger = [observed.canary.primary_name(), observed.canary.canary_name()];
    let is_generated = service.is_marked
        && service.children.iter().flatten().all(|child| of_flagger.iter().flatten().any(|name| *name == child.name));
    if is_generated {
        return Vec::new();
    }
    let declare =
        if observed.canary.declared.cookie().is_some() { "" } else { ", and declare the cookie with sticky set" };
    Problem::new(
        format!(
            "Flagger overwrites the weights and the cookie of TraefikService `{}`, which is among the manifests",
            service.target
        ),
        format!("remove it from the manifests{declare}"),
    )
    .in_service(subject, &[])
}
