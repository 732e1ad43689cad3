//! Beside policies: from one form of the guard to the other, and from one version to the next, while Flagger writes all
//! the time. No write comes between.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::Scope,
};

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    api::Api,
    flagger,
    namespace::Namespace,
    network,
    run::Run,
    running::{Running, Stream},
    server::Server,
    wait::until,
};

use super::{
    deployed::{NAME, ROUTING, Replica, deployment, ready, replicas},
    guard::{DECLARED, declare, declared_sticky, registrations, sticky},
};

fn guard(namespace: &Namespace, arguments: &[&str]) -> Run {
    let run = namespace.run(["guard"]).arguments(arguments.iter().copied());
    run.redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

/// Flagger's steps one after the other until the end; what was stored.
struct Writer {
    is_over: AtomicBool,
    stored: Mutex<Vec<Value>>,
}

impl Writer {
    fn begin<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, api: Api, path: String) {
        scope.spawn(move || {
            let mut number = 0;
            while !self.is_over.load(Ordering::Relaxed) {
                number = number % 49 + 1;
                let before = flagger::ask(&api, http::Method::GET, &path, Vec::new()).expect("Flagger's read");
                let body = flagger::puts(before, 100 - number, number).to_string().into_bytes();
                let answer = flagger::ask(&api, http::Method::PUT, &path, body);
                // Flagger repeats what meets another write, and what a server cannot do as yet.
                if answer.code != 409 && answer.code != 503 {
                    self.stored.lock().expect("no panic").push(answer.expect("Flagger's write"));
                }
            }
        });
    }

    /// Waits for so many more writes.
    fn goes_on(&self, more: usize) {
        let count = || self.stored.lock().expect("no panic").len();
        let before = count();
        until("more writes", || (count() >= before + more).then_some(()));
    }

    /// How many were stored, and how many of them without the cookie.
    fn ends(&self) -> (usize, usize) {
        self.is_over.store(true, Ordering::Relaxed);
        let stored = self.stored.lock().expect("no panic");
        (stored.len(), stored.iter().filter(|service| sticky(service) != declared_sticky()).count())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Ends the writer when a test fails: the scope would wait for it for ever.
struct Ends<'a>(&'a Writer);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

#[test]
fn from_policies_to_the_webhook_and_back_and_through_an_upgrade_no_write_loses_the_cookie() {
    const TEST: &str = "from_policies_to_the_webhook_and_back_and_through_an_upgrade_no_write_loses_the_cookie";
    if !network::inside(module_path!(), TEST) {
        return;
    }
    let server = Server::dedicated(&ROUTING);
    let namespace = Namespace::on(&server, "switch");
    namespace.create_rollout("shop", 100, 0);
    declare(&namespace, "shop", DECLARED);
    let first = guard(&namespace, &["install", "--mode", "policy", "--yes"]).run();
    assert_eq!(first.code, Some(0), "{first}");
    let policies = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies";
    let count = || server.admin().get(policies).expect("a list")["items"].as_array().expect("items").len();

    let writer = Writer { is_over: AtomicBool::new(false), stored: Mutex::new(Vec::new()) };
    std::thread::scope(|scope| {
        let _ends = Ends(&writer);
        writer.begin(scope, server.admin().clone(), namespace.path("TraefikService", "shop"));
        writer.goes_on(20);

        // Pods that do not come: the policies stay.
        let to_webhook = ["install", "--mode", "webhook", "--image", "registry.example/guard:1", "--yes"];
        guard(&namespace, &to_webhook).arguments(["--wait=1s"]).run().shows(str![[r#"
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
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
warning: 0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
warning: no process has registered its certificate yet: the API server cannot call the webhook
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik
the old form of the guard stays; once the new one works, repeat the command to remove it

"#]]);
        assert_eq!(count(), 2);
        guard(&namespace, &["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]
namespace/kubectl-canary-traefik                                                             current   [VERSION]
serviceaccount/kubectl-canary-traefik                                                        current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik                current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik         current   [VERSION]
clusterrole.rbac.authorization.k8s.io/kubectl-canary-traefik                                 current   [VERSION]
clusterrolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                          current   [VERSION]
role.rbac.authorization.k8s.io/kubectl-canary-traefik                                        current   [VERSION]
rolebinding.rbac.authorization.k8s.io/kubectl-canary-traefik                                 current   [VERSION]
deployment.apps/kubectl-canary-traefik                                                       current   [VERSION]
poddisruptionbudget.policy/kubectl-canary-traefik                                            current   [VERSION]
service/kubectl-canary-traefik                                                               current   [VERSION]
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik             current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik           current   [VERSION]

installed    policies and webhook
working      in part (in a dry run, the cookie of switch-[NS]/shop was put back, but not by the webhook)
certificate  not registered
replicas     0 of 2 ready
entries      not updated (guard install --entries)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
missing      0 of 2 replicas of Deployment kubectl-canary-traefik/kubectl-canary-traefik are ready
missing      no process has registered its certificate yet: the API server cannot call the webhook
--- stderr
to see why: kubectl -n kubectl-canary-traefik describe pods -l app.kubernetes.io/name=kubectl-canary-traefik

"#]]);

        let running = Running::start(guard(&namespace, &to_webhook));
        let mut pods = [1, 2].map(|number| Replica::start(&server, number));
        pods[0].says("listening");
        ready(&server, NAME, &[1, 2]);
        running.ends().shows(str![[r#"
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
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted
--- stderr
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
the guard works: in a dry run, a write removed the cookie of switch-[NS]/shop, and the guard put it back

"#]]);
        assert_eq!(count(), 0);
        writer.goes_on(50);
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
working      yes (in a dry run, a write removed the cookie of switch-[NS]/shop, and the guard put it back)
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
        // Its weights change all the time.
        let shown = namespace.run(["show", "shop"]).run().stdout;
        let kept = shown.lines().last().and_then(|row| row.split_whitespace().nth(5));
        assert_eq!(kept, Some("guard"), "{shown}");

        // An older version's objects are brought up to this one's, pod by pod.
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let older = json!({ "metadata": { "labels": { "app.kubernetes.io/version": "0.0.9" } } });
            namespace.patch(kind, NAME, &older);
        }
        let upgrade = ["install", "--mode", "webhook", "--image", "registry.example/guard:2", "--yes"];
        let mut running = Running::start(guard(&namespace, &upgrade).arguments(["--force-conflicts"]));
        running.wait_for(Stream::Stdout, "validatingwebhookconfiguration");
        replicas(&server, 0);
        let third = Replica::start(&server, 3);
        ready(&server, NAME, &[2, 3]);
        let [first, second] = pods;
        assert_eq!(first.ends().code, Some(0));
        ready(&server, NAME, &[3]);
        assert_eq!(second.ends().code, Some(0));
        let fourth = Replica::start(&server, 4);
        ready(&server, NAME, &[3, 4]);
        let upgraded = running.ends();
        assert_eq!(upgraded.code, Some(0), "{upgraded}");
        let image = deployment(&server)["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        assert_eq!(image, "registry.example/guard:2");
        writer.goes_on(50);

        // `auto` takes the policies where they are served.
        guard(&namespace, &["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
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
secret/kubectl-canary-traefik-certificates deleted
namespace/kubectl-canary-traefik deleted
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
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
- secret/kubectl-canary-traefik-certificates
- namespace/kubectl-canary-traefik
the guard works: in a dry run, a write removed the cookie of switch-[NS]/shop, and the guard put it back

"#]]);
        assert_eq!((count(), registrations(&namespace)), (2, Vec::new()));
        drop((third, fourth));
        writer.goes_on(50);
        let (stored, without) = writer.ends();
        assert!(stored > 200, "{stored}");
        assert_eq!(without, 0, "of {stored}");
    });
    guard(&namespace, &["uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted
--- stderr
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
Flagger's next write to each TraefikService will remove its cookie

"#]]);
    assert_eq!(count(), 0);
}
