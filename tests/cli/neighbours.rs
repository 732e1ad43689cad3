//! Folders as people have them: Canaries beside files of every other kind. What is foreign or unreadable is skipped with
//! a warning; what might hold a Canary is not.

use std::os::unix::fs::{PermissionsExt, symlink};

use snapbox::str;
use testbed::directory::Directory;

use crate::manifests::{canary, folder, run};

/// Files that are YAML and no Kubernetes objects, or objects of other kinds: nothing is said about them.
const FOREIGN: [(&str, &str); 12] = [
    ("stack.yaml", "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Name: !Sub \"${AWS::StackName}-b\"\n"),
    (".gitlab-ci.yml", "build:\n  script:\n  - !reference [.setup, script]\n"),
    ("configuration.yaml", "automation: !include automations.yaml\npassword: !secret key\n"),
    ("mkdocs.yml", "extensions:\n- emoji:\n    index: !!python/name:material.emoji\n"),
    ("openapi.yaml", "openapi: 3.0.0\nkind: foo\npaths: {}\n"),
    ("number.yaml", "kind: 5\n"),
    ("anchors.yaml", "x: &x {a: 1}\ny:\n  <<: *x\n"),
    ("empty.yaml", ""),
    ("scalar.json", "\"text\"\n"),
    ("array.json", "[1, {\"kind\": \"x\"}, null]\n"),
    ("data.json", "{\"a\": 1}\n{\"a\": 2}\n"),
    ("variables.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${NAME}\ndata: {x: \"${X:=1}\"}\n"),
];

/// Files that are not YAML, or not readable as such: each is skipped with one warning.
const BROKEN: [(&str, &str); 7] = [
    ("at.yaml", "image: @IMAGE@\n"),
    ("brace.yaml", "image: {registry}/a:1\n---\nimage: {registry}/b:1\n"),
    ("conflict.yaml", "apiVersion: v1\n<<<<<<< HEAD\nkind: ConfigMap\n=======\nkind: Secret\n>>>>>>> x\n"),
    ("keys.yaml", "kind: ConfigMap\ndata:\n  a: x\n  a: y\n"),
    ("tabs.yaml", "a:\n\tb: 1\n"),
    ("jinja.yml", "a: 1\n{% if x %}\nb: 2\n{% endif %}\n"),
    ("nul.yaml", "a: \u{0}\n"),
];

