//! `sticky remove`.

use serde_json::{Value, json};
use snapbox::str;
use testbed::namespace::Namespace;

use crate::rollout::{declare, declared, live, objects, rollout, set_live, undo, versions};

fn synced(hint: &str) -> Namespace<'static> {
    let namespace = rollout(hint);
    namespace.patch("Canary", "podinfo", &json!({ "metadata": { "annotations": { "team": "shop" } } }));
    declare(&namespace, "podinfo", "login; Max-Age=300");
    set_live(&namespace, "podinfo", &json!({ "name": "login", "maxAge": 300 }));
    namespace
}

#[test]
fn remove_takes_the_cookie_from_both_and_a_second_run_has_nothing_to_do() {
    let namespace = synced("remove");
    namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,6 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
     team: shop
   creationTimestamp: "[TIME]"
   name: podinfo
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,7 +26,3 @@
       namespace: remove-[NS]
       port: 80
       weight: 10
-    sticky:
-      cookie:
-        maxAge: 300
-        name: login
to undo: kubectl canary-traefik sticky set podinfo --name login --max-age 300

"#]]);
    assert_eq!((declared(&namespace, "podinfo"), live(&namespace, "podinfo")), (Value::Null, Value::Null));
    let before = versions(&namespace, "podinfo");
    namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
traefikservice.traefik.io/podinfo unchanged
--- stderr

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn remove_of_one_leaves_the_other() {
    let namespace = synced("remove-one");
    namespace.run(["sticky", "remove", "podinfo", "--live-only", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo configured
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,7 +26,3 @@
       namespace: remove-one-[NS]
       port: 80
       weight: 10
-    sticky:
-      cookie:
-        maxAge: 300
-        name: login
warning CT021: remove-one-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n remove-one-[NS] --entry /login --max-age 2m
not live
to apply the declared cookie: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky set podinfo --name login --max-age 300 --live-only

"#]]);
    assert_eq!(
        (declared(&namespace, "podinfo"), live(&namespace, "podinfo")),
        (json!("login; Max-Age=300"), Value::Null)
    );

    let namespace = synced("remove-one");
    namespace.run(["sticky", "remove", "podinfo", "--declare-only", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,6 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
     team: shop
   creationTimestamp: "[TIME]"
   name: podinfo
warning CT021: remove-one-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n remove-one-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback), and there is no declaration to restore it from
to undo: kubectl canary-traefik sticky set podinfo --name login --max-age 300 --declare-only

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), Value::Null);
    assert_ne!(live(&namespace, "podinfo"), Value::Null);
}

#[test]
fn what_is_malformed_or_without_effect_can_be_removed() {
    let namespace = rollout("remove-odd");
    declare(&namespace, "podinfo", "login; Max-Age=soon");
    namespace.patch("TraefikService", "podinfo", &json!({ "spec": { "weighted": { "sticky": {} } } }));
    namespace.run(["sticky", "remove", "podinfo", "--yes", "--force-conflicts"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.io/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,8 +1,6 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=soon
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: remove-odd-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,4 +26,3 @@
       namespace: remove-odd-[NS]
       port: 80
       weight: 10
-    sticky: {}
to undo: kubectl annotate --overwrite canaries.flagger.app podinfo 'kubectl-canary-traefik/sticky-cookie=login; Max-Age=soon'

"#]]);
    assert_eq!((declared(&namespace, "podinfo"), live(&namespace, "podinfo")), (Value::Null, Value::Null));
}

#[test]
fn a_refused_remove_changes_nothing() {
    let namespace = synced("remove-refused");
    let before = versions(&namespace, "podinfo");
    namespace.run(["sticky", "remove", "podinfo"]).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -2,7 +2,6 @@
 kind: Canary
 metadata:
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
     team: shop
   creationTimestamp: "[TIME]"
   name: podinfo
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,7 +26,3 @@
       namespace: remove-refused-[NS]
       port: 80
       weight: 10
-    sticky:
-      cookie:
-        maxAge: 300
-        name: login
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn the_commands_that_undo_a_remove_undo_it() {
    for text in
        ["login; Max-Age=300; Path=/a'b; Domain=example.com; Secure; HttpOnly; SameSite=None", "; Max-Age=-5", ""]
    {
        for scope in [&[][..], &["--live-only"], &["--declare-only"]] {
            let namespace = rollout("undo-remove");
            declare(&namespace, "podinfo", text);
            assert_eq!(namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().code, Some(0));
            let before = objects(&namespace, "podinfo");
            let removed = namespace.run(["sticky", "remove", "podinfo", "--yes"]).arguments(scope).run();
            assert_ne!(objects(&namespace, "podinfo"), before, "{text} {scope:?}\n{removed}");
            let commands = undo(&namespace, &removed);
            assert_eq!(objects(&namespace, "podinfo"), before, "{text} {scope:?} {commands:#?}");
        }
    }
}
