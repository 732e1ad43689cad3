//! Wrong manifests: what is said, where it is, and the exit code.

use std::os::unix::fs::symlink;

use snapbox::str;
use testbed::run::{Output, Run};

use crate::manifests::{canary, folder, in_namespace, in_repository, over, run};

fn declares(text: &str) -> Output {
    over(&canary("web", Some(text)), "diff -f canary.yaml")
}

#[test]
fn every_error_of_a_declaration_names_the_part_and_what_is_allowed() {
    for (text, expected) in [
        (
            "a b",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 1: `a b`: the first part must be the cookie's name alone, which may contain only letters, digits and !#$%&'*+-.^_`|~; begin with ; to leave the name to Traefik
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "Path=/",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 1: `Path=/`: the first part must be the cookie's name alone, which may contain only letters, digits and !#$%&'*+-.^_`|~; begin with ; to leave the name to Traefik
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login;",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 7: an attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite)
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; ; Secure",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: an attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite)
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Expires=0",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Expires=0`: unknown attribute; allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Max-Age",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Max-Age`: must be whole seconds of at most ten digits, such as 300
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Max-Age=5m",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Max-Age=5m`: must be whole seconds of at most ten digits, such as 300
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Path=sso",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Path=sso`: must start with / and contain only printable ASCII characters, no spaces or semicolons
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Domain=bad_domain",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Domain=bad_domain`: must be a domain name, such as example.com
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Secure=true",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Secure=true`: it takes no value
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; Secure; Path=/; secure",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 24: `Secure`: is given more than once
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "login; SameSite=Maybe",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 8: `SameSite=Maybe`: must be None, Lax or Strict
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "lögin",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 2: it contains a character that is not printable ASCII
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "300",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 1: `300`: it is not a string: put it in quotes
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "yes",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 1: `true`: it is not a string: put it in quotes
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
        (
            "[login]",
            str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 1: `["login"]`: it is not a string: put it in quotes
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]],
        ),
    ] {
        declares(text).shows(expected);
    }
    declares(&"a".repeat(1025)).shows(str![[r#"
exit: 1
--- stdout
--- stderr
error CT038: web: annotation kubectl-canary-traefik/sticky-cookie, column 1: it is longer than 1024 characters
  fix: correct the annotation, or delete it with sticky remove and set the cookie again

"#]]);
}

#[test]
fn what_is_malformed_is_not_changed_but_can_be_taken_away() {
    over(&canary("web", Some("login; Path=sso")), "sticky set web --path /sso -f canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the declaration of Canary `web` is malformed, so it cannot be changed field by field
caused by: `Path=sso`: must start with / and contain only printable ASCII characters, no spaces or semicolons
hint: kubectl canary-traefik sticky remove web -f canary.yaml removes it

"#]]);
    over(&canary("web", Some("login; Path=sso")), "sticky set web --path /sso -R -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the declaration of Canary `web` is malformed, so it cannot be changed field by field
caused by: `Path=sso`: must start with / and contain only printable ASCII characters, no spaces or semicolons
hint: kubectl canary-traefik sticky remove web -f . -R removes it

"#]]);
}

fn not_yaml(text: impl AsRef<[u8]>) -> Output {
    let folder = folder(&[]);
    folder.write("bad.yaml", text);
    run(&folder, "show -f bad.yaml")
}

#[test]
fn what_is_not_yaml_is_told_by_line_and_column() {
    not_yaml("kind: [a\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:7: unclosed bracket '['

"#]]);
    not_yaml(canary("web", None) + "---\nkind: B\n  x: 1\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:16:4: mapping values are not allowed in this context

"#]]);
    not_yaml("kind: A\nkind: B\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:2:1: duplicate mapping key `kind` is not allowed here

"#]]);
    not_yaml("kind: A\n\tb: c\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:7: while scanning a plain scalar, found a tab

"#]]);
    not_yaml("kind: \"A\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:7: unclosed quote

"#]]);
    not_yaml("kind: *x\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:7: reference to unknown value

"#]]);
    not_yaml("a: &a [*a]\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:8: recursive reference not allowed here

"#]]);
    not_yaml("kind: A\nx: .nan\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:2:4: value `.nan` is not a finite number

"#]]);
    not_yaml("? [a, b]\n: c\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:3: expected string scalar

"#]]);
    not_yaml("%YAML 3.0\n---\nkind: A\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:1: unsupported YAML major version

"#]]);
    not_yaml("kind: A\0B\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:8: unexpected character `\u{0}`

"#]]);
    not_yaml("kind: {{ .Values.kind }}\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:8: expected string scalar
hint: this looks like a template; render it and pipe the result: helm template DIR | kubectl canary-traefik … -f -

"#]]);
    not_yaml("{\"kind\": \"A\"\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1:1: unclosed bracket '{'

"#]]);
}

#[test]
fn what_is_not_text_is_told_by_its_offset() {
    not_yaml(b"kind: \xff\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `bad.yaml` is not UTF-8 text: the byte at offset 6 is not part of a character

"#]]);
    Run::new(["show", "-f", "-"]).stdin(b"\xfe\xff").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: standard input is not UTF-8 text: the byte at offset 0 is not part of a character

"#]]);
}

#[test]
fn what_has_no_object_is_said() {
    not_yaml("").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Kubernetes object in `bad.yaml`

"#]]);
    not_yaml("# nothing\n---\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Kubernetes object in `bad.yaml`

"#]]);
    not_yaml("replicas: 1\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1: this has no `kind`, so it is not a Kubernetes object

"#]]);
    not_yaml("kind: A\n---\n- a\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:3: this is not a mapping, so it is not a Kubernetes object

"#]]);
    not_yaml("just words\n").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: bad.yaml:1: this is not a mapping, so it is not a Kubernetes object

"#]]);
    Run::new(["diff", "-f", "-"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Kubernetes object in standard input

"#]]);
    run(&folder(&[("a.yaml", ""), ("b.yaml", "# b\n")]), "show -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Kubernetes object in the 2 files read

"#]]);
}

#[test]
fn what_cannot_be_read_is_named_with_the_cause() {
    let folder = folder(&[("dir/readme.txt", "x")]);
    symlink("nowhere", folder.path().join("dangling.yaml")).expect("a link can be made");
    run(&folder, "show -f missing.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read `missing.yaml`
caused by: no such file or directory

"#]]);
    run(&folder, "show -f dangling.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read `dangling.yaml`
caused by: no such file or directory

"#]]);
    run(&folder, "show -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no Kubernetes object in the input
caused by: ./dangling.yaml: skipped, cannot be read: no such file or directory

"#]]);
    run(&folder, "show -f dir").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no manifest in `dir`: no file ends in .json, .yaml or .yml
hint: to search subdirectories too: -R -f dir

"#]]);
    run(&folder, "show -R -f dir").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no manifest in `dir`: no file ends in .json, .yaml or .yml

"#]]);
    run(&folder, "show -f dir/readme.txt/a.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot read `dir/readme.txt/a.yaml`
caused by: not a directory

"#]]);
    run(&folder, "show -f https://example.com/canary.yaml").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: -f does not read URLs: `https://example.com/canary.yaml`
hint: curl -fsSL https://example.com/canary.yaml | kubectl canary-traefik … -f -

"#]]);
    run(&folder, "show -f - -f -").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: standard input (`-`) can be read only once

"#]]);
    Run::new(["show", "-f", ""]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: a value is required for '--filename <FILE>' but none was supplied

For more information, try '--help'.

"#]]);
}

#[test]
fn a_broken_file_among_others_can_be_left_out() {
    run(&folder(&[("a.yaml", &canary("a", None)), ("b.yaml", "kind: [\n")]), "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
a      <none>   <none>   <none>   none    -           <unknown>
--- stderr
warning: ./b.yaml:1:7: skipped, cannot be read as YAML

"#]]);
}

#[test]
fn an_unknown_canary_is_answered_with_those_that_are_there() {
    in_repository("sticky get podinf -f examples").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinf` in the files
hint: did you mean `podinfo`?

"#]]);
    in_repository("show payment -f examples").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `payment` in the files
hint: Canaries in the files: checkout, podinfo

"#]]);
    in_repository("render podinfo -f examples/route.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in the files
hint: no document is a Canary (flagger.app/v1beta1)

"#]]);
    in_repository("sticky set podinfo --name a -n sso -f examples").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinfo` in namespace `sso` in the files
hint: use -n shop

"#]]);
    in_repository("diff podinf -n shop -f examples").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinf` in namespace `shop` in the files
hint: did you mean `podinfo`?

"#]]);
    let two = in_namespace("sso", &canary("web", None)) + &in_namespace("shop", &canary("idp", None));
    over(&two, "sticky remove payment -n shop -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `payment` in namespace `shop` in the files
hint: Canaries in the files: idp

"#]]);
    let many: String = (1..=12).map(|number| canary(&format!("web-{number}"), None)).collect();
    over(&many, "sticky get checkout -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `checkout` in the files
hint: Canaries in the files: web-1, web-10, web-11, web-12, web-2, web-3, web-4, web-5, web-6, web-7 and 2 more

"#]]);
    over(&two, "sticky remove web -n shop -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `web` in namespace `shop` in the files
hint: use -n sso

"#]]);
}

#[test]
fn the_same_canary_twice_is_not_guessed_at() {
    let folder = folder(&[("a.yaml", &canary("web", None)), ("b.yaml", &canary("web", Some("login")))]);
    run(&folder, "sticky set web --name a --yes -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: more than one Canary is named `web`: ./a.yaml:2, ./b.yaml:2
hint: use -f ./a.yaml
hint: use -f ./b.yaml

"#]]);
    run(&folder, "sticky get web -f a.yaml -f b.yaml").shows(str![[r#"
exit: 0
--- stdout
a.yaml:2:
state       none (nothing is declared)
protected   -

b.yaml:2:
FIELD   DECLARED   LIVE
name    login      <unset>

state       pending (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
    run(&folder, "render web -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: more than one Canary is named `web`: ./a.yaml:2, ./b.yaml:2
hint: use -f ./a.yaml
hint: use -f ./b.yaml

"#]]);
    assert_eq!(folder.read("a.yaml"), canary("web", None));
}

#[test]
fn a_canary_that_is_not_on_traefik_is_left_alone() {
    let manifest = canary("web", Some("login")).replace("provider: traefik", "provider: istio");
    let folder = folder(&[("canary.yaml", &manifest)]);
    for command in [
        "show web",
        "diff web",
        "render web",
        "sticky get web",
        "sticky set web --secure --yes",
        "sticky remove web -y",
    ] {
        run(&folder, &format!("{command} -f canary.yaml")).shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `web` is not on Traefik
caused by: its spec.provider is `istio`

"#]]);
    }
    assert_eq!(folder.read("canary.yaml"), manifest);
    // Which provider is meant when none is named cannot be seen in a manifest.
    let unsaid = canary("web", None).replace("  provider: traefik\n", "");
    over(&unsaid, "sticky set web --max-age 300 --dry-run -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
warning: Canary `web` has no spec.provider, and Flagger's default provider (-mesh-provider) is unknown. If it is not traefik, the cookie has no effect; to be sure, set spec.provider: traefik
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
 spec:
   targetRef:
     apiVersion: apps/v1

"#]]);
}
