//! CT041: something else serves the paths of the entry, so no pin begins anew there.

use crate::{
    lint::{Rule, Severity},
    observed::{EntryState, Observed},
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT041", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let EntryState::Refused(problems) = &observed.entry else { return None };
    Some((
        format!("no pin begins anew at some of the entry's paths: {}", problems.join("; ")),
        "name other paths with sticky set --entry, or give the route to the TraefikService a higher priority".into(),
    ))
}
