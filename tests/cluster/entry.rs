//! The entry: its objects beside the routes that are there.

use serde_json::{Value, json};
use snapbox::str;
use testbed::namespace::Namespace;

use crate::rollout::{by, objects, rollout, run_as, undo, without_bookkeeping};

const SET: [&str; 9] = ["sticky", "set", "podinfo", "--name", "login", "--max-age", "60", "--entry", "/login"];

/// The host of this namespace: routes of all namespaces count.
fn host(namespace: &Namespace) -> String {
    format!("{}.example.com", namespace.name())
}

/// Creates an IngressRoute with this rule behind that of the host, to the TraefikService or to a Service.
fn route(namespace: &Namespace, name: &str, rule: &str, to_canary: bool) -> Value {
    let service = if to_canary {
        json!({ "kind": "TraefikService", "name": "podinfo" })
    } else {
        json!({ "name": "api", "port": 80 })
    };
    let rule = format!("Host(`{}`){rule}", host(namespace));
    namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": name },
        "spec": { "entryPoints": ["web"], "routes": [{ "kind": "Rule", "match": rule, "services": [service] }] },
    }))
}

/// A namespace with the Canary `podinfo`, its TraefikService, and a route to it.
fn routed(hint: &str) -> Namespace<'static> {
    let namespace = rollout(hint);
    route(&namespace, "web", "", true);
    namespace
}

fn spec(namespace: &Namespace, kind: &str) -> Value {
    namespace.find(kind, "podinfo-entry").map_or(Value::Null, |object| object["spec"].clone())
}

#[test]
fn an_entry_is_set_and_removed_with_the_cookie_and_leaves_nothing_behind() {
    let namespace = routed("entry");
    let (before, web) = (objects(&namespace, "podinfo"), without_bookkeeping(namespace.get("IngressRoute", "web")));
    let set = namespace.run(SET).arguments(["--yes"]).run();
    set.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
middleware.traefik.io/podinfo-entry created
ingressroute.traefik.io/podinfo-entry created
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,9 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/entry: /login
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: entry-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: entry-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 60
+        name: login
--- middleware.traefik.io/podinfo-entry (none)
+++ middleware.traefik.io/podinfo-entry (after)
@@ -0,0 +1,19 @@
+apiVersion: traefik.io/v1alpha1
+kind: Middleware
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: podinfo
+    kubectl-canary-traefik/entry: /login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: podinfo-entry
+  namespace: entry-[NS]
+  ownerReferences:
+  - apiVersion: flagger.app/v1beta1
+    kind: Canary
+    name: podinfo
+    uid: [UID]
+spec:
+  headers:
+    customRequestHeaders:
+      Cookie: ""
--- ingressroute.traefik.io/podinfo-entry (none)
+++ ingressroute.traefik.io/podinfo-entry (after)
@@ -0,0 +1,27 @@
+apiVersion: traefik.io/v1alpha1
+kind: IngressRoute
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: podinfo
+    kubectl-canary-traefik/entry: /login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: podinfo-entry
+  namespace: entry-[NS]
+  ownerReferences:
+  - apiVersion: flagger.app/v1beta1
+    kind: Canary
+    name: podinfo
+    uid: [UID]
+spec:
+  entryPoints:
+  - web
+  routes:
+  - kind: Rule
+    match: (Host(`entry-[NS].example.com`)) && (Path(`/login`))
+    middlewares:
+    - name: podinfo-entry
+    priority: 31
+    services:
+    - kind: TraefikService
+      name: podinfo
note: requests to /login reach the application without cookies: this must be where a login starts, not a page that needs a session
warning CT043: entry-[NS]/podinfo: the last step is 50, so 50 % of the flows are on the primary when the promotion replaces it
  fix: end the Canary's stepWeights with 100, or replace stepWeight with such a list
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
    assert_eq!(spec(&namespace, "Middleware"), json!({ "headers": { "customRequestHeaders": { "Cookie": "" } } }));
    let owner = &namespace.get("IngressRoute", "podinfo-entry")["metadata"]["ownerReferences"];
    let canary = namespace.get("Canary", "podinfo");
    assert_eq!(
        *owner,
        json!([{ "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "podinfo",
            "uid": canary["metadata"]["uid"] }])
    );
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
traefikservice.traefik.io/podinfo unchanged
middleware.traefik.io/podinfo-entry unchanged
ingressroute.traefik.io/podinfo-entry unchanged
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      login
max-age   60         60
entry     /login     /login

state       synced (declared in an annotation)
entry       synced
protected   none
--- stderr

"#]]);
    assert_eq!(undo(&namespace, &set).len(), 1);
    let left = ["Middleware", "IngressRoute"].map(|kind| namespace.find(kind, "podinfo-entry"));
    assert_eq!(left, [None, None]);
    assert_eq!(objects(&namespace, "podinfo"), before);
    assert_eq!(without_bookkeeping(namespace.get("IngressRoute", "web")), web);
}

