//! `show -f`.

use snapbox::str;
use testbed::run::Run;

use crate::manifests::{canary, folder, in_namespace, in_repository, over, run, service};

/// One Canary in each state that manifests can be in.
fn every_state() -> String {
    let foreign = service("foreign", None).replace(
        "  name: foreign\nspec",
        "  name: foreign\n  ownerReferences:\n  - {apiVersion: apps/v1, kind: Deployment, name: web, uid: x, controller: true}\nspec",
    );
    let native = canary("native", None) + "    traefik: {sticky: {cookie: {name: sso, httpOnly: true}}}\n";
    [
        canary("differs", Some("login; Max-Age=300")),
        service("differs", Some("{cookie: {name: login, maxAge: 60}}")),
        canary("foreign", Some("login")),
        foreign,
        canary("malformed", Some("login; Expires=0")),
        service("malformed", Some("{cookie: {name: login}}")),
        canary("missing", Some("login; Max-Age=300; Path=/sso; Domain=example.com; Secure; HttpOnly; SameSite=Lax")),
        service("missing", None),
        native,
        canary("none", None),
        service("none", None).replace("      weight: 30\n", ""),
        canary("pending", Some("; HttpOnly")),
        canary("synced", Some("login; Max-Age=300")),
        service("synced", Some("{cookie: {maxAge: 300, name: login}}")),
        canary("undeclared", None),
        service("undeclared", Some("{cookie: {}}")),
    ]
    .concat()
}

