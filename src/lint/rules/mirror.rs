//! CT045: Flagger's Traefik router does not mirror (`pkg/router/traefik.go:SetRoutes` ignores the argument). Without
//! iterations, the rollout then never advances (`pkg/controller/scheduler.go:runCanary`).

use crate::{
    flagger::Strategy,
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT045", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let rollout = &observed.canary.rollout;
    let effect = match rollout.strategy {
        Strategy::Canary => "so the rollout never gets to its first step",
        Strategy::AbTesting => "which has no effect in an A/B test",
        Strategy::BlueGreen => "so no user traffic reaches the canary before the promotion",
    };
    (rollout.mirrors && !rollout.skips_analysis).then(|| {
        let message = format!("on Traefik, Flagger does not mirror requests (spec.analysis.mirror), {effect}");
        (message, "remove spec.analysis.mirror".into())
    })
}