#[test]
fn an_entry_is_unset_alone_and_undone() {
    let namespace = routed("unset");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));
    let unset = namespace.run(["sticky", "set", "podinfo", "--unset", "entry", "--yes"]).run();
    unset.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo unchanged
ingressroute.traefik.io/podinfo-entry deleted
middleware.traefik.io/podinfo-entry deleted
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,6 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/entry: /login
     kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
   creationTimestamp: "[TIME]"
   name: podinfo
--- ingressroute.traefik.io/podinfo-entry (live)
+++ ingressroute.traefik.io/podinfo-entry (deleted)
@@ -1,29 +0,0 @@
-apiVersion: traefik.io/v1alpha1
-kind: IngressRoute
-metadata:
-  annotations:
-    kubectl-canary-traefik/canary: podinfo
-    kubectl-canary-traefik/entry: /login
-  creationTimestamp: "[TIME]"
-  labels:
-    app.kubernetes.io/managed-by: kubectl-canary-traefik
-  name: podinfo-entry
-  namespace: unset-[NS]
-  ownerReferences:
-  - apiVersion: flagger.app/v1beta1
-    kind: Canary
-    name: podinfo
-    uid: [UID]
-  uid: [UID]
-spec:
-  entryPoints:
-  - web
-  routes:
-  - kind: Rule
-    match: (Host(`unset-[NS].example.com`)) && (Path(`/login`))
-    middlewares:
-    - name: podinfo-entry
-    priority: 31
-    services:
-    - kind: TraefikService
-      name: podinfo
--- middleware.traefik.io/podinfo-entry (live)
+++ middleware.traefik.io/podinfo-entry (deleted)
@@ -1,21 +0,0 @@
-apiVersion: traefik.io/v1alpha1
-kind: Middleware
-metadata:
-  annotations:
-    kubectl-canary-traefik/canary: podinfo
-    kubectl-canary-traefik/entry: /login
-  creationTimestamp: "[TIME]"
-  labels:
-    app.kubernetes.io/managed-by: kubectl-canary-traefik
-  name: podinfo-entry
-  namespace: unset-[NS]
-  ownerReferences:
-  - apiVersion: flagger.app/v1beta1
-    kind: Canary
-    name: podinfo
-    uid: [UID]
-  uid: [UID]
-spec:
-  headers:
-    customRequestHeaders:
-      Cookie: ""
warning CT048: unset-[NS]/podinfo: with Max-Age=60, the cookie expires during 32 % of one-minute logins, which can then change track
  fix: declare where your logins begin, for example /login: kubectl canary-traefik sticky set podinfo -n unset-[NS] --entry /login
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky set podinfo --entry /login

