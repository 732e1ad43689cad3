//! What one tenant, who may write Canaries and TraefikServices in one namespace, does to the guard and to the others.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use testbed::{flagger, namespace::Namespace, objects, wait::until};

use super::{
    certificates::authorities,
    client::{Client, plain},
    guard::{DECLARED, Guard, Turn, declare, declared_sticky, free_port, live, memory, own_writes},
};

/// The guard writes what this Canary declares anew: it lives, and has time for it.
fn is_served(namespace: &Namespace, name: &str) {
    declare(namespace, name, "login; Max-Age=301");
    let other = json!({ "cookie": { "name": "login", "maxAge": 301 } });
    until("the other cookie", || (live(namespace, name) == other).then_some(()));
    declare(namespace, name, DECLARED);
    until("the cookie of before", || (live(namespace, name) == declared_sticky()).then_some(()));
}

/// A Canary that computes this name for its TraefikService.
fn computes(name: &str, service: &str, declared: &str) -> Value {
    let mut canary = objects::canary(name);
    canary["metadata"]["annotations"] = json!({ ANNOTATION: declared });
    canary["spec"]["service"]["name"] = json!(service);
    canary
}

#[test]
fn names_that_no_object_can_have_end_nothing() {
    let turn = Turn::take();
    let evil = turn.shops("evil", &[]);
    let namespace = turn.shops("quiet", &["shop"]);
    let gate = free_port();
    let guard = Guard::start(&namespace, "shop", &["--gate-listen", &format!("127.0.0.1:{gate}")]);
    for (number, service) in
        ["a".repeat(70_000), "../../quiet/traefikservices/shop".into(), "..".into(), "a%2fb".into()]
            .into_iter()
            .enumerate()
    {
        let name = format!("long-{number}");
        evil.create_value(&computes(&name, &service, "x; Max-Age=5"));
        declare(&evil, &name, "x; Max-Age=6");
        let mut stream = plain(gate);
        let body = json!({ "name": name, "namespace": evil.name() }).to_string();
        let head = format!(
            "POST /gate/drained HTTP/1.1\r\nhost: gate\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(answer.lines().next(), Some("HTTP/1.1 200 OK"), "{service:.60}: {answer}");
    }
    is_served(&namespace, "shop");
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

/// A policy of this namespace's own that refuses every change of its TraefikServices, with this reason.
fn refuse(namespace: &Namespace, reason: &str) {
    let name = namespace.name();
    let policy = json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name }, "spec": { "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } },
                "resourceRules": [{ "apiGroups": ["traefik.io"], "apiVersions": ["*"],
                    "operations": ["UPDATE"], "resources": ["traefikservices"] }] },
            "validations": [{ "expression": "false", "message": "no", "reason": reason }] } });
    namespace.create_value(&policy);
    namespace.create_value(&json!({ "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding", "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] } }));
}

fn allow(namespace: &Namespace) {
    namespace.delete("ValidatingAdmissionPolicyBinding", namespace.name());
    namespace.delete("ValidatingAdmissionPolicy", namespace.name());
}

#[test]
fn a_repair_that_a_policy_forbids_is_that_objects_affair_and_tried_again() {
    let turn = Turn::take();
    for reason in ["Forbidden", "Invalid"] {
        let evil = turn.shops("evil", &["shop"]);
        let namespace = turn.shops("quiet", &["shop"]);
        let mut guard = Guard::start(&namespace, "shop", &[]);
        until("the first repair", || (live(&evil, "shop") == declared_sticky()).then_some(()));
        refuse(&evil, reason);
        until("the policy to act", || {
            let path = evil.path("TraefikService", "shop") + "?dryRun=All";
            let change = json!({ "metadata": { "labels": { "a": "b" } } });
            (evil.server().admin().merge(&path, &change).code != 200).then_some(())
        });
        declare(&evil, "shop", "login; Max-Age=1");
        guard.says("repair failed, retrying");
        is_served(&namespace, "shop");
        // However often it is declared anew, it is not tried more often for it.
        let tried = |server| {
            own_writes(server, |request| request["objectRef"]["namespace"] == evil.name() && request["verb"] == "patch")
        };
        let before = tried(evil.server());
        for number in 0..200 {
            declare(&evil, "shop", &format!("login; Max-Age={}", number % 7));
        }
        declare(&evil, "shop", DECLARED);
        is_served(&namespace, "shop");
        let more = tried(evil.server()) - before;
        assert!(more < 20, "{more} tries for 201 declarations");
        allow(&evil);
        declare(&evil, "shop", "login; Max-Age=2");
        let wanted = json!({ "cookie": { "name": "login", "maxAge": 2 } });
        until("the repair once it is allowed", || (live(&evil, "shop") == wanted).then_some(()));
        assert_eq!(guard.ends("TERM").0.code, Some(0), "{reason}");
    }
}

#[test]
fn a_webhook_that_never_answers_for_one_tenant_keeps_no_other_waiting() {
    const TIMES: usize = 20;
    let turn = Turn::take();
    let evil = turn.shops("evil", &["a", "b", "c"]);
    let namespace = turn.shops("quiet", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    for name in ["a", "b", "c"] {
        until("the first repairs", || (live(&evil, name) == declared_sticky()).then_some(()));
    }
    // It takes connections and says nothing, for longer than this test lasts.
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("https://{}/", silent.local_addr().expect("an address"));
    let name = evil.name().to_owned();
    evil.create_value(&json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": name }, "webhooks": [{ "name": "silent.example.com", "failurePolicy": "Fail",
            "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 30, "clientConfig": { "url": url },
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } },
            "rules": [{ "apiGroups": ["traefik.io"], "apiVersions": ["*"], "operations": ["UPDATE"],
                "resources": ["traefikservices"] }] }] }));
    let (asked, is_asked) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in silent.incoming() {
            held.push(stream);
            if asked.send(()).is_err() {
                return;
            }
        }
    });
    // The API server takes a moment to know it: until it asks, writes pass.
    let mut number = 0;
    until("the webhook to be asked", || {
        number += 1;
        for name in ["a", "b", "c"] {
            declare(&evil, name, &format!("login; Max-Age={}", number % 9 + 1));
        }
        is_asked.recv_timeout(std::time::Duration::from_millis(100)).ok()
    });
    for _ in 0..TIMES {
        is_served(&namespace, "shop");
    }
    // Where one waits for the other, there is a call for each time.
    let calls = is_asked.try_iter().count();
    assert!(calls < TIMES, "{calls} calls meanwhile");
    drop(is_asked);
    evil.delete("ValidatingWebhookConfiguration", evil.name());
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn objects_as_large_as_a_server_takes_them_cost_the_guard_no_memory() {
    const LARGE: usize = 3;
    let turn = Turn::take();
    let evil = turn.shops("evil", &[]);
    // Weights without number, annotations that cannot be read, and text that nobody asks for.
    let mut steps = computes("steps", "steps", DECLARED);
    steps["spec"]["analysis"] = json!({ "interval": "1m", "threshold": 5, "stepWeights": vec![1; 500_000] });
    evil.create_value(&steps);
    for number in 0..12 {
        evil.create_value(&computes(&format!("odd-{number}"), "odd", &format!("x;{}", "y".repeat(240_000))));
    }
    for number in 0..12 {
        let mut canary = computes(&format!("text-{number}"), "text", DECLARED);
        canary["spec"]["analysis"]["webhooks"] =
            json!([{ "name": "a", "url": format!("http://{}", "a".repeat(1_200_000)) }]);
        evil.create_value(&canary);
    }
    for number in 0..LARGE {
        let name = format!("services-{number}");
        let canary = evil.create_value(&computes(&name, &name, DECLARED));
        let mut service = objects::owned_by(objects::traefik_service(&name, 100, 0), &canary);
        let child = service["spec"]["weighted"]["services"][0].clone();
        service["spec"]["weighted"]["services"] = json!(vec![child; 15_000]);
        evil.create_value(&service);
    }
    let namespace = turn.shops("quiet", &["shop"]);
    let gate = free_port();
    let guard = Guard::begin(&namespace, free_port(), &["--gate-listen", &format!("127.0.0.1:{gate}")]);
    guard.acts(&namespace, "shop");
    for number in 0..LARGE {
        let name = format!("services-{number}");
        until("the repair of a large one", || (live(&evil, &name) == declared_sticky()).then_some(()));
        // A review with two of them.
        let path = evil.path("TraefikService", &name) + "?dryRun=All";
        let dropped = json!({ "spec": { "weighted": { "sticky": null } } });
        // Without optimisation and beside other tests, an answer may take longer than the two seconds that it has.
        until("the cookie of a large one to be put back", || {
            let kept = evil.server().admin().merge(&path, &dropped).expect("the write passes");
            (kept["spec"]["weighted"]["sticky"] == declared_sticky()).then_some(())
        });
    }
    // A declaration beside half a million weights is checked like any other.
    let malformed = json!({ "metadata": { "annotations": { ANNOTATION: "a;" } } });
    let path = evil.path("Canary", "steps") + "?dryRun=All";
    until("the declaration to be refused", || {
        (evil.server().admin().merge(&path, &malformed).code == 422).then_some(())
    });
    let body = json!({ "name": "steps", "namespace": evil.name() }).to_string();
    let head = format!(
        "POST /gate/drained HTTP/1.1\r\nhost: gate\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let ask = || {
        let mut stream = plain(gate);
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it is taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(answer.lines().next(), Some("HTTP/1.1 200 OK"), "{answer}");
    };
    thread::scope(|scope| (0..16).for_each(|_| drop(scope.spawn(ask))));
    // The limit of the shipped Deployment is 128 MiB; this is built without optimisation.
    assert!(memory(&guard, "VmHWM") < 96 << 10, "{} KiB", memory(&guard, "VmHWM"));
    assert_eq!(guard.ends("TERM").0.code, Some(0));
    for kind in ["TraefikService", "Canary"] {
        evil.ask(&http::Method::DELETE, kind, "", &json!({})).expect("they go, or each later test reads them");
    }
}

