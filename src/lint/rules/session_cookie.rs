//! CT020: a session cookie.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::Cookie,
};

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
    let cookie = match subject.cookie().map(Cookie::max_age) {
        Some(None) => "a session cookie lives",
        Some(Some(0)) => "with Max-Age=0, Traefik sets a session cookie, which lives",
        _ => return Vec::new(),
    };
    Problem::new(
        format!("{cookie} until the browser closes, so users stay on their track into the next rollout"),
        subject.pin_per_login(),
    )
    .at(subject.cookie_place())
}
