//! `diff -f`, and the program of `KUBECTL_EXTERNAL_DIFF`.

use std::path::PathBuf;

use snapbox::str;
use testbed::{bed, directory::Directory, run::Run};

use crate::manifests::{canary, folder, in_namespace, in_repository, over, run, service};

const DECLARED: Option<&str> = Some("login; Max-Age=300");

fn differing() -> String {
    canary("web", DECLARED) + &service("web", Some("{cookie: {maxAge: 60, name: login, secure: true}}"))
}

#[test]
fn no_difference_is_nothing() {
    let synced = canary("web", DECLARED) + &service("web", Some("{cookie: {maxAge: 300, name: login}}"));
    over(&synced, "diff -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
    over(&(canary("web", None) + &service("web", None)), "diff web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn what_flagger_dropped_comes_back() {
    in_repository("diff -f examples").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/checkout (live)
+++ traefikservice.traefik.io/checkout (after)
@@ -17,3 +17,10 @@
       namespace: shop
       port: 8080
       weight: 20
+    sticky:
+      cookie:
+        httpOnly: true
+        maxAge: 120
+        name: login
+        sameSite: lax
+        secure: true
--- middleware.traefik.io/checkout-entry (none)
+++ middleware.traefik.io/checkout-entry (after)
@@ -0,0 +1,14 @@
+apiVersion: traefik.io/v1alpha1
+kind: Middleware
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: checkout
+    kubectl-canary-traefik/entry: /checkout/login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: checkout-entry
+  namespace: shop
+spec:
+  headers:
+    customRequestHeaders:
+      Cookie: ""
--- ingressroute.traefik.io/checkout-entry (none)
+++ ingressroute.traefik.io/checkout-entry (after)
@@ -0,0 +1,24 @@
+apiVersion: traefik.io/v1alpha1
+kind: IngressRoute
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: checkout
+    kubectl-canary-traefik/entry: /checkout/login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: checkout-entry
+  namespace: shop
+spec:
+  entryPoints:
+  - websecure
+  routes:
+  - kind: Rule
+    match: (Host(`shop.example.com`) && PathPrefix(`/checkout`)) && (Path(`/checkout/login`))
+    middlewares:
+    - name: checkout-entry
+    priority: 52
+    services:
+    - kind: TraefikService
+      name: checkout
+  tls:
+    certResolver: default
--- stderr

"#]]);
}

#[test]
fn a_difference_is_what_would_change_live() {
    over(&differing(), "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/web (live)
+++ traefikservice.traefik.io/web (after)
@@ -13,6 +13,5 @@
       weight: 30
     sticky:
       cookie:
-        maxAge: 60
+        maxAge: 300
         name: login
-        secure: true
--- stderr

"#]]);
    over(&(canary("web", None) + &service("web", Some("{cookie: {name: login}}"))), "diff -f canary.yaml").shows(str![
        [r#"
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
--- stderr

"#]
    ]);
}

#[test]
fn the_bookkeeping_of_the_server_is_not_compared() {
    let manifest = differing().replace(
        "kind: TraefikService\nmetadata:\n",
        "kind: TraefikService\nmetadata:\n  resourceVersion: \"7\"\n  generation: 3\n  managedFields: [{manager: flagger}]\n",
    );
    over(&manifest, "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/web (live)
+++ traefikservice.traefik.io/web (after)
@@ -13,6 +13,5 @@
       weight: 30
     sticky:
       cookie:
-        maxAge: 60
+        maxAge: 300
         name: login
-        secure: true
--- stderr

"#]]);
}

#[test]
fn several_are_said_with_their_namespaces() {
    let web = in_namespace("shop", &differing());
    let other = in_namespace("sso", &(canary("idp", DECLARED) + &service("idp", None)));
    over(&(web.clone() + &other), "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/web -n shop (live)
+++ traefikservice.traefik.io/web -n shop (after)
@@ -14,6 +14,5 @@
       weight: 30
     sticky:
       cookie:
-        maxAge: 60
+        maxAge: 300
         name: login
-        secure: true
--- traefikservice.traefik.io/idp -n sso (live)
+++ traefikservice.traefik.io/idp -n sso (after)
@@ -12,3 +12,7 @@
     - name: idp-canary
       port: 80
       weight: 30
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
--- stderr

"#]]);
    over(&(web.clone() + &other), "diff -f canary.yaml -n sso").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/idp (live)
+++ traefikservice.traefik.io/idp (after)
@@ -12,3 +12,7 @@
     - name: idp-canary
       port: 80
       weight: 30
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
--- stderr

"#]]);
    over(&(web + &other), "diff idp -f canary.yaml -n shop").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `idp` in namespace `shop` in the files
hint: use -n sso

"#]]);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let all = canary("malformed", Some("a b")) + &canary("pending", DECLARED);
    over(&all, "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: malformed: annotation kubectl-canary-traefik/sticky-cookie, column 1: `a b`: the first part must be the cookie's name alone, which may contain only letters, digits and !#$%&'*+-.^_`|~; begin with ; to leave the name to Traefik
  fix: correct the annotation, or delete it with sticky remove and set the cookie again
pending: not compared: its TraefikService is not in the files (to compare with the cluster: --live)

"#]]);
    let mirror = service("web", None).replace("  weighted:\n", "  mirroring:\n");
    over(&(canary("web", DECLARED) + &mirror), "diff -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: TraefikService `web` is not weighted
caused by: it has no spec.weighted, which the cookie and Flagger's weights are part of
hint: restore spec.weighted, or delete the TraefikService: Flagger creates it again

"#]]);
    // One that fails does not keep the others from their turn.
    let both = canary("a", DECLARED) + &mirror.replace("name: web\n", "name: a\n") + &differing();
    over(&both, "diff -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- traefikservice.traefik.io/web (live)
+++ traefikservice.traefik.io/web (after)
@@ -13,6 +13,5 @@
       weight: 30
     sticky:
       cookie:
-        maxAge: 60
+        maxAge: 300
         name: login
-        secure: true
--- stderr
error: a: TraefikService `a` is not weighted
caused by: it has no spec.weighted, which the cookie and Flagger's weights are part of
hint: restore spec.weighted, or delete the TraefikService: Flagger creates it again
error: 1 of 2 Canaries failed; see the errors above

"#]]);
}

#[test]
fn nothing_to_compare_is_said_and_no_difference() {
    in_repository("diff -f examples/route.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
    in_repository("diff -f examples -n sso").shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found in sso namespace.

"#]]);
}

/// A run with the program in `tests/cli/external_diff`, which ends with `status`.
fn external(further: &str, status: &str) -> (Run, Directory, Directory) {
    let (folder, scratch) = (folder(&[("canary.yaml", &differing())]), Directory::new());
    let program = bed::root().join("tests/cli/external_diff").display().to_string();
    let run = Run::new(["diff", "-f", "canary.yaml"])
        .dir(folder.path())
        .env("TMPDIR", scratch.path())
        .env("KUBECTL_EXTERNAL_DIFF", format!("{program}{further}"))
        .env("STATUS", status)
        .redact(&program, "[PROGRAM]");
    (run, folder, scratch)
}

#[test]
fn another_program_gets_two_folders_and_its_status_is_the_answer() {
    let (run, _folder, scratch) = external("", "1");
    run.run().shows(str![[r#"
exit: 1
--- stdout
folders: LIVE MERGED
traefik.io.v1alpha1.TraefikService..web:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: web
  spec:
    weighted:
      services:
      - name: web-primary
        port: 80
        weight: 70
      - name: web-canary
        port: 80
        weight: 30
      sticky:
        cookie:
          maxAge: 60
          name: login
          secure: true
traefik.io.v1alpha1.TraefikService..web:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: web
  spec:
    weighted:
      services:
      - name: web-primary
        port: 80
        weight: 70
      - name: web-canary
        port: 80
        weight: 30
      sticky:
        cookie:
          maxAge: 300
          name: login
further words: 
--- stderr
said on standard error

"#]]);
    assert_eq!(scratch.names(), [""; 0], "the folders are gone");
    let (run, _folder, _scratch) = external("", "0");
    assert_eq!(run.run().code, Some(0));
}

#[test]
fn further_words_come_behind_the_folders_when_they_are_plain() {
    let (run, _folder, _scratch) = external("  -N --color=always ;rm $HOME -u", "0");
    run.run().shows(str![[r#"
exit: 0
--- stdout
folders: LIVE MERGED
traefik.io.v1alpha1.TraefikService..web:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: web
  spec:
    weighted:
      services:
      - name: web-primary
        port: 80
        weight: 70
      - name: web-canary
        port: 80
        weight: 30
      sticky:
        cookie:
          maxAge: 60
          name: login
          secure: true
traefik.io.v1alpha1.TraefikService..web:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: web
  spec:
    weighted:
      services:
      - name: web-primary
        port: 80
        weight: 70
      - name: web-canary
        port: 80
        weight: 30
      sticky:
        cookie:
          maxAge: 300
          name: login
further words: -N --color=always -u
--- stderr
said on standard error

"#]]);
}

#[test]
fn a_program_that_fails_is_no_difference() {
    let (run, _folder, scratch) = external("", "2");
    run.run().shows(str![[r#"
exit: 2
--- stdout
folders: LIVE MERGED
traefik.io.v1alpha1.TraefikService..web:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: web
  spec:
    weighted:
      services:
      - name: web-primary
        port: 80
        weight: 70
      - name: web-canary
        port: 80
        weight: 30
      sticky:
        cookie:
          maxAge: 60
          name: login
          secure: true
traefik.io.v1alpha1.TraefikService..web:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: web
  spec:
    weighted:
      services:
      - name: web-primary
        port: 80
        weight: 70
      - name: web-canary
        port: 80
        weight: 30
      sticky:
        cookie:
          maxAge: 300
          name: login
further words: 
--- stderr
said on standard error
error: `[PROGRAM]` ended with status 2
hint: correct or unset KUBECTL_EXTERNAL_DIFF

"#]]);
    assert_eq!(scratch.names(), [""; 0], "the folders are gone");
}

#[test]
fn a_program_that_cannot_be_run_is_named() {
    let folder = folder(&[("canary.yaml", &differing())]);
    let external = |program: PathBuf| {
        Run::new(["diff", "-f", "canary.yaml"]).dir(folder.path()).env("KUBECTL_EXTERNAL_DIFF", program).run()
    };
    external("missing -u".into()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot run `missing`: no such program on the PATH
hint: correct or unset KUBECTL_EXTERNAL_DIFF

"#]]);
    external("./missing".into()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot run `./missing`: no such program on the PATH
hint: correct or unset KUBECTL_EXTERNAL_DIFF

"#]]);
    external("./canary.yaml".into()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot run `./canary.yaml`: permission denied
hint: correct or unset KUBECTL_EXTERNAL_DIFF

"#]]);
}

#[test]
fn without_a_difference_no_program_is_run() {
    let folder = folder(&[("canary.yaml", &canary("web", None))]);
    Run::new(["diff", "-f", "canary.yaml"]).dir(folder.path()).env("KUBECTL_EXTERNAL_DIFF", "./missing").run().shows(
        str![[r#"
exit: 0
--- stdout
--- stderr

"#]],
    );
    // Empty is not set.
    let folder = self::folder(&[("canary.yaml", &differing())]);
    let unset = Run::new(["diff", "-f", "canary.yaml"]).dir(folder.path()).env("KUBECTL_EXTERNAL_DIFF", "").run();
    assert_eq!(unset.to_string(), run(&folder, "diff -f canary.yaml").to_string());
}

#[test]
fn folders_that_cannot_be_made_are_named() {
    let folder = folder(&[("canary.yaml", &differing())]);
    let output = Run::new(["diff", "-f", "canary.yaml"])
        .dir(folder.path())
        .env("TMPDIR", "./none")
        .env("KUBECTL_EXTERNAL_DIFF", "./missing")
        .run();
    let (before, after) = output.stderr.split_once("LIVE-").expect("the folder is named");
    let after = after.trim_start_matches(|letter: char| letter.is_ascii_hexdigit());
    testbed::run::exactly(
        &format!("{before}LIVE-…{after}"),
        str![[r#"
error: cannot write `./none/LIVE-…`
caused by: no such file or directory

"#]],
    );
    assert_eq!(output.code, Some(2));
}

#[test]
fn manifests_without_a_traefik_service_are_no_difference() {
    let all = canary("a", Some("login; Max-Age=60")) + &canary("b", None) + &canary("c", Some("login; Max-Age=60"));
    over(&all, "diff -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr
a: not compared: its TraefikService is not in the files (to compare with the cluster: --live)
c: not compared: its TraefikService is not in the files (to compare with the cluster: --live)

"#]]);
    over(&(all + &service("c", None)), "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/c (live)
+++ traefikservice.traefik.io/c (after)
@@ -11,3 +11,7 @@
     - name: c-canary
       port: 80
       weight: 30
+    sticky:
+      cookie:
+        maxAge: 60
+        name: login
--- stderr
a: not compared: its TraefikService is not in the files (to compare with the cluster: --live)

"#]]);
    over(&canary("a", None), "diff --live").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the following required arguments were not provided:
  --filename <FILE>

Usage: kubectl canary-traefik diff --filename <FILE> --live [NAME]...

For more information, try '--help'.

"#]]);
}
