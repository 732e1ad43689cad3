//! Request handlers of the listeners: admission reviews, Flagger's webhooks, health and metrics.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use http::{HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use kube::core::SelectorExt as _;
use serde_json::Value;

use crate::{
    flagger::Canary,
    guard::webhook::{DRAINED, MUTATE, STICKY, VALIDATE},
    guard_server::{
        body::{Answer, LARGEST_BODY, json, read, text},
        gate,
        metrics::Now,
        parts::LABELLED_CANARY,
        review::{Outcome, Review},
        shared::Shared,
        verifier,
    },
    model::{NamespacedName, ObjectKind},
};

/// Timeout for reading one Canary, out of the two seconds that an API server waits.
const LOOKUP_TIME: Duration = Duration::from_secs(1);

/// The clients of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// API servers, with TLS: all paths.
    Whole,
    /// Flagger, without TLS because its webhooks cannot verify our CA: its webhooks and health only.
    Gate,
}

/// Answers one request.
pub(super) async fn answer(shared: &Shared, port: Port, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let is_open = port == Port::Whole || matches!(path.as_str(), DRAINED | STICKY | "/healthz" | "/readyz");
    let mut answer = match path.as_str() {
        _ if !is_open => text(StatusCode::NOT_FOUND, "no such path\n".into()),
        MUTATE | VALIDATE if request.method() == Method::POST => review(shared, &path, request).await,
        DRAINED if request.method() == Method::POST => gate::answer(shared, request).await,
        STICKY if request.method() == Method::POST => verifier::answer(shared, request).await,
        "/healthz" | "/readyz" | "/metrics" if matches!(*request.method(), Method::GET | Method::HEAD) => {
            state(shared, &path)
        }
        MUTATE | VALIDATE | DRAINED | STICKY | "/healthz" | "/readyz" | "/metrics" => {
            text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n".into())
        }
        _ => text(StatusCode::NOT_FOUND, "no such path\n".into()),
    };
    if shared.shutdown.is_ending.load(Relaxed) {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

async fn review(shared: &Shared, path: &str, request: Request<Incoming>) -> Answer {
    let began = Instant::now();
    let (outcome, answer) = match read(&shared.room, request.into_body(), LARGEST_BODY).await {
        Err((status, reason)) => ("bad_request", text(status, reason)),
        Ok((body, _place)) => match judge(shared, path, &body).await {
            Err(reason) => ("bad_request", text(StatusCode::BAD_REQUEST, format!("{reason}\n"))),
            Ok((outcome, value)) => {
                match &outcome {
                    Outcome::Refused(why) => shared.log.info("refused", &[("reason", serde_json::json!(why))]),
                    Outcome::TooLarge => drop(shared.metrics.too_large.fetch_add(1, Relaxed)),
                    Outcome::Left | Outcome::Set | Outcome::Removed => {}
                }
                (outcome.as_str(), json(value.to_string()))
            }
        },
    };
    shared.metrics.answered(outcome, began.elapsed());
    answer
}

/// Returns the answer to an admission review.
async fn judge(shared: &Shared, path: &str, body: &[u8]) -> Result<(Outcome, Value), String> {
    let owner = {
        let review = Review::read(body)?;
        let Some(belongs) = review.service().filter(|_| path == MUTATE) else {
            return Ok(if path == VALIDATE { review.check() } else { review.leave() });
        };
        let canary = shared.known.cache.find(&belongs);
        match belongs.owner.filter(|_| canary.is_none()) {
            None => return Ok(review.decide(canary.as_ref())),
            Some(owner) => owner,
        }
    };
    // Only the body stays in memory during the lookup: parsed, it takes many times as much.
    let canary = look_up(shared, &owner).await;
    Ok(Review::read(body)?.decide(canary.as_ref()))
}

/// Reads a controlling Canary that the watch has not delivered yet.
async fn look_up(shared: &Shared, owner: &NamespacedName) -> Option<Canary> {
    let look = async {
        shared.metrics.lookups.fetch_add(1, Relaxed);
        let read = shared.cluster.get_part(ObjectKind::Canary, owner, &LABELLED_CANARY).await.ok()?;
        let canary = Canary::from_object(&read.value).filter(|_| !read.is_truncated)?;
        let is_covered = shared.scope.selector().is_none_or(|selector| selector.matches(&canary.labels));
        is_covered.then_some(canary)
    };
    tokio::time::timeout(LOOKUP_TIME, shared.known.lookups.get(owner, look)).await.ok()?
}

/// Answers `/healthz`, `/readyz` and `/metrics`.
fn state(shared: &Shared, path: &str) -> Answer {
    let checks = shared.checks();
    let is_ready = checks.iter().all(|(_, ok)| *ok);
    match path {
        "/healthz" => text(StatusCode::OK, "ok\n".into()),
        "/readyz" => {
            let lines = checks.map(|(what, ok)| format!("[{}] {what}\n", if ok { "+" } else { "-" })).concat();
            text(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, lines)
        }
        _ => {
            let now = Now {
                certificate_until: shared.identity.until(),
                canaries: shared.known.cache.len(),
                waiting: shared.repairs.queue().len(),
                lines_dropped: shared.log.dropped(),
                is_ready,
            };
            let mut answer = text(StatusCode::OK, shared.metrics.text(now));
            let kind = HeaderValue::from_static("text/plain; version=0.0.4");
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            answer
        }
    }
}
