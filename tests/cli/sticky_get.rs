//! `sticky get -f`.

use snapbox::str;
use testbed::run::Run;

use crate::manifests::{canary, in_repository, over, service};

#[test]
fn declared_and_live_stand_side_by_side() {
    in_repository("sticky get checkout -f examples").shows(str![[r#"
exit: 0
--- stdout
FIELD       DECLARED          LIVE
name        login             <unset>
max-age     120               <unset>
secure      true              <unset>
http-only   true              <unset>
same-site   lax               <unset>
entry       /checkout/login   <unset>

state       missing (declared in an annotation)
entry       missing: some of its objects are missing
protected   <unknown>
--- stderr

"#]]);
    in_repository("sticky get podinfo -f examples").shows(str![[r#"
exit: 0
--- stdout
state       none (nothing is declared)
protected   -
--- stderr

"#]]);
    let both = canary("web", Some("login; Max-Age=0; Path=/; HttpOnly"))
        + &service("web", Some("{cookie: {domain: .example.com, maxAge: 300, sameSite: strict}}"));
    over(&both, "sticky get web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
FIELD       DECLARED   LIVE
name        login      <derived>
max-age     0          300
path        /          <unset>
domain      <unset>    .example.com
http-only   true       <unset>
same-site   <unset>    strict

state       differs (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
}

#[test]
fn every_format_is_written() {
    let manifest = canary("web", Some("login; Max-Age=300; Secure; SameSite=Strict")) + &service("web", None);
    for format in ["table", "wide"] {
        over(&manifest, &format!("sticky get web -f canary.yaml -o {format}")).shows(str![[r#"
exit: 0
--- stdout
FIELD       DECLARED   LIVE
name        login      <unset>
max-age     300        <unset>
secure      true       <unset>
same-site   strict     <unset>

state       missing (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
    }
    over(&manifest, "sticky get web -f canary.yaml -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "declared": {
        "cookie": {
            "maxAge": 300,
            "name": "login",
            "sameSite": "strict",
            "secure": true
        },
        "source": "annotation"
    },
    "entry": null,
    "findings": [],
    "kind": "StickyReport",
    "live": null,
    "manifest": {
        "file": "canary.yaml",
        "line": 2,
        "patches": []
    },
    "name": "web",
    "phase": null,
    "protectedBy": "unknown",
    "state": "missing",
    "traefikService": {
        "apiVersion": "traefik.io/v1alpha1",
        "name": "web",
        "status": "present"
    },
    "weights": {
        "canary": 30,
        "primary": 70
    }
}
--- stderr

"#]]);
    over(&manifest, "sticky get web -f canary.yaml -o yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
declared:
  cookie:
    maxAge: 300
    name: login
    sameSite: strict
    secure: true
  source: annotation
entry: null
findings: []
kind: StickyReport
live: null
manifest:
  file: canary.yaml
  line: 2
  patches: []
name: web
phase: null
protectedBy: unknown
state: missing
traefikService:
  apiVersion: traefik.io/v1alpha1
  name: web
  status: present
weights:
  canary: 30
  primary: 70
--- stderr

"#]]);
    over(&manifest, "sticky get web -f canary.yaml -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web
--- stderr

"#]]);
}

#[test]
fn what_is_declared_and_not_well_formed_is_shown_with_the_reason() {
    let manifest = canary("web", Some("login; Max-Age=5m")) + &service("web", Some("{cookie: {name: login}}"));
    over(&manifest, "sticky get web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
FIELD         DECLARED            LIVE
name          <unset>             login
<malformed>   login; Max-Age=5m   <none>

state       malformed (declared in an annotation)
why         `Max-Age=5m`: must be whole seconds of at most ten digits, such as 300
protected   none
--- stderr

"#]]);
}

#[test]
fn a_native_declaration_says_so() {
    let manifest = canary("web", Some("old")) + "    traefik: {sticky: {cookie: {name: sso, sameSite: Lax}}}\n";
    over(&manifest, "sticky get web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
FIELD       DECLARED   LIVE
name        sso        <unset>
same-site   lax        <unset>

state       pending (declared in spec.service.traefik.sticky.cookie)
protected   flagger
--- stderr

"#]]);
}

#[test]
fn a_cookie_without_a_name_has_a_derived_one() {
    over(&(canary("web", Some("''")) + &service("web", Some("{cookie: {}}"))), "sticky get web -f canary.yaml").shows(
        str![[r#"
exit: 0
--- stdout
FIELD   DECLARED    LIVE
name    <derived>   <derived>

state       synced (declared in an annotation)
protected   <unknown>
--- stderr

"#]],
    );
}

#[test]
fn a_cookie_without_a_cookie_is_undeclared() {
    over(&(canary("web", None) + &service("web", Some("{}"))), "sticky get web -f canary.yaml").shows(str![[r#"
exit: 0
--- stdout
state       undeclared (only live)
protected   none
--- stderr

"#]]);
}

#[test]
fn standard_input_is_read() {
    Run::new(["sticky", "get", "web", "-f", "-"]).stdin(canary("web", Some("a"))).run().shows(str![[r#"
exit: 0
--- stdout
FIELD   DECLARED   LIVE
name    a          <unset>

state       pending (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
}
