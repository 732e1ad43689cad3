//! CT018: the cookie's Path does not cover what the routes serve.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, scene::path, subject::Subject},
    model::{Entry, cookie::path_matches},
    traefik::rule::{Answer, Request},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT018",
    severity: Severity::Warning,
    title: "The cookie's Path does not cover what the routes serve",
    why: "The browser sends the cookie only below its Path. Requests to other paths carry no cookie, so Traefik chooses again and overwrites the flow's cookie: users change track in the middle of a flow.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Path=/login
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.example`) && PathPrefix(`/cart`)
      services: [{kind: TraefikService, name: cart}]",
    mended: &[("Path=/login", "Path=/cart")],
    fix: "Use Path=/, or the path that all routes to the TraefikService have in common.",
    source: "RFC 6265 section 5.1.4; traefik/traefik#11166, #1744",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(cookie) = subject.cookie() else { return Vec::new() };
    let own = path(cookie);
    if own == "/" {
        return Vec::new();
    }
    let fix = format!("use the path /, unless one path covers every route: {}", subject.set("--path /"));
    for route in subject.serving() {
        for router in &route.routers {
            let Some(rule) = &router.rule else { continue };
            let named = rule.paths();
            let serves = |path: &&&str| rule.answers(Request { host: None, path }) != Answer::No;
            let beside = named.iter().chain([&"/"]).filter(serves).find(|path| !path_matches(path, own));
            if let Some(beside) = beside {
                let nothing =
                    !named.iter().any(|path| path.starts_with(own) || own.starts_with(path)) && !named.is_empty();
                let message = if nothing {
                    format!("browsers never send a cookie with Path={own} to {}, which serves {beside}", route.holder())
                } else {
                    format!(
                        "browsers do not send a cookie with Path={own} to {beside}, which {} serves, too",
                        route.holder()
                    )
                };
                return Problem::new(message, fix).at(subject.cookie_place());
            }
        }
    }
    let entry = subject.observed.canary.declared_entry();
    let beside = entry.into_iter().flat_map(Entry::paths).find(|path| !path_matches(path, own));
    beside.map_or_else(Vec::new, |path| {
        Problem::new(format!("the entry {path} is not below the cookie's Path={own}"), fix).at(subject.cookie_place())
    })
}
