//! The description as JSON, a published format: every change of it goes into the changelog.

use serde_json::{Value, json};

use super::{
    super::report::{canary, items, published},
    Description,
};
use crate::{
    model::{Event, NamespacedName, ObjectKind, Owner},
    traefik::{
        NearMiss, Refusal, Route, Routes, Weight,
        cookie_value::{Generation, Track},
    },
};

/// Returns the description as JSON with the format's version.
pub fn report(description: &Description) -> Value {
    published("CanaryDescription", value(description))
}

/// Returns several descriptions as a list, with the format's version.
pub fn list(descriptions: &[Description]) -> Value {
    published("CanaryDescriptionList", items(descriptions.iter().map(value)))
}

fn value(description: &Description) -> Value {
    let observed = &description.loaded.observed;
    let rollout = &observed.canary.rollout;
    let fate = description.fate();
    let mut value = canary(observed, &description.findings);
    value["strategy"] = json!({
        "kind": rollout.strategy.as_str(),
        "interval": rollout.interval,
        "suspended": rollout.suspended,
        "skipsAnalysis": rollout.skips_analysis,
    });
    let owner =
        |owner: Owner| json!({"tool": owner.tool.as_str(), "name": owner.name, "policy": owner.policy.as_str()});
    value["owner"] = description.owner().map(owner).into();
    value["tracks"] = description.tracks().iter().map(track).collect();
    value["nextWrite"] = json!({
        "when": fate.next.when,
        "weights": fate.next.weights,
        "cookie": fate.outcome,
        "reasons": description.reset_reasons(),
    });
    value["routes"] = routes(&description.around.routes);
    value["events"] = match &description.around.events {
        Some(Ok(events)) => events.iter().map(event).collect(),
        _ => Value::Null,
    };
    if let Some(Err(reason)) = &description.around.events {
        value["eventsUnknown"] = reason.as_str().into();
    }
    value
}

fn track((track, cookie): &(Track, Option<String>)) -> Value {
    json!({
        "name": track.name,
        "service": track.service,
        "weight": track.weight.map(Weight::in_traefik),
        "child": track.child.as_ref().map(|child| &child.0),
        "value": track.child.as_ref().map(|child| child.value(Generation::Sha256)),
        "cookie": cookie,
    })
}

fn routes(routes: &Routes) -> Value {
    let unknown = |(kind, reason): &(ObjectKind, String)| json!({"kind": kind.kind(), "reason": reason});
    let mut value = json!({
        "seen": routes.seen.iter().map(route).collect::<Vec<_>>(),
        "nearMisses": routes.near_misses.iter().map(near_miss).collect::<Vec<_>>(),
        "unknown": routes.unknown.iter().map(unknown).collect::<Vec<_>>(),
    });
    if let Some(reason) = &routes.elsewhere_unknown {
        value["elsewhereUnknown"] = reason.as_str().into();
    }
    value
}

fn route(route: &Route) -> Value {
    let through = |service: &NamespacedName| json!({"namespace": service.namespace, "name": service.name});
    let refused = |(rule, refusal): &(String, Refusal)| json!({"rule": rule, "reason": refusal.to_string()});
    json!({
        "kind": route.kind.kind(),
        "namespace": route.target.namespace,
        "name": route.target.name,
        "rules": route.rules,
        "entryPoints": route.entry_points,
        "tls": route.tls,
        "through": route.through.iter().map(through).collect::<Vec<_>>(),
        "refused": route.shown_refusals().map(refused).collect::<Vec<_>>(),
        "requirements": route.requirements.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "mirror": route.is_mirror,
    })
}

fn near_miss(NearMiss { kind, target, rules, problem, fix }: &NearMiss) -> Value {
    json!({
        "kind": kind.kind(),
        "namespace": target.namespace,
        "name": target.name,
        "rules": rules,
        "problem": problem,
        "fix": fix,
    })
}

fn event(Event { kind, reason, seen: (first, last), count, from, message }: &Event) -> Value {
    json!({
        "type": kind,
        "reason": reason,
        "first": first,
        "last": last,
        "count": count,
        "from": from,
        "message": message,
    })
}
