//! CT043: with an entry, the primary can be drained before it is replaced, but only by a last step of 100.

use crate::{
    flagger::Strategy,
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT043", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let canary = &observed.canary;
    canary.declared_entry()?;
    let rollout = &canary.rollout;
    let last = *rollout.steps()?.last()?;
    (last < 100 && rollout.strategy == Strategy::Canary && !rollout.skips_analysis).then(|| {
        (
            format!(
                "the last step is {last}, so {} % of the flows are on the primary when the promotion replaces it",
                100 - last.clamp(0, 100)
            ),
            "end the Canary's stepWeights with 100, or replace stepWeight by such stepWeights".into(),
        )
    })
}
