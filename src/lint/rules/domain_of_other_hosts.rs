//! CT019: the cookie's Domain is not that of the routes.

use super::{Problem, Rule, listed};
use crate::lint::{Need, Severity, reference::Reference, scene::domain, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT019",
    severity: Severity::Error,
    title: "The cookie's Domain does not cover the routes' hosts",
    why: "A browser rejects a cookie whose Domain does not cover the host that sets it, and one for a public suffix.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Domain=other.example
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`cart.shop.example`)
      services: [{kind: TraefikService, name: cart}]",
    mended: &[("other.example", "shop.example")],
    fix: "Remove Domain: the cookie is then for the host that set it. Only a flow over several hosts needs it.",
    source: "RFC 6265 sections 5.1.3 and 5.3; traefik/traefik#7463",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(own) = subject.cookie().and_then(domain) else { return Vec::new() };
    let fix = subject.set("--unset domain");
    if !own.contains('.') && own != "localhost" {
        return Problem::new(format!("browsers reject a cookie for a top-level domain: Domain={own}"), fix)
            .at(subject.cookie_place());
    }
    let covers = |host: &String| host.strip_suffix(&own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let mut hosts: Vec<_> = subject.serving().filter_map(Reference::only_hosts).flatten().collect();
    hosts.retain(|host| !covers(host));
    hosts.sort_unstable();
    hosts.dedup();
    if hosts.is_empty() {
        return Vec::new();
    }
    let hosts = listed(&hosts);
    Problem::new(format!("browsers reject a cookie with Domain={own} from {hosts}"), fix).at(subject.cookie_place())
}
