//! What `guard uninstall` takes away, and what it leaves: a namespace goes only when `guard install` has made it and nothing
//! of anybody else is in it.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    bed,
    namespace::Namespace,
    proxy::{Moment, Proxy},
    pty::Pty,
    run::Run,
};

use super::{
    deployed::{NAME, deployment},
    guard::{Turn, cluster_user},
    install::finalize,
};

const INSTALL: [&str; 6] =
    ["guard", "install", "--mode=webhook", "--image=registry.example/guard:1", "--yes", "--wait=0s"];
const HERE: &str = "/api/v1/namespaces/kubectl-canary-traefik";

fn installed(namespace: &Namespace) {
    let installed = namespace.run(INSTALL).run();
    assert_eq!(installed.code, Some(1), "{installed}");
}

fn is_there(namespace: &Namespace) -> bool {
    let answer = namespace.server().admin().get(HERE);
    answer.code == 200 && answer.json()["metadata"]["deletionTimestamp"].is_null()
}

fn create(namespace: &Namespace, place: &str, object: &Value) -> Value {
    namespace.server().admin().post(place, object).expect("an object")
}

fn notes(namespace: &Namespace) -> Value {
    let notes = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "notes" } });
    create(namespace, &format!("{HERE}/configmaps"), &notes)
}

/// A namespace with a rollout, on a server without anything in the guard's own namespace: nothing there removes what is in a
/// namespace that goes.
fn fresh(turn: &Turn, hint: &str) -> Namespace<'static> {
    let namespace = turn.shops(hint, &["shop"]);
    clear(&namespace);
    namespace
}

/// The guard's own namespace ends, whoever made it, with all that these tests put into it.
fn clear(namespace: &Namespace) {
    let admin = namespace.server().admin();
    for plural in ["configmaps", "endpoints", "events", "pods", "serviceaccounts", "replicasets"] {
        let place = if plural == "replicasets" { format!("/apis/apps/v1/namespaces/{NAME}") } else { HERE.to_owned() };
        let answer = admin.delete(&format!("{place}/{plural}"));
        assert_eq!(answer.code, 200, "{plural}: {}", answer.text);
    }
    let _ = admin.delete(HERE);
    finalize(namespace);
}

#[test]
fn a_namespace_that_was_there_stays_with_all_that_is_in_it() {
    let turn = Turn::take();
    let namespace = fresh(&turn, "there");
    create(&namespace, "/api/v1/namespaces", &json!({ "metadata": { "name": NAME } }));
    notes(&namespace);
    let print = ["guard", "install", "--mode=webhook", "--image=registry.example/guard:1", "-o", "yaml"];
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let applied = Run::of(&kubectl, ["apply", "-f", "-"])
        .kubeconfig(namespace.kubeconfig())
        .stdin(namespace.run(print).run().stdout)
        .run();
    assert_eq!(applied.code, Some(0), "{applied}");
    namespace.run(["guard", "uninstall", "--yes"]).run().shows(str![[r#"
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
Flagger's next write to each TraefikService will remove its cookie
namespace `kubectl-canary-traefik` stays: it was not made by `guard install`
to delete it and everything in it: kubectl delete namespace kubectl-canary-traefik

"#]]);
    assert!(is_there(&namespace));
    namespace.server().admin().get(&format!("{HERE}/configmaps/notes")).expect("somebody's notes");
    clear(&namespace);
}

#[test]
fn a_namespace_that_install_made_goes_with_what_the_cluster_put_into_it() {
    let turn = Turn::take();
    let namespace = fresh(&turn, "made");
    installed(&namespace);
    for (kind, plural, name) in
        [("ServiceAccount", "serviceaccounts", "default"), ("ConfigMap", "configmaps", "kube-root-ca.crt")]
    {
        let object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } });
        create(&namespace, &format!("{HERE}/{plural}"), &object);
    }
    let owner = |object: &Value| {
        json!([{ "apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"],
            "uid": object["metadata"]["uid"], "controller": true }])
    };
    let template = deployment(turn.server())["spec"]["template"].clone();
    let set = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": { "name": "guard-1",
        "ownerReferences": owner(&deployment(turn.server())) },
        "spec": { "selector": { "matchLabels": template["metadata"]["labels"] }, "template": template } });
    let set = create(&namespace, &format!("/apis/apps/v1/namespaces/{NAME}/replicasets"), &set);
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "guard-1-x", "ownerReferences": owner(&set) },
        "spec": { "containers": [{ "name": "guard", "image": "registry.example/guard:1" }] } });
    create(&namespace, &format!("{HERE}/pods"), &pod);
    let endpoints = json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": NAME } });
    create(&namespace, &format!("{HERE}/endpoints"), &endpoints);
    let event = json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "name": "e" }, "type": "Normal",
        "involvedObject": { "kind": "Pod", "namespace": NAME, "name": "guard-1-x" } });
    create(&namespace, &format!("{HERE}/events"), &event);

    // Who is asked is told what goes.
    let mut pty = Pty::start(namespace.run(["guard", "uninstall"]));
    pty.answers("Delete 13 objects, namespace `kubectl-canary-traefik` among them?", "y");
    let asked = pty.ends();
    assert_eq!((asked.code, is_there(&namespace)), (Some(0), false), "{}", asked.screen);
    clear(&namespace);
}

