//! CT047: with `iterations`, Flagger takes no weight steps (`pkg/apis/flagger/v1beta1/canary.go:DeploymentStrategy`).

use crate::{
    flagger::Strategy,
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT047", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let rollout = &observed.canary.rollout;
    let has_steps = rollout.steps().is_some();
    (rollout.strategy != Strategy::Canary && has_steps && !rollout.skips_analysis).then(|| {
        (
            "with spec.analysis.iterations, Flagger ignores stepWeight and stepWeights".into(),
            "for a rollout in weight steps, remove iterations; for blue/green, remove stepWeight and stepWeights"
                .into(),
        )
    })
}
