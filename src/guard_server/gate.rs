//! The handler of Flagger's `confirm-promotion` webhook. Each answer is computed from the current state of the cluster,
//! so every replica gives the same one, even right after its start.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use crate::{
    apiserver::Failure,
    error::panic::lock,
    flagger::Canary,
    guard::gate::{Verdict, judge},
    guard_server::{
        body::{self, Answer, text},
        lookups::Lookups,
        parts::{GATED_CANARY, GATED_SERVICE},
        shared::Shared,
    },
    model::{NamespacedName, ObjectKind, name::Group},
    traefik::TraefikService,
};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use jiff::{Timestamp, fmt::rfc2822};
use serde::Deserialize;
use serde_json::{Value, json};

/// Timeout for an answer. Flagger waits 10 s.
const PATIENCE: Duration = Duration::from_secs(5);
/// Number of Canaries whose last log line is remembered.
const MOST_TOLD: usize = 4096;

/// State of the gate. The answers do not depend on it.
pub(super) struct Gate {
    lookups: Lookups<Result<Verdict, Unjudged>>,
    /// The last log line for each Canary: the verdict's label and the resourceVersion of the TraefikService.
    told: Mutex<HashMap<NamespacedName, (&'static str, String)>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { lookups: Lookups::new(Duration::ZERO), told: Mutex::default() }
    }
}

/// The required fields of Flagger's request (`pkg/apis/flagger/v1beta1/canary.go:CanaryWebhookPayload`).
#[derive(Deserialize)]
struct Question {
    name: String,
    namespace: String,
}

/// The reason for the absence of a verdict: metrics label, status and text. Flagger does not retry a status below 500
/// by itself; every status here means closed to it.
type Unjudged = (&'static str, StatusCode, String);

/// Answers Flagger: 200 means open, everything else closed. The body states the reason.
pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    let judged = match body::read(&shared.room, request.into_body(), body::SMALL_BODY).await {
        Err((status, reason)) => Err(("bad_request", status, reason.trim_end().to_owned())),
        Ok((body, _place)) => {
            let late = || ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "the API server took too long".to_owned());
            tokio::time::timeout(PATIENCE, verdict(shared, &body)).await.unwrap_or_else(|_| Err(late()))
        }
    };
    let (word, status, reason) = match judged {
        Ok(verdict) if verdict.is_open() => (verdict.word(), StatusCode::OK, verdict.to_string()),
        // The status with which Flagger's own load tester reports a closed gate.
        Ok(verdict) => (verdict.word(), StatusCode::FORBIDDEN, verdict.to_string()),
        Err((word, status, reason)) => (word, status, format!("closed: {reason}")),
    };
    shared.metrics.gate_answered(word);
    text(status, format!("{reason}\n"))
}

async fn verdict(shared: &Shared, body: &[u8]) -> Result<Verdict, Unjudged> {
    let target = read(body).map_err(|reason| ("bad_request", StatusCode::BAD_REQUEST, reason))?;
    let name = target.to_string();
    if shared.scope.namespace.is_some() && shared.scope.namespace != target.namespace {
        let reason = format!("Canary `{name}` is in a namespace that this guard does not cover");
        return Err(("no_canary", StatusCode::NOT_FOUND, reason));
    }
    shared.gate.lookups.get(&target, look(shared, &target)).await
}

/// Computes the verdict from the state of the cluster.
async fn look(shared: &Shared, target: &NamespacedName) -> Result<Verdict, Unjudged> {
    let none = || ("no_canary", StatusCode::NOT_FOUND, format!("Canary `{target}` does not exist"));
    let read = shared.cluster.get_part(ObjectKind::Canary, target, &GATED_CANARY).await;
    let canary = match read {
        Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => return Err(none()),
        Err(failure) => return Err(unavailable(failure)),
        Ok(read) if read.is_truncated => return Err(too_large(shared, ObjectKind::Canary, target)),
        Ok(read) => Canary::from_object(&read.value).ok_or_else(none)?,
    };
    let found = service(shared, &canary).await?;
    let service = found.as_ref().map(|(service, object, _)| (service, object));
    let now = found.as_ref().and_then(|(_, _, date)| rfc2822::parse(date.as_deref()?).ok());
    let verdict = judge(&canary, service, now.map_or_else(Timestamp::now, |now| now.timestamp()));
    let version = service.and_then(|(_, object)| object.pointer("/metadata/resourceVersion")?.as_str());
    tell(shared, target, &verdict, version.unwrap_or_default());
    Ok(verdict)
}

