//! What becomes of writes while the guard runs.

use canary_traefik::model::{declaration::ANNOTATION, entry::ENTRY_ANNOTATION};
use serde_json::{Value, json};
use snapbox::str;
use testbed::{api::Change, flagger, objects, run::exactly, wait::until};

use super::guard::{self, DECLARED, Guard, Turn, declare, declared_sticky, live, registrations, sticky};

#[test]
fn this_api_server_serves_no_admission_policies() {
    let turn = Turn::take();
    let answer = turn.server().admin().get("/apis/admissionregistration.k8s.io/v1").expect("the resources");
    let names: Vec<_> = answer["resources"].as_array().expect("a list").iter().map(|row| row["name"].clone()).collect();
    assert!(!names.contains(&json!("mutatingadmissionpolicies")), "{names:?}");
}

#[test]
fn no_write_of_flaggers_is_ever_stored_without_the_cookie() {
    let turn = Turn::take();
    let namespace = turn.shops("keep", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let version = namespace.get("TraefikService", "shop")["metadata"]["resourceVersion"].clone();
    let version = version.as_str().expect("a version");
    let changes = namespace.server().admin().watch(&namespace.path("TraefikService", ""), version);

    let stored = guard::writes(&namespace, "shop", |number| number < 300);

    let without: Vec<_> = stored.iter().filter(|service| sticky(service) != declared_sticky()).collect();
    assert_eq!(without, [&Value::Null; 0]);
    for _ in 0..stored.len() {
        let Ok(Change::Is(service)) = changes.recv() else { panic!("the watch ended") };
        assert_eq!(sticky(&service), declared_sticky());
    }
    let ended = guard.ends("TERM");
    assert_eq!(ended.0.code, Some(0), "{}", ended.0);
    assert_eq!(registrations(&namespace), [Value::Null; 0]);
    // The one that stood there before the guard was started.
    assert_eq!(ended.logged("repaired", "lost_by").len(), 1);
}

#[test]
fn a_traefik_service_that_flagger_creates_has_the_cookie_from_the_first_generation() {
    let turn = Turn::take();
    let namespace = turn.shops("create", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    for number in 0..20 {
        // The guard is asked before its own watch can have told of the Canary.
        let mut owner = objects::canary(&format!("new-{number}"));
        owner["metadata"]["annotations"] = json!({ ANNOTATION: DECLARED });
        let owner = namespace.create_value(&owner);
        let service = objects::owned_by(objects::traefik_service(&format!("new-{number}"), 100, 0), &owner);
        let created = flagger::creates(&namespace, service);
        assert_eq!((sticky(&created), &created["metadata"]["generation"]), (declared_sticky(), &json!(1)));
    }
    let _ = guard.ends("INT");
}

#[test]
fn what_is_declared_next_is_what_the_next_write_has() {
    let turn = Turn::take();
    let namespace = turn.shops("declare", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    declare(&namespace, "shop", "other; Secure");
    // Without any write of Flagger's.
    until("the new cookie", || {
        (live(&namespace, "shop") == json!({ "cookie": { "name": "other", "secure": true } })).then_some(())
    });
    namespace.patch("Canary", "shop", &json!({ "metadata": { "annotations": { ANNOTATION: null } } }));
    until("a write of Flagger's without a cookie", || {
        let stored = flagger::writes(&namespace, "shop", 90, 10).ok()?;
        sticky(&stored).is_null().then_some(())
    });
    let _ = guard.ends("TERM");
}

#[test]
fn a_malformed_annotation_is_refused_in_the_grammars_words() {
    let turn = Turn::take();
    let namespace = turn.shops("check", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    let refused = |key: &str, text: &str| {
        let mut canary = objects::canary("other");
        canary["metadata"]["annotations"] = json!({ key: text });
        let answer = namespace.ask(&http::Method::POST, "Canary", "", &canary);
        assert_eq!(answer.code, 422);
        answer.message()
    };
    exactly(
        &refused(ANNOTATION, "login; Max-Age=5m"),
        str![[
            r#"admission webhook "guard.kubectl-canary-traefik.internal" denied the request: annotation kubectl-canary-traefik/sticky-cookie: `Max-Age=5m`: must be whole seconds of at most ten digits, such as 300"#
        ]],
    );
    exactly(
        &refused(ENTRY_ANNOTATION, "/login, /login"),
        str![[
            r#"admission webhook "guard.kubectl-canary-traefik.internal" denied the request: annotation kubectl-canary-traefik/entry: `/login`: is given more than once"#
        ]],
    );
    let status = namespace.patch_status("Canary", "shop", &objects::status("Progressing", 10));
    assert_eq!(status["status"]["phase"], "Progressing");
    let _ = guard.ends("TERM");
}

#[test]
fn one_namespace_can_be_guarded_alone() {
    let turn = Turn::take();
    let (inside, outside) = (turn.shops("inside", &["shop"]), turn.shops("outside", &["shop"]));
    let guard = Guard::start(&inside, "shop", &["-n", inside.name()]);
    until("the repair of what was written before", || (live(&inside, "shop") == declared_sticky()).then_some(()));
    let [stored, other] =
        [&inside, &outside].map(|namespace| flagger::writes(namespace, "shop", 90, 10).expect("nobody else wrote"));
    assert_eq!((sticky(&stored), sticky(&other)), (declared_sticky(), Value::Null));
    let _ = guard.ends("TERM");
}
