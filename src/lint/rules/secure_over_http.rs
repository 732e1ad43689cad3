//! CT005: a Secure cookie on a route without TLS.

use serde_json::Value;

use super::{Problem, Rule};
use crate::{
    lint::{Need, Place, Severity, scene::Reference, subject::Subject},
    model::{ObjectKind, view},
    traefik::{Installation, route::texts},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT005",
    severity: Severity::Error,
    title: "A Secure cookie on a route without TLS",
    why: "Browsers accept a Secure cookie only over HTTPS, except from localhost, so no user stays on a track over such a route. Not reported: a route that only redirects to HTTPS, or one whose entry point has TLS, redirects, or trusts a proxy in front of it, as far as Traefik's arguments show.",
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
    good: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure
---
kind: IngressRoute
spec:
  entryPoints: [websecure]
  tls: {}
  routes:
    - match: Host(`cart.example`)
      services: [{kind: TraefikService, name: cart}]",
    fix: "Serve the route with TLS, redirect it to HTTPS, or remove Secure. If TLS ends in front of Traefik, let the entry point trust it (forwardedHeaders), or leave the rule out: --ignore CT005.",
    source: "RFC 6265bis section 5.7; traefik/traefik#2653",
    needs: &[Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if !subject.cookie().is_some_and(|cookie| cookie.is_on("secure")) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for route in subject.leading() {
        let is_plain = matches!(route.object.kind, ObjectKind::IngressRoute(_))
            && view::object(route.value, &["spec", "tls"]).is_none()
            && !redirects(subject, route)
            && !may_be_secure(subject, route.value);
        if is_plain {
            problems.extend(
                Problem::new(
                    format!("{} has no TLS: browsers reject a Secure cookie over http", route.holder()),
                    "add tls to the route, redirect it to https, or remove Secure with sticky set --unset secure",
                )
                .at(Place::of_object(route.object, &["spec"])),
            );
        }
    }
    problems.dedup();
    problems
}

/// Returns whether an entry point of the route has TLS, redirects, or trusts the headers of what is in front of it. Without
/// entry points in the route, the default ones count, which are all in most installations.
fn may_be_secure(subject: Subject<'_>, route: &Value) -> bool {
    let names: Vec<String> = texts(route, &["spec", "entryPoints"]).iter().map(|name| name.to_lowercase()).collect();
    // By convention of Traefik's chart, `websecure` has TLS itself.
    if names.is_empty() || names.iter().any(|name| name == "websecure") && !subject.some_traefik(|_| true) {
        return true;
    }
    let is_secure = |traefik: &Installation, name: &String| {
        ["http.tls", "http.redirections", "forwardedheaders"]
            .iter()
            .any(|option| traefik.has(&format!("entrypoints.{name}.{option}")))
    };
    subject.some_traefik(|traefik| names.iter().any(|name| is_secure(traefik, name)))
}

/// Returns whether the route has a Middleware that redirects to HTTPS, or one that is not known.
fn redirects(subject: Subject<'_>, route: &Reference<'_>) -> bool {
    let list =
        view::at(route.value, &["spec", "routes"]).and_then(|routes| routes.get(route.route)?.get("middlewares"));
    let Some(routing) = subject.scene.known.and_then(|known| known.routing.as_deref()) else { return true };
    list.and_then(Value::as_array).into_iter().flatten().any(|item| {
        let (name, namespace) = (view::text(item, &["name"]), view::text(item, &["namespace"]).or(route.namespace));
        let mut found = routing.objects().filter(|(object, _)| {
            matches!(object.kind, ObjectKind::Middleware(_))
                && Some(object.target.name.as_str()) == name
                && object.target.may_be_in(namespace)
        });
        found.any(|(_, middleware)| view::at(middleware, &["spec", "redirectScheme"]).is_some())
    })
}
