//! The handler of Flagger's `confirm-promotion` webhook. Each answer is computed from the current state of the cluster,
//! so every replica gives the same one, even right after its start.

use std::time::Duration;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use jiff::{Timestamp, fmt::rfc2822};

use crate::{
    guard::gate::{Verdict, judge},
    guard_server::{
        asked::{self, judged},
        body::{Answer, text},
        parts::{GATED_CANARY, GATED_SERVICE},
        shared::Shared,
        verdicts::Unjudged,
    },
    model::NamespacedName,
};

/// Timeout for an answer. Flagger waits 10 s.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers Flagger: 200 means open, everything else closed. The body states the reason.
pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Answer {
    let verdict = async |target: NamespacedName| shared.gate.lookups.get(&target, look(shared, &target)).await;
    let (word, status, reason) = match judged(shared, request, (PATIENCE, "the API server"), verdict).await {
        Ok(verdict) if verdict.is_open() => (verdict.word(), StatusCode::OK, verdict.to_string()),
        // The status with which Flagger's own load tester reports a closed gate.
        Ok(verdict) => (verdict.word(), StatusCode::FORBIDDEN, verdict.to_string()),
        Err((word, status, reason)) => (word, status, format!("closed: {reason}")),
    };
    shared.metrics.gate_answered(word);
    text(status, format!("{reason}\n"))
}

/// Computes the verdict from the state of the cluster.
async fn look(shared: &Shared, target: &NamespacedName) -> Result<Verdict, Unjudged> {
    let (canary, _) = asked::canary(shared, target, &GATED_CANARY).await?;
    let found = asked::service(shared, &canary, &GATED_SERVICE).await?;
    let service = found.as_ref().map(|(service, object, _)| (service, object));
    let now = found.as_ref().and_then(|(_, _, date)| rfc2822::parse(date.as_deref()?).ok());
    let verdict = judge(&canary, service, now.map_or_else(Timestamp::now, |now| now.timestamp()));
    let version = service.and_then(|(_, object)| object.pointer("/metadata/resourceVersion")?.as_str());
    let message = if verdict.is_open() { "promotion may start" } else { "promotion has to wait" };
    let news = (verdict.word(), version.unwrap_or_default());
    shared.gate.tell(&shared.log, target, news, message, &verdict.to_string());
    Ok(verdict)
}
