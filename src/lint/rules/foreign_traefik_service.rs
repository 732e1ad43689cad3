//! CT039: something else controls the TraefikService of this name, so Flagger writes to an object that is not its own,
//! and this program leaves it alone.

use crate::{
    lint::{Rule, Severity},
    observed::{Observed, TraefikServiceState},
};

pub(in crate::lint) const RULE: Rule = Rule { code: "CT039", severity: Severity::Error, check };

fn check(observed: &Observed) -> Option<(String, String)> {
    let TraefikServiceState::Foreign(service) = &observed.service else { return None };
    let owner = service.controller.as_ref()?;
    Some((
        format!("TraefikService `{}` is controlled by {} `{}`", service.target.name, owner.kind, owner.name),
        "give this Canary another spec.service.name, or delete the other owner".into(),
    ))
}
