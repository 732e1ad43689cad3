//! CT059: nothing protects the cookie.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    observed::Protection,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT059",
    severity: Severity::Warning,
    title: "Nothing protects the cookie",
    why: "Each weight step of Flagger rewrites the TraefikService and removes the cookie. Without the guard, users change track as soon as a rollout begins. Reported only for a cluster: manifests do not show whether a guard is installed.",
    bad: "",
    mended: &[],
    fix: "Install the guard: kubectl canary-traefik guard install.",
    source: "fluxcd/flagger pkg/router/traefik.go:SetRoutes",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let observed = subject.observed;
    // A change reports this itself.
    let is_lint = subject.scene.known.is_some();
    let is_declared = observed.canary.declared.cookie().is_some();
    if !is_lint || !is_declared || observed.protection() != Protection::No {
        return Vec::new();
    }
    Problem::new("nothing protects the cookie: Flagger's next write removes it", "kubectl canary-traefik guard install")
        .at(subject.cookie_place())
}
