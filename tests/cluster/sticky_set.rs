//! `sticky set`.

use serde_json::json;
use snapbox::str;
use testbed::{flagger, namespace::Namespace, objects::canary, pty::Pty};

use crate::rollout::{declare, declared, live, objects, rollout, set_live, undo, versions};

const SET: [&str; 8] = ["sticky", "set", "podinfo", "--name", "login", "--max-age", "5m", "--http-only"];

#[test]
fn set_declares_and_sets_live_and_a_second_run_has_nothing_to_do() {
    let namespace = rollout("set");
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: set-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: set-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: set-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n set-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=300; HttpOnly"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login", "maxAge": 300, "httpOnly": true } }));

    let before = versions(&namespace, "podinfo");
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
traefikservice.traefik.io/podinfo unchanged
--- stderr

"#]]);
    // With nothing to do there is nothing to agree to.
    namespace.run(SET).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
traefikservice.traefik.io/podinfo unchanged
--- stderr

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn nothing_but_the_cookie_is_changed() {
    let namespace = rollout("nothing-else");
    let [canary, service] = objects(&namespace, "podinfo");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));

    let [mut declaring, mut sticking] = objects(&namespace, "podinfo");
    let annotations = declaring["metadata"].as_object_mut().expect("metadata").remove("annotations");
    assert_eq!(annotations, Some(json!({ "kubectl-canary-traefik/sticky-cookie": "login; Max-Age=300; HttpOnly" })));
    assert_eq!(declaring, canary);
    sticking["spec"]["weighted"].as_object_mut().expect("weighted").remove("sticky").expect("a cookie");
    assert_eq!(sticking, service);
}

#[test]
fn set_and_remove_give_both_objects_back() {
    let namespace = rollout("there-and-back");
    let before = objects(&namespace, "podinfo");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));
    assert_ne!(objects(&namespace, "podinfo"), before);
    assert_eq!(namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().code, Some(0));
    assert_eq!(objects(&namespace, "podinfo"), before);
}