#[test]
fn when_descriptors_run_out_silent_connections_give_way_to_the_api_server() {
    const DESCRIPTORS: u64 = 128;
    let turn = Turn::take();
    let namespace = turn.shops("descriptors", &["shop"]);
    let (port, gate) = (free_port(), free_port());
    let flags = ["--gate-listen".to_owned(), format!("127.0.0.1:{gate}")];
    let guard =
        Guard::with(&namespace, port, port, &flags.each_ref().map(String::as_str), |run| run.descriptors(DESCRIPTORS));
    guard.acts(&namespace, "shop");
    let authorities = authorities(&namespace);
    let (mut whole, mut gates): (Vec<Client>, Vec<TcpStream>) = (Vec::new(), Vec::new());
    for _ in 0..2 * DESCRIPTORS {
        if let Ok(mut client) = Client::connect(guard.port, &authorities, "127.0.0.1") {
            client.gets("/healthz");
            whole.push(client);
        }
        let mut stream = plain(gate);
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n");
        gates.push(stream);
    }
    for (primary, canary) in [(90, 10), (80, 20), (70, 30)] {
        let stored = flagger::writes(&namespace, "shop", primary, canary).expect("nobody else wrote");
        assert_eq!(stored["spec"]["weighted"]["sticky"], declared_sticky());
    }
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}
