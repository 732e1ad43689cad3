//! CT039: the TraefikService belongs to something else.

use super::{Problem, Rule};
use crate::{
    lint::{Place, Severity, subject::Subject},
    observed::TraefikServiceState,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT039",
    severity: Severity::Error,
    title: "The TraefikService belongs to something else",
    why: "Something else controls the TraefikService of this name. Flagger writes to it all the same, and this program leaves it alone.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
---
kind: TraefikService
metadata:
  ownerReferences: [{apiVersion: example.test/v1, kind: Shop, name: other, controller: true}]",
    mended: &[("example.test/v1, kind: Shop, name: other", "flagger.app/v1beta1, kind: Canary, name: cart")],
    fix: "Give this Canary another spec.service.name, or remove the other owner's controller reference.",
    source: "fluxcd/flagger pkg/router/traefik.go:Reconcile",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let TraefikServiceState::Foreign(service) = &subject.observed.service else { return Vec::new() };
    let Some(owner) = &service.controller else { return Vec::new() };
    Problem::new(
        format!("TraefikService `{}` is controlled by {} `{}`", service.target.name, owner.kind, owner.name),
        "give this Canary another spec.service.name, or remove the other owner's controller reference",
    )
    .at(Place::of_canary(&["spec", "service"]))
}
