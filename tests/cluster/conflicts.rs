//! Others who write the same objects: before, and between the diff and the yes.

use http::Method;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{flagger, namespace::Namespace, pty::Pty};

use crate::rollout::{declare, declared, live, rollout, set_live, versions};

/// Server-side apply of the cookie by this manager.
fn applies(namespace: &Namespace, manager: &str, cookie: &Value) {
    let path = format!("{}?fieldManager={manager}", namespace.path("TraefikService", "podinfo"));
    let object = json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": { "name": "podinfo" },
        "spec": { "weighted": { "sticky": { "cookie": cookie } } },
    });
    let admin = namespace.server().admin();
    admin.ask(&Method::PATCH, &path, "application/apply-patch+yaml", object.to_string()).expect("server-side apply");
}

fn set(namespace: &Namespace, flags: &[&str]) -> testbed::run::Run {
    namespace.run(["sticky", "set", "podinfo"]).arguments(flags)
}

#[test]
fn a_cookie_that_someone_else_manages_is_theirs_unless_forced() {
    let namespace = rollout("argo");
    applies(&namespace, "argocd-controller", &json!({ "name": "argo" }));
    let before = versions(&namespace, "podinfo");
    set(&namespace, &["--max-age", "300", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: the cookie was set by `argocd-controller` [A] ago
caused by: this change would overwrite that one, and may be overwritten in turn
hint: change it there, or add --force-conflicts

"#]]);
    set(&namespace, &["--max-age", "300", "--dry-run=client"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: the cookie was set by `argocd-controller` [A] ago
caused by: this change would overwrite that one, and may be overwritten in turn
hint: change it there, or add --force-conflicts

"#]]);
    assert_eq!(namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().code, Some(5));
    assert_eq!(versions(&namespace, "podinfo"), before);

    // The declaration is nobody else's.
    assert_eq!(set(&namespace, &["--max-age", "300", "--declare-only", "--yes"]).run().code, Some(0));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "argo" } }));

    set(&namespace, &["--max-age", "300", "--yes", "--force-conflicts"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
traefikservice.traefik.io/podinfo configured
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -28,4 +28,5 @@
       weight: 10
     sticky:
       cookie:
+        maxAge: 300
         name: argo
warning CT021: argo-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n argo-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky set podinfo --unset max-age --live-only

"#]]);
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "argo", "maxAge": 300 } }));
}

