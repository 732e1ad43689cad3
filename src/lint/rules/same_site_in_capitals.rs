//! CT007: Capitalised SameSite before Traefik 3.6.14.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    model::version::Version,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT007",
    severity: Severity::Error,
    title: "Capitalised SameSite before Traefik 3.6.14",
    why: "Traefik before 3.6.14 accepts none, lax and strict only in lower case. Otherwise it sends the cookie without SameSite, which browsers treat as Lax.",
    bad: r#"kind: Canary
---
kind: TraefikService
spec:
  weighted:
    sticky: {cookie: {name: login, maxAge: 120, secure: true, sameSite: None}}
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v3.6.13
          args: ["--providers.kubernetescrd"]"#,
    mended: &[("sameSite: None", "sameSite: none")],
    fix: "Write the value in lower case. The commands of this program always do.",
    source: "traefik/traefik commit 091d13b5e4; observed with Traefik 3.6.13 and 3.6.14",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let written = subject.observed.service().and_then(|service| service.same_site.as_deref());
    let Some(written) = written.filter(|written| written.contains(|c: char| c.is_ascii_uppercase())) else {
        return Vec::new();
    };
    let Some(traefik) = subject.older_than(Version::of(3, 6, 14)) else { return Vec::new() };
    let fix = "sticky apply makes the declared cookie live; else write the value in lower case";
    let place = ["spec", "weighted", "sticky", "cookie", "sameSite"];
    Problem::new(format!("{traefik} ignores SameSite `{written}`: it accepts only lower case"), fix)
        .in_service(subject, &place)
}
