//! The gate that Flagger's `confirm-promotion` webhook asks. Each answer is worked out anew from what the cluster has,
//! so that every process gives the same one, also right after its start.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    Shared,
    body::{self, Answer, text},
    lookups::Lookups,
    parts::{GATED_CANARY, GATED_SERVICE},
};
use crate::{
    cluster::{Call, Failure, Verb},
    guard::gate::{Verdict, judge},
    model::{Canary, Target, TraefikService, name::Group},
    plan::{ObjectKind, ObjectRef},
};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use jiff::{Timestamp, fmt::rfc2822};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long an answer may take. Flagger waits 10 s.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of how many Canaries it is remembered what was logged last.
const MOST_TOLD: usize = 4096;

/// What the gate keeps: nothing that its answers depend on.
pub(super) struct Gate {
    lookups: Lookups<Result<Verdict, Unjudged>>,
    /// What was logged last for each Canary: the word, and the version of the TraefikService.
    told: Mutex<HashMap<Target, (&'static str, String)>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { lookups: Lookups::new(Duration::ZERO), told: Mutex::default() }
    }
}

/// What Flagger posts, as far as it is needed (`pkg/apis/flagger/v1beta1/canary.go:CanaryWebhookPayload`).
#[derive(Deserialize)]
struct Question {
    name: String,
    namespace: String,
}

/// Why there is no verdict: a word for figures, the status, and the reason. Statuses below 500 are not asked again by
/// Flagger's own retries; for Flagger every one of them means closed.
type Unjudged = (&'static str, StatusCode, String);

/// Answers Flagger: 200 is open, everything else closed; a sentence says why.
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
        // As Flagger's own load tester says that a gate is closed.
        Ok(verdict) => (verdict.word(), StatusCode::FORBIDDEN, verdict.to_string()),
        Err((word, status, reason)) => (word, status, format!("closed: {reason}")),
    };
    shared.metrics.gate_answered(word);
    text(status, format!("{reason}\n"))
}

async fn verdict(shared: &Shared, body: &[u8]) -> Result<Verdict, Unjudged> {
    let target = read(body).map_err(|reason| ("bad_request", StatusCode::BAD_REQUEST, reason))?;
    let name = target.to_string();
    if shared.namespace.is_some() && shared.namespace != target.namespace {
        let reason = format!("Canary `{name}` is in a namespace that this guard does not look after");
        return Err(("no_canary", StatusCode::NOT_FOUND, reason));
    }
    shared.gate.lookups.get(&target, look(shared, &target)).await
}

/// Works it out from what the cluster has.
async fn look(shared: &Shared, target: &Target) -> Result<Verdict, Unjudged> {
    let none = || ("no_canary", StatusCode::NOT_FOUND, format!("there is no Canary `{target}`"));
    let read = shared.cluster.get_part(ObjectKind::Canary, target, &GATED_CANARY).await;
    let canary = match read {
        Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => return Err(none()),
        Err(failure) => return Err(unavailable(failure, ObjectKind::Canary, target)),
        Ok(read) if read.is_cut => return Err(too_large(shared, ObjectKind::Canary, target)),
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

/// The Canary that is asked about.
fn read(body: &[u8]) -> Result<Target, String> {
    let question: Question = serde_json::from_slice(body)
        .map_err(|error| format!("this is not what Flagger posts to a webhook: {error}"))?;
    let is_name = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        (1..=253).contains(&text.len()) && text.bytes().all(allowed)
    };
    if !is_name(&question.name) || !is_name(&question.namespace) {
        return Err("`name` and `namespace` are not those of a Canary".into());
    }
    Ok(Target { namespace: Some(question.namespace), name: question.name })
}

/// The Canary's TraefikService, in the first group that has one, with the object and the server's time.
async fn service(
    shared: &Shared,
    canary: &Canary,
) -> Result<Option<(TraefikService, Value, Option<String>)>, Unjudged> {
    let Some(target) = canary.service_target() else { return Ok(None) };
    for group in Group::ALL {
        let kind = ObjectKind::TraefikService(group);
        match shared.cluster.get_part_dated(kind, &target, &GATED_SERVICE).await {
            Ok((read, _)) if read.is_cut => return Err(too_large(shared, kind, &target)),
            Ok((read, date)) => {
                let service = TraefikService::from_object(&read.value, group);
                return Ok(service.map(|service| (service, read.value, date)));
            }
            Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => {}
            // A group that this process may not read is one that is not in use.
            Err(failure) if failure.is_forbidden() && group == Group::TraefikContainoUs => {}
            Err(failure) => return Err(unavailable(failure, kind, &target)),
        }
    }
    Ok(None)
}

fn unavailable(failure: Failure, kind: ObjectKind, target: &Target) -> Unjudged {
    let object = ObjectRef { kind, target: target.clone() };
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE, failure.in_words(&Call::of(Verb::Get, &object)))
}

fn too_large(shared: &Shared, kind: ObjectKind, target: &Target) -> Unjudged {
    shared.too_large(kind.resource(), Some(target.clone()));
    let reason = format!("{} `{target}` is too large to be judged", kind.kind());
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE, reason)
}

/// One line for each answer that is news: Flagger asks again and again.
fn tell(shared: &Shared, target: &Target, verdict: &Verdict, version: &str) {
    let news = (verdict.word(), version.to_owned());
    let mut told = shared.gate.told.lock().unwrap_or_else(PoisonError::into_inner);
    if told.get(target) != Some(&news) {
        let message = if verdict.is_open() { "promotion may begin" } else { "promotion has to wait" };
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
