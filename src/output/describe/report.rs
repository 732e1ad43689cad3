//! The description as JSON, a published format: every change of it goes into the changelog.

use serde::Serialize;
use serde_json::Value;

use super::{
    super::report::{CanaryReport, published},
    Description,
};
use crate::{
    flagger::next_write::When,
    model::{Event, NamespacedName, ObjectKind},
    plan::write_effect::Outcome,
    traefik::{Lookup, NearMiss, Route, Routes, Weight, cookie_value::Generation},
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DescriptionReport {
    #[serde(flatten)]
    canary: CanaryReport,
    strategy: StrategyReport,
    /// The tool that applies the Canary; `null` if none is recognised.
    owner: Option<OwnerReport>,
    tracks: Vec<TrackReport>,
    next_write: NextWriteReport,
    routes: RoutesReport,
    /// The last events, the newest last; `null` without a cluster, or if this user may not see them.
    events: Option<Vec<EventReport>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events_unknown: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StrategyReport {
    /// canary, ab-testing, blue-green
    kind: &'static str,
    /// Seconds.
    interval: i64,
    suspended: bool,
    skips_analysis: bool,
}

#[derive(Debug, Serialize)]
struct OwnerReport {
    /// flux-kustomization, flux-helmrelease, argocd, helm
    tool: &'static str,
    name: String,
    /// ignores, restores, replaces, preserves
    policy: &'static str,
}

#[derive(Debug, Serialize)]
struct TrackReport {
    name: String,
    service: String,
    /// The weight that Traefik uses; `null` if the track is not listed.
    weight: Option<i64>,
    /// The child's name in Traefik; `null` if the namespace is not known.
    child: Option<String>,
    /// The cookie's value for the child, in Traefik 3.3.4 and later.
    value: Option<String>,
    /// `name=value`; `null` if there is no cookie.
    cookie: Option<String>,
}

#[derive(Debug, Serialize)]
struct NextWriteReport {
    when: &'static str,
    /// Weights of the primary and the canary, if they can be computed.
    weights: Option<(i64, i64)>,
    /// The effect of the write on the cookie.
    cookie: &'static str,
    /// Why Flagger resets the TraefikService, if it does.
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoutesReport {
    seen: Vec<RouteReport>,
    near_misses: Vec<NearMissReport>,
    unknown: Vec<UnknownReport>,
    /// Why routes of other namespaces could not be read; `None` if they could.
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere_unknown: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RouteReport {
    kind: &'static str,
    namespace: Option<String>,
    name: String,
    rules: Vec<String>,
    entry_points: Vec<String>,
    tls: bool,
    /// The TraefikServices between the route and this one.
    through: Vec<ThroughReport>,
    /// The rules that Traefik refuses.
    refused: Vec<RefusedReport>,
    /// What Traefik needs to follow it, one sentence each.
    requirements: Vec<String>,
    mirror: bool,
}

#[derive(Debug, Serialize)]
struct RefusedReport {
    rule: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct ThroughReport {
    namespace: Option<String>,
    name: String,
}

#[derive(Debug, Serialize)]
struct NearMissReport {
    kind: &'static str,
    namespace: Option<String>,
    name: String,
    rules: Vec<String>,
    problem: String,
    fix: String,
}

#[derive(Debug, Serialize)]
struct UnknownReport {
    kind: &'static str,
    reason: String,
}

#[derive(Debug, Serialize)]
struct EventReport {
    r#type: String,
    reason: String,
    first: Option<String>,
    last: Option<String>,
    count: i64,
    from: String,
    message: String,
}

/// Returns the description as JSON with the format's version.
pub fn report(description: &Description) -> Value {
    published("CanaryDescription", value(description))
}

/// Returns several descriptions as a list, with the format's version.
pub fn list(descriptions: &[Description]) -> Value {
    let items: Vec<_> = descriptions.iter().map(value).collect();
    published("CanaryDescriptionList", serde_json::json!({ "items": items }))
}

fn value(description: &Description) -> Value {
    let observed = &description.loaded.observed;
    let rollout = &observed.canary.rollout;
    let fate = description.fate();
    let (events, events_unknown) = match &description.around.events {
        None => (None, None),
        Some(Lookup::Seen(events)) => (Some(events.iter().map(event).collect()), None),
        Some(Lookup::Unknown(reason)) => (None, Some(reason.clone())),
    };
    let owner = description.owner();
    let report = DescriptionReport {
        canary: CanaryReport::with(observed, description.findings.clone()),
        strategy: StrategyReport {
            kind: rollout.strategy.as_str(),
            interval: rollout.interval,
            suspended: rollout.suspended,
            skips_analysis: rollout.skips_analysis,
        },
        owner: owner.map(|owner| OwnerReport {
            tool: owner.tool.as_str(),
            name: owner.name,
            policy: owner.policy.as_str(),
        }),
        tracks: description
            .tracks()
            .into_iter()
            .map(|(track, cookie)| TrackReport {
                name: track.name,
                service: track.service,
                weight: track.weight.map(Weight::in_traefik),
                child: track.child.as_ref().map(|child| child.name().to_owned()),
                value: track.child.map(|child| child.value(Generation::Sha256)),
                cookie,
            })
            .collect(),
        next_write: NextWriteReport {
            when: when(fate.next.when),
            weights: fate.next.weights,
            cookie: effect_on_cookie(fate.outcome),
            reasons: description.reset_reasons(),
        },
        routes: routes(&description.around.routes),
        events,
        events_unknown,
    };
    serde_json::to_value(report).expect("a report can be written as JSON")
}

fn routes(routes: &Routes) -> RoutesReport {
    let unknown = |(kind, reason): &(ObjectKind, String)| UnknownReport { kind: kind.kind(), reason: reason.clone() };
    RoutesReport {
        seen: routes.seen.iter().map(route).collect(),
        near_misses: routes.near_misses.iter().map(near_miss).collect(),
        unknown: routes.unknown.iter().map(unknown).collect(),
        elsewhere_unknown: routes.elsewhere_unknown.clone(),
    }
}

fn route(route: &Route) -> RouteReport {
    let through = |service: &NamespacedName| {
        let NamespacedName { namespace, name } = service.clone();
        ThroughReport { namespace, name }
    };
    RouteReport {
        kind: route.kind.kind(),
        namespace: route.target.namespace.clone(),
        name: route.target.name.clone(),
        rules: route.rules.clone(),
        entry_points: route.entry_points.clone(),
        tls: route.tls,
        through: route.through.iter().map(through).collect(),
        refused: route
            .shown_refusals()
            .map(|(rule, refusal)| RefusedReport { rule: rule.clone(), reason: refusal.to_string() })
            .collect(),
        requirements: route.requirements.iter().map(ToString::to_string).collect(),
        mirror: route.is_mirror,
    }
}

fn near_miss(miss: &NearMiss) -> NearMissReport {
    let NearMiss { kind, target: NamespacedName { namespace, name }, rules, problem, fix } = miss.clone();
    NearMissReport { kind: kind.kind(), namespace, name, rules, problem, fix }
}

fn event(event: &Event) -> EventReport {
    let Event { kind, reason, seen: (first, last), count, from, message } = event.clone();
    EventReport { r#type: kind, reason, first, last, count, from, message }
}

fn when(when: When) -> &'static str {
    match when {
        When::NotKnown => "unknown",
        When::Generation => "generation",
        When::NewRevision => "newRevision",
        When::RolloutGate => "rolloutGate",
        When::Step => "step",
        When::Iteration => "iteration",
        When::LastIteration => "lastIteration",
        When::Promotion => "promotion",
        When::PromotionGate => "promotionGate",
        When::Rollback => "rollback",
        When::NoSteps => "noSteps",
        When::Reset => "reset",
        When::StuckPromotion => "stuckPromotion",
        When::Suspended => "suspended",
        When::Deletion => "deletion",
    }
}

fn effect_on_cookie(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NoCookie => "nothing",
        Outcome::Native => "native",
        Outcome::Guard => "guard",
        Outcome::Dropped => "removed",
        Outcome::NotLive => "notLive",
        Outcome::Untouched => "untouched",
        Outcome::Unknown => "unknown",
    }
}
