//! `sticky set -f`: the declaration changed in the file, or printed.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use snapbox::str;
use testbed::{
    directory::Directory,
    run::{Run, exactly},
};

use crate::manifests::{EXAMPLES, canary, folder, in_namespace, run, service};

/// A folder with the examples, to be changed.
fn examples() -> Directory {
    folder(&EXAMPLES)
}

fn example(name: &str) -> &'static str {
    EXAMPLES.iter().find(|(other, _)| *other == name).expect("an example").1
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file is there").permissions().mode() & 0o7777
}

#[test]
fn the_file_gets_the_declaration_and_keeps_every_other_byte() {
    let folder = examples();
    run(&folder, "sticky set podinfo --name login --max-age 5m --http-only --yes -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- ./podinfo.yaml (before)
+++ ./podinfo.yaml (after)
@@ -7,6 +7,8 @@
   namespace: shop
   labels:
     app.kubernetes.io/part-of: storefront
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly
 spec:
   provider: traefik
   targetRef:

"#]]);
    let (before, after) = (example("podinfo.yaml"), folder.read("podinfo.yaml"));
    let declaration = "  annotations:\n    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; HttpOnly\n";
    exactly(&after, before.replace("storefront\n", &format!("storefront\n{declaration}")));
    assert_eq!(folder.read("checkout.yaml"), example("checkout.yaml"));
    assert_eq!(folder.names(), ["checkout.yaml", "podinfo.yaml", "route.yaml"], "nothing is left behind");
    run(&folder, "sticky set podinfo --name login --max-age 5m --http-only --yes -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
--- stderr

"#]]);
    assert_eq!(folder.read("podinfo.yaml"), after);
}

#[test]
fn fields_that_are_not_named_stay() {
    let folder = examples();
    run(&folder, "sticky set checkout --max-age=1h30m --secure=false --unset http-only,same-site -y -f checkout.yaml")
        .shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/checkout configured
--- stderr
--- checkout.yaml (before)
+++ checkout.yaml (after)
@@ -5,7 +5,7 @@
   name: checkout
   namespace: shop
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure; HttpOnly; SameSite=Lax
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=5400
     kubectl-canary-traefik/entry: /checkout/login
 spec:
   provider: traefik
warning CT021: shop/checkout: with Max-Age=5400 and an interval of 305 s, returning users see the canary in 3 % of their page views during the steps, instead of 44 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare a Max-Age just over one login, for example 2m: kubectl canary-traefik sticky set checkout -n shop --max-age 2m

"#]]);
    exactly(
        &folder.read("checkout.yaml"),
        example("checkout.yaml").replace("login; Max-Age=120; Secure; HttpOnly; SameSite=Lax", "login; Max-Age=5400"),
    );
}

#[test]
fn every_field_can_be_set() {
    let line = "sticky set web --name sso --max-age 0 --path /sso --domain .example.com --secure --http-only=true \
                --same-site NONE --dry-run -f canary.yaml";
    run(&folder(&[("canary.yaml", &canary("web", None))]), line).shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: sso; Max-Age=0; Path=/sso; Domain=.example.com; Secure; HttpOnly; SameSite=None
 spec:
   provider: traefik
   targetRef:
warning CT020: web: with Max-Age=0, Traefik sets a session cookie, which lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set web --entry /login --max-age 2m

"#]]);
}

#[test]
fn without_a_declaration_what_is_live_is_the_beginning() {
    let manifest = canary("web", None) + &service("web", Some("{cookie: {name: login, maxAge: 60}}"));
    run(&folder(&[("canary.yaml", &manifest)]), "sticky set web --max-age 300 --dry-run -f canary.yaml").shows(str![[
        r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#
    ]]);
}

#[test]
fn without_a_yes_nothing_is_changed() {
    let folder = examples();
    run(&folder, "sticky set podinfo --max-age 300 -f podinfo.yaml").shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- podinfo.yaml (before)
+++ podinfo.yaml (after)
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
    // Only a terminal can be asked.
    Run::new(["sticky", "set", "podinfo", "--max-age", "300", "-f", "podinfo.yaml"])
        .stdin("y\n")
        .dir(folder.path())
        .run()
        .shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- podinfo.yaml (before)
+++ podinfo.yaml (after)
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
    assert_eq!(folder.read("podinfo.yaml"), example("podinfo.yaml"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = examples();
    for dry_run in ["--dry-run", "--dry-run=client", "--dry-run --yes"] {
        let output = run(&folder, &format!("sticky set podinfo --max-age 300 {dry_run} -f podinfo.yaml"));
        exactly(&output.stdout, "canary.flagger.app/podinfo configured (dry run)\n");
        assert_eq!(output.code, Some(0));
    }
    run(&folder, "sticky set checkout --max-age 300 --dry-run -f checkout.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/checkout configured (dry run)
--- stderr
--- checkout.yaml (before)
+++ checkout.yaml (after)
@@ -5,7 +5,7 @@
   name: checkout
   namespace: shop
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure; HttpOnly; SameSite=Lax
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300; Secure; HttpOnly; SameSite=Lax
     kubectl-canary-traefik/entry: /checkout/login
 spec:
   provider: traefik

"#]]);
    assert_eq!(folder.read("podinfo.yaml"), example("podinfo.yaml"));
}

#[test]
fn standard_input_is_printed_with_the_change() {
    let set = |more: &str| {
        let manifest = format!("# before\n{}# after\n", canary("web", None));
        let line = format!("sticky set web --name login --max-age 300 -f -{more}");
        Run::new(line.split(' ')).stdin(manifest).run()
    };
    set("").shows(str![[r#"
exit: 0
--- stdout
# before
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: web
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
spec:
  provider: traefik
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
  service:
    port: 80
# after
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -4,6 +4,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    set(" -o yaml").shows(str![[r#"
exit: 0
--- stdout
# before
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: web
  annotations:
    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
spec:
  provider: traefik
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
  service:
    port: 80
# after
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -4,6 +4,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    set(" -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "flagger.app/v1beta1",
    "kind": "Canary",
    "metadata": {
        "annotations": {
            "kubectl-canary-traefik/sticky-cookie": "login; Max-Age=300"
        },
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
@@ -4,6 +4,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    set(" -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -4,6 +4,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    set(" --dry-run").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- stdin (before)
+++ stdin (after)
@@ -4,6 +4,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
}

#[test]
fn standard_input_is_printed_when_there_is_nothing_to_change() {
    Run::new(["sticky", "set", "web", "--name", "login", "-f", "-"])
        .stdin(canary("web", Some("login # as ever")))
        .run()
        .shows(str![[r#"
exit: 0
--- stdout
---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: web
  annotations:
    kubectl-canary-traefik/sticky-cookie: login # as ever
spec:
  provider: traefik
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
  service:
    port: 80
--- stderr

"#]]);
}

#[test]
fn a_format_prints_instead_of_changing_the_file() {
    let folder = examples();
    for format in ["yaml", "json"] {
        let output = run(&folder, &format!("sticky set checkout --unset max-age --yes -o {format} -f checkout.yaml"));
        assert_eq!(output.code, Some(0));
        if format == "yaml" {
            exactly(&output.stdout, example("checkout.yaml").replace(" Max-Age=120;", ""));
        } else {
            let value: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
            let declared = &value["metadata"]["annotations"]["kubectl-canary-traefik/sticky-cookie"];
            assert_eq!(declared, "login; Secure; HttpOnly; SameSite=Lax");
        }
    }
    assert_eq!(folder.read("checkout.yaml"), example("checkout.yaml"));
    run(&folder, "sticky set checkout --unset max-age --yes -o name -f checkout.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/checkout configured
--- stderr
--- checkout.yaml (before)
+++ checkout.yaml (after)
@@ -5,7 +5,7 @@
   name: checkout
   namespace: shop
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=120; Secure; HttpOnly; SameSite=Lax
+    kubectl-canary-traefik/sticky-cookie: login; Secure; HttpOnly; SameSite=Lax
     kubectl-canary-traefik/entry: /checkout/login
 spec:
   provider: traefik
warning CT020: shop/checkout: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare a Max-Age just over one login, for example 2m: kubectl canary-traefik sticky set checkout -n shop --max-age 2m

"#]]);
    assert_eq!(folder.read("checkout.yaml"), example("checkout.yaml").replace(" Max-Age=120;", ""));
}

#[test]
fn a_link_stays_a_link_and_its_file_gets_the_text_and_keeps_its_mode() {
    let folder = folder(&[("real/canary.yaml", &canary("web", Some("login")))]);
    let file = folder.path().join("real/canary.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("one's own file");
    symlink("real/canary.yaml", folder.path().join("link.yaml")).expect("a link can be made");
    run(&folder, "sticky set web --max-age 300 --yes -f link.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- link.yaml (before)
+++ link.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: web
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert!(fs::symlink_metadata(folder.path().join("link.yaml")).expect("the link is there").is_symlink());
    assert_eq!(folder.read("real/canary.yaml"), canary("web", Some("login; Max-Age=300")));
    assert_eq!(mode(&file), 0o640);
    assert_eq!(folder.names(), ["link.yaml", "real"]);
}

#[test]
fn a_folder_that_takes_no_other_file_leaves_the_file_as_it_was() {
    // The temporary file beside it would have a longer name than file systems take: that stops root too.
    let name = format!("{}.yaml", "a".repeat(249));
    let folder = folder(&[(&name, &canary("web", None))]);
    Run::new(["sticky", "set", "web", "--max-age", "300", "--yes", "-f", &name])
        .dir(folder.path())
        .redact(&name, "[LONG]")
        .run()
        .shows(str![[r#"
exit: 2
--- stdout
--- stderr
--- [LONG] (before)
+++ [LONG] (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:
error: cannot write `[LONG]`
caused by: file name too long

"#]]);
    assert_eq!(folder.read(&name), canary("web", None));
    assert_eq!(folder.names(), [name]);
}

#[test]
fn quotes_comments_and_line_ends_stay() {
    let manifest = canary("web", Some("'login'  # for the flow")).replace('\n', "\r\n");
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky set web --max-age 300 --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: web
   annotations:
-    kubectl-canary-traefik/sticky-cookie: 'login'  # for the flow
+    kubectl-canary-traefik/sticky-cookie: 'login; Max-Age=300'  # for the flow
 spec:
   provider: traefik
   targetRef:

"#]]);
    assert_eq!(folder.read("canary.yaml"), manifest.replace("'login'", "'login; Max-Age=300'"));
}

#[test]
fn a_tab_in_a_manifest_is_a_tab_in_the_diff() {
    let manifest = "{\n\t\"apiVersion\": \"flagger.app/v1beta1\",\n\t\"kind\": \"Canary\",\n\t\"metadata\": {\n\t\t\"name\": \"web\"\n\t},\n\t\"spec\": {\"targetRef\": {\"name\": \"web\"}}\n}\n";
    run(&folder(&[("canary.json", manifest)]), "sticky set web --max-age 300 --dry-run -f canary.json").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
warning: Canary `web` has no spec.provider, and Flagger's default provider (-mesh-provider) is unknown. If it is not traefik, the cookie has no effect; to be sure, set spec.provider: traefik
--- canary.json (before)
+++ canary.json (after)
@@ -2,7 +2,10 @@
 	"apiVersion": "flagger.app/v1beta1",
 	"kind": "Canary",
 	"metadata": {
-		"name": "web"
+		"name": "web",
+		"annotations": {
+			"kubectl-canary-traefik/sticky-cookie": "; Max-Age=300"
+		}
 	},
 	"spec": {"targetRef": {"name": "web"}}
 }

"#]]);
}

#[test]
fn the_native_field_is_changed_where_it_is_used_and_the_annotation_goes() {
    let manifest = canary("web", Some("old")) + "    traefik:\n      sticky:\n        cookie:\n          name: sso\n";
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky set web --same-site lax --yes -f canary.yaml").shows(str![[r#"
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
-    kubectl-canary-traefik/sticky-cookie: old
 spec:
   provider: traefik
   targetRef:
@@ -17,3 +15,4 @@
       sticky:
         cookie:
           name: sso
+          sameSite: lax
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set web --entry /login --max-age 2m

"#]]);
    exactly(
        &folder.read("canary.yaml"),
        str![[r#"
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
    traefik:
      sticky:
        cookie:
          name: sso
          sameSite: lax

"#]],
    );
}

#[test]
fn one_of_a_list_is_changed_and_the_others_stay() {
    let item = |name: &str| {
        let head = "apiVersion: flagger.app/v1beta1\n  kind: Canary";
        format!("- {head}\n  spec: {{targetRef: {{name: {name}}}}}\n  metadata:\n    name: {name}\n")
    };
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}{}", item("a"), item("b"));
    let folder = folder(&[("list.yaml", &list)]);
    run(&folder, "sticky set b --max-age 300 --yes -f list.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/b configured
--- stderr
warning: Canary `b` has no spec.provider, and Flagger's default provider (-mesh-provider) is unknown. If it is not traefik, the cookie has no effect; to be sure, set spec.provider: traefik
--- list.yaml (before)
+++ list.yaml (after)
@@ -11,3 +11,5 @@
   spec: {targetRef: {name: b}}
   metadata:
     name: b
+    annotations:
+      kubectl-canary-traefik/sticky-cookie: ; Max-Age=300

"#]]);
    let declaration = "    name: b\n    annotations:\n      kubectl-canary-traefik/sticky-cookie: ; Max-Age=300\n";
    assert_eq!(folder.read("list.yaml"), list.replace("    name: b\n", declaration));
}

#[test]
fn one_of_several_namespaces_is_changed() {
    let manifest = in_namespace("shop", &canary("web", None)) + &in_namespace("sso", &canary("web", None));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky set web --max-age 300 -n sso --yes -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -18,6 +18,8 @@
 metadata:
   namespace: sso
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
}

#[test]
fn findings_of_the_result_are_said() {
    let manifest = canary("web", Some("login; Max-Age=300"));
    let folder = folder(&[("canary.yaml", &manifest)]);
    run(&folder, "sticky set web --same-site none --max-age -1 --dry-run -f canary.yaml").shows(str![[r#"
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
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=-1; SameSite=None
 spec:
   provider: traefik
   targetRef:
error CT004: web: browsers reject a cookie with SameSite=None that is not Secure
  fix: use --same-site lax, or: kubectl canary-traefik sticky set web --secure
error CT006: web: with Max-Age=-1 browsers delete the cookie at once, so no user stays on a track
  fix: use a positive --max-age

"#]]);
    run(&folder, "sticky set web --unset max-age --dry-run -f canary.yaml").shows(str![[r#"
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
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
+    kubectl-canary-traefik/sticky-cookie: login
 spec:
   provider: traefik
   targetRef:
warning CT020: web: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set web --entry /login --max-age 2m

"#]]);
}

#[test]
fn what_cannot_be_edited_in_place_is_said_with_what_to_write() {
    let anchor = "a: &all {}\n".to_owned()
        + &canary("web", None).replace("---\n", "").replace("spec:", "  annotations: *all\nspec:");
    run(&folder(&[("canary.yaml", &anchor)]), "sticky set web --max-age 300 --yes -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot edit canary.yaml:1 in place: `metadata.annotations` is an alias of what is written elsewhere
hint: edit it by hand, so that it says
  metadata:
    annotations:
      kubectl-canary-traefik/sticky-cookie: ; Max-Age=300

"#]]);
}

#[test]
fn scope_flags_that_change_nothing_here_are_taken() {
    let folder = folder(&[("canary.yaml", &canary("web", None))]);
    let line = "sticky set web --max-age 300 --declare-only --force-conflicts --dry-run=none --yes -f canary.yaml";
    run(&folder, line).shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   provider: traefik
   targetRef:

"#]]);
}
