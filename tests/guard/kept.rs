//! What the other commands say and do with the guard on.

use canary_traefik::model::{declaration::ANNOTATION, name::Group};
use serde_json::{Value, json};
use snapbox::str;
use testbed::namespace::Namespace;

use super::{
    cluster::Probe,
    lone::{declare, lone, rollout, run_as, sticky_after_step},
};

fn live(namespace: &Namespace) -> Value {
    namespace.get("TraefikService", "podinfo")["spec"]["weighted"]["sticky"].clone()
}

#[test]
fn a_declared_cookie_is_kept_by_the_guard_and_every_command_says_so() {
    let lone = lone();
    let namespace = rollout(&lone, "kept");
    declare(&namespace, "login; Max-Age=300");
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   none        [A]
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   300        <unset>

state       missing (declared in an annotation)
protected   none
--- stderr

"#]]);
    lone.install(&[]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   guard       [A]
--- stderr

"#]]);
    namespace.run(["show", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   guard       [A]
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   300        <unset>

state       missing (declared in an annotation)
protected   guard
--- stderr

"#]]);
    namespace.run(["sticky", "set", "podinfo", "--yes"]).arguments(["--max-age", "600"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=600
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: kept-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: kept-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 600
+        name: login
warning CT021: kept-[NS]/podinfo: with Max-Age=600 and an interval of 60 s, returning users see the canary in 6 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n kept-[NS] --entry /login --max-age 2m
protected: the guard puts the cookie back into Flagger's writes
to undo: kubectl canary-traefik sticky set podinfo --max-age 300

"#]]);
    namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo unchanged
--- stderr

"#]]);
    namespace.run(["sticky", "set", "podinfo", "--dry-run=server", "--secure"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured (server dry run)
traefikservice.traefik.io/podinfo configured (server dry run)
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=600
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=600; Secure
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: kept-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -30,3 +30,4 @@
       cookie:
         maxAge: 600
         name: login
+        secure: true
warning CT021: kept-[NS]/podinfo: with Max-Age=600 and an interval of 60 s, returning users see the canary in 6 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n kept-[NS] --entry /login --max-age 2m

"#]]);
}

#[test]
fn what_nobody_declared_is_not_kept() {
    let lone = lone();
    let namespace = rollout(&lone, "undeclared");
    lone.install(&[]);
    namespace.run(["sticky", "set", "podinfo", "--yes", "--live-only"]).arguments(["--name", "x"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo configured
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: undeclared-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: x
warning CT020: undeclared-[NS]/podinfo: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n undeclared-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback), and there is no declaration to restore it from
to undo: kubectl canary-traefik sticky remove podinfo --live-only

"#]]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE        PROTECTED   AGE
podinfo   <none>   90/10    x        undeclared   none        [A]
--- stderr

"#]]);
    assert_eq!(sticky_after_step(&namespace), Value::Null);
}

#[test]
fn who_may_neither_read_policies_nor_write_does_not_know_whether_it_is_kept() {
    let lone = lone();
    let namespace = rollout(&lone, "unknown");
    declare(&namespace, "login; Max-Age=300");
    lone.install(&[]);
    let verbs = "verbs: [get, list]";
    let canaries = format!("{{apiGroups: [flagger.app], resources: [canaries], {verbs}}}");
    let services = format!("{{apiGroups: [traefik.io], resources: [traefikservices], {verbs}}}");
    let reader = lone.user_with(&namespace, &format!("[{canaries}, {services}]"));
    run_as(&namespace, &reader, ["show"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   <unknown>   [A]
--- stderr

"#]]);
    run_as(&namespace, &reader, ["show", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   <unknown>   [A]
--- stderr

"#]]);
    run_as(&namespace, &reader, ["sticky", "get", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   300        <unset>

state       missing (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
    // Either right is enough to know.
    let policies = "{apiGroups: [admissionregistration.k8s.io], resources: ['*'], verbs: [get]}";
    let auditor = lone.user_with(&namespace, &format!("[{canaries}, {services}, {policies}]"));
    run_as(&namespace, &auditor, ["show"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   guard       [A]
--- stderr

"#]]);
    run_as(&namespace, &auditor, ["show", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   guard       [A]
--- stderr

"#]]);
    let writes = "{apiGroups: [traefik.io], resources: [traefikservices], verbs: [patch]}";
    let writer = lone.user_with(&namespace, &format!("[{canaries}, {services}, {writes}]"));
    run_as(&namespace, &writer, ["show"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   <unknown>   [A]
--- stderr

"#]]);
    run_as(&namespace, &writer, ["show", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   guard       [A]
--- stderr

"#]]);
}

#[test]
fn a_change_settles_by_itself_and_stays_through_flaggers_next_writes() {
    let lone = lone();
    let namespace = rollout(&lone, "change");
    declare(&namespace, "login; Max-Age=300");
    lone.install(&[]);
    assert_ne!(sticky_after_step(&namespace), Value::Null);
    for age in [600, 900, 1200, 1500] {
        let set = ["sticky", "set", "podinfo", "--yes", "--max-age", &age.to_string()];
        let output = namespace.run(set).run();
        assert_eq!(output.code, Some(0), "{output}");
        let sticky = json!({ "cookie": { "maxAge": age, "name": "login" } });
        assert_eq!(live(&namespace), sticky);
        assert_eq!(sticky_after_step(&namespace), sticky);
        assert_eq!(sticky_after_step(&namespace), sticky);
    }
}

#[test]
fn a_removal_settles_by_itself_and_stays_through_flaggers_next_writes() {
    let lone = lone();
    let namespace = rollout(&lone, "removal");
    lone.install(&[]);
    let probe = Probe::new(&lone, Group::TraefikIo);
    for scope in [&[][..], &["--declare-only"]] {
        declare(&namespace, "login; Max-Age=300");
        probe.settle();
        assert!(sticky_after_step(&namespace).is_object());
        let output = namespace.run(["sticky", "remove", "podinfo", "--yes"]).arguments(scope).run();
        assert_eq!(output.code, Some(0), "{output}");
        assert_eq!(namespace.get("Canary", "podinfo")["metadata"]["annotations"][ANNOTATION], Value::Null);
        if scope.is_empty() {
            assert_eq!(live(&namespace), Value::Null);
        }
        // Flagger's next write may come before the policies have seen the Canary's change, as long as that takes.
        probe.settle();
        assert_eq!(sticky_after_step(&namespace), Value::Null);
        assert_eq!(sticky_after_step(&namespace), Value::Null);
    }
}
