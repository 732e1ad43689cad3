//! The webhook behind a real Service: the API server finds its pods by their endpoints and checks their name.

use http::Method;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{bed, namespace::Namespace, network, objects, run::Run, server::Server, wait::until};

use super::{
    deployed::{NAME, ROUTING, Replica, beyond, ready, replicas, rules, unused},
    guard::{DECLARED, declare, declared_sticky, live, registrations, sticky, writes},
};

fn guard(namespace: &Namespace, arguments: &[&str]) -> Run {
    let run = namespace.run(["guard"]).arguments(arguments.iter().copied());
    run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

/// A dry-run write that drops the cookie gets it back, and this many calls have failed meanwhile.
fn kept(namespace: &Namespace) -> bool {
    let path = namespace.path("TraefikService", "shop") + "?dryRun=All";
    let dropped = json!({ "spec": { "weighted": { "sticky": null } } });
    sticky(&namespace.server().admin().merge(&path, &dropped).expect("a dry run")) == declared_sticky()
}

fn patch(namespace: &Namespace, kind: &str, operations: &Value) {
    let path = namespace.path(kind, NAME);
    let answer =
        namespace.server().admin().ask(&Method::PATCH, &path, "application/json-patch+json", operations.to_string());
    answer.expect("a change of the registration");
}

#[test]
fn two_replicas_behind_a_service_keep_every_cookie_with_no_right_beyond_their_role() {
    const TEST: &str = "two_replicas_behind_a_service_keep_every_cookie_with_no_right_beyond_their_role";
    if !network::inside(module_path!(), TEST) {
        return;
    }
    let server = Server::dedicated(&[&bed::no_policies()[..], &ROUTING].concat());
    let namespace = Namespace::on(&server, "service");
    namespace.create_rollout("shop", 100, 0);
    declare(&namespace, "shop", DECLARED);
    guard(&namespace, &["install", "--image", "registry.example/guard:1", "--yes", "--wait=0s"]).run().shows(str![[
        r#"
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

"#
    ]]);
    let installed = registrations(&namespace);
    let rules = rules(&server);

    let pods = [1, 2].map(|number| Replica::start(&server, number));
    // Whichever of the two is first, or each one of them.
    let bundle = |configuration: &Value| configuration["webhooks"][0]["clientConfig"]["caBundle"].is_string();
    until("a registration", || registrations(&namespace).iter().all(bundle).then_some(()));
    ready(&server, NAME, &[1, 2]);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    until("the API server to ask", || kept(&namespace).then_some(()));
    guard(&namespace, &["install", "--wait=30s"]).run().shows(str![[r#"
exit: 0
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
this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): Kubernetes serves it from 1.36 on
so the guard is installed as a webhook
the guard works: in a dry run, a write removed the cookie of service-[NS]/shop, and the guard put it back

"#]]);
    guard(&namespace, &["status"]).run().shows(str![[r#"
exit: 0
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
working      yes (in a dry run, a write removed the cookie of service-[NS]/shop, and the guard put it back)
certificate  registered
replicas     2 of 2 ready
entries      not updated (guard install --entries)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
shop   <none>   100/-    login    synced   guard       [A]
--- stderr

"#]]);

    // Nothing of the configurations but their authority is another one.
    let mut now = registrations(&namespace);
    for (installed, now) in installed.iter().zip(&mut now) {
        let client = now["webhooks"][0]["clientConfig"].as_object_mut().expect("a client");
        assert!(client.remove("caBundle").is_some());
        assert_eq!(now["webhooks"], installed["webhooks"]);
    }
    let before = server.failed_calls();
    let stored = writes(&namespace, "shop", |number| number < 200);
    assert!(stored.iter().all(|service| sticky(service) == declared_sticky()));

    // One is taken from the Service and ends, as in a rolling update.
    ready(&server, NAME, &[2]);
    let [first, second] = pods;
    let ended = first.ends();
    assert_eq!(ended.code, Some(0), "{ended}");
    let stored = writes(&namespace, "shop", |number| number < 100);
    assert!(stored.iter().all(|service| sticky(service) == declared_sticky()));
    assert_eq!(server.failed_calls() - before, 0);

    // Endpoints of another name are not believed to be it.
    let mut other = server.admin().get(&format!("/api/v1/namespaces/{NAME}/services/{NAME}")).expect("a Service");
    other["metadata"] = json!({ "name": "other", "namespace": NAME });
    let spec = other["spec"].as_object_mut().expect("a spec");
    spec.retain(|key, _| key == "ports");
    server.admin().post(&format!("/api/v1/namespaces/{NAME}/services"), &other).expect("another Service");
    ready(&server, "other", &[2]);
    let call =
        |name: &str| json!([{ "op": "replace", "path": "/webhooks/0/clientConfig/service/name", "value": name }]);
    patch(&namespace, "MutatingWebhookConfiguration", &call("other"));
    until("calls to fail", || (!kept(&namespace)).then_some(()));
    patch(&namespace, "MutatingWebhookConfiguration", &call(NAME));
    until("calls to succeed again", || kept(&namespace).then_some(()));

    // Without conditions, as before Kubernetes 1.28, it is asked about more, and says the same.
    for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
        patch(&namespace, kind, &json!([{ "op": "remove", "path": "/webhooks/0/matchConditions" }]));
    }
    let before = server.failed_calls();
    let mut mirror = objects::traefik_service("mirror", 100, 0);
    mirror["metadata"]["namespace"] = json!(namespace.name());
    mirror["spec"] = json!({ "mirroring": { "name": "a", "port": 80 } });
    assert_eq!(namespace.create_value(&mirror)["spec"], mirror["spec"]);
    namespace.create_value(&objects::canary("plain"));
    namespace.patch_status("Canary", "shop", &objects::status("Progressing", 10));
    assert!(kept(&namespace));
    assert_eq!(server.failed_calls() - before, 0);

    replicas(&server, 1);
    guard(&namespace, &["status"]).run().shows(str![[r#"
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
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik       differs   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     differs   [VERSION]

installed    webhook
working      yes (in a dry run, a write removed the cookie of service-[NS]/shop, and the guard put it back)
certificate  registered
replicas     1 of 2 ready
entries      not updated (guard install --entries)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
missing      1 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
--- stderr
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik

"#]]);
    let ended = second.ends();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(beyond(&server, &rules), Vec::<String>::new());
    // Whatever comes first, they need all of it but what is for a group that is not served here, and these: for a Canary
    // newer than the watch, a Canary that was changed, a certificate that is a month old.
    let in_some_runs = ["get canaries.flagger.app", "get traefikservices.traefik.io", "update secrets."];
    let mut needless = unused(&server, &rules);
    needless.retain(|right| !right.ends_with(".traefik.containo.us") && !in_some_runs.contains(&right.as_str()));
    assert_eq!(needless, [""; 0]);
}
