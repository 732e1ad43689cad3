//! CT046: flagger's session affinity on Traefik.

use super::{Problem, Rule};
use crate::{
    lint::{Place, Severity, subject::Subject},
    text::quoted,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT046",
    severity: Severity::Warning,
    title: "Flagger's session affinity on Traefik",
    why: "Flagger supports sessionAffinity with Istio and the Gateway API. With Traefik, it ignores the field.",
    bad: "kind: Canary
spec:
  analysis:
    sessionAffinity: {cookieName: cart-track}",
    mended: &[(
        "spec:
  analysis:
    sessionAffinity: {cookieName: cart-track}",
        "metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: cart-track; Max-Age=120",
    )],
    fix: "Remove it, and declare a cookie with sticky set.",
    source: "fluxcd/flagger pkg/router/istio.go:SetRoutes, gateway_api.go:SetRoutes, traefik.go:SetRoutes",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let Some(affinity) = &canary.rollout.session_affinity else { return Vec::new() };
    let name = affinity.cookie_name.as_ref().map_or_else(String::new, |name| format!("--name {} ", quoted(name)));
    let fix = if canary.declared.cookie().is_some() {
        "remove it: the declared cookie takes its place".to_owned()
    } else {
        format!(
            "remove it and set a sticky cookie that lasts just over the length of one login: {}",
            subject.set(&format!("{name}--max-age 2m"))
        )
    };
    Problem::new("on Traefik, Flagger ignores spec.analysis.sessionAffinity", fix).at(Place::of_canary(&[
        "spec",
        "analysis",
        "sessionAffinity",
    ]))
}