/// Parses the request into the name of the Canary.
fn read(body: &[u8]) -> Result<NamespacedName, String> {
    let question: Question = serde_json::from_slice(body)
        .map_err(|error| format!("this is not what Flagger posts to a webhook: {error}"))?;
    let is_name = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        (1..=253).contains(&text.len()) && text.bytes().all(allowed)
    };
    if !is_name(&question.name) || !is_name(&question.namespace) {
        return Err("`name` and `namespace` are not those of a Canary".into());
    }
    Ok(NamespacedName { namespace: Some(question.namespace), name: question.name })
}

/// Reads the Canary's TraefikService from the first API group that has one, with the raw object and the server's date.
async fn service(
    shared: &Shared,
    canary: &Canary,
) -> Result<Option<(TraefikService, Value, Option<String>)>, Unjudged> {
    let Some(target) = canary.service_target() else { return Ok(None) };
    for group in Group::ALL {
        let kind = ObjectKind::TraefikService(group);
        match shared.cluster.get_part_dated(kind, &target, &GATED_SERVICE).await {
            Ok((read, _)) if read.is_truncated => return Err(too_large(shared, kind, &target)),
            Ok((read, date)) => {
                let service = TraefikService::from_object(&read.value, group);
                return Ok(service.map(|service| (service, read.value, date)));
            }
            Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => {}
            // If the legacy group may not be read, it is not in use.
            Err(failure) if failure.is_forbidden() && group == Group::TraefikContainoUs => {}
            Err(failure) => return Err(unavailable(failure)),
        }
    }
    Ok(None)
}

fn unavailable(failure: Failure) -> Unjudged {
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE, failure.to_log_message())
}

fn too_large(shared: &Shared, kind: ObjectKind, target: &NamespacedName) -> Unjudged {
    shared.too_large(kind.resource(), Some(target.clone()));
    let reason = format!("{} `{target}` is too large to evaluate", kind.kind());
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE, reason)
}

/// Logs an answer if it differs from the last one, since Flagger asks repeatedly.
fn tell(shared: &Shared, target: &NamespacedName, verdict: &Verdict, version: &str) {
    let news = (verdict.word(), version.to_owned());
    let mut told = lock(&shared.gate.told);
    if told.get(target) != Some(&news) {
        let message = if verdict.is_open() { "promotion may start" } else { "promotion has to wait" };
        shared.log.info(message, &[("name", json!(target.to_string())), ("reason", json!(verdict.to_string()))]);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        told.insert(target.clone(), news);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flagger_posts_names_a_canary_and_nothing_else_does() {
        let posted = br#"{"name":"shop","namespace":"web","phase":"Progressing","checksum":"1","metadata":{"a":"b"}}"#;
        let target = read(posted).map(|target| target.to_string());
        assert_eq!(target, Ok("web/shop".to_owned()));
        for body in [r#"{"name":"a/b","namespace":"web"}"#, r#"{"name":"a","namespace":""}"#] {
            let reason = read(body.as_bytes()).unwrap_err();
            assert_eq!(reason, "`name` and `namespace` are not those of a Canary", "{body}");
        }
        for body in ["", "[]", r#"{"name":1,"namespace":"web"}"#, r#"{"name":"a"}"#] {
            let reason = read(body.as_bytes()).unwrap_err();
            assert_eq!(reason.split_once(':').unwrap().0, "this is not what Flagger posts to a webhook", "{body}");
        }
    }
}