#[test]
fn a_foreign_neighbour_is_not_worth_a_word() {
    let folder = folder(&FOREIGN);
    folder.write("shop.yaml", canary("shop", None));
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
shop   <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    run(&folder, "sticky set shop --max-age 60 --yes -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
--- stderr
--- ./shop.yaml (before)
+++ ./shop.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: shop
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   provider: traefik
   targetRef:

"#]]);
}

#[test]
fn a_broken_neighbour_is_skipped_with_a_warning() {
    let folder = folder(&BROKEN);
    folder.write("shop.yaml", canary("shop", None));
    folder.write("latin-1.yaml", b"name: caf\xe9\n");
    folder.write("deep.json", "[".repeat(300) + &"]".repeat(300));
    symlink("nowhere", folder.path().join("dangling.yaml")).expect("a link can be made");
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
shop   <none>   <none>   <none>   none    -           <unknown>
--- stderr
warning: ./at.yaml:1:8: skipped, cannot be read as YAML
warning: ./brace.yaml:1:18: skipped, cannot be read as YAML
warning: ./conflict.yaml:2:1: skipped, cannot be read as YAML
warning: ./dangling.yaml: skipped, cannot be read: no such file or directory
warning: ./deep.json:1:256: skipped, cannot be read as YAML
warning: ./keys.yaml:4:3: skipped, cannot be read as YAML
warning: ./latin-1.yaml: skipped, not UTF-8 text
warning: ./nul.yaml:1:4: skipped, cannot be read as YAML
warning: ./tabs.yaml:2:2: skipped, cannot be read as YAML
warning: ./jinja.yml:2:2: skipped, a template

"#]]);
    run(&folder, "sticky set shop --max-age 60 --yes -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
--- stderr
warning: ./at.yaml:1:8: skipped, cannot be read as YAML
warning: ./brace.yaml:1:18: skipped, cannot be read as YAML
warning: ./conflict.yaml:2:1: skipped, cannot be read as YAML
warning: ./dangling.yaml: skipped, cannot be read: no such file or directory
warning: ./deep.json:1:256: skipped, cannot be read as YAML
warning: ./keys.yaml:4:3: skipped, cannot be read as YAML
warning: ./latin-1.yaml: skipped, not UTF-8 text
warning: ./nul.yaml:1:4: skipped, cannot be read as YAML
warning: ./tabs.yaml:2:2: skipped, cannot be read as YAML
warning: ./jinja.yml:2:2: skipped, a template
--- ./shop.yaml (before)
+++ ./shop.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: shop
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   provider: traefik
   targetRef:

"#]]);
    run(&folder, "diff -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
warning: ./at.yaml:1:8: skipped, cannot be read as YAML
warning: ./brace.yaml:1:18: skipped, cannot be read as YAML
warning: ./conflict.yaml:2:1: skipped, cannot be read as YAML
warning: ./dangling.yaml: skipped, cannot be read: no such file or directory
warning: ./deep.json:1:256: skipped, cannot be read as YAML
warning: ./keys.yaml:4:3: skipped, cannot be read as YAML
warning: ./latin-1.yaml: skipped, not UTF-8 text
warning: ./nul.yaml:1:4: skipped, cannot be read as YAML
warning: ./tabs.yaml:2:2: skipped, cannot be read as YAML
warning: ./jinja.yml:2:2: skipped, a template
shop: not compared: its TraefikService is not in the files (to compare with the cluster: --live)

"#]]);
}

#[test]
fn what_is_broken_and_mentions_a_canary_or_its_cookie_is_refused() {
    let refused = |name: &str, text: &[u8]| {
        let folder = folder(&[("shop.yaml", &canary("shop", None))]);
        folder.write(name, text);
        let shown = run(&folder, "show -f .");
        let changed = run(&folder, "sticky set shop --max-age 60 --yes -f .");
        assert_eq!((changed.code, &changed.stderr), (shown.code, &shown.stderr));
        assert_eq!(folder.read("shop.yaml"), canary("shop", None));
        shown
    };
    let broken = canary("cart", None) + "  analysis: {\n";
    refused("cart.yaml", broken.as_bytes()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: ./cart.yaml:14:13: unclosed bracket '{'
caused by: line 3 mentions a Canary or its cookie, so the file is not skipped
hint: fix the file, or name only the other files: -f FILE -f FILE

"#]]);
    refused(
        "patch.yaml",
        b"- op: add\n  path: /metadata/annotations/kubectl-canary-traefik~1sticky-cookie\n  - value\n",
    )
    .shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: ./patch.yaml:3:5: while parsing a block mapping, did not find expected key
caused by: line 2 mentions a Canary or its cookie, so the file is not skipped
hint: fix the file, or name only the other files: -f FILE -f FILE

"#]]);
    refused("nul.yaml", (canary("cart", None) + "# \0\n").as_bytes()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: ./nul.yaml:14:3: unexpected character `\u{0}`
caused by: line 3 mentions a Canary or its cookie, so the file is not skipped
hint: fix the file, or name only the other files: -f FILE -f FILE

"#]]);
    let mut bytes = (canary("cart", None) + "# caf").into_bytes();
    bytes.push(0xe9);
    refused("latin-1.yaml", &bytes).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `./latin-1.yaml` is not UTF-8 text: the byte at offset 200 is not part of a character
caused by: line 3 mentions a Canary or its cookie, so the file is not skipped
hint: fix the file, or name only the other files: -f FILE -f FILE

"#]]);
    let utf_16: Vec<u8> = canary("cart", None).encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused("utf-16.yaml", &[b"\xff\xfe", &utf_16[..]].concat()).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `./utf-16.yaml` is not UTF-8 text: the byte at offset 0 is not part of a character
caused by: line 3 mentions a Canary or its cookie, so the file is not skipped
hint: fix the file, or name only the other files: -f FILE -f FILE

"#]]);
    refused("cart.json", b"{\"apiVersion\": \"flagger.app/v1beta1\", \"kind\": \"Canary\"\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: ./cart.json:1:1: unclosed bracket '{'
caused by: line 1 mentions a Canary or its cookie, so the file is not skipped
hint: fix the file, or name only the other files: -f FILE -f FILE

"#]]);
}

#[test]
fn a_comment_about_canaries_is_no_canary() {
    let folder = folder(&[("a.yaml", "# kind: Canary of flagger.app/v1beta1\na: @b\n")]);
    folder.write("shop.yaml", canary("shop", None));
    run(&folder, "show -f . -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop
--- stderr
warning: ./a.yaml:2:4: skipped, cannot be read as YAML

"#]]);
}

#[test]
fn many_broken_neighbours_are_counted() {
    let folder = Directory::new();
    for number in 10..30 {
        folder.write(&format!("broken/{number}.yaml"), "a: @b\n");
    }
    folder.write("shop.yaml", canary("shop", None));
    run(&folder, "show -R -f . -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop
--- stderr
warning: ./broken/10.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/11.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/12.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/13.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/14.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/15.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/16.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/17.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/18.yaml:1:4: skipped, cannot be read as YAML
warning: ./broken/19.yaml:1:4: skipped, cannot be read as YAML
warning: and 10 more files skipped

"#]]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "looks at whether the folder can be listed")]
fn a_folder_that_cannot_be_listed_is_skipped() {
    let folder = folder(&[("shop.yaml", &canary("shop", None)), ("secret/a.yaml", "a: 1\n")]);
    let secret = folder.path().join("secret");
    let mode = |mode| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(0o000);
    // The superuser may list it nevertheless.
    let may_list = std::fs::read_dir(&secret).is_ok();
    let shown = run(&folder, "show -R -f . -o name");
    mode(0o700);
    if may_list {
        shown.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop
--- stderr

"#]]);
    } else {
        shown.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop
--- stderr
warning: ./secret: skipped, cannot be read: permission denied

"#]]);
    }
}

#[test]
fn templates_are_counted_by_chart_and_those_with_a_canary_are_named() {
    let template = "{{- if .Values.canary }}\n".to_owned() + &canary("{{ .Release.Name }}", None) + "{{- end }}\n";
    let folder = folder(&[
        ("shop.yaml", &canary("shop", None)),
        ("charts/web/Chart.yaml", "name: web\n"),
        ("charts/web/values.yaml", "canary: true\n"),
        ("charts/web/templates/canary.yaml", &template),
        ("charts/web/templates/hpa/a.yaml", "a: {{ .Values.a }}\n"),
        ("charts/web/templates/service.yaml", "a: {{ .Values.a }}\n"),
        ("charts/db/Chart.yaml", "name: db\n"),
        ("charts/db/templates/a.yaml", "a: {{ .Values.a }}\n"),
        ("charts/db/templates/b.yaml", "a: {{ .Values.a }}\n"),
        ("ansible/a.yml", "a: {{ a }}\n"),
        ("ansible/b.yml", "{% if b %}\nb: 1\n{% endif %}\n"),
    ]);
    run(&folder, "show -R -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
shop   <none>   <none>   <none>   none    -           <unknown>
--- stderr
warning: ./ansible: 2 templates skipped
warning: ./charts/db: 2 Helm templates skipped
warning: ./charts/web: 3 Helm templates skipped; with a Canary in: ./charts/web/templates/canary.yaml:4

"#]]);
    run(&folder, "show -f charts/web/templates").shows(str![[r#"
exit: 0
--- stdout
--- stderr
warning: charts/web: 2 Helm templates skipped; with a Canary in: charts/web/templates/canary.yaml:4
No resources found

"#]]);
}

#[test]
fn json_values_in_a_row_are_read_and_edited_one_by_one() {
    let canary = |name: &str| {
        format!(
            "{{\"apiVersion\":\"flagger.app/v1beta1\",\"kind\":\"Canary\",\"metadata\":{{\"name\":\"{name}\"}},\
             \"spec\":{{\"provider\":\"traefik\",\"targetRef\":{{\"name\":\"{name}\"}}}}}}"
        )
    };
    let folder = folder(&[("all.json", &format!("{}\n{} {}\n", canary("a"), canary("b"), canary("c")))]);
    run(&folder, "show -f all.json -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a
canary.flagger.app/b
canary.flagger.app/c
--- stderr

"#]]);
    run(&folder, "sticky set b --max-age 60 --yes -f all.json").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/b configured
--- stderr
--- all.json (before)
+++ all.json (after)
@@ -1,2 +1,2 @@
 {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"a"},"spec":{"provider":"traefik","targetRef":{"name":"a"}}}
-{"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"b"},"spec":{"provider":"traefik","targetRef":{"name":"b"}}} {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"c"},"spec":{"provider":"traefik","targetRef":{"name":"c"}}}
+{"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"b","annotations":{"kubectl-canary-traefik/sticky-cookie":"; Max-Age=60"}},"spec":{"provider":"traefik","targetRef":{"name":"b"}}} {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"c"},"spec":{"provider":"traefik","targetRef":{"name":"c"}}}

"#]]);
    run(&folder, "sticky remove b --yes -f all.json").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/b configured
--- stderr
--- all.json (before)
+++ all.json (after)
@@ -1,2 +1,2 @@
 {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"a"},"spec":{"provider":"traefik","targetRef":{"name":"a"}}}
-{"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"b","annotations":{"kubectl-canary-traefik/sticky-cookie":"; Max-Age=60"}},"spec":{"provider":"traefik","targetRef":{"name":"b"}}} {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"c"},"spec":{"provider":"traefik","targetRef":{"name":"c"}}}
+{"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"b"},"spec":{"provider":"traefik","targetRef":{"name":"b"}}} {"apiVersion":"flagger.app/v1beta1","kind":"Canary","metadata":{"name":"c"},"spec":{"provider":"traefik","targetRef":{"name":"c"}}}

"#]]);
    assert_eq!(folder.read("all.json"), format!("{}\n{} {}\n", canary("a"), canary("b"), canary("c")));
}

#[test]
fn files_can_be_listed_with_commas_and_matched_by_patterns() {
    let folder = folder(&[("a.yaml", &canary("a", None)), ("b.yaml", &canary("b", None)), ("b.md", "# b\n")]);
    run(&folder, "show -o name -f a.yaml,b.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a
canary.flagger.app/b
--- stderr

"#]]);
    run(&folder, "show -o name -f *.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a
canary.flagger.app/b
--- stderr

"#]]);
    run(&folder, "show -o name -f b*").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/b
--- stderr

"#]]);
    run(&folder, "show -o name -f *.json").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no file matches `*.json`

"#]]);
    run(&folder, "sticky set b --max-age 60 --yes -f *.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/b configured
--- stderr
--- b.yaml (before)
+++ b.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: b
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   provider: traefik
   targetRef:

"#]]);
}
