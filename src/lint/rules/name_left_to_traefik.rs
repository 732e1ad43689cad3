//! CT023: the cookie has no name of its own.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    traefik::cookie_value::cookie_name,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT023",
    severity: Severity::Info,
    title: "The cookie has no name of its own",
    why: "Traefik derives the cookie name from the TraefikService name. If the TraefikService is renamed, or safeNaming is turned on or off, the cookie name changes and every user may change track.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: ; Max-Age=120",
    mended: &[("sticky-cookie: ;", "sticky-cookie: login;")],
    fix: "Set a name if you want to recognise the cookie.",
    source: "traefik/traefik pkg/server/cookie/cookie.go:GenerateName",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let Some(cookie) = subject.cookie().filter(|cookie| cookie.name().is_none()) else { return Vec::new() };
    let (namespace, service) = (canary.target.namespace.as_deref(), canary.service_name.as_deref().unwrap_or_default());
    let derived = cookie_name(cookie, namespace, service, false);
    let derived = derived.map_or_else(String::new, |name| format!(", such as `{name}`"));
    Problem::new(
        format!("the cookie has no name: Traefik derives one from the TraefikService{derived}"),
        subject.set("--name NAME"),
    )
    .at(subject.cookie_place())
}
