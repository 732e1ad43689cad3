//! `diff`.

use serde_json::json;
use snapbox::str;
use testbed::{directory::Directory, namespace::Namespace, objects::canary};

use crate::rollout::{declare, rollout, set_live};

#[test]
fn nothing_declared_and_nothing_live_is_no_difference() {
    rollout("diff-none").run(["diff"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn what_is_declared_and_live_is_no_difference() {
    let namespace = rollout("diff-synced");
    declare(&namespace, "podinfo", "login; Max-Age=300");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 300 }));
    namespace.run(["diff", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn differences_go_from_what_is_live_to_what_is_declared() {
    let namespace = Namespace::new("diff");
    for name in ["missing", "differs", "undeclared"] {
        namespace.create_rollout(name, 90, 10);
    }
    declare(&namespace, "missing", "login");
    declare(&namespace, "differs", "login; Max-Age=300");
    set_live(&namespace, "differs", &json!({ "name": "login", "maxAge": 60 }));
    set_live(&namespace, "undeclared", &json!({ "name": "login" }));
    namespace.run(["diff"]).run().shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/differs (live)
+++ traefikservice.traefik.io/differs (after)
@@ -28,5 +28,5 @@
       weight: 10
     sticky:
       cookie:
-        maxAge: 60
+        maxAge: 300
         name: login
--- traefikservice.traefik.io/missing (live)
+++ traefikservice.traefik.io/missing (after)
@@ -26,3 +26,6 @@
       namespace: diff-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
--- traefikservice.traefik.io/undeclared (live)
+++ traefikservice.traefik.io/undeclared (after)
@@ -26,6 +26,3 @@
       namespace: diff-[NS]
       port: 80
       weight: 10
-    sticky:
-      cookie:
-        name: login
--- stderr

"#]]);
    namespace.run(["diff", "differs", "--color", "always"]).run().shows(str![[r#"
exit: 1
--- stdout
[31m--- traefikservice.traefik.io/differs (live)[0m
[32m+++ traefikservice.traefik.io/differs (after)[0m
[36m@@ -28,5 +28,5 @@[0m
       weight: 10
     sticky:
       cookie:
[31m-        maxAge: 60[0m
[32m+        maxAge: 300[0m
         name: login
--- stderr

"#]]);
}

#[test]
fn what_cannot_be_compared_is_said_and_the_rest_is_compared() {
    let namespace = Namespace::new("diff-odd");
    for name in ["foreign", "malformed", "mirroring", "missing"] {
        namespace.create_rollout(name, 90, 10);
        declare(&namespace, name, if name == "malformed" { "a b" } else { "login" });
    }
    namespace.create_value(&canary("pending"));
    declare(&namespace, "pending", "login");
    let mirroring = json!({ "spec": { "weighted": null, "mirroring": { "name": "mirroring-primary", "port": 80 } } });
    namespace.patch("TraefikService", "mirroring", &mirroring);
    let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "other", "controller": true,
        "uid": "00000000-0000-0000-0000-000000000000" }]);
    namespace.patch("TraefikService", "foreign", &json!({ "metadata": { "ownerReferences": owner } }));
    namespace.run(["diff"]).run().shows(str![[r#"
exit: 5
--- stdout
--- traefikservice.traefik.io/missing (live)
+++ traefikservice.traefik.io/missing (after)
@@ -26,3 +26,6 @@
       namespace: diff-odd-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
--- stderr
diff-odd-[NS]/foreign: declared, but not live: TraefikService `foreign` is controlled by Deployment `other`
error CT038: diff-odd-[NS]/malformed: annotation kubectl-canary-traefik/sticky-cookie, column 1: `a b`: the first part must be the cookie's name alone, which may contain only letters, digits and !#$%&'*+-.^_`|~; begin with ; to leave the name to Traefik
  fix: correct the annotation, or delete it with sticky remove and set the cookie again
error: diff-odd-[NS]/mirroring: TraefikService `mirroring` is not weighted
caused by: it has no spec.weighted, which the cookie and Flagger's weights are part of
hint: restore spec.weighted, or delete the TraefikService: Flagger creates it again
diff-odd-[NS]/pending: declared, but not live: Flagger has not created TraefikService `pending` yet
error: 1 of 5 Canaries failed; see the errors above

"#]]);
    namespace.run(["diff", "pending"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
diff-odd-[NS]/pending: declared, but not live: Flagger has not created TraefikService `pending` yet

"#]]);
}

#[test]
fn manifests_are_compared_with_the_cluster_as_if_they_were_applied() {
    let namespace = Namespace::new("diff-live");
    for name in ["added", "changed", "same"] {
        namespace.create_rollout(name, 90, 10);
    }
    declare(&namespace, "changed", "login; Max-Age=60");
    declare(&namespace, "same", "login");
    set_live(&namespace, "same", &json!({ "name": "login" }));
    let directory = Directory::new();
    let manifest = |name: &str, declared: &str| {
        let mut object = canary(name);
        object["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": declared });
        object.to_string()
    };
    let all = ["added", "changed", "same", "absent"].map(|name| manifest(name, "login"));
    directory.write("all.json", all.join("\n"));
    let file = directory.path().join("all.json").display().to_string();
    namespace.run(["diff", "--live", "-f", &file]).run().shows(str![[r#"
exit: 1
--- stdout
--- canary.flagger.app/added (live)
+++ canary.flagger.app/added (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login
   creationTimestamp: "[TIME]"
   name: added
   namespace: diff-live-[NS]
--- traefikservice.traefik.io/added (live)
+++ traefikservice.traefik.io/added (after)
@@ -26,3 +26,6 @@
       namespace: diff-live-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
--- canary.flagger.app/changed (live)
+++ canary.flagger.app/changed (after)
@@ -2,7 +2,7 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
+    kubectl-canary-traefik/sticky-cookie: login
   creationTimestamp: "[TIME]"
   name: changed
   namespace: diff-live-[NS]
--- traefikservice.traefik.io/changed (live)
+++ traefikservice.traefik.io/changed (after)
@@ -26,3 +26,6 @@
       namespace: diff-live-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
--- stderr
diff-live-[NS]/absent: this Canary is not in the cluster yet

"#]]);
    namespace.run(["diff", "same", "--live", "-f", &file]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn an_entry_of_a_manifest_is_compared_with_the_routes_of_the_cluster() {
    let namespace = Namespace::new("diff-entry");
    namespace.create_rollout("podinfo", 90, 10);
    let service = json!({ "kind": "TraefikService", "name": "podinfo" });
    namespace.create_value(&json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "metadata": { "name": "web" }, "spec": { "entryPoints": ["web"], "routes": [{ "kind": "Rule",
            "match": format!("Host(`{}.example.com`)", namespace.name()), "services": [service] }] } }));
    // It leads to the Canary in a way that an entry cannot cover, which is no difference.
    namespace.create_value(&json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "TraefikService",
        "metadata": { "name": "outer" }, "spec": { "weighted": { "services": [service] } } }));
    let directory = Directory::new();
    let write = |entry: &str| {
        let mut object = canary("podinfo");
        object["metadata"]["annotations"] = json!({ "kubectl-canary-traefik/sticky-cookie": "login; Max-Age=60",
            "kubectl-canary-traefik/entry": entry });
        directory.write("canary.json", object.to_string());
    };
    let file = directory.path().join("canary.json").display().to_string();
    let diff = || namespace.run(["diff", "--live", "-f", &file]).run();
    write("/login");
    let before = diff();
    let changed: Vec<_> = before.stdout.lines().filter(|line| line.starts_with("+++ ")).collect();
    assert_eq!(
        (before.code, changed),
        (
            Some(1),
            vec![
                "+++ canary.flagger.app/podinfo (after)",
                "+++ traefikservice.traefik.io/podinfo (after)",
                "+++ middleware.traefik.io/podinfo-entry (after)",
                "+++ ingressroute.traefik.io/podinfo-entry (after)",
            ]
        ),
        "{before}"
    );
    let arguments = ["--name", "login", "--max-age", "60", "--entry", "/login", "--yes"];
    let set = namespace.run(["sticky", "set", "podinfo"]).arguments(arguments).run();
    assert_eq!(set.code, Some(0), "{set}");
    diff().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}
