//! What the listeners answer: reviews, the gate, and how the process is.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use serde_json::Value;
use tokio::sync::SemaphorePermit;

use super::{
    Shared, gate,
    metrics::Now,
    review::{NoReview, Outcome, Review},
};
use crate::{
    guard::webhook::{DRAINED, MUTATE, VALIDATE},
    model::{Canary, Target},
    plan::ObjectKind,
};

/// etcd takes objects of at most 1.5 MiB, and a review holds two of them.
const LARGEST_BODY: usize = 3 << 20;
/// What a body may take when it is read, in bytes.
const MOST_ROOM: usize = 32 << 20;
/// Nearly every body is smaller; of larger ones only [`LARGE_BODIES`] are in memory at a time.
pub(super) const SMALL_BODY: usize = 32 << 10;
/// How many large bodies are in memory at a time.
pub(super) const LARGE_BODIES: usize = 8;
const MOST_THROWN_AWAY: usize = 32 << 20;
const BODY_TIME: Duration = Duration::from_secs(5);
/// What a look at one Canary may take of the two seconds that an API server waits.
const LOOKUP_TIME: Duration = Duration::from_secs(1);

pub(super) type Answer = Response<Full<Bytes>>;
/// Among [`LARGE_BODIES`].
type Place<'a> = SemaphorePermit<'a>;

/// Who can be asked on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// Over TLS: everything.
    Whole,
    /// Without TLS, which Flagger's webhooks cannot check: the gate, and how the process is.
    Gate,
}

/// Answers one request.
pub(super) async fn answer(shared: &Shared, port: Port, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let is_open = port == Port::Whole || matches!(path.as_str(), DRAINED | "/healthz" | "/readyz");
    let mut answer = match path.as_str() {
        _ if !is_open => text(StatusCode::NOT_FOUND, "no such path\n".into()),
        MUTATE | VALIDATE if request.method() == Method::POST => review(shared, &path, request).await,
        DRAINED if request.method() == Method::POST => gate::answer(shared, request).await,
        "/healthz" | "/readyz" | "/metrics" if matches!(*request.method(), Method::GET | Method::HEAD) => {
            state(shared, &path)
        }
        MUTATE | VALIDATE | DRAINED | "/healthz" | "/readyz" | "/metrics" => {
            text(StatusCode::METHOD_NOT_ALLOWED, "this method is not for this path\n".into())
        }
        _ => text(StatusCode::NOT_FOUND, "no such path\n".into()),
    };
    if shared.is_ending.load(Relaxed) {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

async fn review(shared: &Shared, path: &str, request: Request<Incoming>) -> Answer {
    let began = Instant::now();
    let (outcome, answer) = match read(shared, request.into_body(), LARGEST_BODY).await {
        Err((status, reason)) => ("bad_request", text(status, reason)),
        Ok((body, _place)) => match judge(shared, path, &body).await {
            Err(NoReview(reason)) => ("bad_request", text(StatusCode::BAD_REQUEST, format!("{reason}\n"))),
            Ok((outcome, value)) => {
                if let Outcome::Refused(why) = &outcome {
                    shared.log.info("refused", &[("reason", serde_json::json!(why))]);
                }
                (outcome.as_str(), json(value.to_string()))
            }
        },
    };
    shared.metrics.answered(outcome, began.elapsed());
    answer
}

/// The whole body, within size and time, and its place. Of one that is too large some is thrown away, so that a client
/// that sends first and reads then gets to see why.
pub(super) async fn read(
    shared: &Shared,
    mut body: Incoming,
    largest: usize,
) -> Result<(Vec<u8>, Option<Place<'_>>), (StatusCode, String)> {
    let (mut all, mut size, mut place, mut is_full) = (Vec::new(), 0, None, false);
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| ())?.into_data() else { continue };
            size += data.len();
            if size > MOST_THROWN_AWAY {
                break;
            }
            if size > SMALL_BODY && place.is_none() {
                place = shared.large.try_acquire().ok();
                is_full = is_full || place.is_none();
            }
            if size > largest || is_full {
                all = Vec::new();
                continue;
            }
            all.extend_from_slice(&data);
        }
        Ok::<_, ()>(())
    };
    let result = tokio::time::timeout(BODY_TIME, reading).await;
    match result {
        _ if size > largest => Err((StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {largest} bytes\n"))),
        _ if is_full => Err((StatusCode::SERVICE_UNAVAILABLE, "too many large bodies at a time\n".into())),
        Ok(Ok(())) if room(&all) > MOST_ROOM => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "a body has not that many parts\n".into()))
        }
        Ok(Ok(())) => Ok((all, place)),
        Ok(Err(())) => Err((StatusCode::BAD_REQUEST, "the body broke off\n".into())),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long\n".into())),
    }
}

/// What a body takes as values, about: a mapping that holds anything has room for eleven entries (`BTreeMap`), an entry
/// of a list 32 bytes and as much again in a list that grows.
fn room(body: &[u8]) -> usize {
    let mappings = body.windows(2).filter(|pair| pair[0] == b'{' && pair[1] != b'}').count();
    let entries = body.iter().filter(|&&byte| matches!(byte, b',' | b'[')).count();
    body.len() + 640 * mappings + 64 * entries
}

/// What is answered to this review.
async fn judge(shared: &Shared, path: &str, body: &[u8]) -> Result<(Outcome, Value), NoReview> {
    let owner = {
        let review = Review::read(body)?;
        let Some(belongs) = review.service().filter(|_| path == MUTATE) else {
            return Ok(if path == VALIDATE { review.check() } else { review.leave() });
        };
        let canary = shared.cache.find(&belongs);
        match belongs.owner.filter(|_| canary.is_none()) {
            None => return Ok(review.decide(canary.as_ref())),
            Some(owner) => owner,
        }
    };
    // While it is looked up the text alone is in memory: read, it takes many times as much.
    let canary = look_up(shared, &owner).await;
    Ok(Review::read(body)?.decide(canary.as_ref()))
}

/// The Canary that the watch has not told of yet, by the reference of its owner.
async fn look_up(shared: &Shared, owner: &Target) -> Option<Canary> {
    shared.metrics.lookups.fetch_add(1, Relaxed);
    let lookup = tokio::time::timeout(LOOKUP_TIME, shared.cluster.get(ObjectKind::Canary, owner)).await;
    let canary = Canary::from_object(&lookup.ok()?.ok()?)?;
    let is_covered = shared.selector().is_none_or(|selector| selector.matches(&canary.labels));
    is_covered.then_some(canary)
}

/// How the process is.
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
            let now = Now { certificate_until: shared.identity.until(), canaries: shared.cache.len(), is_ready };
            let mut answer = text(StatusCode::OK, shared.metrics.text(now));
            let kind = HeaderValue::from_static("text/plain; version=0.0.4");
            answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            answer
        }
    }
}

pub(super) fn text(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn json(text: String) -> Answer {
    let mut answer = Response::new(Full::from(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
