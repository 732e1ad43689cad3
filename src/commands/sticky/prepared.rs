//! A change between the plan and the report: the state it starts from, and its result.

use std::sync::Arc;

use serde_json::Value;

use crate::{
    error::{Error, Kind},
    flagger::Canary,
    model::ObjectKind,
    observed::{Guarded, Loaded, Observed},
    plan::Plan,
    traefik::TraefikService,
};

/// A plan with the state it was made from and the objects the server would store.
pub(super) struct Prepared {
    pub(super) loaded: Loaded,
    pub(super) plan: Plan,
    /// The resulting objects, one per step.
    pub(super) after: Vec<Value>,
    /// Whether the guard protects the result; determined only when it is written.
    pub(super) guarded: Guarded,
}

impl Prepared {
    /// Returns the state after the plan is carried out.
    pub(super) fn result(&self) -> Observed {
        Observed { guarded: self.guarded, ..result(&self.loaded, &self.plan, &self.after).observed }
    }
}

/// Returns the state after the plan is carried out.
pub(super) fn result(loaded: &Loaded, plan: &Plan, after: &[Value]) -> Loaded {
    let mut result = loaded.clone();
    let mut routing = loaded.routing.as_deref().cloned();
    for (step, object) in plan.steps.iter().zip(after) {
        match (step.object.kind, &mut routing) {
            (ObjectKind::Canary, _) => result.canary = object.clone(),
            (ObjectKind::TraefikService(_), _) => result.service = Some(object.clone()),
            (_, Some(routing)) => routing.replace(&step.object, object),
            (_, None) => {}
        }
    }
    if let Some(canary) = Canary::from_object(&result.canary) {
        let service = result.observed.service().map(|service| service.group);
        result.observed = match (service, &result.service) {
            (Some(group), Some(object)) => Observed::pair(canary, TraefikService::from_object(object, group)),
            _ => Observed { service: result.observed.service, ..Observed::pair(canary, None) },
        }
        .with_entry(None);
    }
    match routing {
        Some(routing) => result.with_routing(Arc::new(routing)),
        None => result,
    }
}

/// Returns the error for objects that others keep changing.
pub(super) fn keeps_changing(loaded: &Loaded) -> Error {
    let target = &loaded.observed.canary.target;
    Error::new(Kind::Conflict, format!("Canary `{target}` or its TraefikService keeps changing"))
        .hint("wait until the rollout pauses, then repeat the command")
}
