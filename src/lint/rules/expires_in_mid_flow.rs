//! CT048: the cookie runs out in the middle of logins.

use super::{NOTABLE, Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::Cookie,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT048",
    severity: Severity::Warning,
    title: "The cookie expires in the middle of logins",
    why: "Traefik counts Max-Age from the first response and never renews it. A login under way when the cookie expires may continue on the other track. Reported if simulate predicts this for at least a tenth of one-minute logins. Not reported with an entry, where Max-Age is the longest that a login may take.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
spec:
  analysis:
    interval: 5m
    stepWeights: [10, 50, 100]",
    mended: &[("Max-Age=60", "Max-Age=60\n    kubectl-canary-traefik/entry: /login")],
    fix: "Declare the paths at which logins begin with sticky set --entry: there, Traefik chooses a track again. With an entry, Max-Age has to be as long as a login.",
    source: "traefik/traefik pkg/server/service/loadbalancer/sticky.go; src/simulate",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(simulation) = subject.simulation() else { return Vec::new() };
    // Whoever declares an entry has chosen a Max-Age for their own logins, which may take less than a minute.
    if simulation.setup.entry {
        return Vec::new();
    }
    let moved = simulation.mean(|step| step.moved);
    if moved < NOTABLE {
        return Vec::new();
    }
    let age = subject.cookie().and_then(Cookie::max_age).unwrap_or_default();
    Problem::new(
        format!("with Max-Age={age}, the cookie expires during {moved:.0} % of one-minute logins, which can then change track"),
        format!("declare where your logins begin, for example /login: {}", subject.set("--entry /login")),
    )
    .at(subject.cookie_place())
}
