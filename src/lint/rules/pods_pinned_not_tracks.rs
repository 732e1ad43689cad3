//! CT012: stickiness to a pod, and none to a track.

use super::{Problem, Rule};
use crate::lint::{Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT012",
    severity: Severity::Warning,
    title: "A cookie that pins to a pod, not to a track",
    why: "A cookie of a Service, in the TraefikService's list or as an annotation for Ingresses, pins to a pod of that Service. Traefik still chooses a track for each request.",
    bad: r#"kind: Canary
spec:
  service:
    apex:
      annotations:
        traefik.ingress.kubernetes.io/service.sticky.cookie: "true""#,
    mended: &[(
        "kind: Canary",
        "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120",
    )],
    fix: "Declare a cookie with sticky set: it pins to the track.",
    source: "traefik/traefik#6883; pkg/provider/kubernetes/ingress/annotations.go",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    if subject.cookie().is_some() {
        return Vec::new();
    }
    let canary = &subject.observed.canary;
    let annotated =
        canary.apex_annotations.keys().any(|key| key.starts_with("traefik.ingress.kubernetes.io/service.sticky"));
    let children = subject.observed.service().into_iter().flat_map(|service| service.children.iter().flatten());
    let child = children.into_iter().find(|child| child.pod_cookie.is_some());
    let problem = |message: String| Problem::new(message, subject.set("--max-age 2m"));
    match child {
        Some(child) => problem(format!("the cookie of Service `{}` pins to a pod, not to a track", child.name))
            .in_service(subject, &["spec", "weighted", "services"]),
        None if annotated => {
            problem("the sticky annotation in spec.service.apex pins to a pod, not to a track".to_owned())
                .at(Place::of_canary(&["spec", "service", "apex", "annotations"]))
        }
        None => Vec::new(),
    }
}
