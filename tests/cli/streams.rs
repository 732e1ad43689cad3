//! Where the output goes: nowhere, to a reader that leaves, to a full disk, to a narrow terminal, in colour.

use std::os::unix::fs::symlink;

use snapbox::str;
use testbed::{
    bed,
    directory::Directory,
    run::{Run, exactly},
};

use crate::manifests::{canary, folder, in_repository, over, run, service};

/// A shell line in which `$0` is the program, run in the repository.
fn shell(line: &str) -> Run {
    Run::of("/bin/sh", ["-c", line, env!("CARGO_BIN_EXE_kubectl-canary_traefik")]).dir(bed::root())
}

#[test]
fn a_closed_output_is_no_failure() {
    shell("\"$0\" show -f examples >&-").run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
    shell("\"$0\" diff -f examples 2>&-").run().shows(str![[r#"
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
    shell("\"$0\" --help >&-").run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
    shell("\"$0\" sticky set podinfo --max-age 300 --dry-run -f examples >&- 2>&-").run().shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}

#[test]
fn a_closed_input_is_an_empty_one() {
    shell("\"$0\" show -f - <&-").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Kubernetes object in standard input

"#]]);
    shell("\"$0\" sticky set podinfo --max-age 300 -f examples <&-").run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- examples/podinfo.yaml (before)
+++ examples/podinfo.yaml (after)
@@ -7,6 +7,8 @@
   namespace: shop
   labels:
     app.kubernetes.io/part-of: storefront
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    // More than a pipe holds, so that the program still writes when the reader has gone.
    let many: String = (0..1000).map(|number| canary(&format!("web-{number}"), Some("login"))).collect();
    let folder = folder(&[("canary.yaml", &many)]);
    for output in ["json", "yaml", "wide"] {
        let line =
            format!("{{ \"$0\" show -f canary.yaml -o {output}; echo \"exit code $?\" >&2; }} | {{ read -r line; }}");
        let output = shell(&line).dir(folder.path()).run();
        exactly(&output.stderr, "exit code 0\n");
    }
}

#[test]
fn a_full_disk_is_said() {
    shell("\"$0\" show -f examples >/dev/full").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot write to standard output
caused by: no space left on device

"#]]);
}

#[test]
fn a_narrow_terminal_changes_no_table_and_no_diff() {
    for line in ["show -f examples -o wide", "diff -f examples", "sticky get checkout -f examples", "show -f nope"] {
        let narrow = Run::new(line.split(' ')).dir(bed::root()).env("COLUMNS", "40").run();
        assert_eq!(narrow.to_string(), in_repository(line).to_string());
    }
}

/// What is printed, with the escape character made visible.
fn colored(line: &str) -> String {
    let output = Run::new(line.split(' ').chain(["--color=always"])).dir(bed::root()).run();
    output.to_string().replace('\u{1b}', "␛")
}

#[test]
fn colour_has_meanings() {
    exactly(
        &colored("diff -f examples"),
        str![[r#"
exit: 1
--- stdout
␛[31m--- traefikservice.traefik.io/checkout (live)␛[0m
␛[32m+++ traefikservice.traefik.io/checkout (after)␛[0m
␛[36m@@ -17,3 +17,10 @@␛[0m
       namespace: shop
       port: 8080
       weight: 20
␛[32m+    sticky:␛[0m
␛[32m+      cookie:␛[0m
␛[32m+        httpOnly: true␛[0m
␛[32m+        maxAge: 120␛[0m
␛[32m+        name: login␛[0m
␛[32m+        sameSite: lax␛[0m
␛[32m+        secure: true␛[0m
␛[31m--- middleware.traefik.io/checkout-entry (none)␛[0m
␛[32m+++ middleware.traefik.io/checkout-entry (after)␛[0m
␛[36m@@ -0,0 +1,14 @@␛[0m
␛[32m+apiVersion: traefik.io/v1alpha1␛[0m
␛[32m+kind: Middleware␛[0m
␛[32m+metadata:␛[0m
␛[32m+  annotations:␛[0m
␛[32m+    kubectl-canary-traefik/canary: checkout␛[0m
␛[32m+    kubectl-canary-traefik/entry: /checkout/login␛[0m
␛[32m+  labels:␛[0m
␛[32m+    app.kubernetes.io/managed-by: kubectl-canary-traefik␛[0m
␛[32m+  name: checkout-entry␛[0m
␛[32m+  namespace: shop␛[0m
␛[32m+spec:␛[0m
␛[32m+  headers:␛[0m
␛[32m+    customRequestHeaders:␛[0m
␛[32m+      Cookie: ""␛[0m
␛[31m--- ingressroute.traefik.io/checkout-entry (none)␛[0m
␛[32m+++ ingressroute.traefik.io/checkout-entry (after)␛[0m
␛[36m@@ -0,0 +1,24 @@␛[0m
␛[32m+apiVersion: traefik.io/v1alpha1␛[0m
␛[32m+kind: IngressRoute␛[0m
␛[32m+metadata:␛[0m
␛[32m+  annotations:␛[0m
␛[32m+    kubectl-canary-traefik/canary: checkout␛[0m
␛[32m+    kubectl-canary-traefik/entry: /checkout/login␛[0m
␛[32m+  labels:␛[0m
␛[32m+    app.kubernetes.io/managed-by: kubectl-canary-traefik␛[0m
␛[32m+  name: checkout-entry␛[0m
␛[32m+  namespace: shop␛[0m
␛[32m+spec:␛[0m
␛[32m+  entryPoints:␛[0m
␛[32m+  - websecure␛[0m
␛[32m+  routes:␛[0m
␛[32m+  - kind: Rule␛[0m
␛[32m+    match: (Host(`shop.example.com`) && PathPrefix(`/checkout`)) && (Path(`/checkout/login`))␛[0m
␛[32m+    middlewares:␛[0m
␛[32m+    - name: checkout-entry␛[0m
␛[32m+    priority: 52␛[0m
␛[32m+    services:␛[0m
␛[32m+    - kind: TraefikService␛[0m
␛[32m+      name: checkout␛[0m
␛[32m+  tls:␛[0m
␛[32m+    certResolver: default␛[0m
--- stderr

"#]],
    );
    exactly(
        &colored("show -f nope"),
        str![[r#"
exit: 2
--- stdout
--- stderr
␛[1m␛[31merror:␛[0m cannot read `nope`
␛[33mcaused by:␛[0m no such file or directory

"#]],
    );
    exactly(
        &colored("sticky set podinfo --same-site none --max-age 300 -f examples/podinfo.yaml"),
        str![[r#"
exit: 3
--- stdout
--- stderr
␛[31m--- examples/podinfo.yaml (before)␛[0m
␛[32m+++ examples/podinfo.yaml (after)␛[0m
␛[36m@@ -7,6 +7,8 @@␛[0m
   namespace: shop
   labels:
     app.kubernetes.io/part-of: storefront
␛[32m+  annotations:␛[0m
␛[32m+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300; SameSite=None␛[0m
 spec:
   provider: traefik
   targetRef:
␛[1m␛[31merror␛[0m CT004: shop/podinfo: browsers reject a cookie with SameSite=None that is not Secure
  ␛[36mfix:␛[0m use --same-site lax, or: kubectl canary-traefik sticky set podinfo -n shop --secure
␛[1m␛[31merror:␛[0m confirmation needed, but there is no terminal
␛[36mhint:␛[0m add --yes to agree to the change shown above

"#]],
    );
    exactly(
        &colored("show -f examples"),
        str![[r#"
exit: 0
--- stdout
NAME       PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
checkout   <none>   80/20    login    missing   <unknown>   <unknown>
podinfo    <none>   <none>   <none>   none      -           <unknown>
--- stderr

"#]],
    );
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let plain = in_repository("diff -f examples").to_string();
    for color in ["--color=auto", "--color=never", "--color never"] {
        exactly(&in_repository(&format!("diff -f examples {color}")).to_string(), &plain);
    }
    // What is asked for counts more than the environment.
    let asked = Run::new(["diff", "-f", "examples", "--color=always"]).env("NO_COLOR", "1").dir(bed::root()).run();
    exactly(&asked.to_string().replace('\u{1b}', "␛"), colored("diff -f examples"));
    assert_ne!(plain, colored("diff -f examples"));
}

#[test]
fn control_characters_reach_no_terminal() {
    let manifest = r#"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: "we\e[31mb\r"
  namespace: "sh\nop"
  annotations: {kubectl-canary-traefik/sticky-cookie: "login; \e[2JPath=\u202E/"}
spec: {provider: traefik, targetRef: {name: "w\u0007b"}, service: {port: 80, apex: {labels: {"a\eb": "c\u009b"}}}}
status: {phase: "Pro\e]0;title\u0007gressing"}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: "w\u0007b", namespace: "sh\nop"}
spec: {weighted: {services: [{name: "w\u0007b-primary", weight: 70}], sticky: {cookie: {name: "a\eb", maxAge: 3}}}}
"#;
    let folder = folder(&[("canary.yaml", manifest)]);
    run(&folder, "show -f canary.yaml -A -o wide").shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME              PHASE                            WEIGHT   COOKIE      STATE       PROTECTED   AGE         TRAEFIKSERVICE       DECLARED                         LIVE          ENTRY
sh\nop      we\u{1b}[31mb\r   Pro\u{1b}]0;title\u{7}gressing   70/-     <derived>   malformed   none        <unknown>   traefik.io/w\u{7}b   login; \u{1b}[2JPath=\u{202e}/   ; Max-Age=3   <none>
--- stderr

"#]]);
    run(&folder, "show -f canary.yaml -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/we\u{1b}[31mb\r
--- stderr

"#]]);
    run(&folder, "show -f canary.yaml -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [
        {
            "declared": {
                "error": "it contains a character that is not printable ASCII",
                "source": "annotation"
            },
            "entry": null,
            "findings": [
                {
                    "code": "CT038",
                    "help": "correct the annotation, or delete it with sticky remove and set the cookie again",
                    "message": "annotation kubectl-canary-traefik/sticky-cookie, column 8: it contains a character that is not printable ASCII",
                    "severity": "error"
                }
            ],
            "live": {
                "maxAge": 3
            },
            "manifest": {
                "file": "canary.yaml",
                "line": 2,
                "patches": []
            },
            "name": "we\u001b[31mb\r",
            "namespace": "sh\nop",
            "phase": "Pro\u001b]0;title\u0007gressing",
            "protectedBy": "none",
            "state": "malformed",
            "traefikService": {
                "apiVersion": "traefik.io/v1alpha1",
                "name": "w\u0007b",
                "status": "present"
            },
            "weights": {
                "canary": null,
                "primary": 70
            }
        }
    ],
    "kind": "StickyReportList"
}
--- stderr

"#]]);
    run(&folder, "show -f canary.yaml -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
items:
- declared:
    error: it contains a character that is not printable ASCII
    source: annotation
  entry: null
  findings:
  - code: CT038
    help: correct the annotation, or delete it with sticky remove and set the cookie again
    message: "annotation kubectl-canary-traefik/sticky-cookie, column 8: it contains a character that is not printable ASCII"
    severity: error
  live:
    maxAge: 3
  manifest:
    file: canary.yaml
    line: 2
    patches: []
  name: "we\e[31mb\r"
  namespace: |-
    sh
    op
  phase: "Pro\e]0;title\agressing"
  protectedBy: none
  state: malformed
  traefikService:
    apiVersion: traefik.io/v1alpha1
    name: "w\ab"
    status: present
  weights:
    canary: null
    primary: 70
kind: StickyReportList
--- stderr

"#]]);
    run(&folder, "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: sh\nop/we\u{1b}[31mb\r: annotation kubectl-canary-traefik/sticky-cookie, column 8: it contains a character that is not printable ASCII
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]]);
    let named = |command: &str| {
        let words = command.split(' ').chain(["we\u{1b}[31mb\r", "-f", "canary.yaml"]);
        let output = Run::new(words).dir(folder.path()).run();
        let obeyed = |c: &char| c.is_control() && *c != '\n';
        assert_eq!(output.stdout.chars().chain(output.stderr.chars()).find(obeyed), None, "{command}: {output}");
        output
    };
    named("sticky get").shows(str![[r#"
exit: 0
--- stdout
FIELD         DECLARED                         LIVE
name          <unset>                          <derived>
max-age       <unset>                          3
<malformed>   login; \u{1b}[2JPath=\u{202e}/   <none>

state       malformed (declared in an annotation)
why         it contains a character that is not printable ASCII
protected   none
--- stderr

"#]]);
    named("sticky set --secure").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the declaration of Canary `sh
  op/we\u{1b}[31mb\r` is malformed, so it cannot be changed field by field
caused by: it contains a character that is not printable ASCII
hint: kubectl canary-traefik sticky remove we\u{1b}[31mb\r -f canary.yaml removes it

"#]]);
    named("sticky remove --dry-run").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/we\u{1b}[31mb\r configured (dry run)
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,6 @@
 metadata:
   name: "we\e[31mb\r"
   namespace: "sh\nop"
-  annotations: {kubectl-canary-traefik/sticky-cookie: "login; \e[2JPath=\u202E/"}
 spec: {provider: traefik, targetRef: {name: "w\u0007b"}, service: {port: 80, apex: {labels: {"a\eb": "c\u009b"}}}}
 status: {phase: "Pro\e]0;title\u0007gressing"}
 ---

"#]]);
    named("render").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  labels:
    "a\eb": "c\x9B"
  name: "w\ab"
  namespace: |-
    sh
    op
spec:
  weighted:
    services:
    - name: "w\ab-primary"
      namespace: |-
        sh
        op
      port: 80
      weight: 100
--- stderr
error CT038: sh\nop/we\u{1b}[31mb\r: annotation kubectl-canary-traefik/sticky-cookie, column 8: it contains a character that is not printable ASCII
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]]);
    let json: serde_json::Value = serde_json::from_str(&named("render -o json").stdout).expect("the JSON can be read");
    assert_eq!(json["metadata"]["labels"]["a\u{1b}b"], "c\u{9b}");
    assert_eq!(json["metadata"]["namespace"], "sh\nop");
}

#[test]
fn control_characters_in_a_diff_are_escaped() {
    let manifest = canary("web", Some("login # \u{202e}desrever\u{2028}\u{2066}"));
    over(&manifest, "sticky set web --max-age 300 --dry-run -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: web
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login # \u{202e}desrever\u{2028}\u{2066}
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300 # \u{202e}desrever\u{2028}\u{2066}
 spec:
   provider: traefik
   targetRef:

"#]]);
    let manifest = canary("web", Some("login # \u{1b}[2J"));
    over(&manifest, "sticky set web --max-age 300 --dry-run -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: canary.yaml:7:51: unexpected character `\u{1b}`

"#]]);
}

#[test]
fn odd_types_are_not_seen_and_never_fail() {
    let manifest = "\
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: odd, namespace: 3, labels: [a], annotations: text, creationTimestamp: true, uid: {}}
spec: {provider: traefik, targetRef: web, service: {name: 1, port: http, apex: no}, analysis: 1}
status: done
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: web, creationTimestamp: yesterday}
spec: {provider: traefik, targetRef: {name: web}, service: {port: 80, traefik: yes}}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: web, ownerReferences: 1}
spec: {weighted: {services: {a: b}, sticky: 7}}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: keys}
spec: {provider: traefik, targetRef: {name: keys}, service: {port: 80}}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: keys}
spec:
  weighted:
    services: [{name: keys-primary, weight: -5}, {name: keys-canary, weight: many}, {name: 3}, text]
    sticky: {cookie: {name: [a], maxAge: soon, partitioned: true, secure: 'yes', sameSite: Maybe, path: /sso}}
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: [list]}
---
apiVersion: flagger.app/v1beta1
kind: Canary
---
apiVersion: [flagger.app/v1beta1]
kind: Canary
";
    let folder = folder(&[("canary.yaml", manifest)]);
    run(&folder, "show -f canary.yaml -o wide").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE      STATE        PROTECTED   AGE         TRAEFIKSERVICE    DECLARED   LIVE          ENTRY
keys   <none>   -5/1     <derived>   undeclared   none        <unknown>   traefik.io/keys   <none>     ; Path=/sso   <none>
odd    <none>   <none>   <none>      none         -           <unknown>   <none>            <none>     <none>        <none>
web    <none>   -/-      <none>      undeclared   none        <unknown>   traefik.io/web    <none>     <none>        <none>
--- stderr
note: kustomize patches are not applied to 3 Canaries: canary.yaml:30, canary.yaml:34; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "show -f canary.yaml -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [
        {
            "declared": null,
            "entry": null,
            "findings": [
                {
                    "code": "CT020",
                    "help": "declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set keys -f canary.yaml --entry /login --max-age 2m",
                    "message": "a session cookie lives until the browser closes, so users stay on their track into the next rollout",
                    "severity": "warning"
                }
            ],
            "live": {
                "path": "/sso"
            },
            "manifest": {
                "file": "canary.yaml",
                "line": 17,
                "patches": [
                    "canary.yaml:30",
                    "canary.yaml:34"
                ]
            },
            "name": "keys",
            "phase": null,
            "protectedBy": "none",
            "state": "undeclared",
            "traefikService": {
                "apiVersion": "traefik.io/v1alpha1",
                "name": "keys",
                "status": "present"
            },
            "weights": {
                "canary": 1,
                "primary": -5
            }
        },
        {
            "declared": null,
            "entry": null,
            "findings": [],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 1,
                "patches": [
                    "canary.yaml:30",
                    "canary.yaml:34"
                ]
            },
            "name": "odd",
            "phase": null,
            "protectedBy": null,
            "state": "none",
            "traefikService": {
                "name": null,
                "status": "notGenerated"
            },
            "weights": {
                "canary": null,
                "primary": null
            }
        },
        {
            "declared": null,
            "entry": null,
            "findings": [
                {
                    "code": "CT001",
                    "help": "set a cookie, or remove `spec.weighted.sticky`",
                    "message": "`spec.weighted.sticky` has no `cookie`, so no user stays on a track",
                    "severity": "error"
                }
            ],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 7,
                "patches": [
                    "canary.yaml:30",
                    "canary.yaml:34"
                ]
            },
            "name": "web",
            "phase": null,
            "protectedBy": "none",
            "state": "undeclared",
            "traefikService": {
                "apiVersion": "traefik.io/v1alpha1",
                "name": "web",
                "status": "present"
            },
            "weights": {
                "canary": null,
                "primary": null
            }
        }
    ],
    "kind": "StickyReportList"
}
--- stderr
note: kustomize patches are not applied to 3 Canaries: canary.yaml:30, canary.yaml:34; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "diff -f canary.yaml").shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/keys (live)
+++ traefikservice.traefik.io/keys (after)
@@ -11,12 +11,3 @@
       weight: many
     - name: 3
     - text
-    sticky:
-      cookie:
-        maxAge: soon
-        name:
-        - a
-        partitioned: true
-        path: /sso
-        sameSite: Maybe
-        secure: "yes"
--- traefikservice.traefik.io/web (live)
+++ traefikservice.traefik.io/web (after)
@@ -7,4 +7,3 @@
   weighted:
     services:
       a: b
-    sticky: 7
--- stderr
note: kustomize patches are not applied to 3 Canaries: canary.yaml:30, canary.yaml:34; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "sticky get odd -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
state       none (nothing is declared)
protected   -
--- stderr
note: kustomize patches are not applied to Canary `odd`: canary.yaml:30, canary.yaml:34; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "sticky get keys -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
FIELD   DECLARED   LIVE
name    <unset>    <derived>
path    <unset>    /sso

state       undeclared (only live)
protected   none
--- stderr
note: kustomize patches are not applied to Canary `keys`: canary.yaml:30, canary.yaml:34; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "render odd -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
note: kustomize patches are not applied to Canary `odd`: canary.yaml:30, canary.yaml:34; to read the built result: kustomize build DIR | kubectl canary-traefik … -f -
error: Canary `odd` has no spec.targetRef.name
caused by: Flagger cannot generate a TraefikService without it

"#]]);
    run(&folder, "sticky set odd --max-age 300 --yes -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot edit canary.yaml:1 in place: `metadata.annotations` is not a mapping
hint: edit it by hand, so that it says
  metadata:
    annotations:
      kubectl-canary-traefik/sticky-cookie: ; Max-Age=300

"#]]);
    run(&folder, "sticky remove web --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web unchanged
--- stderr

"#]]);
}

#[test]
fn very_long_names_are_shown_whole() {
    let name = "a".repeat(253);
    let manifest = canary(&name, Some("login; Max-Age=300")) + &service(&name, None);
    exactly(
        &over(&manifest, "show -f canary.yaml").to_string().replace(&name, "[253]"),
        str![[r#"
exit: 0
--- stdout
NAME                                                                                                                                                                                                                                                            PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
[253]   <none>   70/30    login    missing   <unknown>   <unknown>
--- stderr

"#]],
    );
    exactly(
        &over(&manifest, "diff -f canary.yaml").to_string().replace(&name, "[253]"),
        str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/[253] (live)
+++ traefikservice.traefik.io/[253] (after)
@@ -11,3 +11,7 @@
     - name: [253]-canary
       port: 80
       weight: 30
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
--- stderr

"#]],
    );
    let longer = "a".repeat(100_000);
    let folder = folder(&[("canary.yaml", &canary(&longer, None))]);
    let output = run(&folder, "sticky set b --secure -f canary.yaml");
    exactly(
        &output.to_string().replace(&longer, "[100000]"),
        str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `b` in the files
hint: Canaries in the files: [100000]

"#]],
    );
}

#[test]
fn a_name_that_is_a_path_is_no_path() {
    let name = "../../../x";
    let manifest = canary(name, Some("login; Max-Age=300")) + &service(name, None);
    let (folder, scratch) = (folder(&[("canary.yaml", &manifest)]), Directory::new());
    let program = bed::root().join("tests/cli/external_diff");
    symlink(&program, folder.path().join("show-both")).expect("a link can be made");
    Run::new(["diff", "-f", "canary.yaml"])
        .dir(folder.path())
        .env("TMPDIR", scratch.path())
        .env("KUBECTL_EXTERNAL_DIFF", "./show-both")
        .env("STATUS", "1")
        .run()
        .shows(str![[r#"
exit: 1
--- stdout
folders: LIVE MERGED
traefik.io.v1alpha1.TraefikService...........x:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: ../../../x
  spec:
    weighted:
      services:
      - name: ../../../x-primary
        port: 80
        weight: 70
      - name: ../../../x-canary
        port: 80
        weight: 30
traefik.io.v1alpha1.TraefikService...........x:
  apiVersion: traefik.io/v1alpha1
  kind: TraefikService
  metadata:
    name: ../../../x
  spec:
    weighted:
      services:
      - name: ../../../x-primary
        port: 80
        weight: 70
      - name: ../../../x-canary
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
}
