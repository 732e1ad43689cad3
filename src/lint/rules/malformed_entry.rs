//! CT040: an entry that cannot be parsed declares nothing.

use crate::{
    lint::{Rule, Severity},
    model::entry::ENTRY_ANNOTATION,
    observed::Observed,
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT040", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let Some(Err(malformed)) = &observed.canary.entry else { return None };
    Some((
        format!("annotation {ENTRY_ANNOTATION}: {malformed}"),
        "set the paths again with sticky set --entry, or remove them with sticky set --unset entry".into(),
    ))
}
