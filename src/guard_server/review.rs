//! Parses and answers an `AdmissionReview` (`admission.k8s.io/v1`). No I/O: the request is passed to
//! [`guard::decide`](crate::guard::decide()) or [`guard::refusal`], and the decision becomes an answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    apiserver::read_part,
    flagger::Canary,
    guard::{
        self, Decision,
        webhook::{IS_HERE, PROBE},
    },
    guard_server::parts::REVIEW,
    model::{NamespacedName, name::Group},
    traefik::TraefikService,
};

/// An admission review request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Review {
    uid: String,
    group: String,
    resource: String,
    names_manager: bool,
    /// Whether the request is a dry run that detects the form of the guard.
    is_probe: bool,
    /// Whether a field that the decision depends on exceeds its limit.
    is_too_large: bool,
    old: Option<Value>,
    new: Value,
}

/// The outcome of an admission review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Allowed unchanged.
    Left,
    /// Allowed, with the declared or previous cookie set.
    Set,
    /// Allowed, with the cookie removed.
    Removed,
    /// Denied, with this message.
    Refused(String),
    /// Allowed unchanged, because a field that the decision depends on exceeds its limit.
    TooLarge,
}

/// Warning to the writer of an object that is too large.
const TOO_LARGE: &str = "kubectl-canary-traefik: spec.weighted.sticky or metadata is too large to protect";

impl Outcome {
    /// Returns the metrics label value.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Set => "set",
            Self::Removed => "removed",
            Self::Refused(_) => "refused",
            Self::TooLarge => "too_large",
        }
    }
}

/// The identity of a TraefikService and its owner, by which its Canary is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceIdentity {
    /// The TraefikService.
    pub(super) service: NamespacedName,
    /// The controlling Canary, from the owner reference.
    pub(super) owner: Option<NamespacedName>,
}

impl ServiceIdentity {
    /// Returns the identity of a TraefikService.
    pub(super) fn of(service: &TraefikService) -> Self {
        let namespace = service.target.namespace.clone();
        let is_place = namespace.as_deref().is_some_and(is_name);
        let owner = service.controller.as_ref();
        let owner = owner.filter(|owner| is_place && owner.is_any_canary() && is_name(&owner.name));
        let owner = owner.map(|owner| NamespacedName { namespace, name: owner.name.clone() });
        Self { service: service.target.clone(), owner }
    }
}

impl Review {
    /// Parses a request; the error says why the body is not an `AdmissionReview`.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let read = read_part(body, &REVIEW).map_err(|error| format!("not JSON: {error}"))?;
        let (mut review, is_too_large) = (read.value, read.is_truncated);
        let wrong = |what: &str| format!("not an AdmissionReview of admission.k8s.io/v1: {what}");
        if review["kind"] != "AdmissionReview" || review["apiVersion"] != "admission.k8s.io/v1" {
            return Err(wrong("another kind or version"));
        }
        let mut request = review["request"].take();
        let text = |request: &Value, pointer: &str| {
            request.pointer(pointer).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty())
        };
        let uid = text(&request, "/uid").ok_or_else(|| wrong("no request.uid"))?;
        let group = text(&request, "/resource/group").unwrap_or_default();
        let resource = text(&request, "/resource/resource").ok_or_else(|| wrong("no request.resource.resource"))?;
        // An absent, null or empty value is no field manager, as in the policies.
        let manager = text(&request, "/options/fieldManager");
        let is_probe = request["dryRun"] == true && manager.as_deref() == Some(PROBE);
        let names_manager = manager.is_some();
        let namespace = text(&request, "/namespace");
        let object = |value: Value| {
            let mut value = Some(value).filter(Value::is_object)?;
            if let (Some(namespace), Some(metadata)) =
                (&namespace, value.get_mut("metadata").and_then(Value::as_object_mut))
            {
                metadata.insert("namespace".into(), json!(namespace));
            }
            Some(value)
        };
        let old = object(request["oldObject"].take());
        let new = object(request["object"].take()).ok_or_else(|| wrong("no request.object"))?;
        Ok(Self { uid, group, resource, names_manager, is_probe, is_too_large, old, new })
    }

    /// Returns the TraefikService that is written, if the object is one.
    pub(super) fn service(&self) -> Option<ServiceIdentity> {
        let group = Group::ALL.into_iter().find(|group| group.as_str() == self.group)?;
        let service = (self.resource == "traefikservices").then(|| TraefikService::from_object(&self.new, group))??;
        Some(ServiceIdentity::of(&service))
    }

    /// Allows the request unchanged.
    pub(super) fn leave(&self) -> (Outcome, Value) {
        (Outcome::Left, answer(&json!({"uid": self.uid, "allowed": true})))
    }

    /// Decides about a write to a TraefikService.
    pub(super) fn decide(&self, canary: Option<&Canary>) -> (Outcome, Value) {
        let mut response = json!({"uid": self.uid, "allowed": true});
        if self.is_probe || self.is_too_large {
            let (outcome, warning) =
                if self.is_probe { (Outcome::Left, IS_HERE) } else { (Outcome::TooLarge, TOO_LARGE) };
            response["warnings"] = json!([warning]);
            return (outcome, answer(&response));
        }
        let request = guard::decide::Request {
            canary,
            old: self.old.as_ref(),
            new: &self.new,
            names_manager: self.names_manager,
        };
        let (outcome, operation) = match guard::decide(&request) {
            Decision::Leave => return self.leave(),
            Decision::Set(sticky) => {
                (Outcome::Set, json!({"op": "add", "path": "/spec/weighted/sticky", "value": sticky}))
            }
            Decision::Remove => (Outcome::Removed, json!({"op": "remove", "path": "/spec/weighted/sticky"})),
        };
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(STANDARD.encode(json!([operation]).to_string()));
        (outcome, answer(&response))
    }

    /// Decides about a write to a Canary: what [`guard::refusal`] says is denied, everything else is allowed.
    pub(super) fn check(&self) -> (Outcome, Value) {
        let is_canary = self.group == "flagger.app" && self.resource == "canaries";
        let Some(message) = guard::refusal(self.old.as_ref(), &self.new).filter(|_| is_canary) else {
            return self.leave();
        };
        let status = json!({"status": "Failure", "reason": "Invalid", "code": 422, "message": message});
        let response = json!({"uid": self.uid, "allowed": false, "status": status});
        (Outcome::Refused(message), answer(&response))
    }
}

/// Returns whether this is a valid object name (RFC 1123, a subdomain). Names come from untrusted input, and no others
/// are looked up.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 253
        && text.bytes().next().is_some_and(is_plain)
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'.'))
}

fn answer(response: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
}

#[cfg(test)]
mod tests;
