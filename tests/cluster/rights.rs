//! Users who may do some of it.

use std::path::PathBuf;

use snapbox::str;
use testbed::{namespace::Namespace, objects::canary, pty::Pty};

use crate::rollout::{declare, declared, live, rollout, run_as, versions};

const SET: [&str; 6] = ["sticky", "set", "podinfo", "--max-age", "300", "--yes"];

fn user(namespace: &Namespace, canaries: &str, services: &str) -> PathBuf {
    let rule = |group: &str, resource: &str, verbs: &str| {
        format!("{{apiGroups: [{group}], resources: [{resource}], verbs: [{verbs}]}}")
    };
    let rules = [rule("flagger.app", "canaries", canaries), rule("traefik.io", "traefikservices", services)];
    let kept = if services.is_empty() { &rules[..1] } else { &rules[..] };
    namespace.user_with(&format!("[{}]", kept.join(", ")))
}

#[test]
fn who_may_read_sees_everything_and_changes_nothing() {
    let namespace = rollout("reader");
    let reader = user(&namespace, "get, list", "get, list");
    let before = versions(&namespace, "podinfo");
    run_as(&namespace, &reader, ["show"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
podinfo   <none>   90/10    <none>   none    -           [A]
--- stderr

"#]]);
    run_as(&namespace, &reader, ["show", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
podinfo   <none>   90/10    <none>   none    -           [A]
--- stderr

"#]]);
    run_as(&namespace, &reader, ["show", "-A"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not list canaries.flagger.app
hint: kubectl auth can-i list canaries.flagger.app -A
hint: kubectl canary-traefik rbac show -A prints the permissions it needs

"#]]);
    run_as(&namespace, &reader, SET).shows(str![[r#"
exit: 6
--- stdout
--- stderr
computed locally; the server refused the dry run:
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
   namespace: reader-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: reader-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
error: user `[USER]` may not patch canaries.flagger.app in namespace `reader-[NS]`
hint: kubectl auth can-i patch canaries.flagger.app -n reader-[NS]
hint: kubectl canary-traefik rbac sticky set -n reader-[NS] prints the permissions it needs

"#]]);
    run_as(&namespace, &reader, ["sticky", "set", "podinfo", "--max-age", "300", "--live-only", "--yes"]).shows(str![
        [r#"
exit: 6
--- stdout
--- stderr
computed locally; the server refused the dry run:
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: reader-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
error: user `[USER]` may not patch traefikservices.traefik.io in namespace `reader-[NS]`
hint: kubectl auth can-i patch traefikservices.traefik.io -n reader-[NS]
hint: kubectl canary-traefik rbac sticky set -n reader-[NS] prints the permissions it needs

"#]
    ]);
    // What is worked out here needs no right to write.
    assert_eq!(run_as(&namespace, &reader, SET).code, Some(6));
    let client = run_as(&namespace, &reader, ["sticky", "set", "podinfo", "--max-age", "300", "--dry-run=client"]);
    assert_eq!(client.code, Some(0), "{client}");
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn who_may_not_see_traefikservices_sees_the_rest() {
    let namespace = rollout("half-blind");
    namespace.create_rollout("checkout", 100, 0);
    declare(&namespace, "podinfo", "login");
    let blind = user(&namespace, "get, list, patch", "");
    run_as(&namespace, &blind, ["show", "-o", "wide"]).shows(str![[r#"
exit: 0
--- stdout
NAME       PHASE    WEIGHT      COOKIE      STATE       PROTECTED   AGE   TRAEFIKSERVICE   DECLARED   LIVE        ENTRY
checkout   <none>   <unknown>   <unknown>   <unknown>   none        [A]   <unknown>        <none>     <unknown>   <none>
podinfo    <none>   <unknown>   login       <unknown>   <unknown>   [A]   <unknown>        login      <unknown>   <none>
--- stderr
warning: user `[USER]` may not list traefikservices.traefik.io in namespace `half-blind-[NS]`

"#]]);
    run_as(&namespace, &blind, ["show", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT      COOKIE   STATE       PROTECTED   AGE
podinfo   <none>   <unknown>   login    <unknown>   <unknown>   [A]
--- stderr
warning: user `[USER]` may not get traefikservices.traefik.io in namespace `half-blind-[NS]`

"#]]);
    run_as(&namespace, &blind, ["sticky", "get", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
FIELD   DECLARED   LIVE
name    login      <unknown>

state       <unknown> (declared in an annotation)
protected   <unknown>
--- stderr
warning: user `[USER]` may not get traefikservices.traefik.io in namespace `half-blind-[NS]`

"#]]);
    run_as(&namespace, &blind, ["diff", "podinfo"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get traefikservices.traefik.io in namespace `half-blind-[NS]`

"#]]);
    run_as(&namespace, &blind, ["sticky", "apply", "--yes"]).shows(str![[r#"
exit: 1
--- stdout
--- stderr
warning: half-blind-[NS]/podinfo: its TraefikService cannot be read: user `[USER]` may not list traefikservices.traefik.io in namespace `half-blind-[NS]`
nothing to apply

"#]]);
    run_as(&namespace, &blind, SET).shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: half-blind-[NS]
warning CT021: half-blind-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n half-blind-[NS] --entry /login --max-age 2m
the TraefikService is not changed: user `[USER]` may not get traefikservices.traefik.io in namespace `half-blind-[NS]`
to undo: kubectl canary-traefik sticky set podinfo --unset max-age --declare-only

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), "login; Max-Age=300");
}

#[test]
fn a_traefikservice_that_is_not_there_yet_is_not_taken_for_a_forbidden_one() {
    // The server forbids a group that it does not serve, too.
    let namespace = Namespace::new("narrow-pending");
    namespace.create_value(&canary("podinfo"));
    declare(&namespace, "podinfo", "login");
    let reader = user(&namespace, "get, list", "get, list");
    run_as(&namespace, &reader, ["show"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   <none>   login    pending   <unknown>   [A]
--- stderr

"#]]);
    run_as(&namespace, &reader, ["show", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   <none>   login    pending   <unknown>   [A]
--- stderr

"#]]);
}

#[test]
fn who_may_not_list_canaries_is_told_the_right_that_is_missing() {
    let namespace = rollout("nobody");
    let nobody = namespace.user_with("[]");
    run_as(&namespace, &nobody, ["show"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not list canaries.flagger.app in namespace `nobody-[NS]`
hint: kubectl auth can-i list canaries.flagger.app -n nobody-[NS]
hint: kubectl canary-traefik rbac show -n nobody-[NS] prints the permissions it needs

"#]]);
    run_as(&namespace, &nobody, ["show", "-A"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not list canaries.flagger.app
hint: kubectl auth can-i list canaries.flagger.app -A
hint: kubectl canary-traefik rbac show -A prints the permissions it needs

"#]]);
    run_as(&namespace, &nobody, ["show", "podinfo"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get canaries.flagger.app in namespace `nobody-[NS]`
hint: kubectl auth can-i get canaries.flagger.app -n nobody-[NS]
hint: kubectl canary-traefik rbac show -n nobody-[NS] prints the permissions it needs

"#]]);
}

#[test]
fn who_may_patch_the_canary_alone_declares() {
    let namespace = rollout("declarer");
    let declarer = user(&namespace, "get, patch", "get");
    let before = versions(&namespace, "podinfo");
    run_as(&namespace, &declarer, SET).shows(str![[r#"
exit: 6
--- stdout
--- stderr
computed locally; the server refused the dry run:
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
   namespace: declarer-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: declarer-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
error: user `[USER]` may not patch traefikservices.traefik.io in namespace `declarer-[NS]`
hint: kubectl auth can-i patch traefikservices.traefik.io -n declarer-[NS]
hint: add --declare-only to change the Canary alone
hint: kubectl canary-traefik rbac sticky set -n declarer-[NS] prints the permissions it needs

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before, "half of a change is no change");
    let declaring = run_as(&namespace, &declarer, SET.into_iter().chain(["--declare-only"]));
    assert_eq!(declaring.code, Some(0), "{declaring}");
    assert_eq!(declared(&namespace, "podinfo"), "; Max-Age=300");
}

#[test]
fn who_may_patch_the_traefikservice_alone_sets_live() {
    let namespace = rollout("setter");
    let setter = user(&namespace, "get", "get, patch");
    let before = versions(&namespace, "podinfo");
    run_as(&namespace, &setter, SET).shows(str![[r#"
exit: 6
--- stdout
--- stderr
computed locally; the server refused the dry run:
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
   namespace: setter-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: setter-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
error: user `[USER]` may not patch canaries.flagger.app in namespace `setter-[NS]`
hint: kubectl auth can-i patch canaries.flagger.app -n setter-[NS]
hint: add --live-only to change the TraefikService alone, until Flagger's next write
hint: kubectl canary-traefik rbac sticky set -n setter-[NS] prints the permissions it needs

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before, "half of a change is no change");
    let setting = run_as(&namespace, &setter, SET.into_iter().chain(["--live-only"]));
    assert_eq!(setting.code, Some(0), "{setting}");
    assert_eq!(live(&namespace, "podinfo")["cookie"]["maxAge"], 300);
}

#[test]
fn who_may_patch_one_of_the_two_is_asked_at_a_terminal_whether_to_go_on_with_it_alone() {
    let namespace = rollout("partly");
    let declarer = user(&namespace, "get, patch", "get");
    let start = |user: &PathBuf| Pty::start(namespace.run_as(user, &SET[..5]));
    let before = versions(&namespace, "podinfo");
    let mut pty = start(&declarer);
    pty.answers("Change only the Canary?", "n");
    assert_eq!(pty.ends().code, Some(3));
    let mut pty = start(&declarer);
    pty.answers("Change only the Canary?", "y");
    pty.answers("Change 1 object?", "n");
    assert_eq!(pty.ends().code, Some(3));
    assert_eq!(versions(&namespace, "podinfo"), before);

    let mut pty = start(&declarer);
    pty.answers("Change only the Canary?", "y");
    pty.answers("Change 1 object?", "y");
    assert_eq!(pty.ends().code, Some(0));
    assert_eq!(declared(&namespace, "podinfo"), "; Max-Age=300");
    assert_eq!(live(&namespace, "podinfo"), serde_json::Value::Null);

    let namespace_two = rollout("partly-live");
    let setter = user(&namespace_two, "get", "get, patch");
    let mut pty = Pty::start(namespace_two.run_as(&setter, &SET[..5]));
    pty.answers("Change only the TraefikService, until Flagger's next write?", "y");
    pty.answers("Change 1 object?", "y");
    assert_eq!(pty.ends().code, Some(0));
    assert_eq!(declared(&namespace_two, "podinfo"), serde_json::Value::Null);
    assert_eq!(live(&namespace_two, "podinfo")["cookie"]["maxAge"], 300);
}
