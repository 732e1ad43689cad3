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

/// The error for a body that is not an `AdmissionReview`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvalidReview(pub(super) String);

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
    /// Returns the identity of an object of the API server.
    pub(super) fn of(service: &TraefikService) -> Self {
        let owner = service.controller.as_ref().filter(|owner| owner.is_any_canary());
        let namespace = service.target.namespace.clone();
        let owner = owner.map(|owner| NamespacedName { namespace, name: owner.name.clone() });
        Self { service: service.target.clone(), owner }
    }
}

impl Review {
    /// Parses a request.
    pub(super) fn read(body: &[u8]) -> Result<Self, InvalidReview> {
        let read = read_part(body, &REVIEW).map_err(|error| InvalidReview(format!("not JSON: {error}")))?;
        let (mut review, is_too_large) = (read.value, read.is_truncated);
        let wrong = |what: &str| InvalidReview(format!("not an AdmissionReview of admission.k8s.io/v1: {what}"));
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
        let owner = service.controller.filter(|owner| owner.is_any_canary() && is_name(&owner.name));
        let is_place = service.target.namespace.as_deref().is_some_and(is_name);
        let owner = owner.filter(|_| is_place);
        let owner = owner.map(|owner| NamespacedName { namespace: service.target.namespace.clone(), name: owner.name });
        Some(ServiceIdentity { service: service.target, owner })
    }

    /// Allows the request unchanged.
    pub(super) fn leave(&self) -> (Outcome, Value) {
        (Outcome::Left, answer(&json!({"uid": self.uid, "allowed": true})))
    }

    /// Decides about a write to a TraefikService.
    pub(super) fn decide(&self, canary: Option<&Canary>) -> (Outcome, Value) {
        if self.is_probe {
            let response = json!({"uid": self.uid, "allowed": true, "warnings": [IS_HERE]});
            return (Outcome::Left, answer(&response));
        }
        if self.is_too_large {
            let response = json!({"uid": self.uid, "allowed": true, "warnings": [TOO_LARGE]});
            return (Outcome::TooLarge, answer(&response));
        }
        let request = guard::decide::Request {
            canary,
            old: self.old.as_ref(),
            new: &self.new,
            names_manager: self.names_manager,
        };
        let patch = |operation: Value| STANDARD.encode(Value::Array(vec![operation]).to_string());
        let (outcome, patch) = match guard::decide(&request) {
            Decision::Leave => (Outcome::Left, None),
            Decision::Set(sticky) => {
                let operation = json!({"op": "add", "path": "/spec/weighted/sticky", "value": sticky});
                (Outcome::Set, Some(patch(operation)))
            }
            Decision::Remove => {
                (Outcome::Removed, Some(patch(json!({"op": "remove", "path": "/spec/weighted/sticky"}))))
            }
        };
        let mut response = json!({"uid": self.uid, "allowed": true});
        if let Some(patch) = patch {
            response["patchType"] = json!("JSONPatch");
            response["patch"] = json!(patch);
        }
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
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= 253
        && text.bytes().next().is_some_and(is_plain)
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'.'))
}

