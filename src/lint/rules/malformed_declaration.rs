//! CT038: a declaration that cannot be parsed declares nothing.

use crate::{
    flagger::Declared,
    lint::{Rule, Severity},
    model::declaration::ANNOTATION,
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT038", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let Declared::Malformed(_, malformed) = &observed.canary.declared else { return None };
    Some((
        format!("annotation {ANNOTATION}: {malformed}"),
        "correct the annotation, or delete it with sticky remove and set the cookie again".into(),
    ))
}
