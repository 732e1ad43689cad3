//! CT042: an entry without a cookie takes cookies off requests for nothing.

use super::cookie;
use crate::{
    flagger::Declared,
    lint::{Rule, Severity},
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT042", severity: Severity::Warning, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let declares = observed.canary.declared_entry().is_some() && observed.canary.declared == Declared::Nothing;
    (declares && cookie(observed).is_none()).then(|| {
        (
            "an entry is declared without a cookie: nothing is pinned, and the application gets no cookies there"
                .into(),
            "declare a cookie with sticky set, or remove the entry with sticky set --unset entry".into(),
        )
    })
}
