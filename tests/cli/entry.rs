//! The entry, from manifests.

use snapbox::str;
use testbed::{directory::Directory, run::Run};

use crate::manifests::{canary, folder, service};

const ROUTE: &str = "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: NAME
spec:
  entryPoints: [web]
  routes:
    - kind: Rule
      match: Host(`shop.example.com`)RULE
      services: [SERVICE]
---
";

/// An IngressRoute with this rule behind that of the host, to the TraefikService or to a Service.
fn route(name: &str, rule: &str, to_canary: bool) -> String {
    let service = if to_canary { "{kind: TraefikService, name: web}" } else { "{name: api, port: 80}" };
    ROUTE.replace("NAME", name).replace("RULE", rule).replace("SERVICE", service)
}

/// A Canary with its TraefikService and a route to it, and what else is given.
fn place(declared: Option<&str>, more: &str) -> Directory {
    let objects = route("web", "", true) + more + &service("web", Some("{cookie: {name: login}}"));
    folder(&[("canary.yaml", &canary("web", declared)), ("routes.yaml", &objects)])
}

fn run(folder: &Directory, line: &str) -> Run {
    Run::new(line.split(' ')).dir(folder.path())
}

#[test]
fn an_entry_is_declared_in_place_and_its_objects_are_printed_to_be_committed() {
    let folder = place(Some("login; Max-Age=120"), "");
    run(&folder, "sticky set web --entry /login,/sso/start -f . --yes").run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- ./canary.yaml (before)
+++ ./canary.yaml (after)
@@ -5,6 +5,7 @@
   name: web
   annotations:
     kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
+    kubectl-canary-traefik/entry: /login, /sso/start
 spec:
   provider: traefik
   targetRef:

"#]]);
    run(&folder, "sticky set web --entry /login --entry /sso/start -f . --yes").run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web unchanged
--- stderr

"#]]);
    let rendered = run(&folder, "render web --entry -f .").run();
    rendered.shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  annotations:
    kubectl-canary-traefik/canary: web
    kubectl-canary-traefik/entry: /login, /sso/start
  labels:
    app.kubernetes.io/managed-by: kubectl-canary-traefik
  name: web-entry
spec:
  headers:
    customRequestHeaders:
      Cookie: ""
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  annotations:
    kubectl-canary-traefik/canary: web
    kubectl-canary-traefik/entry: /login, /sso/start
  labels:
    app.kubernetes.io/managed-by: kubectl-canary-traefik
  name: web-entry
spec:
  entryPoints:
  - web
  routes:
  - kind: Rule
    match: (Host(`shop.example.com`)) && (Path(`/login`) || Path(`/sso/start`))
    middlewares:
    - name: web-entry
    priority: 25
    services:
    - kind: TraefikService
      name: web
--- stderr

"#]]);
    run(&folder, "show web -f . -o wide").run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE         TRAEFIKSERVICE   DECLARED             LIVE    ENTRY
web    <none>   70/30    login    differs   <unknown>   <unknown>   traefik.io/web   login; Max-Age=120   login   /login, /sso/start
--- stderr

"#]]);
    folder.write("entry.yaml", &rendered.stdout);
    run(&folder, "sticky get web -f .").run().shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED             LIVE
name      login                login
max-age   120                  <unset>
entry     /login, /sso/start   /login, /sso/start

state       differs (declared in an annotation)
entry       synced
protected   <unknown>
--- stderr

"#]]);
    run(&folder, "sticky remove web -f . --yes").run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- ./canary.yaml (before)
+++ ./canary.yaml (after)
@@ -3,9 +3,6 @@
 kind: Canary
 metadata:
   name: web
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120
-    kubectl-canary-traefik/entry: /login, /sso/start
 spec:
   provider: traefik
   targetRef:
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set web --entry /login --max-age 2m

"#]]);
    run(&folder, "diff web -f .").run().shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/web (live)
+++ traefikservice.traefik.io/web (after)
@@ -11,6 +11,3 @@
     - name: web-canary
       port: 80
       weight: 30
-    sticky:
-      cookie:
-        name: login
--- ingressroute.traefik.io/web-entry (live)
+++ ingressroute.traefik.io/web-entry (deleted)
@@ -1,21 +0,0 @@
-apiVersion: traefik.io/v1alpha1
-kind: IngressRoute
-metadata:
-  annotations:
-    kubectl-canary-traefik/canary: web
-    kubectl-canary-traefik/entry: /login, /sso/start
-  labels:
-    app.kubernetes.io/managed-by: kubectl-canary-traefik
-  name: web-entry
-spec:
-  entryPoints:
-  - web
-  routes:
-  - kind: Rule
-    match: (Host(`shop.example.com`)) && (Path(`/login`) || Path(`/sso/start`))
-    middlewares:
-    - name: web-entry
-    priority: 25
-    services:
-    - kind: TraefikService
-      name: web
--- middleware.traefik.io/web-entry (live)
+++ middleware.traefik.io/web-entry (deleted)
@@ -1,13 +0,0 @@
-apiVersion: traefik.io/v1alpha1
-kind: Middleware
-metadata:
-  annotations:
-    kubectl-canary-traefik/canary: web
-    kubectl-canary-traefik/entry: /login, /sso/start
-  labels:
-    app.kubernetes.io/managed-by: kubectl-canary-traefik
-  name: web-entry
-spec:
-  headers:
-    customRequestHeaders:
-      Cookie: ""
--- stderr

"#]]);
}

