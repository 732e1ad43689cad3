//! CT009: the cluster's TraefikServices have no such field.

use super::{Problem, Rule};
use crate::{
    lint::{Need, Seen, Severity, subject::Subject},
    model::{Field, name::Group},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT009",
    severity: Severity::Error,
    title: "The cluster's TraefikService CRD lacks a declared field",
    why: "A field that is not in the custom resource definition is dropped when it is written, whatever the running Traefik knows. Helm does not update definitions, and k3s ships old ones.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Domain=example
---
kind: CustomResourceDefinition
metadata: {name: traefikservices.traefik.io}
spec:
  versions:
    - name: v1alpha1
      schema: {openAPIV3Schema: {properties: {spec: {properties: {weighted: {properties: {sticky: {properties: {cookie: {properties: {name: {}, maxAge: {}, path: {}}}}}}}}}}}}",
    mended: &[("; Domain=example", "")],
    fix: "Update the custom resource definitions of Traefik.",
    source: "k3s-io/k3s#13795; traefik/traefik-helm-chart#880",
    needs: &[Need::Traefik],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let definitions = subject.scene.known.into_iter().flat_map(|known| &known.fields);
    let mut definitions = definitions.filter(|it| subject.scene.is_for(subject.observed, it.file.as_deref()));
    let (Some(Seen { what: fields, .. }), Some(cookie)) = (definitions.next(), subject.cookie()) else {
        return Vec::new();
    };
    // The definition is that of traefik.io.
    if subject.observed.service().is_some_and(|service| service.group != Group::TraefikIo) {
        return Vec::new();
    }
    let missing = cookie.fields().map(|(field, _)| field).filter(|field| !fields.iter().any(|key| key == field.key));
    let problem = |field: &'static Field| {
        Problem::new(
            format!("the cluster's TraefikService CRD has no field `{}`, so it is dropped", field.key),
            format!("update the custom resource definitions to those of Traefik {} or later", field.since),
        )
        .at(subject.cookie_place())
    };
    missing.flat_map(problem).collect()
}