#[test]
fn several_managers_are_all_named() {
    let namespace = rollout("managers");
    applies(&namespace, "argocd-controller", &json!({ "name": "argo" }));
    applies(&namespace, "helm", &json!({ "secure": true }));
    set(&namespace, &["--max-age", "300", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: the cookie was set by `argocd-controller` [A] ago, `helm` [A] ago
caused by: this change would overwrite that one, and may be overwritten in turn
hint: change it there, or add --force-conflicts

"#]]);
}

#[test]
fn kubectl_and_flagger_are_no_conflict() {
    let namespace = rollout("familiar");
    for manager in ["kubectl", "kubectl-edit", "kubectl-client-side-apply"] {
        let path = format!("{}?fieldManager={manager}", namespace.path("TraefikService", "podinfo"));
        let patch = json!({ "spec": { "weighted": { "sticky": { "cookie": { "name": manager } } } } });
        let admin = namespace.server().admin();
        admin.ask(&Method::PATCH, &path, "application/merge-patch+json", patch.to_string()).expect("a patch");
        assert_eq!(set(&namespace, &["--name", "login", "--yes"]).run().code, Some(0), "{manager}");
        assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login" } }));
    }
}

#[test]
fn a_cookie_that_someone_else_changes_before_the_yes_is_shown_and_asked_again() {
    let namespace = rollout("two-people");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    assert_eq!(set(&namespace, &["--name", "other", "--max-age", "60", "--yes"]).run().code, Some(0));
    let theirs = versions(&namespace, "podinfo");

    pty.answers("Change 2 objects?", "y");
    pty.wait_for("your change is now");
    pty.wait_for("Change 2 objects?");
    assert_eq!(versions(&namespace, "podinfo"), theirs, "nothing was agreed to so far");
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
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: two-people-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: two-people-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: two-people-[NS]/podinfo: with Max-Age=300 and an interval of 60 s
, returning users see the canary in 11 % of their page views during the steps, i
nstead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n two-people-[NS] --entry /login --m
ax-age 2m
the declaration was set by `canary-traefik` [A] ago
the cookie was set by `canary-traefik` [A] ago
the Canary or its TraefikService changed in the meantime; your change is now:
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: other; Max-Age=60
+    kubectl-canary-traefik/sticky-cookie: other; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: two-people-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -28,5 +28,5 @@
       weight: 10
     sticky:
       cookie:
-        maxAge: 60
+        maxAge: 300
         name: other
warning CT021: two-people-[NS]/podinfo: with Max-Age=300 and an interval of 60 s
, returning users see the canary in 11 % of their page views during the steps, i
nstead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n two-people-[NS] --entry /login --m
ax-age 2m
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
not protected: Flagger removes this cookie at its next write (a weight step, pro
motion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky set podinfo --max-age 60

"#]]);
    // The other one's name stays: only --max-age was asked for.
    assert_eq!(declared(&namespace, "podinfo"), json!("other; Max-Age=300"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "other", "maxAge": 300 } }));
}

#[test]
fn a_cookie_that_would_be_overwritten_is_asked_again_even_when_the_patch_is_the_same() {
    let namespace = rollout("overwritten");
    let mut pty = Pty::start(set(&namespace, &["--name", "login", "--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    assert_eq!(set(&namespace, &["--name", "other", "--max-age", "60", "--yes"]).run().code, Some(0));
    let theirs = versions(&namespace, "podinfo");
    pty.answers("Change 2 objects?", "y");
    pty.wait_for("your change is now");
    pty.answers("Change 2 objects?", "n");
    assert_eq!(pty.ends().code, Some(3));
    assert_eq!(versions(&namespace, "podinfo"), theirs);
}

#[test]
fn a_no_to_the_changed_change_leaves_the_others_change() {
    let namespace = rollout("second-no");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    assert_eq!(set(&namespace, &["--max-age", "60", "--yes"]).run().code, Some(0));
    let theirs = versions(&namespace, "podinfo");
    pty.answers("Change 2 objects?", "y");
    pty.wait_for("your change is now");
    pty.answers("Change 2 objects?", "n");
    let seen = pty.ends();
    assert_eq!(seen.code, Some(3), "{seen:?}");
    assert_eq!(versions(&namespace, "podinfo"), theirs);
}

#[test]
fn what_was_stored_before_the_cookie_changed_is_told_even_after_a_no() {
    let namespace = rollout("half");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    // The declaration can still be written as agreed; the cookie cannot.
    assert_eq!(set(&namespace, &["--name", "other", "--live-only", "--yes"]).run().code, Some(0));
    pty.answers("Change 2 objects?", "y");
    pty.wait_for("your change is now");
    pty.answers("Change 1 object?", "n");
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
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: half-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: half-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: half-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, retu
rning users see the canary in 11 % of their page views during the steps, instead
 of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n half-[NS] --entry /login --max-age
 2m
the cookie was set by `canary-traefik` [A] ago
the Canary or its TraefikService changed in the meantime; your change is now:
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -28,4 +28,4 @@
       weight: 10
     sticky:
       cookie:
-        name: other
+        maxAge: 300
warning CT021: half-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, retu
rning users see the canary in 11 % of their page views during the steps, instead
 of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n half-[NS] --entry /login --max-age
 2m
canary.flagger.app/podinfo configured
the live cookie differs from the declared one
to apply the declared one: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo
cancelled: nothing more was changed

"#]]);
}

#[test]
fn the_same_change_by_someone_else_leaves_nothing_to_do() {
    let namespace = rollout("same");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    assert_eq!(set(&namespace, &["--max-age", "300", "--yes"]).run().code, Some(0));
    let theirs = versions(&namespace, "podinfo");
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
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: same-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: same-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: same-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, retu
rning users see the canary in 11 % of their page views during the steps, instead
 of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n same-[NS] --entry /login --max-age
 2m
canary.flagger.app/podinfo unchanged
traefikservice.traefik.io/podinfo unchanged
not protected: Flagger removes this cookie at its next write (a weight step, pro
motion or rollback)
to protect it: kubectl canary-traefik guard install

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), theirs);
}

#[test]
fn a_weight_that_flagger_changes_before_the_yes_is_settled_silently() {
    let namespace = rollout("weight");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    let written = flagger::writes(&namespace, "podinfo", 60, 40).expect("nobody else wrote");
    namespace.patch_status("Canary", "podinfo", &testbed::objects::status("Progressing", 40));
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
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: weight-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: weight-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: weight-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, re
turning users see the canary in 11 % of their page views during the steps, inste
ad of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n weight-[NS] --entry /login --max-a
ge 2m
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
not protected: Flagger removes this cookie at its next write (the step to 50, or
 a rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    let service = namespace.get("TraefikService", "podinfo");
    assert_eq!(service["spec"]["weighted"]["services"], written["spec"]["weighted"]["services"]);
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "maxAge": 300 } }));
    assert_eq!(namespace.get("Canary", "podinfo")["status"]["canaryWeight"], 40);
}

