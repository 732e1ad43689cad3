//! CT045: mirroring on Traefik.

use super::{Problem, Rule};
use crate::{
    flagger::Strategy,
    lint::{Place, Severity, subject::Subject},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT045",
    severity: Severity::Warning,
    title: "Mirroring on Traefik",
    why: "Flagger's Traefik router does not mirror. Without iterations the rollout then never gets to its first step.",
    bad: "kind: Canary
spec:
  analysis:
    iterations: 5
    mirror: true",
    mended: &[("\n    mirror: true", "")],
    fix: "Remove spec.analysis.mirror.",
    source: "fluxcd/flagger pkg/router/traefik.go:SetRoutes, pkg/controller/scheduler.go:runCanary",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let rollout = subject.rollout();
    let effect = match rollout.strategy {
        Strategy::Canary => "so the rollout never gets to its first step",
        Strategy::AbTesting => "which has no effect in an A/B test",
        Strategy::BlueGreen => "so no user traffic reaches the canary before the promotion",
    };
    if !rollout.mirrors || rollout.skips_analysis {
        return Vec::new();
    }
    let message = format!("on Traefik, Flagger does not mirror requests (spec.analysis.mirror), {effect}");
    Problem::new(message, "remove spec.analysis.mirror").at(Place::of_canary(&["spec", "analysis", "mirror"]))
}
