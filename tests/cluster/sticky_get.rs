//! `sticky get`.

use serde_json::json;
use snapbox::str;

use crate::rollout::{declare, rollout, set_live};

#[test]
fn declared_and_live_stand_side_by_side() {
    let namespace = rollout("get");
    declare(&namespace, "podinfo", "login; Max-Age=300; HttpOnly; SameSite=Lax");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 60, "secure": true, "sameSite": "lax" }));
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD       DECLARED   LIVE
name        login      login
max-age     300        60
secure      <unset>    true
http-only   true       <unset>
same-site   lax        lax

state       differs (declared in an annotation)
protected   none
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "declared": {
        "cookie": {
            "httpOnly": true,
            "maxAge": 300,
            "name": "login",
            "sameSite": "lax"
        },
        "source": "annotation"
    },
    "entry": null,
    "findings": [
        {
            "code": "CT021",
            "help": "set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n get-[NS] --entry /login --max-age 2m",
            "message": "with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %",
            "severity": "warning"
        }
    ],
    "kind": "StickyReport",
    "live": {
        "maxAge": 60,
        "name": "login",
        "sameSite": "lax",
        "secure": true
    },
    "name": "podinfo",
    "namespace": "get-[NS]",
    "phase": null,
    "protectedBy": "none",
    "state": "differs",
    "traefikService": {
        "apiVersion": "traefik.io/v1alpha1",
        "name": "podinfo",
        "status": "present"
    },
    "weights": {
        "canary": 10,
        "primary": 90
    }
}
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo", "-o", "yaml"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
declared:
  cookie:
    httpOnly: true
    maxAge: 300
    name: login
    sameSite: lax
  source: annotation
entry: null
findings:
- code: CT021
  help: "set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n get-[NS] --entry /login --max-age 2m"
  message: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  severity: warning
kind: StickyReport
live:
  maxAge: 60
  name: login
  sameSite: lax
  secure: true
name: podinfo
namespace: get-[NS]
phase: null
protectedBy: none
state: differs
traefikService:
  apiVersion: traefik.io/v1alpha1
  name: podinfo
  status: present
weights:
  canary: 10
  primary: 90
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo", "-o", "name"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo
--- stderr

"#]]);
}

#[test]
fn where_there_is_nothing_it_says_so() {
    let namespace = rollout("get-nothing");
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
state       none (nothing is declared)
protected   -
--- stderr

"#]]);
}

#[test]
fn a_cookie_whose_name_is_left_to_traefik_is_one() {
    let namespace = rollout("get-derived");
    declare(&namespace, "podinfo", "");
    set_live(&namespace, "podinfo", &json!({}));
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD   DECLARED    LIVE
name    <derived>   <derived>

state       synced (declared in an annotation)
protected   none
--- stderr

"#]]);
}

#[test]
fn a_malformed_declaration_is_shown_with_what_is_wrong() {
    let namespace = rollout("get-malformed");
    declare(&namespace, "podinfo", "login; Max-Age=soon");
    namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD         DECLARED              LIVE
<malformed>   login; Max-Age=soon   <none>

state       malformed (declared in an annotation)
why         `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300
protected   none
--- stderr

"#]]);
    namespace.run(["sticky", "get", "podinfo", "-o", "yaml"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
declared:
  error: "`Max-Age=soon`: must be whole seconds of at most ten digits, such as 300"
  source: annotation
entry: null
findings:
- code: CT038
  help: correct the annotation, or delete it with sticky remove and set the cookie again
  message: "annotation kubectl-canary-traefik/sticky-cookie, column 8: `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300"
  severity: error
kind: StickyReport
live: null
name: podinfo
namespace: get-malformed-[NS]
phase: null
protectedBy: none
state: malformed
traefikService:
  apiVersion: traefik.io/v1alpha1
  name: podinfo
  status: present
weights:
  canary: 10
  primary: 90
--- stderr

"#]]);
}