#[test]
fn a_namespace_that_install_made_stays_when_somebody_has_put_something_into_it() {
    let turn = Turn::take();
    let namespace = fresh(&turn, "used");
    installed(&namespace);
    notes(&namespace);
    let canary = testbed::objects::canary("stranger");
    create(&namespace, &format!("/apis/flagger.app/v1beta1/namespaces/{NAME}/canaries"), &canary);
    namespace.run(["guard", "uninstall", "--yes"]).run().shows(str![[r#"
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
Flagger's next write to each TraefikService will remove its cookie
namespace `kubectl-canary-traefik` stays: configmap/notes and 1 other do not belong to the guard
to delete it and everything in it: kubectl delete namespace kubectl-canary-traefik

"#]]);
    assert!(is_there(&namespace));
    let path = format!("/apis/flagger.app/v1beta1/namespaces/{NAME}/canaries/stranger");
    namespace.server().admin().delete(&path).expect("an end");
    clear(&namespace);
}

#[test]
fn a_namespace_stays_when_something_comes_into_it_while_the_guard_goes() {
    let turn = Turn::take();
    let namespace = fresh(&turn, "late");
    installed(&namespace);
    let admin = namespace.server().admin().clone();
    let proxy = Proxy::start(namespace.server().admin(), move |request, moment| {
        let is_last = request.method == "DELETE" && request.path.ends_with("/serviceaccounts/kubectl-canary-traefik");
        if is_last && moment == Moment::After {
            let notes = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "notes" } });
            admin.post(&format!("{HERE}/configmaps"), &notes).expect("notes");
        }
        true
    });
    let kubeconfig = proxy.kubeconfig(namespace.name());
    namespace.run_as(&kubeconfig, ["guard", "uninstall", "--yes"]).run().shows(str![[r#"
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
namespace `kubectl-canary-traefik` stays: configmap/notes does not belong to the guard
to delete it and everything in it: kubectl delete namespace kubectl-canary-traefik

"#]]);
    assert!(is_there(&namespace));
    clear(&namespace);
}

#[test]
fn a_namespace_stays_when_what_is_in_it_cannot_be_seen() {
    let turn = Turn::take();
    let namespace = fresh(&turn, "unseen");
    installed(&namespace);
    let rules = "
- apiGroups: [flagger.app]
  resources: [canaries]
  verbs: [get, list]
- apiGroups: [admissionregistration.k8s.io, rbac.authorization.k8s.io, apps, policy, '']
  resources: [mutatingadmissionpolicies, mutatingadmissionpolicybindings, validatingadmissionpolicies,
    validatingadmissionpolicybindings, mutatingwebhookconfigurations, validatingwebhookconfigurations, clusterroles,
    clusterrolebindings, roles, rolebindings, deployments, poddisruptionbudgets, services, serviceaccounts, secrets,
    namespaces]
  verbs: [get, delete]
";
    let user = cluster_user(&namespace, rules);
    let name = user.file_stem().expect("a name").to_string_lossy().into_owned();
    let run = namespace.run_as(&user, ["guard", "uninstall", "--yes"]).redact(&format!("`{name}`"), "`[USER]`");
    run.run().shows(str![[r#"
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
Flagger's next write to each TraefikService will remove its cookie
namespace `kubectl-canary-traefik` stays: its contents cannot be listed: user `[USER]` may not list configmaps in namespace `kubectl-canary-traefik`
to delete it and everything in it: kubectl delete namespace kubectl-canary-traefik

"#]]);
    assert!(is_there(&namespace));
    clear(&namespace);
}
