//! What Flagger's webhooks have in common: the request names a Canary, whose objects are then read from the cluster.

use std::time::Duration;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    apiserver::{Failure, Part},
    flagger::Canary,
    guard_server::{body, review::is_name, shared::Shared, verdicts::Unjudged},
    model::{NamespacedName, ObjectKind, name::Group},
    traefik::TraefikService,
};

/// The required fields of Flagger's request (`pkg/apis/flagger/v1beta1/canary.go:CanaryWebhookPayload`).
#[derive(Deserialize)]
struct Question {
    name: String,
    namespace: String,
}

/// The TraefikService of a Canary, with the raw object and the server's date.
pub(super) type Found = (TraefikService, Value, Option<String>);

/// Reads Flagger's request, and returns the verdict on its Canary, within this time; `slow` is what takes longest.
pub(super) async fn judged<T>(
    shared: &Shared,
    request: Request<Incoming>,
    (patience, slow): (Duration, &str),
    verdict: impl AsyncFnOnce(NamespacedName) -> Result<T, Unjudged>,
) -> Result<T, Unjudged> {
    let (body, _place) = match body::read(&shared.room, request.into_body(), body::SMALL_BODY).await {
        Err((status, reason)) => return Err(("bad_request", status, reason.trim_end().to_owned())),
        Ok(read) => read,
    };
    let target = target(&body).map_err(|reason| ("bad_request", StatusCode::BAD_REQUEST, reason))?;
    if shared.scope.namespace.is_some() && shared.scope.namespace != target.namespace {
        let reason = format!("Canary `{target}` is in a namespace that this guard does not cover");
        return Err(("no_canary", StatusCode::NOT_FOUND, reason));
    }
    let late = || ("unavailable", StatusCode::SERVICE_UNAVAILABLE, format!("{slow} took too long"));
    tokio::time::timeout(patience, verdict(target)).await.unwrap_or_else(|_| Err(late()))
}

/// Parses the request into the name of the Canary.
fn target(body: &[u8]) -> Result<NamespacedName, String> {
    let question: Question = serde_json::from_slice(body)
        .map_err(|error| format!("this is not what Flagger posts to a webhook: {error}"))?;
    if !is_name(&question.name) || !is_name(&question.namespace) {
        return Err("`name` and `namespace` are not those of a Canary".into());
    }
    Ok(NamespacedName { namespace: Some(question.namespace), name: question.name })
}

/// Reads this part of a Canary, and returns it with the raw object.
pub(super) async fn canary(
    shared: &Shared,
    target: &NamespacedName,
    part: &'static Part,
) -> Result<(Canary, Value), Unjudged> {
    let none = || ("no_canary", StatusCode::NOT_FOUND, format!("Canary `{target}` does not exist"));
    match shared.cluster.get_part(ObjectKind::Canary, target, part).await {
        Err(failure) if failure.is_not_found() || failure.is_no_such_resource() => Err(none()),
        Err(failure) => Err(unavailable(failure)),
        Ok(read) if read.is_truncated => Err(too_large(shared, ObjectKind::Canary, target)),
        Ok(read) => Canary::from_object(&read.value).map(|canary| (canary, read.value)).ok_or_else(none),
    }
}

/// Reads this part of the Canary's TraefikService, from the first API group that has one.
pub(super) async fn service(shared: &Shared, canary: &Canary, part: &'static Part) -> Result<Option<Found>, Unjudged> {
    let Some(target) = canary.service_target() else { return Ok(None) };
    for group in Group::ALL {
        let kind = ObjectKind::TraefikService(group);
        match shared.cluster.get_part_dated(kind, &target, part).await {
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
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE, failure.into_log_message())
}

fn too_large(shared: &Shared, kind: ObjectKind, target: &NamespacedName) -> Unjudged {
    shared.too_large(kind.resource(), Some(target.clone()));
    let reason = format!("{} `{target}` is too large to evaluate", kind.kind());
    ("unavailable", StatusCode::SERVICE_UNAVAILABLE, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flagger_posts_names_a_canary_and_nothing_else_does() {
        let posted = br#"{"name":"shop","namespace":"web","phase":"Progressing","checksum":"1","metadata":{"a":"b"}}"#;
        let named = target(posted).map(|target| target.to_string());
        assert_eq!(named, Ok("web/shop".to_owned()));
        for body in [r#"{"name":"a/b","namespace":"web"}"#, r#"{"name":"a","namespace":""}"#] {
            let reason = target(body.as_bytes()).unwrap_err();
            assert_eq!(reason, "`name` and `namespace` are not those of a Canary", "{body}");
        }
        for body in ["", "[]", r#"{"name":1,"namespace":"web"}"#, r#"{"name":"a"}"#] {
            let reason = target(body.as_bytes()).unwrap_err();
            assert_eq!(reason.split_once(':').unwrap().0, "this is not what Flagger posts to a webhook", "{body}");
        }
    }
}