#[test]
fn a_traefikservice_that_goes_away_before_the_yes_is_left_alone() {
    let namespace = rollout("gone");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    namespace.delete("TraefikService", "podinfo");
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
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: gone-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: gone-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: gone-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, retu
rning users see the canary in 11 % of their page views during the steps, instead
 of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n gone-[NS] --entry /login --max-age
 2m
canary.flagger.app/podinfo configured
the TraefikService is not changed: Flagger has not created TraefikService `podin
fo` yet
not live yet
once Flagger has created the TraefikService: kubectl canary-traefik sticky apply
 podinfo
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), json!("; Max-Age=300"));
    assert_eq!(namespace.find("TraefikService", "podinfo"), None);
}

#[test]
fn a_canary_that_goes_away_before_the_yes_is_an_error() {
    let namespace = rollout("gone-canary");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    namespace.delete("Canary", "podinfo");
    pty.answers("Change 2 objects?", "y");
    let seen = pty.ends();
    seen.shows(str![[r#"
exit: 4
--- screen
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
   namespace: gone-canary-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: gone-canary-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: gone-canary-[NS]/podinfo: with Max-Age=300 and an interval of 60
s, returning users see the canary in 11 % of their page views during the steps,
instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n gone-canary-[NS] --entry /login --
max-age 2m
error: no Canary `podinfo` in namespace `gone-canary-[NS]`
hint: kubectl canary-traefik show -A lists the Canaries of all namespaces

"#]]);
    assert_eq!(live(&namespace, "podinfo"), Value::Null);
}

#[test]
fn who_changed_it_before_the_yes_is_named_with_the_age() {
    let namespace = rollout("named");
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    declare(&namespace, "podinfo", "theirs");
    pty.answers("Change 2 objects?", "y");
    pty.wait_for("your change is now");
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
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: named-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: named-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: named-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, ret
urning users see the canary in 11 % of their page views during the steps, instea
d of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n named-[NS] --entry /login --max-ag
e 2m
the declaration was set by `kubectl-annotate` [A] ago
the Canary or its TraefikService changed in the meantime; your change is now:
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: theirs
+    kubectl-canary-traefik/sticky-cookie: theirs; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: named-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: named-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
+        name: theirs
warning CT021: named-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, ret
urning users see the canary in 11 % of their page views during the steps, instea
d of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n named-[NS] --entry /login --max-ag
e 2m
cancelled: nothing was changed

"#]]);
}

#[test]
fn a_cookie_that_flaggers_step_drops_before_the_yes_is_settled_silently() {
    let namespace = rollout("dropped");
    declare(&namespace, "podinfo", "login; Max-Age=60");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 60 }));
    let mut pty = Pty::start(set(&namespace, &["--max-age", "300"]));
    pty.wait_for("Change 2 objects?");
    flagger::writes(&namespace, "podinfo", 60, 40).expect("nobody else wrote");
    pty.answers("Change 2 objects?", "y");
    assert_eq!(pty.ends().code, Some(0), "nobody was asked again");
    assert_eq!(declared(&namespace, "podinfo"), json!("login; Max-Age=300"));
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "login", "maxAge": 300 } }));
    assert_eq!(namespace.get("TraefikService", "podinfo")["spec"]["weighted"]["services"][1]["weight"], 40);
}
