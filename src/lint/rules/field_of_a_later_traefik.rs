//! CT010: the running Traefik is too old for a field.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Severity, subject::Subject},
    model::{Field, version::Version},
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
    good: r#"kind: Canary
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
        - image: traefik:v3.3.4
          args: ["--providers.kubernetescrd"]"#,
    fix: "Update Traefik, or do without the field.",
    source: "traefik/traefik pkg/config/dynamic/http_config.go:Cookie in each version",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let (Some((version, traefik)), Some(cookie)) = (subject.oldest(), subject.cookie()) else { return Vec::new() };
    // SameSite has a rule of its own.
    let ignored = cookie
        .fields()
        .map(|(field, _)| field)
        .filter(|field| field.key != "sameSite" && Version::parse(field.since).is_some_and(|since| version < since));
    let problem = |field: &'static Field| {
        Problem::new(
            format!(
                "Traefik {version} ({}) ignores {}: it needs {}",
                traefik.place,
                field.attribute.unwrap_or("the name"),
                field.since
            ),
            format!("update Traefik, or remove it with sticky set --unset {}", field.flag),
        )
        .at(subject.cookie_place())
    };
    ignored.flat_map(problem).collect()
}
