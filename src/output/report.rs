//! The published JSON and YAML formats, versioned and separate from the model: every change goes into the changelog.

use serde_json::{Value, json};

use crate::{
    error::{Error, Kind},
    flagger::Declared,
    lint::{self, Finding},
    model::{Cookie, Entry, NamespacedName},
    observed::{Manifest, Observed, State, TraefikServiceState},
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

/// Adds the name and, if there is one, the namespace.
pub fn named(target: &NamespacedName, mut value: Value) -> Value {
    value["name"] = target.name.as_str().into();
    if let Some(namespace) = &target.namespace {
        value["namespace"] = namespace.as_str().into();
    }
    value
}

/// Returns a list.
pub fn items(items: impl Iterator<Item = Value>) -> Value {
    Value::from_iter([("items", items.collect::<Value>())])
}

/// Returns the report on one Canary and its cookie, with these findings.
pub fn canary(observed: &Observed, findings: &[Finding]) -> Value {
    let canary = &observed.canary;
    let (primary, track) = observed.weights();
    let (status, service) = match &observed.service {
        TraefikServiceState::Present(service) => ("present", Some(service)),
        TraefikServiceState::Foreign(service) => ("foreign", Some(service)),
        TraefikServiceState::NotGenerated => ("notGenerated", None),
        TraefikServiceState::NotServed => ("notServed", None),
        TraefikServiceState::Forbidden(_) => ("forbidden", None),
    };
    let protection = observed.protection().as_str();
    let finding = |finding: &Finding| {
        let Finding { code, severity, message, help, .. } = finding;
        json!({"code": code, "severity": severity.as_str(), "message": message, "help": help})
    };
    let mut value = json!({
        "phase": canary.phase,
        "traefikService": {"name": canary.service_name, "status": status},
        "weights": {"primary": primary.map(Weight::in_traefik), "canary": track.map(Weight::in_traefik)},
        "declared": declared(&canary.declared),
        "live": observed.live_cookie().map(Cookie::to_json),
        "state": word(observed.whole_state().as_str()),
        "entry": entry(observed),
        "protectedBy": (protection != "-").then(|| word(protection)),
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
    });
    if let Some(service) = service {
        value["traefikService"]["apiVersion"] = service.group.api_version().into();
    }
    if let Some(Manifest { file, line, patches }) = &observed.manifest {
        value["manifest"] = json!({"file": file, "line": line, "patches": patches});
    }
    named(&canary.target, value)
}

/// Returns a state as it is published.
fn word(state: &str) -> &str {
    state.trim_matches(['<', '>'])
}

fn entry(observed: &Observed) -> Value {
    if observed.entry == State::None {
        return Value::Null;
    }
    json!({
        "declared": observed.canary.declared_entry().map(Entry::paths),
        "live": observed.live_entry.as_ref().map(Entry::paths),
        "state": word(observed.entry.as_str()),
        "reasons": observed.entry_reasons,
    })
}

fn declared(declared: &Declared) -> Value {
    match declared {
        Declared::Nothing => Value::Null,
        Declared::Native(cookie, _) => json!({"source": "native", "cookie": cookie.to_json()}),
        Declared::Annotation(cookie) => json!({"source": "annotation", "cookie": cookie.to_json()}),
        Declared::Malformed(_, malformed) => json!({"source": "annotation", "error": malformed.to_string()}),
    }
}

/// Returns the report on a single Canary, with its version.
pub fn single(observed: &Observed) -> Value {
    published("StickyReport", canary(observed, &lint::check(observed)))
}

/// Returns the reports on several Canaries as a list, with its version.
pub fn list(observed: &[Observed]) -> Value {
    published("StickyReportList", items(observed.iter().map(|observed| canary(observed, &lint::check(observed)))))
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
    let value = json!({
        "reason": reason,
        "message": clean(error.message()),
        "causes": error.causes().iter().map(|cause| clean(cause)).collect::<Vec<_>>(),
        "hints": error.hints().into_iter().map(clean).collect::<Vec<_>>(),
        "exitCode": error.kind().code(),
    });
    published("Error", value)
}