#[test]
fn the_examples_are_shown() {
    in_repository("show -f examples").shows(str![[r#"
exit: 0
--- stdout
NAME       PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
checkout   <none>   80/20    login    missing   <unknown>   <unknown>
podinfo    <none>   <none>   <none>   none      -           <unknown>
--- stderr

"#]]);
}

#[test]
fn every_state_has_its_word() {
    over(&every_state(), "show -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
NAME         PHASE    WEIGHT   COOKIE      STATE        PROTECTED   AGE
differs      <none>   70/30    login       differs      <unknown>   <unknown>
foreign      <none>   <none>   login       pending      <unknown>   <unknown>
malformed    <none>   70/30    login       malformed    none        <unknown>
missing      <none>   70/30    login       missing      <unknown>   <unknown>
native       <none>   <none>   sso         pending      flagger     <unknown>
none         <none>   70/1     <none>      none         -           <unknown>
pending      <none>   <none>   <derived>   pending      <unknown>   <unknown>
synced       <none>   70/30    login       synced       <unknown>   <unknown>
undeclared   <none>   70/30    <derived>   undeclared   none        <unknown>
--- stderr

"#]]);
}

#[test]
fn wide_rows_say_what_is_compared() {
    over(&every_state(), "show -f canary.yaml -o wide").shows(str![[r#"
exit: 0
--- stdout
NAME         PHASE    WEIGHT   COOKIE      STATE        PROTECTED   AGE         TRAEFIKSERVICE          DECLARED                                                                            LIVE                 ENTRY
differs      <none>   70/30    login       differs      <unknown>   <unknown>   traefik.io/differs      login; Max-Age=300                                                                  login; Max-Age=60    <none>
foreign      <none>   <none>   login       pending      <unknown>   <unknown>   traefik.io/foreign      login                                                                               <none>               <none>
malformed    <none>   70/30    login       malformed    none        <unknown>   traefik.io/malformed    login; Expires=0                                                                    login                <none>
missing      <none>   70/30    login       missing      <unknown>   <unknown>   traefik.io/missing      login; Max-Age=300; Path=/sso; Domain=example.com; Secure; HttpOnly; SameSite=Lax   <none>               <none>
native       <none>   <none>   sso         pending      flagger     <unknown>   <none>                  sso; HttpOnly                                                                       <none>               <none>
none         <none>   70/1     <none>      none         -           <unknown>   traefik.io/none         <none>                                                                              <none>               <none>
pending      <none>   <none>   <derived>   pending      <unknown>   <unknown>   <none>                  ; HttpOnly                                                                          <none>               <none>
synced       <none>   70/30    login       synced       <unknown>   <unknown>   traefik.io/synced       login; Max-Age=300                                                                  login; Max-Age=300   <none>
undeclared   <none>   70/30    <derived>   undeclared   none        <unknown>   traefik.io/undeclared   <none>                                                                              <derived>            <none>
--- stderr

"#]]);
}

#[test]
fn yaml_and_json_are_a_list_of_reports() {
    let two = [canary("a", Some("login; Max-Age=300; Secure")), service("a", None), canary("b", Some("c;"))].concat();
    over(&two, "show -f canary.yaml -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
items:
- declared:
    cookie:
      maxAge: 300
      name: login
      secure: true
    source: annotation
  entry: null
  findings: []
  live: null
  manifest:
    file: canary.yaml
    line: 2
    patches: []
  name: a
  phase: null
  protectedBy: unknown
  state: missing
  traefikService:
    apiVersion: traefik.io/v1alpha1
    name: a
    status: present
  weights:
    canary: 30
    primary: 70
- declared:
    error: an attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite)
    source: annotation
  entry: null
  findings:
  - code: CT038
    help: correct the annotation, or delete it with sticky remove and set the cookie again
    message: "annotation kubectl-canary-traefik/sticky-cookie, column 3: an attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite)"
    severity: error
  live: null
  manifest:
    file: canary.yaml
    line: 31
    patches: []
  name: b
  phase: null
  protectedBy: none
  state: malformed
  traefikService:
    name: b
    status: notGenerated
  weights:
    canary: null
    primary: null
kind: StickyReportList
--- stderr

"#]]);
    over(&two, "show -f canary.yaml -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [
        {
            "declared": {
                "cookie": {
                    "maxAge": 300,
                    "name": "login",
                    "secure": true
                },
                "source": "annotation"
            },
            "entry": null,
            "findings": [],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 2,
                "patches": []
            },
            "name": "a",
            "phase": null,
            "protectedBy": "unknown",
            "state": "missing",
            "traefikService": {
                "apiVersion": "traefik.io/v1alpha1",
                "name": "a",
                "status": "present"
            },
            "weights": {
                "canary": 30,
                "primary": 70
            }
        },
        {
            "declared": {
                "error": "an attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite)",
                "source": "annotation"
            },
            "entry": null,
            "findings": [
                {
                    "code": "CT038",
                    "help": "correct the annotation, or delete it with sticky remove and set the cookie again",
                    "message": "annotation kubectl-canary-traefik/sticky-cookie, column 3: an attribute is missing after a ; (allowed are Max-Age, Path, Domain, Secure, HttpOnly, SameSite)",
                    "severity": "error"
                }
            ],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 31,
                "patches": []
            },
            "name": "b",
            "phase": null,
            "protectedBy": "none",
            "state": "malformed",
            "traefikService": {
                "name": "b",
                "status": "notGenerated"
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

"#]]);
    over(&two, "show -f canary.yaml -l nothing=here -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [],
    "kind": "StickyReportList"
}
--- stderr

"#]]);
}

#[test]
fn one_that_is_named_is_one_report() {
    let two = [canary("a", Some("login; Max-Age=300")), canary("b", None)].concat();
    over(&two, "show a -f canary.yaml -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
declared:
  cookie:
    maxAge: 300
    name: login
  source: annotation
entry: null
findings: []
kind: StickyReport
live: null
manifest:
  file: canary.yaml
  line: 2
  patches: []
name: a
phase: null
protectedBy: unknown
state: pending
traefikService:
  name: a
  status: notGenerated
weights:
  canary: null
  primary: null
--- stderr

"#]]);
    over(&two, "show a b -f canary.yaml -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [
        {
            "declared": {
                "cookie": {
                    "maxAge": 300,
                    "name": "login"
                },
                "source": "annotation"
            },
            "entry": null,
            "findings": [],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 2,
                "patches": []
            },
            "name": "a",
            "phase": null,
            "protectedBy": "unknown",
            "state": "pending",
            "traefikService": {
                "name": "a",
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
            "findings": [],
            "live": null,
            "manifest": {
                "file": "canary.yaml",
                "line": 17,
                "patches": []
            },
            "name": "b",
            "phase": null,
            "protectedBy": null,
            "state": "none",
            "traefikService": {
                "name": "b",
                "status": "notGenerated"
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

"#]]);
}

#[test]
fn names_are_what_kubectl_takes() {
    over(&every_state(), "show -f canary.yaml -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/differs
canary.flagger.app/foreign
canary.flagger.app/malformed
canary.flagger.app/missing
canary.flagger.app/native
canary.flagger.app/none
canary.flagger.app/pending
canary.flagger.app/synced
canary.flagger.app/undeclared
--- stderr

"#]]);
}

#[test]
fn those_that_are_named_come_in_the_order_of_the_line() {
    over(&every_state(), "show synced none -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
NAME     PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
synced   <none>   70/30    login    synced   <unknown>   <unknown>
none     <none>   70/1     <none>   none     -           <unknown>
--- stderr

"#]]);
}

#[test]
fn a_folder_is_read_and_its_folders_when_asked() {
    let folder = folder(&[
        ("deploy/b.yml", &canary("b", None)),
        (
            "deploy/a.json",
            r#"{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "a"}, "spec": {"provider": "traefik"}}"#,
        ),
        ("deploy/notes.md", "kind: [\n"),
        ("deploy/eu/c.yaml", &canary("c", None)),
    ]);
    run(&folder, "show -f deploy").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
b      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    run(&folder, "show -R -f deploy").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
b      <none>   <none>   <none>   none    -           <unknown>
c      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    run(&folder, "show -f deploy/eu -f deploy/b.yml --recursive").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
b      <none>   <none>   <none>   none    -           <unknown>
c      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
}

#[test]
fn standard_input_is_read() {
    Run::new(["show", "-f", "-"]).stdin(canary("a", Some("login"))).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
a      <none>   <none>   login    pending   <unknown>   <unknown>
--- stderr

"#]]);
}

#[test]
fn lists_of_objects_are_read() {
    let list = "\
apiVersion: v1
kind: List
items:
- apiVersion: flagger.app/v1beta1
  kind: Canary
  metadata: {name: a, creationTimestamp: 2024-05-06T07:08:09Z}
  spec: {provider: traefik, targetRef: {name: web}}
  status: {phase: Progressing}
- apiVersion: traefik.containo.us/v1alpha1
  kind: TraefikService
  metadata: {name: web}
  spec: {weighted: {services: [{name: web-primary}, {name: web-canary, weight: 100}]}}
";
    over(list, "show -f canary.yaml -o wide").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE         WEIGHT   COOKIE   STATE   PROTECTED   AGE      TRAEFIKSERVICE            DECLARED   LIVE     ENTRY
a      Progressing   1/100    <none>   none    -           [A]      traefik.containo.us/web   <none>     <none>   <none>
--- stderr

"#]]);
}

#[test]
fn labels_select() {
    let labelled = |name: &str, labels: &str| {
        canary(name, None).replace("metadata:\n", &format!("metadata:\n  labels: {{{labels}}}\n"))
    };
    let all = [labelled("a", "app: web, tier: front"), labelled("b", "app: api"), canary("c", None)].concat();
    over(&all, "show -f canary.yaml -l app=web").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
a      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    over(&all, "show -f canary.yaml -l app,app!=web").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
b      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    over(&all, "show -f canary.yaml --selector !app").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
c      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    let folder = folder(&[("canary.yaml", &all)]);
    Run::new(["show", "-f", "canary.yaml", "-l", "app in (web, api), tier notin (back)"])
        .dir(folder.path())
        .run()
        .shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
a      <none>   <none>   <none>   none    -           <unknown>
b      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    // As with kubectl: no selector.
    Run::new(["show", "-f", "canary.yaml", "-l", ""]).dir(folder.path()).run().shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
a      <none>   <none>   <none>   none    -           <unknown>
b      <none>   <none>   <none>   none    -           <unknown>
c      <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    run(&folder, "show -f canary.yaml -l app=none").shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
}

#[test]
fn namespaces_are_a_column_when_there_are_several_and_select() {
    let all = [
        in_namespace("sso", &canary("idp", None)),
        in_namespace("shop", &canary("web", None)),
        canary("anywhere", None),
    ]
    .concat();
    over(&all, "show -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME       PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
<none>      anywhere   <none>   <none>   <none>   none    -           <unknown>
shop        web        <none>   <none>   <none>   none    -           <unknown>
sso         idp        <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    // What names no namespace goes to the one that it is applied to.
    over(&all, "show -f canary.yaml -n shop").shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME       PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
<none>      anywhere   <none>   <none>   <none>   none    -           <unknown>
shop        web        <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    over(&all, "show -f canary.yaml -n shop -A").shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME       PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
<none>      anywhere   <none>   <none>   <none>   none    -           <unknown>
shop        web        <none>   <none>   <none>   none    -           <unknown>
sso         idp        <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    over(&in_namespace("shop", &canary("web", None)), "show -f canary.yaml -A").shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
shop        web    <none>   <none>   <none>   none    -           <unknown>
--- stderr

"#]]);
    over(&in_namespace("shop", &canary("web", None)), "show -f canary.yaml -n sso").shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found in sso namespace.

"#]]);
}

#[test]
fn a_canary_that_is_not_on_traefik_has_no_row() {
    let istio = canary("a", None).replace("traefik", "istio");
    let unsaid = |name: &str, declared| canary(name, declared).replace("  provider: traefik\n", "");
    let all = [istio, unsaid("b", None), unsaid("c", Some("login")), unsaid("d", None), service("d", None)].concat();
    over(&all, "show -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
c      <none>   <none>   login    pending   <unknown>   <unknown>
d      <none>   70/30    <none>   none      -           <unknown>
--- stderr
note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik); 1 Canary skipped: spec.provider is istio

"#]]);
    over(&unsaid("b", None), "show b -f canary.yaml").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `b` is not on Traefik
caused by: it has no spec.provider, no TraefikService and no declared cookie
hint: set spec.provider: traefik on the Canary

"#]]);
}

#[test]
fn no_row_is_no_failure() {
    in_repository("show -f examples/route.yaml").shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
    in_repository("show -f examples/route.yaml -o name").shows(str![[r#"
exit: 0
--- stdout
--- stderr

"#]]);
}