#[test]
fn dry_runs_change_nothing_and_say_so() {
    let namespace = rollout("dry-run");
    let before = versions(&namespace, "podinfo");
    namespace.run(SET).arguments(["--dry-run=server"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured (server dry run)
traefikservice.traefik.io/podinfo configured (server dry run)
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: dry-run-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: dry-run-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: dry-run-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n dry-run-[NS] --entry /login --max-age 2m

"#]]);
    namespace.run(SET).arguments(["--dry-run=client", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured (dry run)
traefikservice.traefik.io/podinfo configured (dry run)
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: dry-run-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: dry-run-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: dry-run-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n dry-run-[NS] --entry /login --max-age 2m

"#]]);
    namespace.run(SET).arguments(["--dry-run=server", "-o", "name"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo
traefikservice.traefik.io/podinfo
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: dry-run-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: dry-run-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: dry-run-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n dry-run-[NS] --entry /login --max-age 2m

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_changed() {
    let namespace = rollout("nobody");
    let before = versions(&namespace, "podinfo");
    namespace.run(SET).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: nobody-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: nobody-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: nobody-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n nobody-[NS] --entry /login --max-age 2m
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    // An answer on a pipe is no person's.
    assert_eq!(namespace.run(SET).stdin("y\n").run().code, Some(3));
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn a_no_at_the_prompt_changes_nothing() {
    let namespace = rollout("no");
    let before = versions(&namespace, "podinfo");
    let mut pty = Pty::start(namespace.run(SET));
    pty.answers("Change 2 objects?", "n");
    pty.ends().shows(str![[r#"
exit: 3
--- screen
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: no-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: no-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: no-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, return
ing users see the canary in 11 % of their page views during the steps, instead o
f 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n no-[NS] --entry /login --max-age 2
m
cancelled: nothing was changed

"#]]);

    // Enter alone takes the answer in capitals, which is no.
    let mut pty = Pty::start(namespace.run(SET));
    pty.answers("Change 2 objects?", "");
    assert_eq!(pty.ends().code, Some(3));
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn a_yes_at_the_prompt_changes_both_objects() {
    let namespace = rollout("yes");
    let mut pty = Pty::start(namespace.run(SET));
    pty.answers("Change 2 objects?", "y");
    pty.ends().shows(str![[r#"
exit: 0
--- screen
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: yes-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: yes-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: yes-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, retur
ning users see the canary in 11 % of their page views during the steps, instead
of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n yes-[NS] --entry /login --max-age
2m
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
not protected: Flagger removes this cookie at its next write (a weight step, pro
motion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=300; HttpOnly"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login", "maxAge": 300, "httpOnly": true } }));
}

#[test]
fn live_only_leaves_the_canary_alone() {
    let namespace = rollout("live-only");
    let [canary, _] = versions(&namespace, "podinfo");
    namespace.run(SET).arguments(["--live-only", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo configured
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: live-only-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: live-only-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n live-only-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback), and there is no declaration to restore it from
to undo: kubectl canary-traefik sticky remove podinfo --live-only

"#]]);
    assert_eq!(versions(&namespace, "podinfo")[0], canary);
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login", "maxAge": 300, "httpOnly": true } }));
}

#[test]
fn declare_only_leaves_the_traefikservice_alone() {
    let namespace = rollout("declare-only");
    let [_, service] = versions(&namespace, "podinfo");
    namespace.run(SET).arguments(["--declare-only", "--yes"]).run().shows(str![[r#"
exit: 0
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
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: declare-only-[NS]
warning CT021: declare-only-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n declare-only-[NS] --entry /login --max-age 2m
not live
to apply the declared cookie: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(versions(&namespace, "podinfo")[1], service);
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=300; HttpOnly"));
}

#[test]
fn the_stored_objects_can_be_printed() {
    let namespace = rollout("output");
    namespace.run(SET).arguments(["--yes", "-o", "yaml"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: v1
items:
- apiVersion: flagger.app/v1beta1
  kind: Canary
  metadata:
    annotations:
      kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
    creationTimestamp: "[TIME]"
    generation: 1
    name: podinfo
    namespace: output-[NS]
    resourceVersion: "[RV]"
    uid: [UID]
  spec:
    analysis:
      interval: 1m
      maxWeight: 50
      stepWeight: 10
      threshold: 5
    progressDeadlineSeconds: 60
    provider: traefik
    service:
      port: 80
      targetPort: 9898
    targetRef:
      apiVersion: apps/v1
      kind: Deployment
      name: podinfo
- apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    annotations:
      helm.toolkit.fluxcd.io/driftDetection: disabled
      kustomize.toolkit.fluxcd.io/reconcile: disabled
    creationTimestamp: "[TIME]"
    generation: 2
    name: podinfo
    namespace: output-[NS]
    ownerReferences:
    - apiVersion: flagger.app/v1beta1
      blockOwnerDeletion: true
      controller: true
      kind: Canary
      name: podinfo
      uid: [UID]
    resourceVersion: "[RV]"
    uid: [UID]
  spec:
    weighted:
      services:
      - name: podinfo-primary
        namespace: output-[NS]
        port: 80
        weight: 90
      - name: podinfo-canary
        namespace: output-[NS]
        port: 80
        weight: 10
      sticky:
        cookie:
          httpOnly: true
          maxAge: 300
          name: login
kind: List
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: output-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,8 @@
       namespace: output-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
warning CT021: output-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n output-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    namespace.run(["sticky", "set", "podinfo", "--max-age", "60", "--live-only", "--yes", "-o", "json"]).run().shows(
        str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "traefik.io/v1alpha1",
    "kind": "TraefikService",
    "metadata": {
        "annotations": {
            "helm.toolkit.fluxcd.io/driftDetection": "disabled",
            "kustomize.toolkit.fluxcd.io/reconcile": "disabled"
        },
        "creationTimestamp": "[TIME]",
        "generation": 3,
        "name": "podinfo",
        "namespace": "output-[NS]",
        "ownerReferences": [
            {
                "apiVersion": "flagger.app/v1beta1",
                "blockOwnerDeletion": true,
                "controller": true,
                "kind": "Canary",
                "name": "podinfo",
                "uid": "[UID]"
            }
        ],
        "resourceVersion": "[RV]",
        "uid": "[UID]"
    },
    "spec": {
        "weighted": {
            "services": [
                {
                    "name": "podinfo-primary",
                    "namespace": "output-[NS]",
                    "port": 80,
                    "weight": 90
                },
                {
                    "name": "podinfo-canary",
                    "namespace": "output-[NS]",
                    "port": 80,
                    "weight": 10
                }
            ],
            "sticky": {
                "cookie": {
                    "httpOnly": true,
                    "maxAge": 60,
                    "name": "login"
                }
            }
        }
    }
}
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -29,5 +29,5 @@
     sticky:
       cookie:
         httpOnly: true
-        maxAge: 300
+        maxAge: 60
         name: login
warning CT021: output-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n output-[NS] --entry /login --max-age 2m
the live cookie differs from the declared one
to apply the declared one: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky set podinfo --max-age 300 --live-only

"#]],
    );
    namespace.run(["sticky", "set", "podinfo", "--max-age", "60", "--yes", "-o", "name"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo
traefikservice.traefik.io/podinfo
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: output-[NS]
warning CT048: output-[NS]/podinfo: with Max-Age=60, the cookie expires during 32 % of one-minute logins, which can then change track
  fix: declare where your logins begin, for example /login: kubectl canary-traefik sticky set podinfo -n output-[NS] --entry /login
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky set podinfo --max-age 300 --declare-only

"#]]);
}

#[test]
fn fields_that_are_not_named_stay_as_they_are() {
    let namespace = rollout("fields");
    // Nothing is declared: what is live is where it starts from.
    set_live(&namespace, "podinfo", &json!({ "name": "login", "path": "/sso", "secure": true }));
    let set = |flags: &[&str]| {
        let run = namespace.run(["sticky", "set", "podinfo", "--yes"]).arguments(flags).run();
        assert_eq!(run.code, Some(0), "{run}");
        declared(&namespace, "podinfo")
    };
    assert_eq!(set(&["--max-age", "60"]), "login; Max-Age=60; Path=/sso; Secure");
    assert_eq!(set(&["--same-site", "STRICT", "--unset", "path"]), "login; Max-Age=60; Secure; SameSite=Strict");
    assert_eq!(
        set(&["--secure=false", "--domain", "example.com"]),
        "login; Max-Age=60; Domain=example.com; SameSite=Strict"
    );
    assert_eq!(
        live(&namespace, "podinfo"),
        json!({ "cookie": { "name": "login", "maxAge": 60, "domain": "example.com", "sameSite": "strict" } })
    );
}

#[test]
fn what_is_declared_counts_and_not_what_flagger_left_of_it() {
    let namespace = rollout("declared");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));
    flagger::writes(&namespace, "podinfo", 80, 20).expect("nobody else wrote");
    namespace.run(["sticky", "set", "podinfo", "--secure", "--yes"]).run().shows(str![[r#"
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
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Secure; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: declared-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,9 @@
       namespace: declared-[NS]
       port: 80
       weight: 20
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 300
+        name: login
+        secure: true
warning CT021: declared-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n declared-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky set podinfo --unset secure --declare-only
to undo: kubectl canary-traefik sticky remove podinfo --live-only

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=300; Secure; HttpOnly"));
}

#[test]
fn findings_of_the_cookie_to_be_are_shown_before_it_is_set() {
    let namespace = rollout("findings");
    namespace.run(["sticky", "set", "podinfo", "--name", "login", "--same-site", "none", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; SameSite=None
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: findings-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: findings-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
+        sameSite: none
error CT004: findings-[NS]/podinfo: browsers reject a cookie with SameSite=None that is not Secure
  fix: use --same-site lax, or: kubectl canary-traefik sticky set podinfo -n findings-[NS] --secure
warning CT020: findings-[NS]/podinfo: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n findings-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
}

#[test]
fn a_canary_whose_traefikservice_is_not_generated_yet_is_declared_alone() {
    let namespace = Namespace::new("pending");
    namespace.create_value(&canary("podinfo"));
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 0
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
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: pending-[NS]
warning CT021: pending-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n pending-[NS] --entry /login --max-age 2m
the TraefikService is not changed: Flagger has not created TraefikService `podinfo` yet
not live yet
once Flagger has created the TraefikService: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=300; HttpOnly"));
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
--- stderr
the TraefikService is not changed: Flagger has not created TraefikService `podinfo` yet

"#]]);
    namespace.run(SET).arguments(["--live-only", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: the live cookie cannot be changed: Flagger has not created TraefikService `podinfo` yet

"#]]);
    assert_eq!(namespace.find("TraefikService", "podinfo"), None, "only Flagger creates it");
}

#[test]
fn a_traefikservice_that_something_else_controls_is_left_alone() {
    let namespace = rollout("foreign");
    let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "other", "controller": true,
        "uid": "00000000-0000-0000-0000-000000000000" }]);
    namespace.patch("TraefikService", "podinfo", &json!({ "metadata": { "ownerReferences": owner } }));
    let [_, before] = versions(&namespace, "podinfo");
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 0
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
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: foreign-[NS]
warning CT021: foreign-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n foreign-[NS] --entry /login --max-age 2m
error CT039: foreign-[NS]/podinfo: TraefikService `podinfo` is controlled by Deployment `other`
  fix: give this Canary another spec.service.name, or remove the other owner's controller reference
the TraefikService is not changed: TraefikService `podinfo` is controlled by Deployment `other`
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    namespace.run(SET).arguments(["--live-only", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: the live cookie cannot be changed: TraefikService `podinfo` is controlled by Deployment `other`

"#]]);
    assert_eq!(versions(&namespace, "podinfo")[1], before);
}

#[test]
fn a_traefikservice_that_is_not_weighted_is_refused_and_nothing_is_changed() {
    let namespace = rollout("mirroring");
    let mirroring = json!({ "spec": { "weighted": null, "mirroring": { "name": "podinfo-primary", "port": 80 } } });
    namespace.patch("TraefikService", "podinfo", &mirroring);
    let before = versions(&namespace, "podinfo");
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: TraefikService `podinfo` is not weighted
caused by: it has no spec.weighted, which the cookie and Flagger's weights are part of
hint: restore spec.weighted, or delete the TraefikService: Flagger creates it again

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn a_malformed_declaration_is_not_guessed_at() {
    let namespace = rollout("malformed");
    declare(&namespace, "podinfo", "login; Max-Age=soon");
    let before = versions(&namespace, "podinfo");
    namespace.run(["sticky", "set", "podinfo", "--secure", "--yes"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the declaration of Canary `malformed-[NS]/podinfo` is malformed, so it cannot be changed field by field
caused by: `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300
hint: kubectl canary-traefik sticky remove podinfo removes it

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn without_a_cookie_flag_nothing_is_asked_of_the_server() {
    let namespace = rollout("no-flag");
    namespace.run(["sticky", "set", "podinfo"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: nothing to set: no cookie flag, and no terminal to ask on
hint: kubectl canary-traefik sticky set podinfo --name login --max-age 300 --http-only

"#]]);
}

#[test]
fn the_commands_it_names_are_for_the_same_cluster_and_user() {
    let namespace = rollout("same-cluster");
    let run = |arguments: &[&str]| {
        let kubeconfig = namespace.kubeconfig().display().to_string();
        namespace.run(arguments).arguments(["--kubeconfig", &kubeconfig]).env("KUBECONFIG", "/nowhere").run()
    };
    let flags = ["--context", "bed", "-n", namespace.name(), "--as", "admin", "--as-group", "system:masters", "--yes"];
    let set = run(&[&["sticky", "set", "podinfo", "--max-age", "60", "--live-only"][..], &flags].concat());
    set.shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo configured
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: same-cluster-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 60
warning CT048: same-cluster-[NS]/podinfo: with Max-Age=60, the cookie expires during 32 % of one-minute logins, which can then change track
  fix: declare where your logins begin, for example /login: kubectl canary-traefik sticky set podinfo -n same-cluster-[NS] --entry /login
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback), and there is no declaration to restore it from
to undo: kubectl canary-traefik sticky remove podinfo --live-only -n same-cluster-[NS] --kubeconfig [KUBECONFIG] --context bed --as admin --as-group system:masters

"#]]);
    undo(&namespace, &set);
    assert_eq!(live(&namespace, "podinfo"), json!(null));
}
