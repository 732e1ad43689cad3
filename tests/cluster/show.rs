//! `show`.

use serde_json::json;
use snapbox::str;
use testbed::{namespace::Namespace, objects};

use crate::rollout::{declare, rollout, set_live, versions};

#[test]
fn every_canary_on_traefik_has_a_row_with_its_state() {
    let namespace = Namespace::new("states");
    for name in ["none", "synced", "missing", "differs", "undeclared", "malformed"] {
        namespace.create_rollout(name, 90, 10);
    }
    namespace.create_value(&objects::canary("pending"));
    let mut elsewhere = objects::canary("on-istio");
    elsewhere["spec"]["provider"] = json!("istio");
    namespace.create_value(&elsewhere);
    for name in ["synced", "missing", "differs", "pending"] {
        declare(&namespace, name, "login; Max-Age=300; HttpOnly");
    }
    declare(&namespace, "malformed", "login; Max-Age=soon");
    set_live(&namespace, "synced", &json!({ "name": "login", "maxAge": 300, "httpOnly": true }));
    set_live(&namespace, "differs", &json!({ "name": "login", "maxAge": 60, "httpOnly": true }));
    set_live(&namespace, "undeclared", &json!({}));
    namespace.patch_status("Canary", "synced", &objects::status("Progressing", 10));

    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME         PHASE         WEIGHT   COOKIE      STATE        PROTECTED   AGE
differs      <none>        90/10    login       differs      none        [A]
malformed    <none>        90/10    <none>      malformed    none        [A]
missing      <none>        90/10    login       missing      none        [A]
none         <none>        90/10    <none>      none         -           [A]
pending      <none>        <none>   login       pending      none        [A]
synced       Progressing   90/10    login       synced       none        [A]
undeclared   <none>        90/10    <derived>   undeclared   none        [A]
--- stderr
note: 1 Canary skipped: spec.provider is istio

"#]]);
    namespace.run(["show", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME         PHASE         WEIGHT   COOKIE      STATE        PROTECTED   AGE   TRAEFIKSERVICE          DECLARED                       LIVE                           ENTRY
differs      <none>        90/10    login       differs      none        [A]   traefik.io/differs      login; Max-Age=300; HttpOnly   login; Max-Age=60; HttpOnly    <none>
malformed    <none>        90/10    <none>      malformed    none        [A]   traefik.io/malformed    login; Max-Age=soon            <none>                         <none>
missing      <none>        90/10    login       missing      none        [A]   traefik.io/missing      login; Max-Age=300; HttpOnly   <none>                         <none>
none         <none>        90/10    <none>      none         -           [A]   traefik.io/none         <none>                         <none>                         <none>
pending      <none>        <none>   login       pending      none        [A]   <none>                  login; Max-Age=300; HttpOnly   <none>                         <none>
synced       Progressing   90/10    login       synced       none        [A]   traefik.io/synced       login; Max-Age=300; HttpOnly   login; Max-Age=300; HttpOnly   <none>
undeclared   <none>        90/10    <derived>   undeclared   none        [A]   traefik.io/undeclared   <none>                         <derived>                      <none>
--- stderr
note: 1 Canary skipped: spec.provider is istio

"#]]);
    namespace.run(["show", "-o", "name"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/differs
canary.flagger.app/malformed
canary.flagger.app/missing
canary.flagger.app/none
canary.flagger.app/pending
canary.flagger.app/synced
canary.flagger.app/undeclared
--- stderr
note: 1 Canary skipped: spec.provider is istio

"#]]);
}

#[test]
fn named_canaries_come_in_the_order_they_are_named() {
    let namespace = rollout("named");
    namespace.create_rollout("checkout", 100, 0);
    namespace.run(["show", "podinfo", "checkout"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME       PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
podinfo    <none>   90/10    <none>   none    -           [A]
checkout   <none>   100/-    <none>   none    -           [A]
--- stderr

"#]]);
    namespace.run(["show", "podinfo", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "declared": null,
    "entry": null,
    "findings": [],
    "kind": "StickyReport",
    "live": null,
    "name": "podinfo",
    "namespace": "named-[NS]",
    "phase": null,
    "protectedBy": null,
    "state": "none",
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
    namespace.run(["show", "podinfo", "checkout", "-o", "yaml"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
items:
- declared: null
  entry: null
  findings: []
  live: null
  name: podinfo
  namespace: named-[NS]
  phase: null
  protectedBy: null
  state: none
  traefikService:
    apiVersion: traefik.io/v1alpha1
    name: podinfo
    status: present
  weights:
    canary: 10
    primary: 90
- declared: null
  entry: null
  findings: []
  live: null
  name: checkout
  namespace: named-[NS]
  phase: null
  protectedBy: null
  state: none
  traefikService:
    apiVersion: traefik.io/v1alpha1
    name: checkout
    status: present
  weights:
    canary: null
    primary: 100
kind: StickyReportList
--- stderr

"#]]);
}

#[test]
fn labels_select_and_nothing_selected_is_said_as_kubectl_says_it() {
    let namespace = rollout("select");
    namespace.create_rollout("checkout", 100, 0);
    namespace.patch("Canary", "checkout", &json!({ "metadata": { "labels": { "team": "shop" } } }));
    namespace.run(["show", "-l", "team=shop"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME       PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
checkout   <none>   100/-    <none>   none    -           [A]
--- stderr

"#]]);
    namespace.run(["show", "-l", "team=sso"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found in select-[NS] namespace.

"#]]);
    namespace.run(["show", "-l", "team=sso", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "items": [],
    "kind": "StickyReportList"
}
--- stderr

"#]]);
    namespace.run(["show", "-l", "team in (a"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `team in (a` is not a label requirement
hint: use -l 'key=value,key!=value,key in (a,b),key,!key'

"#]]);
    namespace.run(["show", "podinfo", "-l", "team=shop"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: names and -l cannot be given together
hint: name the Canaries, or select them, not both

"#]]);
}

#[test]
fn weights_are_those_that_traefik_works_with() {
    let namespace = Namespace::new("weights");
    namespace.create_rollout("begin", 100, 0);
    namespace.create_rollout("middle", 70, 30);
    namespace.create_rollout("end", 0, 100);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME     PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
begin    <none>   100/-    <none>   none    -           [A]
end      <none>   1/100    <none>   none    -           [A]
middle   <none>   70/30    <none>   none    -           [A]
--- stderr

"#]]);
}

#[test]
fn odd_traefikservices_are_rows_too() {
    let namespace = Namespace::new("odd");
    for name in ["mirroring", "foreign", "empty"] {
        namespace.create_rollout(name, 90, 10);
        declare(&namespace, name, "login");
    }
    let mirroring = json!({ "spec": { "weighted": null, "mirroring": { "name": "mirroring-primary", "port": 80 } } });
    namespace.patch("TraefikService", "mirroring", &mirroring);
    let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "other", "controller": true,
        "uid": "00000000-0000-0000-0000-000000000000" }]);
    namespace.patch("TraefikService", "foreign", &json!({ "metadata": { "ownerReferences": owner } }));
    namespace.patch("TraefikService", "empty", &json!({ "spec": { "weighted": { "sticky": {} } } }));
    namespace.run(["show", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME        PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE   TRAEFIKSERVICE         DECLARED   LIVE     ENTRY
empty       <none>   90/10    login    differs   none        [A]   traefik.io/empty       login      <none>   <none>
foreign     <none>   <none>   login    pending   none        [A]   traefik.io/foreign     login      <none>   <none>
mirroring   <none>   -/-      login    missing   none        [A]   traefik.io/mirroring   login      <none>   <none>
--- stderr

"#]]);
}

#[test]
fn looking_changes_nothing() {
    let namespace = rollout("looking");
    declare(&namespace, "podinfo", "login");
    let before = versions(&namespace, "podinfo");
    for command in [&["show"][..], &["show", "podinfo"], &["sticky", "get", "podinfo"], &["render", "podinfo"]] {
        assert_eq!(namespace.run(command).run().code, Some(0), "{command:?}");
    }
    assert_eq!(namespace.run(["diff"]).run().code, Some(1));
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn of_several_canaries_for_one_traefikservice_the_one_that_controls_it_has_it() {
    let namespace = Namespace::new("several");
    for name in ["first", "owner"] {
        let mut canary = objects::canary(name);
        canary["spec"]["service"]["name"] = json!("shop");
        namespace.create_value(&canary);
    }
    let service = objects::owned_by(objects::traefik_service("shop", 90, 10), &namespace.get("Canary", "owner"));
    namespace.create_value(&service);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME    PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
first   <none>   <none>   <none>   none    -           [A]
owner   <none>   90/10    <none>   none    -           [A]
--- stderr

"#]]);
}
