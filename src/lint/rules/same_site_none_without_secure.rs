//! CT004: SameSite=None without Secure.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::FieldValue,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT004",
    severity: Severity::Error,
    title: "SameSite=None without Secure",
    why: "Browsers reject such a cookie, so no user stays on a track.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; SameSite=None",
    mended: &[("SameSite=None", "SameSite=None; Secure")],
    fix: "Add Secure, or use SameSite=Lax.",
    source: "RFC 6265bis section 5.7; traefik/traefik#6261",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(cookie) = subject.cookie() else { return Vec::new() };
    let none = matches!(cookie.by_key("sameSite"), Some(FieldValue::Text(text)) if text == "none");
    if !none || cookie.is_on("secure") {
        return Vec::new();
    }
    Problem::new(
        "browsers reject a cookie with SameSite=None that is not Secure",
        format!("use --same-site lax, or: {}", subject.set("--secure")),
    )
    .at(subject.cookie_place())
}
