//! CT056: who is pinned to a dead canary stays there for long.

use super::{Problem, Rule};
use crate::lint::{Place, Severity, subject::Subject};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT056",
    severity: Severity::Info,
    title: "Users stay pinned to a dead canary for a long time",
    why: "Traefik does not move users who are pinned to a track without ready pods: they get errors until the cookie expires, or until Flagger rolls back after threshold failed checks. Reported if that takes more than five minutes.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=3600
spec:
  analysis:
    interval: 5m
    threshold: 10",
    mended: &[("Max-Age=3600", "Max-Age=120")],
    fix: "Shorten Max-Age, or lower threshold or interval.",
    source: "traefik/traefik#7693, #11622; fluxcd/flagger pkg/controller/scheduler.go:advanceCanary",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let rollout = subject.rollout();
    let Some(cookie) = subject.cookie().filter(|_| !rollout.skips_analysis) else { return Vec::new() };
    let rollback = rollout.threshold.saturating_mul(rollout.interval);
    let exposed = match cookie.max_age() {
        Some(age) if age != 0 => age.min(rollback),
        _ => rollback,
    };
    if exposed <= 300 {
        return Vec::new();
    }
    Problem::new(
        format!("users who are pinned to a canary without ready pods get errors for up to {exposed} s, until the cookie expires or Flagger rolls back"),
        "shorten Max-Age, or lower spec.analysis.threshold",
    )
    .at(Place::of_canary(&["spec", "analysis", "threshold"]))
}