fn answer(response: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{declaration::ANNOTATION, entry::ENTRY_ANNOTATION};

    fn service(sticky: Option<Value>, controller: Option<&str>) -> Value {
        let mut object = json!({"apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService",
            "metadata": {"name": "shop", "namespace": "web"}, "spec": {"weighted": {"services": []}}});
        if let Some(sticky) = sticky {
            object["spec"]["weighted"]["sticky"] = sticky;
        }
        if let Some(name) = controller {
            object["metadata"]["ownerReferences"] = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary",
                "name": name, "controller": true}]);
        }
        object
    }

    fn canary(annotations: &Value) -> Canary {
        let object = json!({"metadata": {"name": "shop", "namespace": "web", "annotations": annotations},
            "spec": {"targetRef": {"name": "shop"}}});
        Canary::from_object(&object).unwrap()
    }

    fn request(resource: (&str, &str), old: &Value, new: &Value, options: &Value) -> Value {
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1",
            "namespace": "web", "resource": {"group": resource.0, "version": "v", "resource": resource.1},
            "operation": "UPDATE", "object": new, "oldObject": old, "options": options}})
    }

    const SERVICES: (&str, &str) = ("traefik.io", "traefikservices");
    const CANARIES: (&str, &str) = ("flagger.app", "canaries");

    /// Returns `spec.weighted.sticky` as an API server would store it after this answer; null for none.
    fn stored(mut object: Value, answer: &Value) -> Value {
        let response = &answer["response"];
        assert_eq!((&response["uid"], &response["allowed"]), (&json!("u-1"), &json!(true)));
        if let Some(patch) = response["patch"].as_str() {
            let patch: Value = serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
            let weighted = object["spec"]["weighted"].as_object_mut().unwrap();
            for operation in patch.as_array().unwrap() {
                assert_eq!(operation["path"], "/spec/weighted/sticky");
                match operation["op"].as_str().unwrap() {
                    "add" => drop(weighted.insert("sticky".into(), operation["value"].clone())),
                    _ => drop(weighted.remove("sticky").unwrap()),
                }
            }
        }
        object["spec"]["weighted"]["sticky"].take()
    }

    #[test]
    fn an_answer_is_what_the_one_definition_decides_whoever_writes_what() {
        let one = json!({"cookie": {"name": "a"}});
        let two = json!({"cookie": {"name": "b", "maxAge": 5}});
        let stickies = [None, Some(Value::Null), Some(json!({})), Some(one), Some(two)];
        let canaries = [
            None,
            Some(canary(&json!({}))),
            Some(canary(&json!({ANNOTATION: "a"}))),
            Some(canary(&json!({ANNOTATION: "a; Max-Age=x"}))),
        ];
        let options = [
            json!(null),
            json!({}),
            json!({"fieldManager": ""}),
            json!({"fieldManager": null}),
            json!({"fieldManager": "kubectl"}),
        ];
        let mut cases = 0;
        for (old, new) in stickies.iter().flat_map(|old| stickies.iter().map(move |new| (old, new))) {
            for (canary, controller) in
                canaries.iter().flat_map(|c| [None, Some("shop"), Some("other")].map(|o| (c, o)))
            {
                for options in &options {
                    let (old, new) = (service(old.clone(), controller), service(new.clone(), controller));
                    let names_manager = options["fieldManager"] == "kubectl";
                    let asked =
                        guard::decide::Request { canary: canary.as_ref(), old: Some(&old), new: &new, names_manager };
                    let expected = match guard::decide(&asked) {
                        Decision::Leave => new["spec"]["weighted"].get("sticky").cloned().unwrap_or_default(),
                        Decision::Set(sticky) => sticky,
                        Decision::Remove => Value::Null,
                    };
                    let body = request(SERVICES, &old, &new, options).to_string();
                    let (_, answer) = Review::read(body.as_bytes()).unwrap().decide(canary.as_ref());
                    assert_eq!(stored(new.clone(), &answer), expected, "{asked:?}");
                    cases += 1;
                }
            }
        }
        assert_eq!(cases, 25 * 12 * 5);
    }

    #[test]
    fn only_a_dry_run_probe_is_left_alone_and_told_that_it_is_here() {
        let canary = canary(&json!({ANNOTATION: "a"}));
        let told = |dry_run: bool, manager: &str| {
            let mut review = request(SERVICES, &Value::Null, &service(None, None), &json!({"fieldManager": manager}));
            review["request"]["dryRun"] = json!(dry_run);
            let (outcome, answer) = Review::read(review.to_string().as_bytes()).unwrap().decide(Some(&canary));
            (outcome, answer.pointer("/response/warnings").cloned())
        };
        assert_eq!(told(true, PROBE), (Outcome::Left, Some(json!([IS_HERE]))));
        assert_eq!(told(false, PROBE), (Outcome::Set, None));
        assert_eq!(told(true, "kubectl"), (Outcome::Set, None));
    }

    #[test]
    fn a_traefik_service_says_whose_it_may_be() {
        let of = |resource, object: &Value| {
            Review::read(request(resource, &Value::Null, object, &json!({})).to_string().as_bytes()).unwrap().service()
        };
        let target = |name: &str| NamespacedName { namespace: Some("web".into()), name: name.into() };
        let mut object = service(None, Some("owner"));
        object["metadata"].as_object_mut().unwrap().remove("namespace");
        assert_eq!(
            of(SERVICES, &object),
            Some(ServiceIdentity { service: target("shop"), owner: Some(target("owner")) })
        );
        assert_eq!(of(("traefik.containo.us", "traefikservices"), &service(None, None)).unwrap().owner, None);
        for odd in ["", "..", "a/b", "A", &"a".repeat(254)] {
            object["metadata"]["ownerReferences"][0]["name"] = json!(odd);
            assert_eq!(of(SERVICES, &object).unwrap().owner, None, "{odd}");
        }
        assert_eq!(of(CANARIES, &object), None);
        assert_eq!(of(SERVICES, &json!({"metadata": {"generateName": "x"}})), None);
    }

    #[test]
    fn a_canary_is_refused_as_the_one_definition_says_however_long_its_annotations_are() {
        let long = |last: &str| format!("{}{last}", "/".repeat(9000));
        let values = [None, Some(String::new()), Some("/a".into()), Some(long("a")), Some(long("b"))];
        let canaries: Vec<_> = [ANNOTATION, ENTRY_ANNOTATION]
            .iter()
            .flat_map(|key| values.iter().map(move |value| json!({"metadata": {"annotations": {*key: value}}})))
            .collect();
        let mut refused = 0;
        for (old, new) in canaries.iter().flat_map(|old| canaries.iter().map(move |new| (old, new))) {
            let ask = |resource| {
                Review::read(request(resource, old, new, &json!({})).to_string().as_bytes()).unwrap().check()
            };
            let (outcome, answer) = ask(CANARIES);
            match guard::refusal(Some(old), new) {
                None => assert_eq!((&outcome, &answer["response"]["allowed"]), (&Outcome::Left, &json!(true))),
                Some(message) => {
                    let status = json!({"status": "Failure", "reason": "Invalid", "code": 422, "message": message});
                    assert_eq!(answer["response"], json!({"uid": "u-1", "allowed": false, "status": status}));
                    assert_eq!(outcome, Outcome::Refused(message));
                    refused += 1;
                }
            }
            assert_eq!(ask(("apps", "canaries")).0, Outcome::Left);
        }
        // Three values are no names, and three no entries; each is refused unless it was there before.
        assert_eq!(refused, 2 * 3 * 9);
    }

    #[test]
    fn what_is_no_review_is_refused_with_a_reason() {
        let review = request(SERVICES, &Value::Null, &service(None, None), &json!({}));
        let broken = |pointer: &str, value: Value| {
            let mut review = review.clone();
            *review.pointer_mut(pointer).unwrap() = value;
            Review::read(review.to_string().as_bytes()).unwrap_err().0
        };
        let begin = "not an AdmissionReview of admission.k8s.io/v1: ";
        assert_eq!(broken("/kind", json!(1)), format!("{begin}another kind or version"));
        assert_eq!(broken("/apiVersion", json!("admission.k8s.io/v1beta1")), format!("{begin}another kind or version"));
        assert_eq!(broken("/request", json!([])), format!("{begin}no request.uid"));
        assert_eq!(broken("/request/uid", json!("")), format!("{begin}no request.uid"));
        assert_eq!(broken("/request/resource", json!("x")), format!("{begin}no request.resource.resource"));
        assert_eq!(broken("/request/object", json!("x")), format!("{begin}no request.object"));
        assert_eq!(Review::read(b"{").unwrap_err().0, "not JSON: EOF while parsing an object at line 1 column 1");
        assert_eq!(Review::read(b"[]").unwrap_err().0, format!("{begin}another kind or version"));
    }
}
