//! CT021: Max-Age is so long that the canary is hardly seen.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::Cookie,
    simulate::returning_shares_of,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT021",
    severity: Severity::Warning,
    title: "Max-Age is so long that the canary is hardly seen",
    why: "Traefik never renews its cookie. Users from before the rollout stay pinned to the primary for up to Max-Age: if that is long, the canary is promoted before they have seen it.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=2592000
spec:
  analysis:
    interval: 1m
    stepWeight: 10
    maxWeight: 50",
    mended: &[
        ("Max-Age=2592000", "Max-Age=60\n    kubectl-canary-traefik/entry: /login"),
        ("interval: 1m", "interval: 2m35s"),
        ("stepWeight: 10\n    maxWeight: 50", "stepWeights: [10, 50, 100]"),
    ],
    fix: "Declare an entry and set Max-Age to just over the length of one login, and the interval to at least Max-Age plus three seconds. At two and a half times Max-Age, the canary also gets most of its share of users who do not log in. simulate shows the shares.",
    source: "src/simulate; docs/promotion.md has measured rollouts",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let rollout = subject.rollout();
    let max_age = subject.cookie().and_then(Cookie::max_age);
    let shares = max_age.and_then(|max_age| Some((max_age, returning_shares_of(rollout, max_age)?)));
    let Some((max_age, shares)) = shares else { return Vec::new() };
    // All steps take the same time.
    let (wanted, seen, steps) = shares
        .into_iter()
        .fold((0.0, 0.0, 0.0), |(wanted, seen, steps), (weight, share)| (wanted + weight, seen + share, steps + 1.0));
    if seen * 2.0 >= wanted {
        return Vec::new();
    }
    Problem::new(
        format!(
            "with Max-Age={max_age} and an interval of {} s, returning users see the canary \
             in {:.0} % of their page views during the steps, instead of {:.0} %",
            rollout.interval,
            seen / steps,
            wanted / steps
        ),
        format!("set spec.analysis.interval to Max-Age plus 3 s or more, and {}", subject.pin_per_login()),
    )
    .at(subject.cookie_place())
}
