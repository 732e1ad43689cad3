//! CT021: Max-Age is so long that people who were there before the rollout hardly see the canary.

use super::cookie;
use crate::{
    lint::{Rule, Severity},
    observed::Observed,
    simulate::returning_shares_of,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT021", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let max_age = cookie(observed)?.max_age()?;
    let rollout = &observed.canary.rollout;
    let shares = returning_shares_of(rollout, max_age)?;
    // All steps take the same time.
    let (wanted, seen, steps) = shares
        .into_iter()
        .fold((0.0, 0.0, 0.0), |(wanted, seen, steps), (weight, share)| (wanted + weight, seen + share, steps + 1.0));
    (seen * 2.0 < wanted).then(|| {
        (
            format!(
                "with Max-Age={max_age} and an interval of {} s, users who were there before the rollout see the canary \
                 in {:.0} % of their page views during the steps, instead of {:.0} %",
                rollout.interval,
                seen / steps,
                wanted / steps
            ),
            "set --max-age to just over the length of one login, and the Canary's interval to at least that".into(),
        )
    })
}
