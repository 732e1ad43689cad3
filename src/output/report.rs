//! The published JSON and YAML formats, versioned and separate from the model: every change goes into the changelog.

use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{Error, Kind},
    flagger::Declared,
    lint::{self, Finding},
    model::{Cookie, Entry},
    observed::{EntryState, Manifest, Observed, TraefikServiceState},
    text::without_passwords,
    traefik::Weight,
};

/// The version of every published type.
const API_VERSION: &str = "kubectl-canary-traefik/v1";

/// Adds version and kind to a value to be published. `docs/json.md` lists the fields of each kind.
pub fn published(kind: &str, mut value: Value) -> Value {
    value["apiVersion"] = API_VERSION.into();
    value["kind"] = kind.into();
    value
}

/// The state of one Canary and its cookie.
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
    /// Weights that Traefik uses; `null` for a track that is not listed.
    weights: Weights,
    /// The declared cookie; `null` if there is none.
    declared: Option<DeclaredReport>,
    /// The live cookie; `null` if there is none.
    live: Option<Value>,
    /// What is declared compared with what is live, the cookie before the entry: none, synced, missing, differs,
    /// undeclared, pending, malformed, unknown.
    state: String,
    /// The entry; `null` if there is none.
    entry: Option<EntryReport>,
    /// What protects the cookie from Flagger's next write: guard, flagger, none, unknown; `null` without a cookie.
    protected_by: Option<String>,
    /// What is wrong.
    findings: Vec<FindingReport>,
    /// Where the Canary is among manifests; missing for one of a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<ManifestReport>,
}

#[derive(Debug, Serialize)]
struct FindingReport {
    code: &'static str,
    severity: &'static str,
    message: String,
    help: String,
}

#[derive(Debug, Serialize)]
struct ManifestReport {
    file: String,
    line: usize,
    /// Where kustomize patches are that may change it, as `file:line`.
    patches: Vec<String>,
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
struct EntryReport {
    /// The declared paths; `null` if none are declared, or if they are malformed.
    declared: Option<Vec<String>>,
    /// The paths that its objects were made from; `null` without objects.
    live: Option<Vec<String>>,
    /// synced, missing, differs, undeclared, pending, refused, malformed, unknown
    state: String,
    /// Why, one sentence each.
    reasons: Vec<String>,
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
    /// Creates the report on one Canary, with the findings that need nothing else.
    pub fn new(observed: &Observed) -> Self {
        Self::with(observed, lint::check(observed))
    }

    /// Creates the report on one Canary with these findings.
    pub fn with(observed: &Observed, findings: Vec<Finding>) -> Self {
        let canary = &observed.canary;
        let (primary, track) = observed.weights();
        let (status, group) = match &observed.service {
            TraefikServiceState::Present(service) => ("present", Some(service.group)),
            TraefikServiceState::Foreign(service) => ("foreign", Some(service.group)),
            TraefikServiceState::NotGenerated => ("notGenerated", None),
            TraefikServiceState::NotServed => ("notServed", None),
            TraefikServiceState::Forbidden(_) => ("forbidden", None),
        };
        let protection = observed.protection().as_str();
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
            state: observed.whole_state().as_str().trim_matches(['<', '>']).to_owned(),
            entry: entry(observed),
            findings: findings
                .into_iter()
                .map(|Finding { code, severity, message, help, .. }| FindingReport {
                    code,
                    severity: severity.as_str(),
                    message,
                    help,
                })
                .collect(),
            protected_by: (protection != "-").then(|| protection.trim_matches(['<', '>']).to_owned()),
            manifest: observed.manifest.clone().map(|Manifest { file, line, patches }| ManifestReport {
                file,
                line,
                patches,
            }),
        }
    }
}

fn entry(observed: &Observed) -> Option<EntryReport> {
    let paths = |entry: &Entry| entry.paths().to_vec();
    let reasons = match (&observed.entry, &observed.canary.entry) {
        (EntryState::None, _) => return None,
        (EntryState::Refused(problems), _) => problems.clone(),
        (EntryState::Unknown(reason), _) => vec![reason.clone()],
        (_, Some(Err(malformed))) => vec![malformed.to_string()],
        _ => Vec::new(),
    };
    Some(EntryReport {
        declared: observed.canary.declared_entry().map(paths),
        live: observed.live_entry.as_ref().map(paths),
        state: observed.entry.as_str().trim_matches(['<', '>']).to_owned(),
        reasons,
    })
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

/// Returns the report on a single Canary, with its version.
pub fn single(observed: &Observed) -> Value {
    let value = serde_json::to_value(CanaryReport::new(observed)).expect("a report can be written as JSON");
    published("StickyReport", value)
}

/// Returns the reports on several Canaries as a list, with its version.
pub fn list(observed: &[Observed]) -> Value {
    let items: Vec<_> = observed.iter().map(CanaryReport::new).collect();
    published("StickyReportList", serde_json::json!({"items": items}))
}

/// Returns the report on an error. The reasons are the names in `docs/exit-codes.md`.
pub fn error(error: &Error) -> Value {
    let reason = match error.kind() {
        Kind::Usage => "usage",
        Kind::Refused | Kind::Cancelled | Kind::Editor => "refused",
        Kind::NotFound => "notFound",
        Kind::Conflict => "conflict",
        Kind::Cluster | Kind::Invalid => "cluster",
        Kind::Bug => "bug",
        Kind::Interrupted => "interrupted",
        Kind::Signal(_) | Kind::BrokenPipe => "ended",
    };
    let clean = |text: &str| without_passwords(text);
    let value = serde_json::json!({
        "reason": reason,
        "message": clean(error.message()),
        "causes": error.causes().iter().map(|cause| clean(cause)).collect::<Vec<_>>(),
        "hints": error.hints().into_iter().map(clean).collect::<Vec<_>>(),
        "exitCode": error.kind().code(),
    });
    published("Error", value)
}
