//! CT024: the cookie's name promises what the cookie does not have.

use super::{Problem, Rule};
use crate::lint::{
    Severity,
    scene::{domain, path},
    subject::Subject,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT024",
    severity: Severity::Error,
    title: "The cookie does not meet the rules of its name prefix",
    why: "Browsers reject a cookie called __Host-… unless it is Secure, has the path / and no Domain, and one called __Secure-… unless it is Secure. Traefik replaces characters that a name may not have.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: __Host-login; Max-Age=120; Secure; Path=/cart",
    mended: &[("Path=/cart", "Path=/")],
    fix: "Meet the rules of the prefix, or choose another name.",
    source: "RFC 6265bis section 5.7; traefik/traefik pkg/server/cookie/cookie.go:GetName",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(cookie) = subject.cookie() else { return Vec::new() };
    let name = cookie.name().unwrap_or_default();
    let begins = |prefix: &str| name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix));
    let (host, secure) = (begins("__Host-"), begins("__Secure-"));
    let mut lacks = Vec::new();
    if (host || secure) && !cookie.is_on("secure") {
        lacks.push("Secure");
    }
    if host && path(cookie) != "/" {
        lacks.push("Path=/");
    }
    if host && domain(cookie).is_some() {
        lacks.push("no Domain");
    }
    if lacks.is_empty() {
        return Vec::new();
    }
    let needed = lacks.join(" and ");
    Problem::new(
        format!("browsers reject the cookie `{name}`: the prefix of its name requires {needed}"),
        "meet the rules of the prefix, or choose another --name",
    )
    .at(subject.cookie_place())
}
