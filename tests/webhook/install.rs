//! The webhook installed: its objects, what their rights are enough for, and that nothing is left of them.
#![expect(clippy::disallowed_methods, reason = "a test reads a certificate that it made")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    namespace::Namespace,
    run::{Run, exactly},
    wait::until,
};

use super::{
    certificates::folder,
    deployed::{NAME, deployment},
    guard::{Guard, Turn, cluster_user, registrations},
};

const INSTALL: [&str; 5] = ["install", "--mode", "webhook", "--image", "registry.example/guard:1"];

fn run(namespace: &Namespace, arguments: &[&str]) -> Run {
    let run = namespace.run(["guard"]).arguments(arguments.iter().copied());
    run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

fn get(namespace: &Namespace, path: &str) -> Option<Value> {
    let answer = namespace.server().admin().get(path);
    (answer.code == 200).then(|| answer.json())
}

/// As the controller of namespaces does, once a namespace is empty.
pub(super) fn finalize(namespace: &Namespace) {
    let path = format!("/api/v1/namespaces/{NAME}");
    let Some(mut object) = get(namespace, &path) else { return };
    object["spec"]["finalizers"] = json!([]);
    let body = object.to_string();
    let admin = namespace.server().admin();
    admin.ask(&Method::PUT, &format!("{path}/finalize"), "application/json", body).expect("an end");
}

#[test]
fn what_is_installed_is_accepted_has_the_rights_it_needs_and_goes_without_a_trace() {
    let turn = Turn::take();
    let namespace = turn.shops("install", &["shop"]);
    let install = ["install", "--image", "registry.example/guard:1", "--yes", "--wait=0s"];

    run(&namespace, &["install", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1)
caused by: Kubernetes serves it from 1.36 on
hint: install the webhook: kubectl canary-traefik guard install --image IMAGE

"#]]);
    run(&namespace, &install).run().shows(str![[r#"
exit: 1
--- stdout
namespace/kubectl-canary-traefik created
serviceaccount/kubectl-canary-traefik created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik created
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik created
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik created
role.rbac.authorization.k8s.io/kubectl-canary-traefik created
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik created
deployment.apps/kubectl-canary-traefik created
poddisruptionbudget.policy/kubectl-canary-traefik created
service/kubectl-canary-traefik created
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik created
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik created
--- stderr
this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): Kubernetes serves it from 1.36 on
so the guard is installed as a webhook
+ namespace/kubectl-canary-traefik
+ serviceaccount/kubectl-canary-traefik
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik
+ clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
+ clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ role.rbac.authorization.k8s.io/kubectl-canary-traefik
+ rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ deployment.apps/kubectl-canary-traefik
+ poddisruptionbudget.policy/kubectl-canary-traefik
+ service/kubectl-canary-traefik
+ mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
warning: 0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
warning: no process has registered its certificate yet: the API server cannot call the webhook
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik

"#]]);
    let again = run(&namespace, &install).run();
    let changed: Vec<_> = again.stdout.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    assert_eq!((again.code, changed), (Some(1), Vec::<&str>::new()));

    // Where Pod Security is `restricted`, its pods may run.
    let restricted = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } });
    namespace.server().admin().merge(&format!("/api/v1/namespaces/{NAME}"), &restricted).expect("a label");
    let deployment =
        get(&namespace, &format!("/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}")).expect("it is there");
    let mut pod = deployment["spec"]["template"].clone();
    (pod["apiVersion"], pod["kind"], pod["metadata"]["name"]) = (json!("v1"), json!("Pod"), json!("guard"));
    let pods = format!("/api/v1/namespaces/{NAME}/pods?dryRun=All");
    let allowed = pod.clone();
    let privileged = &mut pod["spec"]["containers"][0]["securityContext"];
    privileged["allowPrivilegeEscalation"] = json!(true);
    until("the label to count", || (namespace.server().admin().post(&pods, &pod).code == 403).then_some(()));
    assert_eq!(namespace.server().admin().post(&pods, &allowed).code, 201);

    run(&namespace, &["uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik deleted
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik deleted
service/kubectl-canary-traefik deleted
poddisruptionbudget.policy/kubectl-canary-traefik deleted
deployment.apps/kubectl-canary-traefik deleted
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik deleted
role.rbac.authorization.k8s.io/kubectl-canary-traefik deleted
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik deleted
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik deleted
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik deleted
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik deleted
serviceaccount/kubectl-canary-traefik deleted
namespace/kubectl-canary-traefik deleted
--- stderr
- validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
- mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
- service/kubectl-canary-traefik
- poddisruptionbudget.policy/kubectl-canary-traefik
- deployment.apps/kubectl-canary-traefik
- rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
- role.rbac.authorization.k8s.io/kubectl-canary-traefik
- clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
- clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik
- serviceaccount/kubectl-canary-traefik
- namespace/kubectl-canary-traefik
Flagger's next write to each TraefikService will remove its cookie

"#]]);
    assert_eq!(registrations(&namespace), [Value::Null; 0]);
    for path in [
        format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{NAME}"),
        format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{NAME}"),
        format!("/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}"),
        format!("/api/v1/namespaces/{NAME}/secrets/{NAME}-certificates"),
    ] {
        assert_eq!(get(&namespace, &path), None, "{path}");
    }
    finalize(&namespace);
}

#[test]
fn a_dry_run_or_a_missing_yes_installs_nothing() {
    let turn = Turn::take();
    let namespace = turn.shops("dry", &["shop"]);
    let dry = |flags: &[&str]| run(&namespace, &INSTALL).arguments(flags.iter().copied()).run();
    dry(&["--dry-run=client"]).shows(str![[r#"
exit: 0
--- stdout
namespace/kubectl-canary-traefik created (dry run)
serviceaccount/kubectl-canary-traefik created (dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik created (dry run)
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik created (dry run)
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik created (dry run)
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik created (dry run)
role.rbac.authorization.k8s.io/kubectl-canary-traefik created (dry run)
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik created (dry run)
deployment.apps/kubectl-canary-traefik created (dry run)
poddisruptionbudget.policy/kubectl-canary-traefik created (dry run)
service/kubectl-canary-traefik created (dry run)
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik created (dry run)
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik created (dry run)
--- stderr
+ namespace/kubectl-canary-traefik
+ serviceaccount/kubectl-canary-traefik
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik
+ clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
+ clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ role.rbac.authorization.k8s.io/kubectl-canary-traefik
+ rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ deployment.apps/kubectl-canary-traefik
+ poddisruptionbudget.policy/kubectl-canary-traefik
+ service/kubectl-canary-traefik
+ mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik

"#]]);
    let server = dry(&["--dry-run=server"]);
    let client = dry(&["--dry-run=client"]).to_string().replace("(dry run)", "(server dry run)");
    assert_eq!(server.to_string(), client);
    dry(&[]).shows(str![[r#"
exit: 3
--- stdout
--- stderr
+ namespace/kubectl-canary-traefik
+ serviceaccount/kubectl-canary-traefik
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik
+ clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
+ clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ role.rbac.authorization.k8s.io/kubectl-canary-traefik
+ rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ deployment.apps/kubectl-canary-traefik
+ poddisruptionbudget.policy/kubectl-canary-traefik
+ service/kubectl-canary-traefik
+ mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    run(&namespace, &["status"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
the guard is not installed
to install it: kubectl canary-traefik guard install --image IMAGE

"#]]);
    run(&namespace, &["uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
the guard is not installed

"#]]);
    assert_eq!(get(&namespace, &format!("/api/v1/namespaces/{NAME}/serviceaccounts/{NAME}")), None);
    assert_eq!(registrations(&namespace), [Value::Null; 0]);
}

#[test]
fn what_is_printed_is_what_is_installed_and_kubectl_applies_it() {
    let turn = Turn::take();
    let namespace = turn.shops("printed", &["shop"]);
    let selectors = ["--selector", "team in (a,b)", "--namespace-selector", "guarded"];
    let flags = ["guard", "install", "--mode", "webhook", "--image", "registry.example/guard:1"];
    // No kubeconfig: no server is asked.
    let print = |format: &str, more: &[&str]| {
        let printed = Run::new(flags).arguments(["-o", format]).arguments(more.iter().copied()).run();
        assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
        printed.stdout
    };
    exactly(
        &print("name", &[]),
        str![[r#"
namespace/kubectl-canary-traefik
serviceaccount/kubectl-canary-traefik
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
role.rbac.authorization.k8s.io/kubectl-canary-traefik
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
deployment.apps/kubectl-canary-traefik
poddisruptionbudget.policy/kubectl-canary-traefik
service/kubectl-canary-traefik
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik

"#]],
    );
    for more in [&[][..], &selectors[..]] {
        let list: Value = serde_json::from_str(&print("json", more)).expect("JSON");
        let yaml = print("yaml", more);
        let documents: Vec<_> =
            yaml.split("---\n").map(|text| canary_traefik::yaml::parse(text).expect("YAML")).collect();
        assert_eq!(list["items"], json!(documents));
    }
    let list: Value = serde_json::from_str(&print("json", &selectors)).expect("JSON");
    let deployment = list["items"].as_array().expect("a list").iter().find(|object| object["kind"] == "Deployment");
    let arguments = &deployment.expect("one runs it")["spec"]["template"]["spec"]["containers"][0]["args"];
    exactly(
        &serde_json::to_string_pretty(arguments).expect("JSON"),
        str![[r#"
[
  "guard",
  "run",
  "--listen=0.0.0.0:8443",
  "--service=kubectl-canary-traefik/kubectl-canary-traefik",
  "--cert-secret=kubectl-canary-traefik/kubectl-canary-traefik-certificates",
  "--gate-listen=0.0.0.0:8080",
  "--selector=team in (a,b)",
  "--namespace-selector=guarded"
]
"#]],
    );
    let kubectl = testbed::bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let apply =
        |text: &str| Run::of(&kubectl, ["apply", "-f", "-"]).kubeconfig(namespace.kubeconfig()).stdin(text).run();
    let applied = apply(&print("yaml", &[]));
    assert_eq!(applied.code, Some(0), "{applied}");
    let unchanged = run(&namespace, &INSTALL).arguments(["--wait=0s"]).run();
    assert_eq!(unchanged.stdout.lines().filter(|line| line.ends_with(" unchanged")).count(), 13, "{unchanged}");
    // Selectors of an installed guard stay; what kubectl has applied is kubectl's until it is forced.
    let applied = apply(&print("yaml", &selectors));
    assert_eq!(applied.code, Some(0), "{applied}");
    let stays = run(&namespace, &INSTALL).arguments(["--wait=0s"]).run();
    assert_eq!(stays.stdout.lines().filter(|line| line.ends_with(" unchanged")).count(), 13, "{stays}");
    run(&namespace, &INSTALL)
        .arguments(["--yes", "--selector", "", "--namespace-selector", "", "--wait=0s"])
        .run()
        .shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: fields of clusterroles.rbac.authorization.k8s.io `kubectl-canary-traefik` are owned by another field manager
caused by: .rules: conflict with "kubectl-client-side-apply" using rbac.authorization.k8s.io/v1
hint: add --force-conflicts to overwrite them

"#]]);
    remove(&namespace);
}

#[test]
fn what_others_have_added_is_noticed_and_taken_back_by_force() {
    let turn = Turn::take();
    let namespace = turn.shops("edited", &["shop"]);
    let first = run(&namespace, &INSTALL).arguments(["--yes", "--wait=0s"]).run();
    assert_eq!(first.code, Some(1), "{first}");
    let edit = |kind: &str, manager: &str, operation: Value| {
        let path = namespace.path(kind, NAME) + &format!("?fieldManager={manager}");
        let admin = namespace.server().admin();
        let body = json!([operation]).to_string();
        admin.ask(&Method::PATCH, &path, "application/json-patch+json", body).expect("an edit");
    };
    // The authority of some process.
    let certificates = folder(&["guard"]);
    let authority = std::fs::read(certificates.path().join("ca.crt")).expect("a certificate");
    let bundle =
        json!({ "op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": STANDARD.encode(&authority) });
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        edit(kind, "kubectl-canary-traefik-run", bundle.clone());
    }
    let differing = || -> Vec<String> {
        let status = run(&namespace, &["status", "-o", "json"]).run();
        let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
        let rows = status["objects"].as_array().expect("a list").iter().filter(|row| row["state"] != "current");
        rows.map(|row| row["name"].as_str().expect("a name").split('.').next().expect("a kind").to_owned()).collect()
    };
    assert_eq!(differing(), [""; 0]);
    let selector = json!({ "matchLabels": { "a": "b" } });
    let condition = json!({ "name": "more", "expression": "false" });
    let mutating = "MutatingWebhookConfiguration";
    let replace = |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
    let force = || run(&namespace, &INSTALL).arguments(["--yes", "--force-conflicts", "--wait=0s"]).run();

    edit(mutating, "kubectl-edit", replace("/webhooks/0/objectSelector", selector.clone()));
    assert_eq!(differing(), ["mutatingwebhookconfiguration"]);
    // What it covers now depends on labels that are nowhere looked at.
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
shop   <none>   100/-    login    missing   <unknown>   [A]
--- stderr

"#]]);
    run(&namespace, &INSTALL).arguments(["--yes", "--wait=0s"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: fields of mutatingwebhookconfigurations.admissionregistration.k8s.io `kubectl-canary-traefik` are owned by another field manager
caused by: .webhooks[name="guard.kubectl-canary-traefik.internal"].objectSelector: conflict with "kubectl-edit" using admissionregistration.k8s.io/v1
hint: add --force-conflicts to overwrite them

"#]]);
    force().shows(str![[r#"
exit: 1
--- stdout
namespace/kubectl-canary-traefik unchanged
serviceaccount/kubectl-canary-traefik unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
role.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
deployment.apps/kubectl-canary-traefik unchanged
poddisruptionbudget.policy/kubectl-canary-traefik unchanged
service/kubectl-canary-traefik unchanged
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik configured
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
--- stderr
--- mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik (live)
+++ mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik (after)
@@ -25,9 +25,7 @@
   matchPolicy: Exact
   name: guard.kubectl-canary-traefik.internal
   namespaceSelector: {}
-  objectSelector:
-    matchLabels:
-      a: b
+  objectSelector: {}
   reinvocationPolicy: IfNeeded
   rules:
   - apiGroups:
warning: the guard does not work: in a dry run, a write removed the cookie of edited-[NS]/shop, and nothing put it back
warning: 0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik

"#]]);
    assert_eq!(differing(), [""; 0]);

    edit(mutating, "kubectl-edit", replace("/webhooks/0/failurePolicy", json!("Fail")));
    assert_eq!(differing(), ["mutatingwebhookconfiguration"]);
    let _ = force();
    assert_eq!(differing(), [""; 0]);

    // A selector like one of its own: what the processes are told is another one.
    edit(mutating, "kubectl-edit", replace("/webhooks/0/namespaceSelector", selector));
    assert_eq!(differing(), ["clusterrole", "deployment", "validatingwebhookconfiguration"]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
shop   <none>   100/-    login    missing   none        [A]
--- stderr

"#]]);
    let _ = force().code;
    let all = run(&namespace, &INSTALL)
        .arguments(["--yes", "--force-conflicts", "--wait=0s", "--namespace-selector", ""])
        .run();
    assert_eq!((all.code, differing()), (Some(1), Vec::new()));

    // A condition of one's own is nobody else's to take away, and is told.
    edit(mutating, "kubectl-edit", json!({ "op": "add", "path": "/webhooks/0/matchConditions/-", "value": condition }));
    force().shows(str![[r#"
exit: 1
--- stdout
namespace/kubectl-canary-traefik unchanged
serviceaccount/kubectl-canary-traefik unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
role.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
deployment.apps/kubectl-canary-traefik unchanged
poddisruptionbudget.policy/kubectl-canary-traefik unchanged
service/kubectl-canary-traefik unchanged
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
--- stderr
warning: the guard does not work: in a dry run, a write removed the cookie of edited-[NS]/shop, and nothing put it back
warning: 0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
warning: mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik differs from what this version installs: someone has added to it
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik
to see what was added: kubectl get mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik -o yaml --show-managed-fields

"#]]);
    assert_eq!(differing(), ["mutatingwebhookconfiguration"]);
    remove(&namespace);
}

#[test]
fn who_waits_in_vain_is_told_what_is_missing_and_what_to_type() {
    let turn = Turn::take();
    let namespace = turn.shops("image", &["shop"]);
    let first = run(&namespace, &INSTALL).arguments(["--yes", "--wait=0s"]).run();
    assert_eq!(first.code, Some(1), "{first}");
    let server = namespace.server();
    let mut pod = deployment(server)["spec"]["template"].clone();
    (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod"));
    pod["metadata"]["name"] = json!("guard-1");
    let pods = format!("/api/v1/namespaces/{NAME}/pods");
    server.admin().post(&pods, &pod).expect("a pod");
    let status = json!({ "status": { "phase": "Pending", "containerStatuses": [{ "name": "guard", "ready": false,
        "restartCount": 0, "image": "x", "imageID": "", "state": { "waiting": { "reason": "ImagePullBackOff",
        "message": "Back-off pulling image \"registry.example/guard:1\"" } } }] } });
    server.admin().merge(&format!("{pods}/guard-1/status"), &status).expect("its status");
    run(&namespace, &INSTALL).arguments(["--wait=300ms"]).run().shows(str![[r#"
exit: 1
--- stdout
namespace/kubectl-canary-traefik unchanged
serviceaccount/kubectl-canary-traefik unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
role.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik unchanged
deployment.apps/kubectl-canary-traefik unchanged
poddisruptionbudget.policy/kubectl-canary-traefik unchanged
service/kubectl-canary-traefik unchanged
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik unchanged
--- stderr
warning: 0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
warning: pod guard-1: ImagePullBackOff: Back-off pulling image "registry.example/guard:1"
warning: no process has registered its certificate yet: the API server cannot call the webhook
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik
to run another image: kubectl canary-traefik guard install --image IMAGE

"#]]);
    run(&namespace, &["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                 STATE     VERSION
namespace/kubectl-canary-traefik                                                       current   [VERSION]
serviceaccount/kubectl-canary-traefik                                                  current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik          current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik                           current   [VERSION]
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                    current   [VERSION]
role.rbac.authorization.k8s.io/kubectl-canary-traefik                                  current   [VERSION]
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                           current   [VERSION]
deployment.apps/kubectl-canary-traefik                                                 current   [VERSION]
poddisruptionbudget.policy/kubectl-canary-traefik                                      current   [VERSION]
service/kubectl-canary-traefik                                                         current   [VERSION]
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik       current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]

installed    webhook
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
certificate  not registered
replicas     0 of 2 ready
entries      not updated (guard install --entries)
canaries     all
namespaces   all
declared     1
not covered  1 (image-[NS]/shop)
malformed    0
missing      0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
missing      pod guard-1: ImagePullBackOff: Back-off pulling image "registry.example/guard:1"
missing      no process has registered its certificate yet: the API server cannot call the webhook
--- stderr
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik
to run another image: kubectl canary-traefik guard install --image IMAGE

"#]]);
    server.admin().delete(&format!("{pods}/guard-1?gracePeriodSeconds=0")).expect("delete");
    remove(&namespace);
}

#[test]
fn who_lacks_a_right_is_told_which() {
    let turn = Turn::take();
    let namespace = turn.shops("rights", &["shop"]);
    let canaries = "{apiGroups: [flagger.app], resources: [canaries], verbs: [get, list]}";
    let services = "{apiGroups: [traefik.io], resources: [traefikservices], verbs: [get, list]}";
    let looks = "{apiGroups: [admissionregistration.k8s.io], resources: ['*'], verbs: [get]}";
    let as_user = |rules: &str, arguments: &[&str]| {
        let user = cluster_user(&namespace, rules);
        let name = user.file_stem().expect("a name").to_string_lossy().into_owned();
        let run = namespace.run_as(&user, ["guard"]).arguments(arguments.iter().copied());
        run.redact(&format!("`{name}`"), "`[USER]`").redact(env!("CARGO_PKG_VERSION"), "[VERSION]").run()
    };
    let install = [&INSTALL[..], &["--yes", "--wait=0s"]].concat();
    let blind = format!("[{canaries}, {services}]");
    as_user(&blind, &install).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get mutatingwebhookconfigurations.admissionregistration.k8s.io
hint: kubectl auth can-i get mutatingwebhookconfigurations.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard install prints the permissions it needs

"#]]);
    as_user(&blind, &["status"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get mutatingwebhookconfigurations.admissionregistration.k8s.io
hint: kubectl auth can-i get mutatingwebhookconfigurations.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard status prints the permissions it needs

"#]]);
    as_user(&blind, &["uninstall", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get mutatingwebhookconfigurations.admissionregistration.k8s.io
hint: kubectl auth can-i get mutatingwebhookconfigurations.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard uninstall prints the permissions it needs

"#]]);
    let reader = format!("[{canaries}, {services}, {looks}]");
    as_user(&reader, &install).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get namespaces in namespace `kubectl-canary-traefik`
hint: kubectl auth can-i get namespaces -n kubectl-canary-traefik

"#]]);
    let first = run(&namespace, &install).run();
    assert_eq!(first.code, Some(1), "{first}");
    // What may not be read is not taken for missing.
    as_user(&reader, &["status"]).shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                 STATE       VERSION
namespace/kubectl-canary-traefik                                                       <unknown>   <unknown>
serviceaccount/kubectl-canary-traefik                                                  <unknown>   <unknown>
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik          current     [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik   current     [VERSION]
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik                           <unknown>   <unknown>
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                    <unknown>   <unknown>
role.rbac.authorization.k8s.io/kubectl-canary-traefik                                  <unknown>   <unknown>
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                           <unknown>   <unknown>
deployment.apps/kubectl-canary-traefik                                                 <unknown>   <unknown>
poddisruptionbudget.policy/kubectl-canary-traefik                                      <unknown>   <unknown>
service/kubectl-canary-traefik                                                         <unknown>   <unknown>
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik       current     [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current     [VERSION]

installed    webhook
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
certificate  not registered
canaries     all
namespaces   all
declared     1
not covered  1 (rights-[NS]/shop)
malformed    0
missing      no process has registered its certificate yet: the API server cannot call the webhook
--- stderr
to see why: kubectl -n kubectl-canary-traefik logs deployment/kubectl-canary-traefik

"#]]);
    as_user(&reader, &["uninstall", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get secrets in namespace `kubectl-canary-traefik`
hint: kubectl auth can-i get secrets -n kubectl-canary-traefik

"#]]);
    remove(&namespace);
}

#[test]
fn what_somebody_else_made_or_runs_elsewhere_is_left_alone() {
    let turn = Turn::take();
    let namespace = turn.shops("foreign", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    run(&namespace, &INSTALL).arguments(["--yes", "--wait=0s"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: a process outside the cluster has registered itself as the guard
hint: stop its `guard run`, or run kubectl canary-traefik guard uninstall, then repeat the command

"#]]);
    assert_eq!(guard.ends("TERM").0.code, Some(0));
    let first = run(&namespace, &INSTALL).arguments(["--yes", "--wait=0s"]).run();
    assert_eq!(first.code, Some(1), "{first}");
    run(&namespace, &INSTALL).arguments(["--yes", "--guard-namespace", "other"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: the webhook runs in namespace `kubectl-canary-traefik`
hint: use --guard-namespace kubectl-canary-traefik
hint: to move it: kubectl canary-traefik guard uninstall, then install it again

"#]]);
    let foreign = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": "helm" } } });
    namespace.patch("ValidatingWebhookConfiguration", NAME, &foreign);
    run(&namespace, &INSTALL).arguments(["--yes", "--force-conflicts"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik exists and does not belong to this program
caused by: it has no label app.kubernetes.io/managed-by=kubectl-canary-traefik
hint: find out who made it; delete it, then repeat the command

"#]]);
    run(&namespace, &["uninstall", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik exists and does not belong to this program
caused by: it has no label app.kubernetes.io/managed-by=kubectl-canary-traefik
hint: find out who made it; delete it, then repeat the command

"#]]);
    assert_eq!(registrations(&namespace).len(), 2);
    namespace.delete("ValidatingWebhookConfiguration", NAME);
    remove(&namespace);
}

/// Takes the guard away by the program.
fn remove(namespace: &Namespace) {
    let removed = run(namespace, &["uninstall", "--yes"]).run();
    // One that `kubectl apply` has made stays.
    let _ = namespace.server().admin().delete(&format!("/api/v1/namespaces/{NAME}"));
    finalize(namespace);
    assert_eq!((removed.code, registrations(namespace)), (Some(0), Vec::new()), "{removed}");
}
