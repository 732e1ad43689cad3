//! Tests of sentences.

use super::*;
use crate::apiserver::{call::Verb, testing::nowhere};
use http::{HeaderMap, header};

const PATCH: Call<'static> =
    Call { verb: Verb::Patch, resource: "traefikservices.traefik.io", namespace: Some("shop"), name: Some("podinfo") };
const LIST: Call<'static> = Call { verb: Verb::List, resource: "canaries.flagger.app", namespace: None, name: None };

fn failure(call: &Call<'_>, code: u16, kind: &str, body: &str) -> Failure {
    let headers: HeaderMap = [(header::CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect();
    nowhere().refused(call, StatusCode::from_u16(code).unwrap(), &headers, body.as_bytes())
}

/// Returns the error as printed, preceded by its exit code.
fn said(call: &Call<'_>, code: u16, kind: &str, body: &str) -> String {
    let error = Error::from(failure(call, code, kind, body));
    let causes = error.causes().iter().map(|cause| format!("\ncaused by: {cause}"));
    let hints = error.hints().into_iter().map(|hint| format!("\nhint: {hint}"));
    format!("{} {error}{}", error.kind().code(), causes.chain(hints).collect::<String>())
}

fn status(call: &Call<'_>, code: u16, reason: &str, message: &str, details: &str) -> String {
    let message = serde_json::to_string(message).unwrap();
    let body = format!(r#"{{"kind":"Status","reason":"{reason}","message":{message},"details":{{{details}}}}}"#);
    said(call, code, "application/json", &body)
}

#[test]
fn who_may_not_do_what_is_said_with_the_question_to_ask() {
    let message = r#"traefikservices.traefik.io "podinfo" is forbidden: User "jane" cannot patch resource "traefikservices" in API group "traefik.io" in the namespace "shop""#;
    assert_eq!(
        status(&PATCH, 403, "Forbidden", message, r#""name":"podinfo","kind":"traefikservices""#),
        "6 user `jane` may not patch traefikservices.traefik.io in namespace `shop`\n\
         hint: kubectl auth can-i patch traefikservices.traefik.io -n shop"
    );
    let message = r#"canaries.flagger.app is forbidden: User "jane" cannot list resource "canaries" in API group "flagger.app" at the cluster scope: RBAC: role "x" not found"#;
    assert_eq!(
        status(&LIST, 403, "Forbidden", message, ""),
        "6 user `jane` may not list canaries.flagger.app\n\
         caused by: RBAC: role \"x\" not found\n\
         hint: kubectl auth can-i list canaries.flagger.app -A"
    );
    let message = r#"pods "traefik" is forbidden: User "jane" cannot get resource "pods/portforward" in API group "" in the namespace "shop""#;
    assert_eq!(
        status(&LIST, 403, "Forbidden", message, r#""name":"traefik","kind":"pods""#),
        "6 user `jane` may not get pods/portforward in namespace `shop`\n\
         hint: kubectl auth can-i get pods --subresource=portforward -n shop"
    );
    let message = r#"forbidden: User "system:anonymous" cannot get path "/openapi/v3""#;
    assert_eq!(
        status(&LIST, 403, "Forbidden", message, ""),
        "6 user `system:anonymous` may not get /openapi/v3\n\
         caused by: sent as user `jane` of config\n\
         hint: kubectl auth can-i get /openapi/v3"
    );
}

#[test]
fn a_policy_that_refuses_is_quoted() {
    let message = r#"traefikservices.traefik.io "podinfo" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no Fridays"#;
    assert_eq!(
        status(&PATCH, 403, "Forbidden", message, ""),
        "6 the server refused to patch traefikservices.traefik.io `podinfo` in namespace `shop`\n\
         caused by: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no Fridays"
    );
}

#[test]
fn credentials_that_are_not_accepted_are_named() {
    assert_eq!(
        status(&LIST, 401, "Unauthorized", "Unauthorized", ""),
        "6 the server does not accept these credentials\n\
         caused by: sent as user `jane` of config\n\
         hint: kubectl auth whoami"
    );
}

#[test]
fn a_missing_object_is_not_a_missing_resource_type() {
    let details = r#""name":"podinfo","group":"traefik.io","kind":"traefikservices""#;
    let object = status(&PATCH, 404, "NotFound", r#"traefikservices.traefik.io "podinfo" not found"#, details);
    assert_eq!(
        object,
        "4 no traefikservices.traefik.io `podinfo` in namespace `shop`\n\
         hint: kubectl get traefikservices.traefik.io -n shop"
    );
    let kind = "4 the server has no resource type `canaries.flagger.app`\n\
                hint: kubectl api-resources --api-group flagger.app";
    assert_eq!(said(&LIST, 404, "text/plain; charset=utf-8", "404 page not found\n"), kind);
    assert_eq!(status(&LIST, 404, "NotFound", "the server could not find the requested resource", ""), kind);
    assert_eq!(
        status(&PATCH, 404, "NotFound", r#"namespaces "shop" not found"#, r#""name":"shop","kind":"namespaces""#),
        "4 no namespace `shop`\nhint: kubectl get namespaces"
    );

    let group = failure(&LIST, 404, "text/plain", "404 page not found");
    assert_eq!((group.is_no_such_resource(), group.is_not_found()), (true, false));
    let object =
        failure(&LIST, 404, "application/json", r#"{"kind":"Status","details":{"name":"a","kind":"canaries"}}"#);
    assert_eq!((object.is_no_such_resource(), object.is_not_found()), (false, true));
}

#[test]
fn strict_decoding_shows_the_field_and_never_the_object() {
    let dump = r#""{\"apiVersion\":\"traefik.io/v1alpha1\",\"spec\":{\"a\":\"b: c\"}}""#;
    let message = format!(
        r#" "" is invalid: patch: Invalid value: {dump}: strict decoding error: unknown field "spec.weighted.sticky.cookie.nope""#
    );
    let expected = "6 traefikservices.traefik.io `podinfo` is invalid\n\
                    caused by: unknown field \"spec.weighted.sticky.cookie.nope\"";
    assert_eq!(status(&PATCH, 422, "Invalid", &message, ""), expected);
    let message = r#"TraefikService in version "v1alpha1" cannot be handled as a TraefikService: strict decoding error: unknown field "spec.weighted.sticky.cookie.nope""#;
    assert_eq!(status(&PATCH, 400, "BadRequest", message, ""), expected);
}

#[test]
fn what_is_invalid_is_said_field_by_field() {
    let causes = r#""kind":"TraefikService","causes":[
        {"reason":"FieldValueNotSupported","field":"spec.weighted.sticky.cookie.sameSite","message":"Unsupported value: \"some\": supported values: \"none\", \"lax\", \"strict\""},
        {"reason":"FieldValueInvalid","field":"spec","message":"Invalid value: {\"weighted\":{\"a\":\"b: c\"}}: must be small"},
        {"reason":"FieldValueInvalid","field":"patch","message":"Invalid value: \"{\\\"a\\\":\\\"b: c\\\"}\": is wrong: very"},
        {"reason":"FieldValueInvalid","field":"spec.weighted","message":"Invalid value: \"object\": no such key: x"},
        {"message":"policy says no"}]"#;
    assert_eq!(
        status(&PATCH, 422, "Invalid", r#"TraefikService "podinfo" is invalid: [many, things]"#, causes),
        "6 traefikservices.traefik.io `podinfo` is invalid\n\
         caused by: spec.weighted.sticky.cookie.sameSite: Unsupported value: \"some\": supported values: \"none\", \"lax\", \"strict\"\n\
         caused by: spec: invalid value: must be small\n\
         caused by: patch: invalid value: is wrong: very\n\
         caused by: spec.weighted: Invalid value: \"object\": no such key: x\n\
         caused by: policy says no"
    );
}

#[test]
fn conflicts_are_told_apart() {
    assert_eq!(
        status(&PATCH, 409, "Conflict", "Operation cannot be fulfilled on …: the object has been modified", ""),
        "5 traefikservices.traefik.io `podinfo` in namespace `shop` was changed by someone else in the meantime\n\
         hint: run the command again"
    );
    assert_eq!(
        status(&PATCH, 409, "AlreadyExists", r#"traefikservices.traefik.io "podinfo" already exists"#, ""),
        "5 traefikservices.traefik.io `podinfo` in namespace `shop` already exists"
    );
    let causes = r#""causes":[{"reason":"FieldManagerConflict","field":".spec.weighted.sticky","message":"conflict with \"flux\" using traefik.io/v1alpha1"}]"#;
    assert_eq!(
        status(&PATCH, 409, "Conflict", "Apply failed with 1 conflict: …", causes),
        "5 fields of traefikservices.traefik.io `podinfo` in namespace `shop` are owned by another field manager\n\
         caused by: .spec.weighted.sticky: conflict with \"flux\" using traefik.io/v1alpha1\n\
         hint: add --force-conflicts to overwrite them"
    );
}

#[test]
fn any_other_refusal_is_quoted_in_one_line() {
    assert_eq!(
        status(&LIST, 500, "InternalError", "an error on the server\n\u{1b}[31m(\"red\")", ""),
        "6 the server could not list canaries.flagger.app: it answered 500 Internal Server Error\n\
         caused by: an error on the server  [31m(\"red\")"
    );
    assert_eq!(
        said(&LIST, 400, "", "Client sent an HTTP request to an HTTPS server.\n"),
        "6 the server expects https, and the request was http\nhint: use --server https://HOST:PORT"
    );
}

#[test]
fn what_no_api_server_answers_is_called_that() {
    let expected = |what: &str| {
        format!(
            "6 the answer is not from a Kubernetes API server\n\
             caused by: https://10.0.0.1:6443 answers {what}\n\
             hint: kubectl config view --minify"
        )
    };
    assert_eq!(said(&LIST, 502, "text/html", "<html>"), expected("502 Bad Gateway, text/html"));
    assert_eq!(said(&LIST, 404, "application/json", r#"{"error":"no"}"#), expected("404 Not Found, application/json"));
    let login = [(header::LOCATION, "https://sso.example.com/login?state=s3cr3t".parse().unwrap())];
    let failure = nowhere().refused(&LIST, StatusCode::FOUND, &login.into_iter().collect(), b"");
    let error = Error::from(failure);
    assert_eq!(error.causes(), ["https://10.0.0.1:6443 answers 302 Found, to https://sso.example.com/login"]);
}
