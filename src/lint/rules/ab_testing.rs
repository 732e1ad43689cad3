//! CT044: Flagger's Traefik router does not know `match`, so in each iteration of an A/B test everybody is on the canary
//! (Flagger's `pkg/router/traefik.go:SetRoutes`, `pkg/controller/scheduler.go:runAB`).

use crate::{
    flagger::Strategy,
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT044", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let rollout = &observed.canary.rollout;
    (rollout.strategy == Strategy::AbTesting && !rollout.skips_analysis).then(|| {
        (
            "on Traefik, Flagger ignores spec.analysis.match: each iteration sends all users to the canary".into(),
            "replace match and iterations with stepWeights".into(),
        )
    })
}
