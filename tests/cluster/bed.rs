//! What the other tests of this binary rest on: the server is real, Flagger's replayed write does what
//! Flagger's does, and a narrow user is narrow.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    api::Api,
    flagger::{self, Conflict},
    namespace::Namespace,
    objects,
    run::exactly,
};

fn sticky() -> Value {
    json!({ "spec": { "weighted": { "sticky": { "cookie": { "name": "login", "maxAge": 300 } } } } })
}

#[test]
fn the_server_checks_objects_against_the_definitions_of_flagger_and_traefik() {
    let namespace = Namespace::new("schema");
    let mut wrong = objects::canary("shop");
    wrong["spec"]["provider"] = json!("nobody");
    let answer = namespace.ask(&http::Method::POST, "Canary", "", &wrong);
    assert_eq!(answer.code, 422);

    let mut wrong = objects::traefik_service("shop", 100, 0);
    wrong["spec"]["weighted"]["services"] = json!("none");
    let answer = namespace.ask(&http::Method::POST, "TraefikService", "", &wrong);
    assert_eq!(answer.code, 422);
}

#[test]
fn flaggers_write_drops_the_cookie_and_nothing_brings_it_back() {
    let namespace = Namespace::new("control");
    namespace.create_rollout("shop", 100, 0);
    let before = namespace.patch("TraefikService", "shop", &sticky());
    assert_eq!(before["spec"]["weighted"]["sticky"], sticky()["spec"]["weighted"]["sticky"]);

    let after = flagger::writes(&namespace, "shop", 90, 10).expect("nobody else wrote");

    let services = objects::services("shop", namespace.name(), 90, 10);
    assert_eq!(after["spec"], json!({ "weighted": { "services": services } }));
    assert_eq!(namespace.get("TraefikService", "shop")["spec"], after["spec"]);
    assert_eq!(after["metadata"]["annotations"], before["metadata"]["annotations"]);
    assert_eq!(after["metadata"]["ownerReferences"], before["metadata"]["ownerReferences"]);
}

#[test]
fn flaggers_write_leaves_out_a_weight_of_zero() {
    let namespace = Namespace::new("zero");
    namespace.create_rollout("shop", 100, 0);
    let after = flagger::writes(&namespace, "shop", 0, 100).expect("nobody else wrote");
    let child = |track: &str| json!({ "name": format!("shop-{track}"), "namespace": namespace.name(), "port": 80 });
    let mut canary = child("canary");
    canary["weight"] = json!(100);
    assert_eq!(after["spec"]["weighted"]["services"], json!([child("primary"), canary]));
}

#[test]
fn flaggers_writes_name_no_field_manager_and_are_known_by_the_name_of_the_binary() {
    let namespace = Namespace::new("manager");
    let (_, created) = namespace.create_rollout("shop", 100, 0);
    let written = flagger::writes(&namespace, "shop", 90, 10).expect("nobody else wrote");
    for object in [created, written] {
        let managers = object["metadata"]["managedFields"].as_array().expect("managed fields").clone();
        let managers: Vec<_> = managers.iter().map(|entry| (&entry["manager"], &entry["operation"])).collect();
        assert_eq!(managers, [(&json!("flagger"), &json!("Update"))]);
    }
}

#[test]
fn a_write_between_flaggers_read_and_its_write_makes_flagger_conflict() {
    let namespace = Namespace::new("conflict");
    namespace.create_rollout("shop", 100, 0);
    let step = flagger::reads(&namespace, "shop");
    let patched = namespace.patch("TraefikService", "shop", &sticky());

    let Err(Conflict(message)) = step.writes(90, 10) else { panic!("Flagger overwrote what it had not read") };

    exactly(
        &message,
        str![[
            r#"Operation cannot be fulfilled on traefikservices.traefik.io "shop": the object has been modified; please apply your changes to the latest version and try again"#
        ]],
    );
    assert_eq!(namespace.get("TraefikService", "shop")["spec"], patched["spec"]);
}

#[test]
fn a_narrow_user_may_do_what_its_rules_say_and_nothing_else() {
    let namespace = Namespace::new("narrow");
    namespace.create_rollout("shop", 100, 0);
    let reader = namespace.user_with("[{apiGroups: [traefik.io], resources: [traefikservices], verbs: [get]}]");
    let reader = Api::from_file(&reader).expect("a good kubeconfig");
    let path = namespace.path("TraefikService", "shop");

    assert_eq!(reader.get(&path).code, 200);
    let refused = reader.merge(&path, &sticky());
    assert_eq!(refused.code, 403);
    let (who, what) = refused
        .message()
        .split_once(" cannot ")
        .map(|(who, what)| (who.to_owned(), what.to_owned()))
        .expect("a refusal");
    assert_eq!(
        what.replace(namespace.name(), "NS"),
        r#"patch resource "traefikservices" in API group "traefik.io" in the namespace "NS""#
    );
    assert_ne!(who, "");
    assert_eq!(reader.get(&namespace.path("Canary", "shop")).code, 403);

    let nobody = Api::from_file(&namespace.user_with("[]")).expect("a good kubeconfig");
    assert_eq!(nobody.get(&path).code, 403);
}

#[test]
fn the_status_of_a_canary_is_written_apart_from_its_spec() {
    let namespace = Namespace::new("status");
    let created = namespace.create_value(&objects::canary("shop"));
    let patched = namespace.patch_status("Canary", "shop", &objects::status("Progressing", 10));
    assert_eq!(patched["status"], objects::status("Progressing", 10));
    assert_eq!(patched["spec"], created["spec"]);
    assert_eq!(patched["metadata"]["generation"], created["metadata"]["generation"]);
}

mod dedicated_server {
    //! On a server of their own, which they may stop.

    use serde_json::json;

    use testbed::{api::Answer, bed, flagger, namespace::Namespace, server::Server};

    #[test]
    fn what_the_server_holds_outlives_a_restart_of_the_api_server() {
        let server = Server::dedicated(&[]);
        let namespace = Namespace::on(&server, "restart");
        namespace.create_rollout("shop", 100, 0);
        let before = namespace.get("TraefikService", "shop");
        let path = namespace.path("TraefikService", "shop");
        let request = || http::Request::get(&path).body(Vec::new()).expect("a well-formed request");

        server.stop();
        assert_eq!(server.admin().send(request()).ok().map(|Answer { code, .. }| code), None);
        server.restart();

        assert_eq!(namespace.get("TraefikService", "shop"), before);
        flagger::writes(&namespace, "shop", 90, 10).expect("nobody else wrote");
    }

    #[test]
    fn the_audit_log_tells_who_did_what() {
        let server = Server::dedicated(&[]);
        let namespace = Namespace::on(&server, "audit");
        namespace.create_rollout("shop", 100, 0);
        flagger::writes(&namespace, "shop", 90, 10).expect("nobody else wrote");

        let of_flagger =
            server.audit(|event| event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("flagger/")));

        let told: Vec<_> = of_flagger.iter().map(|event| (&event["verb"], &event["responseStatus"]["code"])).collect();
        let expected = [(json!("create"), json!(201)), (json!("get"), json!(200)), (json!("update"), json!(200))];
        assert_eq!(told, expected.each_ref().map(|(verb, code)| (verb, code)));
    }

    #[test]
    fn an_older_kubernetes_has_no_mutating_admission_policies() {
        let policies = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies";
        let older = Server::dedicated(&bed::no_policies());
        assert_eq!(older.admin().get(policies).code, 404);
    }
}
