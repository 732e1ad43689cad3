//! CT003: two Canaries use one cookie name on the same host.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    text::quoted,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT003",
    severity: Severity::Error,
    title: "Two Canaries use one cookie name on the same host",
    why: "The browser keeps one cookie for a name, host and path. Each Canary overwrites the cookie of the other, and neither recognises the other's value: users of both do not stay on a track.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: sticky; Max-Age=120
---
kind: Canary
metadata:
  name: pay
  annotations:
    kubectl-canary-traefik/sticky-cookie: sticky; Max-Age=120
---
kind: IngressRoute
spec:
  routes:
    - match: Host(`shop.example`) && PathPrefix(`/cart`)
      services: [{kind: TraefikService, name: cart}]
---
kind: IngressRoute
metadata: {name: pay}
spec:
  routes:
    - match: Host(`shop.example`) && PathPrefix(`/pay`)
      services: [{kind: TraefikService, name: pay}]",
    mended: &[
        ("shop.example`) && PathPrefix(`/cart", "cart.example"),
        ("shop.example`) && PathPrefix(`/pay", "pay.example"),
    ],
    fix: "Give each Canary's cookie a name of its own, or serve the Canaries on different hosts.",
    source: "RFC 6265 section 5.3, step 11; traefik/traefik#1574, #6023",
    needs: &[Need::Canaries, Need::Routes],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let (Some(cookie), Some((other, scope))) = (subject.cookie(), subject.overwriting()) else { return Vec::new() };
    let name = cookie.name().unwrap_or_default();
    let own = format!("{name}-{}", subject.observed.canary.target.name);
    Problem::new(
        format!(
            "Canary `{}` has the same cookie name, `{name}`, on {scope}: they overwrite each other",
            other.canary.target
        ),
        subject.set(&format!("--name {}", quoted(&own))),
    )
    .at(subject.cookie_place())
}
