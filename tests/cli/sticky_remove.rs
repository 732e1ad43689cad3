//! `sticky remove -f`.

use snapbox::str;
use testbed::run::Run;

use crate::manifests::{canary, folder, run, service};

#[test]
fn the_annotation_goes_and_its_mapping_with_it() {
    let folder = folder(&[("canary.yaml", &canary("web", Some("login; Max-Age=300")))]);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web unchanged
--- stderr

"#]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
}

#[test]
fn other_annotations_stay() {
    let manifest = canary("web", Some("login\n    team: web"));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,6 @@
 metadata:
   name: web
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login
     team: web
 spec:
   provider: traefik

"#]]);
    assert_eq!(folder.read("canary.yaml"), manifest.replace("    kubectl-canary-traefik/sticky-cookie: login\n", ""));
}

#[test]
fn setting_and_removing_gives_back_the_bytes() {
    let manifest = format!("# before\n{}", canary("web", None).replace("port: 80", "port:   80 # http"));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky set web --max-age 300 --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,6 +4,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert_ne!(folder.read("canary.yaml"), manifest);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,8 +4,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert_eq!(folder.read("canary.yaml"), manifest);
}

#[test]
fn what_is_malformed_can_be_taken_away() {
    let folder = folder(&[("canary.yaml", &canary("web", Some("a b; c")))]);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: a b; c
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
}

#[test]
fn the_native_field_goes_with_what_it_leaves_empty() {
    let manifest = canary("web", None) + "    traefik:\n      sticky:\n        cookie:\n          name: sso\n";
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -11,7 +11,3 @@
     name: web
   service:
     port: 80
-    traefik:
-      sticky:
-        cookie:
-          name: sso

"#]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
}

#[test]
fn the_cookie_in_a_manifest_is_flaggers_and_stays() {
    let manifest = canary("web", Some("login")) + &service("web", Some("{cookie: {name: login}}"));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set web --entry /login --max-age 2m

"#]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None) + &service("web", Some("{cookie: {name: login}}")));
}

#[test]
fn without_a_yes_nothing_is_changed() {
    let manifest = canary("web", Some("login"));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky remove web -f canary.yaml").shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    run(&folder, "sticky remove web --dry-run -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert_eq!(folder.read("canary.yaml"), manifest);
}

#[test]
fn standard_input_is_printed_without_it() {
    let remove = |more: &str| {
        let line = format!("sticky remove web -f -{more}");
        Run::new(line.split(' ')).stdin(canary("web", Some("login"))).run()
    };
    remove("").shows(str![[r#"
exit: 0
--- stdout
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: web
spec:
  provider: traefik
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
  service:
    port: 80
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:

"#]]);
    remove(" -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {
        "name": "web"
    },
    "spec": {
        "provider": "traefik",
        "service": {
            "port": 80
        },
        "targetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "web"
        }
    }
}
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:

"#]]);
    remove(" -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -3,8 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:

"#]]);
}
