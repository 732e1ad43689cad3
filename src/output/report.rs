//! The published JSON and YAML shapes, versioned, apart from the model: a change here is a line in the
//! changelog.

use serde::Serialize;
use serde_json::Value;

use crate::model::{Cookie, Declared, Observed, Service, Weight};

/// The version of every type that is published.
const API_VERSION: &str = "kubectl-canary-traefik/v1";

/// A value as it is published: with its version and its kind. `docs/json.md` has a table of each kind's fields.
pub fn published(kind: &str, mut value: Value) -> Value {
    value["apiVersion"] = API_VERSION.into();
    value["kind"] = kind.into();
    value
}

/// What is known of one Canary and its cookie.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryReport {
    /// Namespace of the Canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// Name of the Canary.
    name: String,
    /// `status.phase`.
    phase: Option<String>,
    /// The TraefikService.
    traefik_service: ServiceReport,
    /// The weights that Traefik works with; `null` for a track that is not listed.
    weights: Weights,
    /// What is declared; `null` for nothing.
    declared: Option<DeclaredReport>,
    /// The live cookie; `null` for none.
    live: Option<Value>,
    /// Declared and live compared: none, synced, missing, differs, undeclared, pending, malformed, unknown.
    state: String,
    /// What keeps the stanza through Flagger's next write: native, guard, no, unknown; `null` when there is nothing to keep.
    kept: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceReport {
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    /// present, foreign, notGenerated, notServed, forbidden
    status: &'static str,
}

#[derive(Debug, Serialize)]
struct Weights {
    primary: Option<i64>,
    canary: Option<i64>,
}

#[derive(Debug, Serialize)]
struct DeclaredReport {
    /// native or annotation
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookie: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl CanaryReport {
    /// The report on what was seen.
    pub fn new(observed: &Observed) -> Self {
        let canary = &observed.canary;
        let (primary, track) = observed.weights();
        let (status, group) = match &observed.service {
            Service::Present(service) => ("present", Some(service.group)),
            Service::Foreign(service) => ("foreign", Some(service.group)),
            Service::NotGenerated => ("notGenerated", None),
            Service::NotServed => ("notServed", None),
            Service::Forbidden(_) => ("forbidden", None),
        };
        let kept = observed.kept().as_str();
        Self {
            namespace: canary.target.namespace.clone(),
            name: canary.target.name.clone(),
            phase: canary.phase.clone(),
            traefik_service: ServiceReport {
                name: canary.service_name.clone(),
                api_version: group.map(crate::model::name::Group::api_version),
                status,
            },
            weights: Weights { primary: primary.map(Weight::in_traefik), canary: track.map(Weight::in_traefik) },
            declared: declared(&canary.declared),
            live: observed.live_cookie().map(Cookie::to_json),
            state: observed.state().as_str().trim_matches(['<', '>']).to_owned(),
            kept: (kept != "-").then(|| kept.trim_matches(['<', '>']).to_owned()),
        }
    }
}

fn declared(declared: &Declared) -> Option<DeclaredReport> {
    let (source, cookie, error) = match declared {
        Declared::Nothing => return None,
        Declared::Native(cookie, _) => ("native", Some(cookie.to_json()), None),
        Declared::Annotation(cookie) => ("annotation", Some(cookie.to_json()), None),
        Declared::Malformed(_, malformed) => ("annotation", None, Some(malformed.to_string())),
    };
    Some(DeclaredReport { source, cookie, error })
}

/// One report with its version, as printed for a single Canary.
pub fn single(observed: &Observed) -> Value {
    let value = serde_json::to_value(CanaryReport::new(observed)).expect("a report can be written as JSON");
    published("StickyReport", value)
}

/// Several reports with their version.
pub fn list(observed: &[Observed]) -> Value {
    let items: Vec<_> = observed.iter().map(CanaryReport::new).collect();
    published("StickyReportList", serde_json::json!({"items": items}))
}