#[test]
fn a_path_that_another_route_of_the_files_serves_is_refused() {
    let folder = place(None, &route("api", " && PathPrefix(`/login`)", false));
    run(&folder, "sticky set web --entry /login -f . --yes").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `web` would have no effect
caused by: `/login` on host `shop.example.com` is served by IngressRoute `api` (priority 48) instead of IngressRoute `web` (priority 24)
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
    run(&folder, "sticky set web --entry /start -f . --yes --dry-run").run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- ./canary.yaml (before)
+++ ./canary.yaml (after)
@@ -3,6 +3,9 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/entry: /start
+    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare a Max-Age just over one login, for example 2m: kubectl canary-traefik sticky set web --max-age 2m

"#]]);
}

#[test]
fn what_is_no_entry_is_refused_with_what_is_allowed() {
    let folder = place(None, "");
    for line in [
        "sticky set web --entry login -f .",
        "sticky set web --entry /a --entry /a -f .",
        "sticky set web --entry /a --unset entry -f .",
        "sticky set web --entry= -f .",
    ] {
        assert_eq!(run(&folder, line).run().code, Some(2), "{line}");
    }
    run(&folder, "sticky set web --entry login -f .").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'login' for '--entry <PATH>': must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..

For more information, try '--help'.

"#]]);
    run(&folder, "sticky set web --entry /a --entry /a -f .").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --entry: `/a`: is given more than once

"#]]);
    run(&folder, "render web --entry -f .").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: Canary `web` declares no entry
hint: declare one with sticky set --entry PATH

"#]]);
}

#[test]
fn a_malformed_entry_is_found_and_replaced() {
    let text = canary("web", Some("login")).replace(
        "    kubectl-canary-traefik/sticky-cookie",
        "    kubectl-canary-traefik/entry: login\n    kubectl-canary-traefik/sticky-cookie",
    );
    let folder = folder(&[("canary.yaml", &(text + &service("web", Some("{cookie: {name: login}}"))))]);
    run(&folder, "describe web -f .").run().shows(str![[r#"
exit: 0
--- stdout
Name:            web
Namespace:       <none>
Phase:           <none>
Strategy:        no analysis: straight to the promotion
TraefikService:  traefik.io/web
Applied by:      <none>
Tracks:
  web
  ├─ primary   web-primary:80   70   <unknown>
  └─ canary    web-canary:80    30   <unknown>
  their cookies depend on the namespace, which the manifests do not set: use -n
    NAMESPACE
Cookie:          synced, declared in an annotation
  FIELD   DECLARED      LIVE
  name    login         login
  entry   <malformed>   <unset>
Entry:           malformed: `login`: must be a path such as /login: it starts
                 with / and may contain letters, digits and _~!$&()*+=:@.- but
                 no empty segment, . or ..
Protected:       <unknown>: local files do not show whether a guard is installed
Next write:      a reset to what Flagger generates at its next check, because
                 Flagger did not create it; weights 100/100; its effect on the
                 cookie is <unknown>; stop whatever applies or changes this
                 TraefikService
Routes:          <none>: nothing leads to the TraefikService
Findings:
  warning CT020: a session cookie lives until the browser closes, so users stay
    on their track into the next rollout
    fix: declare where your logins begin and a Max-Age just over one login, for
      example /login and 2m: kubectl canary-traefik sticky set web -f
      ./canary.yaml --entry /login --max-age 2m
  error CT040: annotation kubectl-canary-traefik/entry, column 1: `login`: must
    be a path such as /login: it starts with / and may contain letters, digits
    and _~!$&()*+=:@.- but no empty segment, . or ..
    fix: set the paths again with sticky set --entry, or remove them with sticky
      set --unset entry
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `web`, which is among the manifests
    fix: remove it from the manifests
--- stderr

"#]]);
    run(&folder, "diff web -f .").run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set web -f ./canary.yaml --entry /login --max-age 2m
error CT040: web: annotation kubectl-canary-traefik/entry, column 1: `login`: must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..
  fix: set the paths again with sticky set --entry, or remove them with sticky set --unset entry

"#]]);
    run(&folder, "sticky set web --max-age 60 -f . --yes").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `web` is malformed
caused by: `login`: must be a path such as /login: it starts with / and may contain letters, digits and _~!$&()*+=:@.- but no empty segment, . or ..
hint: replace it with --entry PATH, or remove it with --unset entry

"#]]);
    run(&folder, "sticky set web --entry /login -f . --yes").run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- ./canary.yaml (before)
+++ ./canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: web
   annotations:
-    kubectl-canary-traefik/entry: login
+    kubectl-canary-traefik/entry: /login
     kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare a Max-Age just over one login, for example 2m: kubectl canary-traefik sticky set web --max-age 2m

"#]]);
}
