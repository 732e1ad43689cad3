//! CT025: scripts can read the cookie.

use super::{Problem, Rule};
use crate::lint::{Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT025",
    severity: Severity::Info,
    title: "Scripts can read the cookie",
    why: "The value only names a track, so it is no secret. Still, no script needs it, and scanners report cookies without HttpOnly.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120",
    mended: &[("Max-Age=120", "Max-Age=120; HttpOnly")],
    fix: "Set HttpOnly.",
    source: "RFC 6265 section 5.2.6; traefik/traefik#4738",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.cookie().is_none_or(|cookie| cookie.is_on("httpOnly")) {
        return Vec::new();
    }
    Problem::new("the cookie has no HttpOnly, so scripts can read it", subject.set("--http-only"))
        .at(subject.cookie_place())
}
