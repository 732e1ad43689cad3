//! CT040: a malformed entry.

use super::{Problem, Rule};
use crate::{
    lint::{Severity, subject::Subject},
    model::{Entry, entry::ENTRY_ANNOTATION},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT040",
    severity: Severity::Error,
    title: "A malformed entry",
    why: "An entry that cannot be parsed declares nothing: no new pin begins where a flow begins.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
    kubectl-canary-traefik/entry: login, /a b",
    mended: &[("login, /a b", "/login, /a")],
    fix: "Correct the annotation, or set the paths again with sticky set --entry.",
    source: "src/model/entry.rs has the grammar",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Some(Err(first)) = &subject.observed.canary.entry else { return Vec::new() };
    let text = subject.observed.canary.entry_text.as_deref().unwrap_or_default();
    let fix = "set the paths again with sticky set --entry, or remove them with sticky set --unset entry";
    super::malformed(ENTRY_ANNOTATION, first, Entry::problems(text), fix)
}
