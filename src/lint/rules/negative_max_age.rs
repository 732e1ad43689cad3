//! CT006: a negative Max-Age.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::Cookie,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT006",
    severity: Severity::Error,
    title: "A negative Max-Age",
    why: "Traefik sends Max-Age=0 for it, and the browser deletes the cookie at once: no user stays on a track.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=-1",
    mended: &[("Max-Age=-1", "Max-Age=120")],
    fix: "Set a positive Max-Age.",
    source: "RFC 6265 section 5.2.2; Go net/http/cookie.go:Cookie.String",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(seconds) = subject.cookie().and_then(Cookie::max_age).filter(|seconds| *seconds < 0) else {
        return Vec::new();
    };
    Problem::new(
        format!("with Max-Age={seconds} browsers delete the cookie at once, so no user stays on a track"),
        "use a positive --max-age",
    )
    .at(subject.cookie_place())
}