"#]]);
    assert_eq!(undo(&namespace, &unset), ["kubectl canary-traefik sticky set podinfo --entry /login"]);
    namespace.run(["diff", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn objects_that_no_longer_fit_the_routes_differ_until_apply_mends_them() {
    let namespace = routed("stale");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));
    let other = json!([{ "kind": "Rule", "match": format!("Host(`{0}`) || Host(`www.{0}`)", host(&namespace)),
        "middlewares": [{ "name": "auth" }], "services": [{ "kind": "TraefikService", "name": "podinfo" }] }]);
    namespace.patch("IngressRoute", "web", &json!({ "spec": { "routes": other, "tls": { "certResolver": "le" } } }));
    namespace.run(["show", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    differs   none        [A]
--- stderr

"#]]);
    namespace.run(["diff", "podinfo"]).run().shows(str![[r#"
exit: 1
--- stdout
--- ingressroute.traefik.io/podinfo-entry (live)
+++ ingressroute.traefik.io/podinfo-entry (after)
@@ -20,10 +20,13 @@
   - web
   routes:
   - kind: Rule
-    match: (Host(`stale-[NS].example.com`)) && (Path(`/login`))
+    match: (Host(`stale-[NS].example.com`) || Host(`www.stale-[NS].example.com`)) && (Path(`/login`))
     middlewares:
+    - name: auth
     - name: podinfo-entry
-    priority: 31
+    priority: 69
     services:
     - kind: TraefikService
       name: podinfo
+  tls:
+    certResolver: le
--- stderr

"#]]);
    assert_eq!(namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().code, Some(0));
    let mended = spec(&namespace, "IngressRoute");
    assert_eq!(mended["tls"], json!({ "certResolver": "le" }));
    assert_eq!(mended["routes"][0]["middlewares"], json!([{ "name": "auth" }, { "name": "podinfo-entry" }]));
    assert_eq!(namespace.run(["diff", "podinfo"]).run().code, Some(0));
    // One that is gone is made again, and one that is left over is deleted.
    namespace.delete("Middleware", "podinfo-entry");
    assert_eq!(namespace.run(["diff", "podinfo"]).run().code, Some(1));
    assert_eq!(namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().code, Some(0));
    namespace.patch(
        "Canary",
        "podinfo",
        &json!({ "metadata": { "annotations": {
        "kubectl-canary-traefik/entry": null, "kubectl-canary-traefik/sticky-cookie": null } } }),
    );
    assert_eq!(namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().code, Some(0));
    assert_eq!(["IngressRoute", "Middleware"].map(|kind| spec(&namespace, kind)), [Value::Null, Value::Null]);
}

#[test]
fn a_path_that_something_else_serves_is_refused_and_found_when_it_comes_later() {
    let namespace = routed("taken");
    route(&namespace, "api", " && PathPrefix(`/log`)", false);
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `taken-[NS]/podinfo` would have no effect
caused by: `/login` on host `taken-[NS].example.com` is served by IngressRoute `taken-[NS]/api` (priority 52) instead of IngressRoute `taken-[NS]/web` (priority 30)
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
    namespace.delete("IngressRoute", "api");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));
    route(&namespace, "api", " && PathPrefix(`/log`)", false);
    namespace.run(["diff", "podinfo"]).run().shows(str![[r#"
exit: 1
--- stdout
--- ingressroute.traefik.io/podinfo-entry (live)
+++ ingressroute.traefik.io/podinfo-entry (deleted)
@@ -1,29 +0,0 @@
-apiVersion: traefik.io/v1alpha1
-kind: IngressRoute
-metadata:
-  annotations:
-    kubectl-canary-traefik/canary: podinfo
-    kubectl-canary-traefik/entry: /login
-  creationTimestamp: "[TIME]"
-  labels:
-    app.kubernetes.io/managed-by: kubectl-canary-traefik
-  name: podinfo-entry
-  namespace: taken-[NS]
-  ownerReferences:
-  - apiVersion: flagger.app/v1beta1
-    kind: Canary
-    name: podinfo
-    uid: [UID]
-  uid: [UID]
-spec:
-  entryPoints:
-  - web
-  routes:
-  - kind: Rule
-    match: (Host(`taken-[NS].example.com`)) && (Path(`/login`))
-    middlewares:
-    - name: podinfo-entry
-    priority: 31
-    services:
-    - kind: TraefikService
-      name: podinfo
--- middleware.traefik.io/podinfo-entry (live)
+++ middleware.traefik.io/podinfo-entry (deleted)
@@ -1,21 +0,0 @@
-apiVersion: traefik.io/v1alpha1
-kind: Middleware
-metadata:
-  annotations:
-    kubectl-canary-traefik/canary: podinfo
-    kubectl-canary-traefik/entry: /login
-  creationTimestamp: "[TIME]"
-  labels:
-    app.kubernetes.io/managed-by: kubectl-canary-traefik
-  name: podinfo-entry
-  namespace: taken-[NS]
-  ownerReferences:
-  - apiVersion: flagger.app/v1beta1
-    kind: Canary
-    name: podinfo
-    uid: [UID]
-  uid: [UID]
-spec:
-  headers:
-    customRequestHeaders:
-      Cookie: ""
--- stderr
taken-[NS]/podinfo: entry: `/login` on host `taken-[NS].example.com` is served by IngressRoute `taken-[NS]/api` (priority 52) instead of IngressRoute `taken-[NS]/web` (priority 30)

"#]]);
    let described = namespace.run(["describe", "podinfo", "-o", "json"]).run();
    let described: Value = serde_json::from_str(&described.stdout).expect("it is JSON");
    assert_eq!(described["entry"]["state"], "refused");
    assert_eq!(described["findings"][0]["code"], "CT041");
    // Other changes are still possible.
    let output = namespace.run(["sticky", "set", "podinfo", "--max-age", "90", "--yes"]).run();
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn what_is_not_of_this_entry_is_not_overwritten() {
    let namespace = routed("foreign");
    namespace.create_value(&json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
        "metadata": { "name": "podinfo-entry" }, "spec": { "stripPrefix": { "prefixes": ["/a"] } } }));
    namespace.run(SET).arguments(["--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: Middleware `foreign-[NS]/podinfo-entry` exists, but does not belong to this Canary's entry
caused by: it would be overwritten
hint: delete it first; to see it: kubectl get middlewares.traefik.io podinfo-entry -n foreign-[NS]

"#]]);
    namespace.delete("Middleware", "podinfo-entry");
    assert_eq!(namespace.run(SET).arguments(["--yes"]).run().code, Some(0));
    // A person edits it, and then owns that field.
    by(
        "kubectl-edit",
        &namespace,
        "Middleware",
        "podinfo-entry",
        &json!({ "spec": { "headers": { "customRequestHeaders": { "Cookie": "a=b" } } } }),
    );
    namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: fields of middlewares.traefik.io `podinfo-entry` in namespace `foreign-[NS]` are owned by another field manager
caused by: .spec.headers.customRequestHeaders.Cookie: conflict with "kubectl-edit" using traefik.io/v1alpha1
hint: add --force-conflicts to overwrite them

"#]]);
    let forced = namespace.run(["sticky", "apply", "podinfo", "--yes", "--force-conflicts"]).run();
    assert_eq!(forced.code, Some(0), "{forced}");
    assert_eq!(spec(&namespace, "Middleware"), json!({ "headers": { "customRequestHeaders": { "Cookie": "" } } }));
    // What was added stays in an apply, unless it is taken away.
    let added = json!({ "spec": { "tls": { "certResolver": "le" } } });
    by("kubectl-edit", &namespace, "IngressRoute", "podinfo-entry", &added);
    namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: others have added fields to ingressroute.traefik.io/podinfo-entry
caused by: they would stay, and change what the entry does
hint: remove them there, or add --force-conflicts

"#]]);
    let forced = namespace.run(["sticky", "apply", "podinfo", "--yes", "--force-conflicts"]).run();
    assert_eq!(forced.code, Some(0), "{forced}");
    assert_eq!(spec(&namespace, "IngressRoute").get("tls"), None);
    assert_eq!(namespace.run(["diff", "podinfo"]).run().code, Some(0));
}

/// Rules with which a user may do everything to a Canary and its cookie, and read the routes here.
const WITHOUT_ROUTES: &str = "
- {apiGroups: [flagger.app], resources: [canaries], verbs: [get, list, patch]}
- {apiGroups: [traefik.io], resources: [traefikservices], verbs: [get, list, patch]}
- {apiGroups: [traefik.io], resources: [ingressroutes, middlewares], verbs: [list]}
";

#[test]
fn who_may_not_write_routes_is_told_what_is_possible() {
    let namespace = routed("narrow");
    let user = namespace.user_with(WITHOUT_ROUTES);
    run_as(&namespace, &user, SET.iter().chain(&["--yes"]).copied()).shows(str![[r#"
exit: 6
--- stdout
--- stderr
computed locally; the server refused the dry run:
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,9 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/entry: /login
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: narrow-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: narrow-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 60
+        name: login
--- middleware.traefik.io/podinfo-entry (none)
+++ middleware.traefik.io/podinfo-entry (after)
@@ -0,0 +1,19 @@
+apiVersion: traefik.io/v1alpha1
+kind: Middleware
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: podinfo
+    kubectl-canary-traefik/entry: /login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: podinfo-entry
+  namespace: narrow-[NS]
+  ownerReferences:
+  - apiVersion: flagger.app/v1beta1
+    kind: Canary
+    name: podinfo
+    uid: [UID]
+spec:
+  headers:
+    customRequestHeaders:
+      Cookie: ""
--- ingressroute.traefik.io/podinfo-entry (none)
+++ ingressroute.traefik.io/podinfo-entry (after)
@@ -0,0 +1,27 @@
+apiVersion: traefik.io/v1alpha1
+kind: IngressRoute
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: podinfo
+    kubectl-canary-traefik/entry: /login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: podinfo-entry
+  namespace: narrow-[NS]
+  ownerReferences:
+  - apiVersion: flagger.app/v1beta1
+    kind: Canary
+    name: podinfo
+    uid: [UID]
+spec:
+  entryPoints:
+  - web
+  routes:
+  - kind: Rule
+    match: (Host(`narrow-[NS].example.com`)) && (Path(`/login`))
+    middlewares:
+    - name: podinfo-entry
+    priority: 32
+    services:
+    - kind: TraefikService
+      name: podinfo
error: user `[USER]` may not create middlewares.traefik.io in namespace `narrow-[NS]`
hint: kubectl auth can-i create middlewares.traefik.io -n narrow-[NS]
hint: add --declare-only to change the Canary alone
hint: kubectl canary-traefik rbac sticky set --entry -n narrow-[NS] prints the permissions it needs

"#]]);
    assert_eq!(objects(&namespace, "podinfo")[0]["metadata"]["annotations"], Value::Null);
    let declared = run_as(&namespace, &user, SET.iter().chain(&["--yes", "--declare-only"]).copied());
    assert_eq!(declared.code, Some(0), "{declared}");
    // Without the right to see routes, their state is not known.
    let reader = namespace.user_with(
        "- {apiGroups: [flagger.app, traefik.io], resources: [canaries, traefikservices], verbs: [get, list]}",
    );
    run_as(&namespace, &reader, ["sticky", "get", "podinfo"]).shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   60         <unset>
entry     /login     <unknown>

state       missing (declared in an annotation)
entry       <unknown>: user `[USER]` may not list ingressroutes.traefik.io in namespace `narrow-[NS]`
protected   <unknown>
--- stderr

"#]]);
}
