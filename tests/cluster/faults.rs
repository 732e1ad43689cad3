//! What goes wrong on the way to the server, on it, and at the terminal.

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    directory::Directory,
    fake::{Fake, Reply},
    namespace::Namespace,
    objects,
    pty::{Key, Pty},
    run::Run,
};

use crate::rollout::{closed_stdout, declare, rollout, versions};

const CANARY: &str = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/podinfo";
const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";
const SERVICE: &str = "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices/podinfo";
const SERVICES: &str = "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices";
const SET: [&str; 6] = ["sticky", "set", "podinfo", "--max-age", "300", "--yes"];

/// A scripted server with the Canary `podinfo` and its TraefikService, and the two as it has them.
fn shop() -> (Fake, Value, Value) {
    let (mut canary, mut service) = (objects::canary("podinfo"), objects::traefik_service("podinfo", 90, 10));
    for object in [&mut canary, &mut service] {
        object["metadata"]["namespace"] = json!("shop");
        object["metadata"]["resourceVersion"] = json!("7");
    }
    let fake = Fake::start();
    fake.on("GET", CANARY, [Reply::json(200, &canary)]);
    fake.on("GET", SERVICE, [Reply::json(200, &service)]);
    (fake, canary, service)
}

fn run<'a>(fake: &Fake, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(arguments).kubeconfig(fake.kubeconfig())
}

/// The Canary with this cookie declared, the TraefikService with it live: the answers to good patches.
fn changed(canary: &Value, service: &Value) -> (Reply, Reply) {
    let (mut canary, mut service) = (canary.clone(), service.clone());
    canary["metadata"]["annotations"] = json!({ ANNOTATION: "; Max-Age=300" });
    service["spec"]["weighted"]["sticky"] = json!({ "cookie": { "maxAge": 300 } });
    (Reply::json(200, &canary), Reply::json(200, &service))
}

fn conflict() -> Reply {
    Reply::refusal(409, "Conflict", "Operation cannot be fulfilled: the object has been modified")
}

fn patches(fake: &Fake) -> usize {
    fake.requests().iter().filter(|request| request.method == "PATCH").count()
}

