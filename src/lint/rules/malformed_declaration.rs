//! CT038: a malformed declaration.

use super::{Problem, Rule};
use crate::{
    flagger::Declared,
    lint::{Severity, subject::Subject},
    model::declaration::{self, ANNOTATION},
};

pub(in crate::lint) const RULE: Rule = Rule {
    code: "CT038",
    severity: Severity::Error,
    title: "A malformed declaration",
    why: "A declaration that cannot be parsed declares nothing, and the guard rejects it in new writes. Every error is named, with its position.",
    bad: "kind: Canary
metadata:
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=5m; Secur",
    mended: &[("Max-Age=5m; Secur", "Max-Age=300; Secure")],
    fix: "Correct the annotation, or set the cookie again with sticky set.",
    source: "RFC 6265 section 4.1.1; src/model/declaration.rs has the grammar",
    needs: &[],
    check,
};

fn check(subject: Subject<'_>) -> Vec<Problem> {
    let Declared::Malformed(text, first) = &subject.observed.canary.declared else { return Vec::new() };
    let fix = "correct the annotation, or delete it with sticky remove and set the cookie again";
    super::malformed(ANNOTATION, first, declaration::problems(text), fix)
}
