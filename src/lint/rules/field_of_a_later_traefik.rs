//! CT010: the running Traefik is too old for a field.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    model::{Field, version::Version},
    traefik::Installation,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT010",
    severity: Severity::Warning,
    title: "The running Traefik is too old for a field",
    why: "The custom resource definition may have a field that the running Traefik ignores: Max-Age works from 3.0 on, Path from 3.3 and Domain from 3.4.",
    bad: r#"kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Path=/cart
---
kind: Deployment
metadata: {name: traefik, namespace: edge}
spec:
  template:
    spec:
      containers:
        - image: traefik:v3.2.3
          args: ["--providers.kubernetescrd"]"#,
    mended: &[("v3.2.3", "v3.3.4")],
    fix: "Update Traefik, or do without the field.",
    source: "traefik/traefik pkg/config/dynamic/http_config.go:Cookie in each version",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(cookie) = subject.cookie() else { return Vec::new() };
    let ignored = |field: &'static Field| Some((field, subject.older_than(Version::parse(field.since)?)?));
    let problem = |(field, traefik): (&'static Field, &Installation)| {
        let (attribute, since) = (field.attribute.unwrap_or("the name"), field.since);
        Problem::new(
            format!("{traefik} ignores {attribute}: it needs {since}"),
            format!("update Traefik, or remove it: {}", subject.set(&format!("--unset {}", field.flag))),
        )
        .at(subject.cookie_place())
    };
    // SameSite has a rule of its own.
    let fields = cookie.fields().map(|(field, _)| field).filter(|field| field.key != "sameSite");
    fields.filter_map(ignored).flat_map(problem).collect()
}
