//! A guard that covers some Canaries, or some namespaces: it answers about no others, and repairs no others.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{flagger, namespace::Namespace, run::Run, wait::until};

use super::guard::{DECLARED, Guard, Turn, declare, declared_sticky, live, sticky};

fn status(namespace: &Namespace) -> Run {
    namespace.run(["guard", "status"]).redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

fn label(namespace: &Namespace) {
    let labels = json!({ "metadata": { "labels": { "guarded": "yes" } } });
    let path = format!("/api/v1/namespaces/{}", namespace.name());
    namespace.server().admin().merge(&path, &labels).expect("a label");
}

#[test]
fn with_a_selector_other_canaries_are_left_to_themselves() {
    let turn = Turn::take();
    let namespace = turn.shops("selector", &["other", "shop"]);
    namespace.patch("Canary", "shop", &json!({ "metadata": { "labels": { "sticky": "yes" } } }));
    let guard = Guard::start(&namespace, "shop", &["--selector", "sticky=yes"]);
    let step = |name| sticky(&flagger::writes(&namespace, name, 90, 10).expect("nobody else wrote"));
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    assert_eq!((step("other"), step("shop")), (Value::Null, declared_sticky()));
    status(&namespace).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                               STATE     VERSION
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      yes (in a dry run, a write removed the cookie of selector-[NS]/shop, and the guard put it back)
certificate  registered
canaries     {"matchExpressions":[{"key":"sticky","operator":"In","values":["yes"]}]}
namespaces   all
declared     2
not covered  1 (selector-[NS]/other)
malformed    0
--- stderr

"#]]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME    PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
other   <none>   90/10    login    missing   none        [A]
shop    <none>   90/10    login    synced    guard       [A]
--- stderr

"#]]);
    namespace.run(["show", "other"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME    PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
other   <none>   90/10    login    missing   none        [A]
--- stderr

"#]]);

    // It is covered as soon as it is labelled.
    namespace.patch("Canary", "other", &json!({ "metadata": { "labels": { "sticky": "yes" } } }));
    until("the cookie of the other", || (live(&namespace, "other") == declared_sticky()).then_some(()));
    namespace.patch("Canary", "other", &json!({ "metadata": { "labels": { "sticky": "no" } } }));
    until("the other to be left", || {
        declare(&namespace, "other", "changed");
        (step("other") == declared_sticky()).then_some(())
    });
    let ended = guard.ends("TERM");
    assert_eq!(ended.logged("repaired", "name"), [json!(format!("{}/shop", namespace.name()))]);
}

#[test]
fn with_a_namespace_selector_other_namespaces_are_left_to_themselves() {
    let turn = Turn::take();
    // Repaired in the order of their names.
    let (outside, inside) = (turn.shops("a-outside", &["shop"]), turn.shops("b-inside", &["shop"]));
    label(&inside);
    let guard = Guard::start(&inside, "shop", &["--namespace-selector", "guarded in (yes)"]);
    until("the repair of what was written before", || (live(&inside, "shop") == declared_sticky()).then_some(()));
    assert_eq!(live(&outside, "shop"), Value::Null);
    let step = |namespace| sticky(&flagger::writes(namespace, "shop", 90, 10).expect("nobody else wrote"));
    assert_eq!((step(&outside), step(&inside)), (Value::Null, declared_sticky()));
    status(&inside).redact(outside.name(), "a-outside-[NS]").run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                               STATE     VERSION
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      yes (in a dry run, a write removed the cookie of b-inside-[NS]/shop, and the guard put it back)
certificate  registered
canaries     all
namespaces   {"matchExpressions":[{"key":"guarded","operator":"In","values":["yes"]}]}
declared     2
not covered  1 (a-outside-[NS]/shop)
malformed    0
--- stderr

"#]]);
    inside.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
shop   <none>   90/10    login    synced   guard       [A]
--- stderr

"#]]);
    outside.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
shop   <none>   90/10    login    missing   none        [A]
--- stderr

"#]]);
    let ended = guard.ends("TERM");
    assert_eq!(ended.logged("repaired", "name"), [json!(format!("{}/shop", inside.name()))]);
}

#[test]
fn a_registration_without_a_process_keeps_nothing_and_show_says_so() {
    let turn = Turn::take();
    let namespace = turn.shops("dead", &["shop"]);
    declare(&namespace, "shop", DECLARED);
    let guard = Guard::start(&namespace, "shop", &["--no-repairs"]);
    // Without repairs the command alone makes it live.
    let set = ["sticky", "set", "shop", "--max-age", "600", "--yes"];
    namespace.run(set).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
traefikservice.traefik.io/shop configured
--- stderr
--- canary.flagger.app/shop (live)
+++ canary.flagger.app/shop (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=600
   creationTimestamp: "[TIME]"
   name: shop
   namespace: dead-[NS]
--- traefikservice.traefik.io/shop (live)
+++ traefikservice.traefik.io/shop (after)
@@ -22,3 +22,7 @@
       namespace: dead-[NS]
       port: 80
       weight: 100
+    sticky:
+      cookie:
+        maxAge: 600
+        name: login
warning CT021: dead-[NS]/shop: with Max-Age=600 and an interval of 60 s, returning users see the canary in 6 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set shop -n dead-[NS] --entry /login --max-age 2m
protected: the guard puts the cookie back into Flagger's writes
to undo: kubectl canary-traefik sticky set shop --max-age 300

"#]]);
    guard.dies();
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
shop   <none>   100/-    login    synced   none        [A]
--- stderr

"#]]);
    namespace.run(["show", "-A"]).run().shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME   PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
dead-[NS]   shop   <none>   100/-    login    synced   none        [A]
--- stderr

"#]]);
    namespace.run(["show", "shop"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
shop   <none>   100/-    login    synced   none        [A]
--- stderr

"#]]);
    status(&namespace).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                               STATE     VERSION
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik     current   [VERSION]
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik   current   [VERSION]

installed    webhook
working      no (in a dry run, a write removed the cookie of dead-[NS]/shop, and nothing put it back)
certificate  registered
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    namespace.run(["guard", "uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik deleted
mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik deleted
--- stderr
- validatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
- mutatingwebhookconfiguration.admissionregistration.k8s.io/kubectl-canary-traefik
Flagger's next write to each TraefikService will remove its cookie

"#]]);
}
