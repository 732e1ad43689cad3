//! `sticky apply`.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{flagger, namespace::Namespace, objects::canary};

use crate::rollout::{closed_stdout, declare, live, objects, rollout, set_live, undo, versions};

const LOGIN: &str = "login; Max-Age=300";

fn login() -> Value {
    json!({ "cookie": { "name": "login", "maxAge": 300 } })
}

#[test]
fn what_flaggers_step_drops_is_missed_and_brought_back() {
    let namespace = rollout("step");
    let set = namespace.run(["sticky", "set", "podinfo", "--name", "login", "--max-age", "300", "--yes"]).run();
    assert_eq!(set.code, Some(0), "{set}");
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
podinfo   <none>   90/10    login    synced   none        [A]
--- stderr

"#]]);
    assert_eq!(namespace.run(["diff"]).run().code, Some(0));

    let written = flagger::writes(&namespace, "podinfo", 80, 20).expect("nobody else wrote");
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   80/20    login    missing   none        [A]
--- stderr

"#]]);
    namespace.run(["diff"]).run().shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: step-[NS]
       port: 80
       weight: 20
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
--- stderr

"#]]);

    namespace.run(["sticky", "apply", "-A", "-l", "no=such", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
nothing to apply

"#]]);
    namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo configured
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: step-[NS]
       port: 80
       weight: 20
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
warning CT021: step-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n step-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo --live-only

"#]]);
    assert_eq!(live(&namespace, "podinfo"), login());
    let healed = namespace.get("TraefikService", "podinfo");
    assert_eq!(healed["spec"]["weighted"]["services"], written["spec"]["weighted"]["services"]);
    assert_eq!(namespace.run(["diff"]).run().code, Some(0));

    let before = versions(&namespace, "podinfo");
    namespace.run(["sticky", "apply", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo unchanged
--- stderr

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn apply_never_writes_the_canary() {
    let namespace = rollout("apply-live");
    declare(&namespace, "podinfo", " LOGIN ;max-age=5;  httponly");
    let [before, _] = versions(&namespace, "podinfo");
    assert_eq!(namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().code, Some(0));
    assert_eq!(versions(&namespace, "podinfo")[0], before);
    assert_eq!(live(&namespace, "podinfo"), json!({ "cookie": { "name": "LOGIN", "maxAge": 5, "httpOnly": true } }));
}

#[test]
fn what_cannot_be_applied_is_said_when_it_is_named() {
    let namespace = rollout("apply-named");
    namespace.create_value(&canary("pending"));
    declare(&namespace, "pending", LOGIN);
    set_live(&namespace, "podinfo", &json!({ "name": "hand" }));
    let before = versions(&namespace, "podinfo");
    namespace.run(["sticky", "apply", "podinfo", "pending", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
apply-named-[NS]/podinfo: nothing is declared
apply-named-[NS]/pending: declared, but not live: Flagger has not created TraefikService `pending` yet
nothing to apply

"#]]);
    namespace.run(["sticky", "apply", "--declare-only"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: --declare-only leaves nothing to do: sticky apply changes only what is live

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn a_dry_run_of_apply_changes_nothing() {
    let namespace = rollout("apply-dry-run");
    declare(&namespace, "podinfo", LOGIN);
    let before = versions(&namespace, "podinfo");
    namespace.run(["sticky", "apply", "podinfo", "--dry-run=server"]).run().shows(str![[r#"
exit: 0
--- stdout
traefikservice.traefik.io/podinfo configured (server dry run)
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: apply-dry-run-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
warning CT021: apply-dry-run-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n apply-dry-run-[NS] --entry /login --max-age 2m

"#]]);
    namespace.run(["sticky", "apply", "podinfo"]).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: apply-dry-run-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
warning CT021: apply-dry-run-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n apply-dry-run-[NS] --entry /login --max-age 2m
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    assert_eq!(versions(&namespace, "podinfo"), before);
}

#[test]
fn objects_of_several_canaries_are_one_document() {
    let namespace = rollout("apply-list");
    namespace.create_rollout("checkout", 100, 0);
    for name in ["podinfo", "checkout"] {
        declare(&namespace, name, LOGIN);
    }
    let applied = namespace.run(["sticky", "apply", "--yes", "-o", "json"]).run();
    let list: Value = serde_json::from_str(&applied.stdout).expect("one JSON document");
    let names: Vec<_> =
        list["items"].as_array().expect("a list").iter().map(|item| &item["metadata"]["name"]).collect();
    assert_eq!((&list["kind"], names), (&json!("List"), vec![&json!("checkout"), &json!("podinfo")]));
}

#[test]
fn one_that_fails_does_not_keep_the_others_from_being_applied() {
    let namespace = rollout("apply-some");
    namespace.create_rollout("mirroring", 90, 10);
    namespace.create_rollout("argo", 90, 10);
    let mirroring = json!({ "spec": { "weighted": null, "mirroring": { "name": "mirroring-primary", "port": 80 } } });
    namespace.patch("TraefikService", "mirroring", &mirroring);
    let by_another = json!({ "spec": { "weighted": { "sticky": { "cookie": { "name": "argo" } } } } });
    namespace.patch("TraefikService", "argo", &by_another);
    for name in ["podinfo", "mirroring", "argo"] {
        declare(&namespace, name, LOGIN);
    }
    let before = ["mirroring", "argo"].map(|name| versions(&namespace, name));
    namespace.run(["sticky", "apply", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
traefikservice.traefik.io/podinfo configured
--- stderr
error: apply-some-[NS]/argo: the cookie was set by `canary-traefik-tests` [A] ago
caused by: this change would overwrite that one, and may be overwritten in turn
hint: change it there, or add --force-conflicts
error: apply-some-[NS]/mirroring: TraefikService `mirroring` is not weighted
caused by: it has no spec.weighted, which the cookie and Flagger's weights are part of
hint: restore spec.weighted, or delete the TraefikService: Flagger creates it again
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: apply-some-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
warning CT021: apply-some-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n apply-some-[NS] --entry /login --max-age 2m
to undo: kubectl canary-traefik sticky remove podinfo --live-only
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
error: 2 of 3 Canaries failed; see the errors above

"#]]);
    assert_eq!(live(&namespace, "podinfo"), login());
    assert_eq!(["mirroring", "argo"].map(|name| versions(&namespace, name)), before);
}

#[test]
fn a_reader_that_leaves_does_not_keep_the_rest_from_being_applied() {
    let namespace = rollout("apply-pipe");
    namespace.create_rollout("checkout", 100, 0);
    for name in ["podinfo", "checkout"] {
        declare(&namespace, name, LOGIN);
    }
    assert_eq!(closed_stdout(&namespace.run(["sticky", "apply", "--yes"])).0, Some(0));
    assert_eq!(["podinfo", "checkout"].map(|name| live(&namespace, name)), [login(), login()]);
}

mod dedicated_server {
    //! Over all namespaces of a server of its own.

    use super::*;
    use testbed::server::Server;

    #[test]
    fn all_and_only_those_that_declare_are_applied() {
        let server = Server::dedicated(&[]);
        let shop = Namespace::on(&server, "shop");
        let sso = Namespace::on(&server, "sso");
        for namespace in [&shop, &sso] {
            for name in ["podinfo", "differs", "synced", "hand-set", "plain", "malformed"] {
                namespace.create_rollout(name, 90, 10);
            }
            namespace.create_value(&canary("pending"));
            for name in ["podinfo", "differs", "synced", "pending"] {
                declare(namespace, name, LOGIN);
            }
            declare(namespace, "malformed", "login; Max-Age=soon");
            set_live(namespace, "synced", &json!({ "name": "login", "maxAge": 300 }));
            set_live(namespace, "differs", &json!({ "name": "old" }));
            set_live(namespace, "hand-set", &json!({ "name": "hand" }));
        }
        let untouched = || -> Vec<_> {
            let names = ["synced", "hand-set", "plain", "malformed"];
            [&shop, &sso].iter().flat_map(|namespace| names.map(|name| versions(namespace, name))).collect()
        };
        let applied = || -> Vec<_> {
            let names = ["podinfo", "differs"];
            [&shop, &sso].iter().flat_map(|namespace| names.map(|name| objects(namespace, name))).collect()
        };
        let (before, to_undo) = (untouched(), applied());
        let run = |arguments: &[&str]| shop.run(arguments).redact(sso.name(), "sso-[NS]").run();

        run(&["show", "-A"]).shows(str![[r#"
exit: 0
--- stdout
NAMESPACE   NAME        PHASE    WEIGHT   COOKIE   STATE        PROTECTED   AGE
shop-[NS]   differs     <none>   90/10    login    differs      none        [A]
shop-[NS]   hand-set    <none>   90/10    hand     undeclared   none        [A]
shop-[NS]   malformed   <none>   90/10    <none>   malformed    none        [A]
shop-[NS]   pending     <none>   <none>   login    pending      none        [A]
shop-[NS]   plain       <none>   90/10    <none>   none         -           [A]
shop-[NS]   podinfo     <none>   90/10    login    missing      none        [A]
shop-[NS]   synced      <none>   90/10    login    synced       none        [A]
sso-[NS]    differs     <none>   90/10    login    differs      none        [A]
sso-[NS]    hand-set    <none>   90/10    hand     undeclared   none        [A]
sso-[NS]    malformed   <none>   90/10    <none>   malformed    none        [A]
sso-[NS]    pending     <none>   <none>   login    pending      none        [A]
sso-[NS]    plain       <none>   90/10    <none>   none         -           [A]
sso-[NS]    podinfo     <none>   90/10    login    missing      none        [A]
sso-[NS]    synced      <none>   90/10    login    synced       none        [A]
--- stderr

"#]]);
        let applying = run(&["sticky", "apply", "-A", "--yes"]);
        applying.shows(str![[r#"
exit: 1
--- stdout
traefikservice.traefik.io/differs configured
traefikservice.traefik.io/podinfo configured
traefikservice.traefik.io/synced unchanged
traefikservice.traefik.io/differs configured
traefikservice.traefik.io/podinfo configured
traefikservice.traefik.io/synced unchanged
--- stderr
error CT038: shop-[NS]/malformed: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300
  fix: correct the annotation, or delete it with sticky remove and set the cookie again
shop-[NS]/pending: declared, but not live: Flagger has not created TraefikService `pending` yet
error CT038: sso-[NS]/malformed: annotation kubectl-canary-traefik/sticky-cookie, column 8: `Max-Age=soon`: must be whole seconds of at most ten digits, such as 300
  fix: correct the annotation, or delete it with sticky remove and set the cookie again
sso-[NS]/pending: declared, but not live: Flagger has not created TraefikService `pending` yet
--- traefikservice.traefik.io/differs -n shop-[NS] (live)
+++ traefikservice.traefik.io/differs -n shop-[NS] (after)
@@ -28,4 +28,5 @@
       weight: 10
     sticky:
       cookie:
-        name: old
+        maxAge: 300
+        name: login
warning CT021: shop-[NS]/differs: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set differs -n shop-[NS] --entry /login --max-age 2m
--- traefikservice.traefik.io/podinfo -n shop-[NS] (live)
+++ traefikservice.traefik.io/podinfo -n shop-[NS] (after)
@@ -26,3 +26,7 @@
       namespace: shop-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
warning CT021: shop-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n shop-[NS] --entry /login --max-age 2m
--- traefikservice.traefik.io/differs -n sso-[NS] (live)
+++ traefikservice.traefik.io/differs -n sso-[NS] (after)
@@ -28,4 +28,5 @@
       weight: 10
     sticky:
       cookie:
-        name: old
+        maxAge: 300
+        name: login
warning CT021: sso-[NS]/differs: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set differs -n sso-[NS] --entry /login --max-age 2m
--- traefikservice.traefik.io/podinfo -n sso-[NS] (live)
+++ traefikservice.traefik.io/podinfo -n sso-[NS] (after)
@@ -26,3 +26,7 @@
       namespace: sso-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
+        name: login
warning CT021: sso-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n sso-[NS] --entry /login --max-age 2m
to undo: kubectl canary-traefik sticky set differs --name old --unset max-age --live-only
to undo: kubectl canary-traefik sticky remove podinfo --live-only
to undo: kubectl canary-traefik sticky set differs --name old --unset max-age --live-only -n sso-[NS]
to undo: kubectl canary-traefik sticky remove podinfo --live-only -n sso-[NS]
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install

"#]]);
        for namespace in [&shop, &sso] {
            assert_eq!(["podinfo", "differs"].map(|name| live(namespace, name)), [login(), login()]);
            assert_eq!(namespace.find("TraefikService", "pending"), None);
        }
        assert_eq!(untouched(), before);

        // Also those in another namespace than the one that is looked in by default.
        undo(&shop, &applying);
        assert_eq!(applied(), to_undo);
        assert_eq!(untouched(), before);
    }
}
