//! CT058: declared, but not live, while a rollout runs.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    observed::State,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT058",
    severity: Severity::Error,
    title: "Declared, but not live, while a rollout runs",
    why: "The TraefikService has no cookie although one is declared, and weights are moving: users are changing track now.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
status: {phase: Progressing}
---
kind: TraefikService",
    mended: &[(
        "kind: TraefikService",
        "kind: TraefikService
spec:
  weighted:
    sticky: {cookie: {name: login, maxAge: 120}}",
    )],
    fix: "Make it live with sticky apply, and install the guard, which keeps it.",
    source: "fluxcd/flagger pkg/router/traefik.go:SetRoutes",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let runs = matches!(canary.phase.as_deref(), Some("Progressing" | "Promoting" | "WaitingPromotion" | "Finalising"));
    if !runs || subject.observed.state() != State::Missing {
        return Vec::new();
    }
    Problem::new(
        format!(
            "the declared cookie is not live, and a rollout is under way ({})",
            canary.phase.as_deref().unwrap_or_default()
        ),
        format!(
            "kubectl canary-traefik sticky apply {}; to keep it: kubectl canary-traefik guard install",
            subject.name()
        ),
    )
    .in_service(subject, &["spec", "weighted"])
}
