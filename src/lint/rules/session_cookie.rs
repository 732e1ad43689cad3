//! CT020: a session cookie.

use super::{Problem, Rule};
use crate::lint::{Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT020",
    severity: Severity::Warning,
    title: "A session cookie",
    why: "Without Max-Age, or with 0, Traefik sends neither Max-Age nor Expires. The cookie lives until the browser closes, so users keep their track through this rollout and into the next one.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login",
    mended: &[("login", "login; Max-Age=120")],
    fix: "Declare an entry, and set a Max-Age just over the length of one login.",
    source: "traefik/traefik pkg/server/service/loadbalancer/sticky.go; traefik/traefik#1939",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if !subject.cookie().is_some_and(|cookie| matches!(cookie.max_age(), None | Some(0))) {
        return Vec::new();
    }
    Problem::new(
        "a session cookie lives until the browser closes, so users stay on their track into the next rollout",
        format!("{}set --max-age to just over the length of one login", subject.entry_first(", and ")),
    )
    .at(subject.cookie_place())
}
