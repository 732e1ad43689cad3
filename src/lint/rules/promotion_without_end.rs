//! CT051: the promotion never ends.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    traefik::Weight,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT051",
    severity: Severity::Error,
    title: "The promotion never ends",
    why: "With stepWeightPromotion, Flagger moves the traffic back in steps. If the weights are reset to 100/100, for example because the TraefikService's labels changed, Flagger assumes that the canary's weight is 0 and shifts no traffic. Half of the users stay on each track forever.",
    bad: "kind: Canary
spec:
  analysis:
    stepWeight: 20
    stepWeightPromotion: 25
status: {phase: Promoting}
---
kind: TraefikService
spec:
  weighted:
    services:
      - {name: cart-primary, port: 80, weight: 100}
      - {name: cart-canary, port: 80, weight: 100}",
    mended: &[("weight: 100", "weight: 80"), ("weight: 100", "weight: 20")],
    fix: "In the TraefikService, set the weights to 99 (primary) and 1 (canary): the next step then ends the promotion.",
    source: "fluxcd/flagger pkg/controller/scheduler.go:runPromotionTrafficShift; fluxcd/flagger#1692",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let observed = subject.observed;
    let is_promoting = observed.canary.phase.as_deref() == Some("Promoting");
    let has_steps = subject.rollout().step_weight_promotion.is_some();
    let reset = matches!(observed.weights(), (Some(Weight::Number(primary)), Some(_)) if primary >= 100);
    if !is_promoting || !has_steps || !reset || observed.service().is_none() {
        return Vec::new();
    }
    Problem::new(
        "the weights were reset, so Flagger's promotion moves nothing: users stay on both tracks until somebody changes them",
        "in the TraefikService, set the weights to 99 (primary) and 1 (canary): the next step then ends the promotion",
    )
    .in_service(subject, &["spec", "weighted", "services"])
}
