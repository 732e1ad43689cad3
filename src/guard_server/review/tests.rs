//! Tests of reviews.

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
        for (canary, controller) in canaries.iter().flat_map(|c| [None, Some("shop"), Some("other")].map(|o| (c, o))) {
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
    assert_eq!(of(SERVICES, &object), Some(ServiceIdentity { service: target("shop"), owner: Some(target("owner")) }));
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
        let ask =
            |resource| Review::read(request(resource, old, new, &json!({})).to_string().as_bytes()).unwrap().check();
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
        Review::read(review.to_string().as_bytes()).unwrap_err()
    };
    let begin = "not an AdmissionReview of admission.k8s.io/v1: ";
    assert_eq!(broken("/kind", json!(1)), format!("{begin}another kind or version"));
    assert_eq!(broken("/apiVersion", json!("admission.k8s.io/v1beta1")), format!("{begin}another kind or version"));
    assert_eq!(broken("/request", json!([])), format!("{begin}no request.uid"));
    assert_eq!(broken("/request/uid", json!("")), format!("{begin}no request.uid"));
    assert_eq!(broken("/request/resource", json!("x")), format!("{begin}no request.resource.resource"));
    assert_eq!(broken("/request/object", json!("x")), format!("{begin}no request.object"));
    assert_eq!(Review::read(b"{").unwrap_err(), "not JSON: EOF while parsing an object at line 1 column 1");
    assert_eq!(Review::read(b"[]").unwrap_err(), format!("{begin}another kind or version"));
}
