//! The webhook installed: its objects, what their rights are enough for, and that nothing is left of them.

use serde_json::{Value, json};
use snapbox::str;

use super::guard::{Turn, free_port, live, registrations, stanza};
use crate::support::{
    directory::Directory,
    namespace::Namespace,
    run::Run,
    running::{Running, Stream},
    wait::until,
};

const NAME: &str = "kubectl-canary-traefik";
const OF_ACCOUNT: &str = "system:serviceaccount:kubectl-canary-traefik:kubectl-canary-traefik";

fn run(namespace: &Namespace, arguments: &[&str]) -> Run {
    namespace.run(["guard"]).arguments(arguments.iter().copied())
}

fn get(namespace: &Namespace, path: &str) -> Option<Value> {
    let answer = namespace.server().admin().get(path);
    (answer.code == 200).then(|| answer.json())
}

/// A kubeconfig of the account that the processes have.
fn of_account(namespace: &Namespace, directory: &Directory) -> std::path::PathBuf {
    let path = format!("/api/v1/namespaces/{NAME}/serviceaccounts/{NAME}/token");
    let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let token = namespace.server().admin().post(&path, &request).expect("a token")["status"]["token"].clone();
    let mut kubeconfig: Value =
        serde_json::from_str(&namespace.server().admin_kubeconfig("default")).expect("a kubeconfig");
    kubeconfig["users"][0]["user"] = json!({ "token": token });
    directory.write("account.kubeconfig", kubeconfig.to_string())
}

#[test]
fn what_is_installed_is_accepted_has_the_rights_it_needs_and_goes_without_a_trace() {
    let turn = Turn::take();
    let namespace = turn.shops("install", &["shop"]);
    let install = ["install", "--image", "registry.example/guard:1", "--yes"];

    run(&namespace, &["install", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1)
caused by: Kubernetes does so from 1.36 on
hint: until then, run kubectl canary-traefik sticky apply -A after each weight step
hint: or run the guard as a webhook: kubectl canary-traefik guard install --image IMAGE

"#]]);
    run(&namespace, &install).run().shows(str![[r#"
exit: 0
--- stdout
namespace/kubectl-canary-traefik created
serviceaccount/kubectl-canary-traefik created
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
this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1): the guard is a webhook here
+ namespace/kubectl-canary-traefik
+ serviceaccount/kubectl-canary-traefik
+ clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
+ clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ role.rbac.authorization.k8s.io/kubectl-canary-traefik
+ rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ deployment.apps/kubectl-canary-traefik
+ poddisruptionbudget.policy/kubectl-canary-traefik
+ service/kubectl-canary-traefik
+ mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
the guard acts as soon as one of its pods is ready
to see it: kubectl -n kubectl-canary-traefik rollout status deployment kubectl-canary-traefik

"#]]);
    let again = run(&namespace, &install).run();
    let changed: Vec<_> = again.stdout.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    assert_eq!((again.code, changed), (Some(0), Vec::<&str>::new()));

    // Where Pod Security is `restricted`, its pods may run.
    let restricted = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } });
    namespace.server().admin().merge(&format!("/api/v1/namespaces/{NAME}"), &restricted).expect("a label");
    let deployment =
        get(&namespace, &format!("/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}")).expect("it is there");
    let mut pod = deployment["spec"]["template"].clone();
    (pod["apiVersion"], pod["kind"], pod["metadata"]["name"]) = (json!("v1"), json!("Pod"), json!("guard"));
    let pods = format!("/api/v1/namespaces/{NAME}/pods?dryRun=All");
    assert_eq!(namespace.server().admin().post(&pods, &pod).code, 201);
    let privileged = &mut pod["spec"]["containers"][0]["securityContext"];
    privileged["allowPrivilegeEscalation"] = json!(true);
    assert_eq!(namespace.server().admin().post(&pods, &pod).code, 403);

    // As the account of its pods, and with their arguments.
    let directory = Directory::new();
    let kubeconfig = of_account(&namespace, &directory);
    let arguments =
        deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().expect("arguments").clone();
    let listen = format!("--listen=127.0.0.1:{}", free_port());
    let arguments = arguments.iter().map(|argument| argument.as_str().expect("text"));
    let arguments = arguments.map(|argument| if argument.starts_with("--listen=") { &listen } else { argument });
    let mut process = Running::start(Run::new(arguments).kubeconfig(&kubeconfig));
    process.wait_for(Stream::Stderr, "registered");
    until("the repair of what was written before", || (live(&namespace, "shop") == stanza()).then_some(()));
    let bundles = registrations(&namespace);
    assert!(bundles.iter().all(|registration| registration["webhooks"][0]["clientConfig"]["caBundle"].is_string()));
    let unchanged = run(&namespace, &install).run();
    assert_eq!(registrations(&namespace), bundles, "{unchanged}");
    process.signal("TERM");
    assert_eq!(process.ends().code, Some(0));
    let beyond = namespace.server().audit(|request| {
        let code = request["responseStatus"]["code"].as_u64().unwrap_or_default();
        request["user"]["username"] == OF_ACCOUNT && (code == 401 || code == 403)
    });
    assert_eq!(beyond, [Value::Null; 0]);

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
serviceaccount/kubectl-canary-traefik deleted
secret/kubectl-canary-traefik-certificates deleted
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
- serviceaccount/kubectl-canary-traefik
- secret/kubectl-canary-traefik-certificates
- namespace/kubectl-canary-traefik
what Flagger writes next to a TraefikService will drop its stanza again

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
}
