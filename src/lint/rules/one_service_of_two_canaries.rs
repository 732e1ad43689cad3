//! CT063: two Canaries generate one TraefikService.

use super::{Problem, Rule};
use crate::lint::{Need, Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT063",
    severity: Severity::Error,
    title: "Two Canaries generate one TraefikService",
    why: "Flagger names the TraefikService and its Services after spec.service.name, or else after the target. Two Canaries with the same result overwrite each other's weights and Service selectors.",
    bad: "kind: Canary
metadata: {name: cart}
spec: {targetRef: {name: cart}}
---
kind: Canary
metadata: {name: cart-eu}
spec: {targetRef: {name: cart-eu}, service: {name: cart}}",
    mended: &[("{name: cart-eu}, service: {name: cart}}", "{name: cart-eu}}")],
    fix: "Give each Canary a spec.service.name of its own.",
    source: "fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go:GetServiceNames, pkg/router/traefik.go:Reconcile",
    needs: &[Need::Canaries],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(service) = subject.service_target() else { return Vec::new() };
    subject.sharing_service().map_or_else(Vec::new, |other| {
        let other = &other.canary.target;
        Problem::new(
            format!("Flagger generates TraefikService `{service}` for Canary `{other}`, too: each overwrites the other's weights"),
            "give one of them another spec.service.name",
        )
        .at(Place::of_canary(&["spec", "service", "name"]))
    })
}
