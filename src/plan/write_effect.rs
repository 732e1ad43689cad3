//! The effect of Flagger's next write on the cookie. Flagger's type of the TraefikService has no `sticky` field, so each
//! write removes it.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    flagger::{
        generated::FLUX,
        next_write::{LivePrimary, NextWrite, When, next_write},
    },
    observed::{Observed, Protection, State, TraefikServiceState},
    traefik::{Live, Weight, traefik_service::Child},
};

/// The effect of Flagger's next write on the cookie. Its names are published (`docs/json.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// There is no cookie, live or declared.
    #[serde(rename = "nothing")]
    NoCookie,
    /// The cookie stays: Flagger copies the declared one itself.
    Native,
    /// The cookie stays or is added: the guard puts the declared one into the write.
    Guard,
    /// The write removes the cookie.
    #[serde(rename = "removed")]
    Dropped,
    /// There is no live cookie, and the write adds none.
    NotLive,
    /// Flagger does not write.
    Untouched,
    /// This user may not read the guard, or the TraefikService.
    Unknown,
}

/// Flagger's next write with its effect on the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteEffect {
    /// Flagger's next write.
    pub next: NextWrite,
    /// Its effect on the cookie.
    pub outcome: Outcome,
}

/// Returns Flagger's next write with its effect on the cookie.
pub fn write_effect(observed: &Observed) -> WriteEffect {
    let next = next_write(&observed.canary, live_primary(observed), reset_to(observed));
    let outcome = match (observed.protection(), observed.state()) {
        (Protection::Native, _) => Outcome::Native,
        (Protection::Nothing, _) => Outcome::NoCookie,
        (_, State::Unknown) => Outcome::Unknown,
        _ if matches!(next.when, When::Suspended | When::Deletion | When::StuckPromotion) => Outcome::Untouched,
        (Protection::Guard, _) => Outcome::Guard,
        (Protection::Unknown, _) => Outcome::Unknown,
        (Protection::No, _) if observed.service().is_none_or(|service| service.live == Live::Absent) => {
            Outcome::NotLive
        }
        (Protection::No, _) => Outcome::Dropped,
    };
    WriteEffect { next, outcome }
}

fn live_primary(observed: &Observed) -> LivePrimary {
    match observed.weights().0 {
        Some(Weight::Number(weight)) => LivePrimary::Weight(weight),
        Some(Weight::Absent) => LivePrimary::Weight(0),
        None if observed.service == TraefikServiceState::NotGenerated => LivePrimary::NotGenerated,
        None => LivePrimary::Unknown,
    }
}

/// Returns the weights of a reset, if Flagger resets the TraefikService: the canary stays listed if two children are
/// (`pkg/router/traefik.go:Reconcile`).
fn reset_to(observed: &Observed) -> Option<(i64, i64)> {
    let children = observed.service()?.children.as_ref()?;
    let canary = if children.len() == 2 { 100 } else { 0 };
    (!reset_reasons(observed).is_empty()).then_some((100, canary))
}

/// Returns why Flagger resets the TraefikService to what it generates, one clause each; empty if it does not. It compares
/// the children without their weights, the labels and the annotations (`pkg/router/traefik.go:Reconcile`).
pub fn reset_reasons(observed: &Observed) -> Vec<String> {
    let canary = &observed.canary;
    // Without children there is nothing to compare: Flagger ends with an error.
    let Some((service, children)) = observed.service().and_then(|it| Some((it, it.children.as_ref()?))) else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    let is_marked = FLUX
        .iter()
        .all(|(key, value)| service.annotations.iter().any(|(k, v)| (k.as_str(), v.as_str()) == (*key, *value)));
    // Flagger marks whatever it has once compared.
    let is_new = matches!(canary.phase.as_deref(), None | Some("Initializing"));
    if is_new && service.controller.is_none() && !is_marked {
        reasons.push("Flagger did not create it".to_owned());
    }
    let expected = [canary.primary_name(), canary.canary_name()];
    let expected = if children.len() == 2 { &expected[..] } else { &expected[..1] };
    let is_expected = |(child, name): (&Child, &Option<String>)| {
        Some(&child.name) == name.as_ref() && child.port.unwrap_or(0) == canary.port.unwrap_or(0)
    };
    let are_expected = children.len() == expected.len() && children.iter().zip(expected).all(is_expected);
    if !are_expected || service.has_children_elsewhere {
        reasons.push("its services are not those of the Canary".to_owned());
    }
    // The apex Service shares its labels with the TraefikService, and adds the selector of its name
    // (`pkg/router/kubernetes_default.go:reconcileService`).
    let is_selector = |value: &str| canary.has_apex && canary.service_name.as_deref() == Some(value);
    let labels = differing(&service.labels, &canary.apex_labels).filter(|(_, value)| !value.is_some_and(is_selector));
    let is_flux = |key: &str| FLUX.iter().any(|(known, _)| *known == key);
    let annotations = differing(&service.annotations, &canary.apex_annotations).filter(|(key, _)| !is_flux(key));
    for (what, keys) in [
        ("label", labels.map(|(key, _)| key).collect::<Vec<_>>()),
        ("annotation", annotations.map(|(key, _)| key).collect()),
    ] {
        for key in keys {
            reasons.push(format!("its {what} `{key}` differs from spec.service.apex"));
        }
    }
    reasons
}

/// Returns the keys that differ, each with what is live.
fn differing<'a>(
    live: &'a [(String, String)],
    expected: &'a Map<String, Value>,
) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    let is_same = |key: &str, value: &str| expected.get(key).and_then(Value::as_str) == Some(value);
    let extra = live.iter().filter(move |(key, value)| !is_same(key, value));
    let missing = expected.keys().filter(|key| live.iter().all(|(other, _)| other != *key));
    extra.map(|(key, value)| (key.as_str(), Some(value.as_str()))).chain(missing.map(|key| (key.as_str(), None)))
}

#[cfg(test)]
mod tests;
