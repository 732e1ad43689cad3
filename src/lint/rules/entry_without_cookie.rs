//! CT042: an entry without a cookie.

use super::{Problem, Rule};
use crate::{
    flagger::Declared,
    lint::{Place, Severity, subject::Subject},
    model::entry::ENTRY_ANNOTATION,
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT042",
    severity: Severity::Warning,
    title: "An entry without a cookie",
    why: "Without a cookie nothing is pinned, and the entry only removes the application's cookies from requests.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/entry: /login",
    mended: &[("annotations:", "annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120")],
    fix: "Declare a cookie with sticky set, or remove the entry with sticky set --unset entry.",
    source: "src/traefik/entry",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let canary = &subject.observed.canary;
    let declares = canary.declared_entry().is_some() && canary.declared == Declared::Nothing;
    if !declares || subject.cookie().is_some() {
        return Vec::new();
    }
    Problem::new(
        "an entry is declared without a cookie: nothing is pinned, and the application gets no cookies there",
        "declare a cookie with sticky set, or remove the entry with sticky set --unset entry",
    )
    .at(Place::of_canary(&["metadata", "annotations", ENTRY_ANNOTATION]))
}
