//! Before Kubernetes 1.30 no admission policy can hold the guard's account to what it is for: `guard install` makes the
//! certificates, and the pods are handed them.

use serde_json::Value;
use snapbox::str;
use testbed::{bed, namespace::Namespace, network, run::Run, server::Server, wait::until};

use super::{
    deployed::{NAME, ROUTING, Replica, beyond, ready, rules},
    guard::{DECLARED, declare, declared_sticky, live, registrations, sticky, writes},
};

fn guard(namespace: &Namespace, arguments: &[&str]) -> Run {
    let run = namespace.run(["guard"]).arguments(arguments.iter().copied());
    run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

fn bundles(namespace: &Namespace) -> Vec<Value> {
    registrations(namespace).iter().map(|found| found["webhooks"][0]["clientConfig"]["caBundle"].clone()).collect()
}

#[test]
fn processes_that_are_handed_their_certificates_keep_every_cookie_with_rights_on_nothing_else() {
    const TEST: &str = "processes_that_are_handed_their_certificates_keep_every_cookie_with_rights_on_nothing_else";
    if !network::inside(module_path!(), TEST) {
        return;
    }
    let server = Server::dedicated(&[&bed::no_admission_policies()[..], &ROUTING].concat());
    let namespace = Namespace::on(&server, "handed");
    namespace.create_rollout("shop", 100, 0);
    declare(&namespace, "shop", DECLARED);
    guard(&namespace, &["install", "--image", "registry.example/guard:1", "--yes", "--wait=0s"]).run().shows(str![[
        r#"
exit: 1
--- stdout
namespace/kubectl-canary-traefik created
serviceaccount/kubectl-canary-traefik created
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik created
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik created
role.rbac.authorization.k8s.io/kubectl-canary-traefik created
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik created
secret/kubectl-canary-traefik-certificates created
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
+ clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik
+ clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ role.rbac.authorization.k8s.io/kubectl-canary-traefik
+ rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik
+ secret/kubectl-canary-traefik-certificates
+ deployment.apps/kubectl-canary-traefik
+ poddisruptionbudget.policy/kubectl-canary-traefik
+ service/kubectl-canary-traefik
+ mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
+ validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
warning: the guard does not work: in a dry run, a write removed the cookie of handed-[NS]/shop, and nothing put it back
warning: 0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik

"#
    ]]);
    let rules = rules(&server);

    let pods = [1, 2].map(|number| Replica::start(&server, number));
    ready(&server, NAME, &[1, 2]);
    guard(&namespace, &["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
namespace/kubectl-canary-traefik unchanged
serviceaccount/kubectl-canary-traefik unchanged
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
the guard works: in a dry run, a write removed the cookie of handed-[NS]/shop, and the guard put it back

"#]]);
    guard(&namespace, &["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                               STATE     VERSION
namespace/kubectl-canary-traefik                                                     current   [VERSION]
serviceaccount/kubectl-canary-traefik                                                current   [VERSION]
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik                         current   [VERSION]
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                  current   [VERSION]
role.rbac.authorization.k8s.io/kubectl-canary-traefik                                current   [VERSION]
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                         current   [VERSION]
deployment.apps/kubectl-canary-traefik                                               current   [VERSION]
poddisruptionbudget.policy/kubectl-canary-traefik                                    current   [VERSION]
service/kubectl-canary-traefik                                                       current   [VERSION]
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      yes (in a dry run, a write removed the cookie of handed-[NS]/shop, and the guard put it back)
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
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let stored = writes(&namespace, "shop", |number| number < 50);
    assert!(stored.iter().all(|service| sticky(service) == declared_sticky()));

    // Somebody has taken the certificates away: the next install makes others, which are trusted beside the former.
    let before = bundles(&namespace);
    server.admin().delete(&format!("/api/v1/namespaces/{NAME}/secrets/{NAME}-certificates")).expect("an end");
    let again = guard(&namespace, &["install", "--yes"]).run();
    assert_eq!(again.code, Some(0), "{again}");
    let now = bundles(&namespace);
    assert!(now.iter().zip(&before).all(|(now, before)| now != before));

    for pod in pods {
        let ended = pod.ends();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
    assert_eq!(beyond(&server, &rules), Vec::<String>::new());
    guard(&namespace, &["uninstall", "--yes"]).run().shows(str![[r#"
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
Flagger's next write to each TraefikService will remove its cookie

"#]]);
    let secret = server.admin().get(&format!("/api/v1/namespaces/{NAME}/secrets/{NAME}-certificates"));
    assert_eq!(secret.code, 404);
}
