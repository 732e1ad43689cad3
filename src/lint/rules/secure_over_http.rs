//! CT005: a Secure cookie on a route without TLS.

use serde_json::Value;

use super::{Problem, Rule};
use crate::{
    lint::{
        Need, Severity,
        reference::{Redirect, Reference},
        subject::Subject,
    },
    model::{ObjectKind, view},
    traefik::{
        Installation,
        router::Router,
        rule::{Answer, Request},
    },
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT005",
    severity: Severity::Warning,
    title: "A Secure cookie on a route without TLS",
    why: "Browsers accept a Secure cookie only over HTTPS, except from localhost, so no user stays on a track over such a route. Not reported: a route whose middlewares redirect or are not known, one whose requests another route redirects, and one whose entry point has TLS, redirects, has middlewares, or trusts a proxy in front of it. If Traefik's arguments are not known, only routes on entry points called web or http are reported. Where TLS is terminated in front of Traefik, the cookie works all the same.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure
---
kind: IngressRoute
spec:
  entryPoints: [web]
  tls: null
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart}]",
    mended: &[("[web]", "[websecure]"), ("tls: null", "tls: {}")],
    fix: "Serve the route with TLS, redirect it to HTTPS, or remove Secure. If TLS is terminated in front of Traefik, ignore the rule: --ignore CT005.",
    source: "RFC 6265bis section 5.7; traefik/traefik#2653",
    needs: &[Need::Routes, Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if !subject.cookie().is_some_and(|cookie| cookie.is_on("secure")) {
        return Vec::new();
    }
    let is_plain = |route: &&Reference<'_>| {
        matches!(route.object.kind, ObjectKind::IngressRoute(_))
            && route.is_plain()
            && subject.scene.middlewares.redirect(route) == Redirect::No
            && !may_be_secure(subject, route.value)
            && !is_redirected(subject, route)
    };
    let problem = |route: &Reference<'_>| {
        Problem::new(
            format!("{} has no TLS: browsers reject a Secure cookie over http", route.holder()),
            format!("add tls to the route, redirect it to https, or: {}", subject.set("--unset secure")),
        )
        .at(route.place(&["spec"]))
    };
    subject.serving().filter(is_plain).flat_map(problem).collect()
}

/// Returns whether an entry point of the route has TLS, redirects, or trusts the headers of what is in front of it. Without
/// entry points in the route, the default ones count, which are all in most installations.
fn may_be_secure(subject: Subject<'_>, route: &Value) -> bool {
    // By convention of Traefik's chart, these have no TLS.
    const PLAIN: [&str; 2] = ["web", "http"];
    let names: Vec<String> =
        view::texts(route, &["spec", "entryPoints"]).iter().map(|name| name.to_lowercase()).collect();
    let is_secure = |traefik: &Installation, name: &String| {
        ["http.tls", "http.redirections", "http.middlewares", "forwardedheaders", "proxyprotocol"]
            .iter()
            .any(|option| traefik.has(&format!("entrypoints.{name}.{option}")))
    };
    names.is_empty()
        || subject.some_traefik(|traefik| names.iter().any(|name| is_secure(traefik, name)))
        || (!subject.every_traefik(|_| true) && !names.iter().all(|name| PLAIN.contains(&name.as_str())))
}

/// Returns whether another route, which redirects, takes the requests of this one.
fn is_redirected(subject: Subject<'_>, route: &Reference<'_>) -> bool {
    let takes = |own: &Router, host: Option<&str>| {
        let request = Request { host, path: "/" };
        let mut all = subject.scene.redirecting(host, subject.observed);
        all.any(|other| other.priority >= own.priority && other.answers(request, own) == Answer::Yes)
    };
    let hosts = route.only_hosts();
    route.routers.iter().all(|own| match &hosts {
        None => takes(own, None),
        Some(hosts) => hosts.iter().all(|host| takes(own, Some(host))),
    })
}