#[test]
fn an_unknown_canary_is_told_with_those_of_a_similar_name() {
    let namespace = rollout("unknown");
    namespace.create_rollout("podinfo-eu", 100, 0);
    namespace.run(["show", "podinof"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinof` in namespace `unknown-[NS]`
hint: did you mean `podinfo`?

"#]]);
    namespace.run(["sticky", "set", "something-else", "--max-age", "300", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `something-else` in namespace `unknown-[NS]`
hint: kubectl canary-traefik show -n unknown-[NS] lists the Canaries

"#]]);
    Namespace::new("empty").run(["show", "podinfo"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in namespace `empty-[NS]`
hint: kubectl canary-traefik show -A lists the Canaries of all namespaces

"#]]);
}

#[test]
fn a_canary_elsewhere_than_on_traefik_is_left_alone() {
    let namespace = Namespace::new("elsewhere");
    let mut canary = objects::canary("on-istio");
    canary["spec"]["provider"] = json!("istio");
    namespace.create_value(&canary);
    canary["spec"].as_object_mut().expect("a spec").remove("provider");
    canary["metadata"]["name"] = json!("unclear");
    namespace.create_value(&canary);
    namespace.run(["sticky", "set", "on-istio", "--max-age", "300", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `elsewhere-[NS]/on-istio` is not on Traefik
caused by: its spec.provider is `istio`

"#]]);
    namespace.run(["sticky", "set", "unclear", "--max-age", "300", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `elsewhere-[NS]/unclear` is not on Traefik
caused by: it has no spec.provider, no TraefikService and no declared cookie
hint: set spec.provider: traefik on the Canary

"#]]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik); 1 Canary skipped: spec.provider is istio
No resources found in elsewhere-[NS] namespace.

"#]]);
}

#[test]
fn without_flaggers_definitions_there_are_no_canaries() {
    let fake = Fake::start();
    run(&fake, ["show"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: the cluster serves no Canaries: Flagger's custom resource definitions are not installed
hint: install Flagger, or name another cluster with --context

"#]]);
    run(&fake, ["show", "podinfo"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: the cluster serves no Canaries: Flagger's custom resource definitions are not installed
hint: install Flagger, or name another cluster with --context

"#]]);
}

#[test]
fn without_traefiks_definitions_canaries_are_shown() {
    let (fake, mut canary, _) = shop();
    canary["metadata"]["annotations"] = json!({ ANNOTATION: "login" });
    fake.on("GET", CANARY, [Reply::json(200, &canary)]);
    fake.on("GET", CANARIES, [Reply::json(200, &json!({ "kind": "CanaryList", "items": [canary] }))]);
    fake.on("GET", SERVICE, [Reply::text(404, "text/plain", "404 page not found\n")]);
    run(&fake, ["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   <none>   login    pending   none        <unknown>
--- stderr

"#]]);
    run(&fake, ["show", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   <none>   login    pending   none        <unknown>
--- stderr

"#]]);
    run(&fake, ["diff", "podinfo"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
shop/podinfo: declared, but not live: the cluster serves no TraefikServices

"#]]);
}

#[test]
fn a_refused_connection_is_said() {
    let kubeconfig = kubeconfig(&json!({ "token": "x" }), "https://127.0.0.1:1");
    Run::new(["show"]).kubeconfig(kubeconfig.path().join("config")).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the connection to the server 127.0.0.1:[PORT] was refused
hint: kubectl config view --minify

"#]]);
}

/// A kubeconfig for this user and server.
fn kubeconfig(user: &Value, server: &str) -> Directory {
    let directory = Directory::new();
    let value = json!({
        "current-context": "bed",
        "contexts": [{ "name": "bed", "context": { "cluster": "bed", "user": "jane", "namespace": "shop" } }],
        "clusters": [{ "name": "bed", "cluster": { "server": server } }],
        "users": [{ "name": "jane", "user": user }],
    });
    directory.write("config", value.to_string());
    directory
}

#[test]
fn credentials_that_the_server_does_not_know_are_named() {
    let namespace = rollout("wrong-token");
    let mut wrong: Value =
        canary_traefik::yaml::parse(&namespace.server().admin_kubeconfig(namespace.name())).expect("a kubeconfig");
    wrong["users"][0]["user"] = json!({ "token": "wrong" });
    let directory = Directory::new();
    let file = directory.write("config", wrong.to_string());
    namespace.run_as(&file, ["show"]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the server does not accept these credentials
caused by: sent as user `bed` of [KUBECONFIG]
hint: kubectl auth whoami

"#]]);
    namespace.run_as(&file, SET).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the server does not accept these credentials
caused by: sent as user `bed` of [KUBECONFIG]
hint: kubectl auth whoami

"#]]);
}

/// A user by a credential plugin.
fn plugin(script: &str) -> Value {
    json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
        "args": ["-c", script], "interactiveMode": "Never" } })
}

#[test]
fn a_credential_plugin_that_fails_is_quoted() {
    let fake = Fake::start_tls();
    let run = |script: &str| Run::new(["show"]).kubeconfig(fake.kubeconfig_as(&plugin(script))).run();
    run("echo 'the ticket has expired' >&2; exit 3").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the credential plugin `/bin/sh` failed with exit status 3
caused by: the ticket has expired

"#]]);
    run("echo secret").shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the credential plugin `/bin/sh` did not return a credential
caused by: its kind is not ExecCredential

"#]]);
    assert_eq!(fake.lines(), [""; 0], "nothing is asked without credentials");
}

#[test]
fn over_http_no_credentials_are_sent_and_that_is_said() {
    let fake = Fake::start();
    fake.on("GET", CANARIES, [Reply::refusal(401, "Unauthorized", "Unauthorized")]);
    let mark = fake.directory().join("ran");
    let user = plugin(&format!("echo x > {}", mark.display()));
    run(&fake, ["show"]).kubeconfig(fake.kubeconfig_as(&user)).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the server requires credentials, and none were sent
caused by: credentials are not sent over http, where others could read them
hint: use --server https://HOST:PORT

"#]]);
    let address = fake.url().replace("http://", "");
    run(&fake, ["show", "--token", "s3cr3t", "-s", &address]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the server requires credentials, and none were sent
caused by: credentials are not sent over http, where others could read them
hint: use --server https://HOST:PORT

"#]]);
    let anonymous = r#"canaries.flagger.app is forbidden: User "system:anonymous" cannot list resource "canaries" in API group "flagger.app" in the namespace "shop""#;
    fake.on("GET", CANARIES, [Reply::refusal(403, "Forbidden", anonymous)]);
    run(&fake, ["show", "--as", "jane"]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `system:anonymous` may not list canaries.flagger.app in namespace `shop`
caused by: credentials are not sent over http, where others could read them
hint: use --server https://HOST:PORT
hint: kubectl auth can-i list canaries.flagger.app -n shop --as jane

"#]]);
    assert_eq!(fake.requests().iter().find_map(|request| request.header("authorization").map(str::to_owned)), None);
    assert!(!mark.exists(), "the plugin ran");
}

#[test]
fn a_context_that_is_not_there_is_told_with_those_that_are() {
    rollout("context").run(["show", "--context", "bad"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no context named `bad` in [KUBECONFIG]
hint: use --context bed
hint: known contexts: bed

"#]]);
}

#[test]
fn a_server_that_hangs_is_given_up_in_time() {
    let (fake, ..) = shop();
    fake.on("GET", CANARIES, [Reply::Hang]);
    fake.on("GET", SERVICES, [Reply::Hang]);
    run(&fake, ["show", "--request-timeout", "1s"]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: no answer from the server within 1 s
hint: wait longer: --request-timeout 5s

"#]]);
    fake.on("PATCH", CANARY, [Reply::Hang]);
    run(&fake, SET).arguments(["--request-timeout", "1s"]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: no answer from the server within 1 s
hint: wait longer: --request-timeout 5s

"#]]);
}

#[test]
fn a_wait_is_said_at_a_terminal_and_can_be_left() {
    let (fake, ..) = shop();
    fake.on("GET", CANARIES, [Reply::Hang]);
    fake.on("GET", SERVICES, [Reply::Hang]);
    let mut pty = Pty::start(run(&fake, ["show"]));
    pty.wait_for("waiting for the server http://127.0.0.1:");
    pty.wait_for("1 s (Ctrl-C to stop)");
    pty.press(Key::CtrlC);
    pty.ends().shows(str![[r#"
exit: 130
--- screen
error: interrupted

"#]]);
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let (fake, canary, service) = shop();
    let busy = Reply::refusal(503, "ServiceUnavailable", "the server is starting").header("retry-after", "1");
    fake.on("GET", CANARY, [busy, Reply::json(200, &canary)]);
    let (good_canary, good_service) = changed(&canary, &service);
    let many = Reply::refusal(429, "TooManyRequests", "too many requests").header("retry-after", "1");
    fake.on("PATCH", CANARY, [good_canary]);
    fake.on("PATCH", SERVICE, [many, good_service]);
    let mut pty = Pty::start(run(&fake, SET));
    pty.wait_for("waiting for the busy server (503), before try 2 of 4");
    pty.wait_for("waiting for the busy server (429), before try 2 of 4");
    let seen = pty.ends();
    assert_eq!(seen.code, Some(0), "{seen:?}");
}

#[test]
fn of_a_wait_nothing_stays_on_a_narrow_terminal() {
    let (fake, canary, _) = shop();
    let busy = Reply::refusal(503, "ServiceUnavailable", "the server is starting").header("retry-after", "1");
    fake.on("GET", CANARY, [busy, Reply::json(200, &canary)]);
    let mut pty = Pty::start_with(run(&fake, ["sticky", "get", "podinfo"]), 40);
    pty.wait_for("waiting for the busy server (503), bef…");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
state       none (nothing is declared)
protected   -

"#]]);
}

#[test]
fn a_server_that_stays_busy_is_not_asked_for_ever() {
    let (fake, ..) = shop();
    fake.on("GET", CANARY, [Reply::refusal(429, "TooManyRequests", "too many requests").header("retry-after", "0")]);
    run(&fake, ["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the server could not get canaries.flagger.app `podinfo` in namespace `shop`: it answered 429 Too Many Requests
caused by: too many requests

"#]]);
    assert_eq!(fake.lines().iter().filter(|line| *line == &format!("GET {CANARY}")).count(), 4);

    // Nobody is kept waiting for two minutes.
    let (fake, ..) = shop();
    fake.on("GET", CANARY, [Reply::refusal(503, "ServiceUnavailable", "starting").header("retry-after", "120")]);
    run(&fake, ["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: the server could not get canaries.flagger.app `podinfo` in namespace `shop`: it answered 503 Service Unavailable
caused by: starting

"#]]);
}

#[test]
fn conflicts_without_end_are_a_conflict() {
    let (fake, canary, service) = shop();
    let (good_canary, _) = changed(&canary, &service);
    fake.on("PATCH", CANARY, [good_canary]);
    fake.on("PATCH", SERVICE, [conflict()]);
    run(&fake, SET).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: Canary `shop/podinfo` or its TraefikService keeps changing
hint: wait until the rollout pauses, then repeat the command

"#]]);
    assert_eq!(patches(&fake), 2 * 40, "tried as often as it may be");
}

#[test]
fn what_was_stored_before_conflicts_without_end_is_told() {
    let (fake, canary, service) = shop();
    let (good_canary, good_service) = changed(&canary, &service);
    let mut declaring = canary.clone();
    declaring["metadata"]["annotations"] = json!({ ANNOTATION: "; Max-Age=300" });
    // Read before the plan and after the first conflict, then as it was stored.
    fake.on("GET", CANARY, [Reply::json(200, &canary), Reply::json(200, &declaring)]);
    fake.on("PATCH", CANARY, [good_canary]);
    fake.on("PATCH", SERVICE, [good_service, conflict()]);
    run(&fake, SET).run().shows(str![[r#"
exit: 5
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   name: podinfo
   namespace: shop
 spec:
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -17,3 +17,6 @@
       namespace: ""
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: shop/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n shop --entry /login --max-age 2m
not live
to apply the declared cookie: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo
error: Canary `shop/podinfo` or its TraefikService keeps changing
hint: wait until the rollout pauses, then repeat the command

"#]]);
}

#[test]
fn what_was_stored_before_the_connection_broke_is_told() {
    let (fake, canary, service) = shop();
    let (good_canary, good_service) = changed(&canary, &service);
    fake.on("PATCH", CANARY, [good_canary]);
    fake.on("PATCH", SERVICE, [good_service, Reply::Close]);
    run(&fake, SET).run().shows(str![[r#"
exit: 6
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   name: podinfo
   namespace: shop
 spec:
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -17,3 +17,6 @@
       namespace: ""
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: shop/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n shop --entry /login --max-age 2m
not live
to apply the declared cookie: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo
error: the connection to the server 127.0.0.1:[PORT] was closed before it answered
caused by: connection closed before message completed

"#]]);
}

#[test]
fn a_server_that_stores_something_else_is_not_believed() {
    let (fake, canary, service) = shop();
    let (good_canary, good_service) = changed(&canary, &service);
    let mut declaring = canary.clone();
    declaring["metadata"]["annotations"] = json!({ ANNOTATION: "; Max-Age=300" });
    fake.on("GET", CANARY, [Reply::json(200, &canary), Reply::json(200, &declaring)]);
    fake.on("PATCH", CANARY, [good_canary]);
    fake.on("PATCH", SERVICE, [good_service, Reply::json(200, &service)]);
    run(&fake, SET).run().shows(str![[r#"
exit: 5
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   name: podinfo
   namespace: shop
 spec:
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -17,3 +17,6 @@
       namespace: ""
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: shop/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n shop --entry /login --max-age 2m
not live
to apply the declared cookie: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo
error: the server stored a different cookie than was written
caused by: an admission policy or webhook changes it
hint: kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations

"#]]);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let (fake, mut canary, mut service) = shop();
    canary["metadata"]["labels"] = json!({ "app": "\u{1b}[2J", "c1": "\u{9b}2J" });
    canary["metadata"]["annotations"] = json!({ ANNOTATION: "\u{1b}[31mlogin; Max-Age=\r300" });
    canary["status"] = json!({ "phase": "\u{1b}]0;owned\u{7}" });
    service["spec"]["weighted"]["sticky"] = json!({ "cookie": { "name": "\u{1b}[8m", "\u{9b}31m": 1 } });
    let mut other = canary.clone();
    other["metadata"]["name"] = json!("\u{1b}[1A\nevil");
    fake.on("GET", CANARY, [Reply::json(200, &canary)]);
    fake.on("GET", SERVICE, [Reply::json(200, &service)]);
    fake.on("GET", CANARIES, [Reply::json(200, &json!({ "kind": "CanaryList", "items": [canary, other] }))]);
    fake.on("GET", SERVICES, [Reply::json(200, &json!({ "kind": "TraefikServiceList", "items": [service] }))]);
    for arguments in [
        &["show", "-o", "wide"][..],
        &["show", "-o", "name"],
        &["show", "-o", "yaml"],
        &["show", "-o", "json"],
        &["show", "podinfo"],
        &["show", "\u{1b}[31mx"],
        &["sticky", "get", "podinfo"],
        &["diff"],
        &["render", "podinfo"],
        &["simulate", "podinfo", "--steps", "10,100"],
        &SET,
        &["sticky", "remove", "podinfo", "--dry-run=client"],
        &["sticky", "remove", "podinfo", "--dry-run=client", "-o", "json"],
        &["sticky", "remove", "podinfo", "--dry-run=client", "-o", "yaml"],
        &["sticky", "apply", "--yes"],
    ] {
        let output = run(&fake, arguments.iter().copied()).run();
        for text in [&output.stdout, &output.stderr] {
            let control = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{arguments:?}\n{output}");
        }
    }
    run(&fake, ["show", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME              PHASE                 WEIGHT   COOKIE      STATE       PROTECTED   AGE         TRAEFIKSERVICE       DECLARED                         LIVE        ENTRY
\u{1b}[1A\nevil   \u{1b}]0;owned\u{7}   90/10    <derived>   malformed   none        <unknown>   traefik.io/podinfo   \u{1b}[31mlogin; Max-Age=\r300   <derived>   <none>
podinfo           \u{1b}]0;owned\u{7}   90/10    <derived>   malformed   none        <unknown>   traefik.io/podinfo   \u{1b}[31mlogin; Max-Age=\r300   <derived>   <none>
--- stderr

"#]]);
    run(&fake, ["sticky", "remove", "podinfo", "--dry-run=client"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured (dry run)
traefikservice.traefik.io/podinfo configured (dry run)
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,8 +1,6 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: "\e[31mlogin; Max-Age=\r300"
   labels:
     app: "\e[2J"
     c1: "\x9B2J"
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -17,7 +17,3 @@
       namespace: ""
       port: 80
       weight: 10
-    sticky:
-      cookie:
-        name: "\e[8m"
-        "\x9B31m": 1

"#]]);
}

#[test]
fn control_c_at_the_question_changes_nothing() {
    let namespace = rollout("interrupted");
    let before = versions(&namespace, "podinfo");
    let mut pty = Pty::start(namespace.run(["sticky", "set", "podinfo", "--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    pty.wait_for_keys();
    pty.press(Key::CtrlC);
    pty.ends().shows(str![[r#"
exit: 130
--- screen
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: interrupted-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: interrupted-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: interrupted-[NS]/podinfo: with Max-Age=300 and an interval of 60
s, returning users see the canary in 11 % of their page views during the steps,
instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n interrupted-[NS] --entry /login --
max-age 2m
error: interrupted

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let namespace = rollout("pipe");
    declare(&namespace, "podinfo", "login");
    for arguments in [
        &["show"][..],
        &["show", "-o", "json"],
        &["sticky", "get", "podinfo"],
        &["render", "podinfo"],
        &["--help"],
        &["sticky", "set", "--help"],
        &["--version"],
    ] {
        let ended = closed_stdout(&namespace.run(arguments));
        assert_eq!(ended, (Some(0), String::new()), "{arguments:?}");
    }
}
