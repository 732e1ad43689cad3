//! TraefikServices of the older group, `traefik.containo.us`.

mod dedicated_server {
    //! On a server of their own, which serves both groups.

    use serde_json::{Value, json};
    use snapbox::str;
    use testbed::{namespace::Namespace, objects};

    use crate::{
        definitions::older,
        rollout::{declare, run_as, without_bookkeeping},
    };

    fn path(namespace: &Namespace, name: &str) -> String {
        format!("/apis/traefik.containo.us/v1alpha1/namespaces/{}/traefikservices/{name}", namespace.name())
    }

    fn get(namespace: &Namespace) -> Value {
        namespace.server().admin().get(&path(namespace, "podinfo")).expect("the TraefikService of the older group")
    }

    /// The Canary `podinfo` with a TraefikService of the older group, beside one of somebody's in the newer.
    fn rollout(hint: &str) -> Namespace<'static> {
        let namespace = Namespace::on(older(), hint);
        let canary = namespace.create_value(&objects::canary("podinfo"));
        let mut service = objects::owned_by(objects::traefik_service("podinfo", 90, 10), &canary);
        service["apiVersion"] = json!("traefik.containo.us/v1alpha1");
        namespace.server().admin().post(&path(&namespace, ""), &service).expect("a TraefikService");
        namespace.create_value(&objects::traefik_service("by-hand", 100, 0));
        namespace
    }

    #[test]
    fn the_older_group_is_found_beside_the_newer_one() {
        let namespace = rollout("older");
        declare(&namespace, "podinfo", "login");
        namespace.run(["show", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE   TRAEFIKSERVICE                DECLARED   LIVE     ENTRY
podinfo   <none>   90/10    login    missing   none        [A]   traefik.containo.us/podinfo   login      <none>   <none>
--- stderr

"#]]);
        namespace.run(["show", "podinfo", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE   TRAEFIKSERVICE                DECLARED   LIVE     ENTRY
podinfo   <none>   90/10    login    missing   none        [A]   traefik.containo.us/podinfo   login      <none>   <none>
--- stderr

"#]]);
        namespace.run(["diff"]).run().shows(str![[r#"
exit: 1
--- stdout
--- traefikservice.traefik.containo.us/podinfo (live)
+++ traefikservice.traefik.containo.us/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: older-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
--- stderr

"#]]);
    }

    #[test]
    fn set_and_remove_write_the_group_that_is_in_use() {
        let namespace = rollout("older-set");
        let before = without_bookkeeping(get(&namespace));
        namespace.run(["sticky", "set", "podinfo", "--name", "login", "--path", "/sso", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.containo.us/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Path=/sso
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: older-set-[NS]
--- traefikservice.traefik.containo.us/podinfo (live)
+++ traefikservice.traefik.containo.us/podinfo (after)
@@ -26,3 +26,7 @@
       namespace: older-set-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        name: login
+        path: /sso
warning CT020: older-set-[NS]/podinfo: a session cookie lives until the browser closes, so users stay on their track into the next rollout
  fix: declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n older-set-[NS] --entry /login --max-age 2m
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
        assert_eq!(
            get(&namespace)["spec"]["weighted"]["sticky"],
            json!({ "cookie": { "name": "login", "path": "/sso" } })
        );
        assert_eq!(namespace.find("TraefikService", "podinfo"), None, "nothing is created in the other group");
        namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
traefikservice.traefik.containo.us/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,8 +1,6 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: login; Path=/sso
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: older-set-[NS]
--- traefikservice.traefik.containo.us/podinfo (live)
+++ traefikservice.traefik.containo.us/podinfo (after)
@@ -26,7 +26,3 @@
       namespace: older-set-[NS]
       port: 80
       weight: 10
-    sticky:
-      cookie:
-        name: login
-        path: /sso
to undo: kubectl canary-traefik sticky set podinfo --name login --path /sso

"#]]);
        assert_eq!(without_bookkeeping(get(&namespace)), before);
    }

    #[test]
    fn of_one_in_both_groups_the_newer_counts() {
        let namespace = rollout("both");
        let canary = namespace.get("Canary", "podinfo");
        namespace.create_value(&objects::owned_by(objects::traefik_service("podinfo", 50, 50), &canary));
        namespace.run(["show", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE   TRAEFIKSERVICE       DECLARED   LIVE     ENTRY
podinfo   <none>   50/50    <none>   none    -           [A]   traefik.io/podinfo   <none>     <none>   <none>
--- stderr

"#]]);
        namespace.run(["show", "podinfo", "-o", "wide"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE   TRAEFIKSERVICE       DECLARED   LIVE     ENTRY
podinfo   <none>   50/50    <none>   none    -           [A]   traefik.io/podinfo   <none>     <none>   <none>
--- stderr

"#]]);
    }

    #[test]
    fn rights_for_the_older_group_alone_are_enough() {
        let namespace = rollout("older-rights");
        let user = namespace.user_with(
            "[{apiGroups: [flagger.app], resources: [canaries], verbs: [get, list]}, \
              {apiGroups: [traefik.containo.us], resources: [traefikservices], verbs: [get, list]}]",
        );
        run_as(&namespace, &user, ["show", "-o", "wide"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE   TRAEFIKSERVICE                DECLARED   LIVE     ENTRY
podinfo   <none>   90/10    <none>   none    -           [A]   traefik.containo.us/podinfo   <none>     <none>   <none>
--- stderr

"#]]);
        run_as(&namespace, &user, ["show", "podinfo", "-o", "wide"]).shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE   TRAEFIKSERVICE                DECLARED   LIVE     ENTRY
podinfo   <none>   90/10    <none>   none    -           [A]   traefik.containo.us/podinfo   <none>     <none>   <none>
--- stderr

"#]]);
    }

    #[test]
    fn a_field_that_the_definition_lacks_is_said_in_the_words_of_the_flag() {
        let namespace = Namespace::on(older(), "strict");
        namespace.create_rollout("podinfo", 90, 10);
        let set = |flags: &[&str]| {
            namespace.run(["sticky", "set", "podinfo", "--name", "login", "--yes"]).arguments(flags).run()
        };
        let before = crate::rollout::versions(&namespace, "podinfo");
        set(&["--domain", "example.com"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: traefikservices.traefik.io `podinfo` is invalid
caused by: unknown field "spec.weighted.sticky.cookie.domain"
hint: leave out --domain, or remove it with --unset domain: it needs the CRDs of Traefik 3.4 or later

"#]]);
        set(&["--domain", "example.com", "--path", "/", "--live-only"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: traefikservices.traefik.io `podinfo` is invalid
caused by: unknown field "spec.weighted.sticky.cookie.domain", unknown field "spec.weighted.sticky.cookie.path"
hint: leave out --path, or remove it with --unset path: it needs the CRDs of Traefik 3.3 or later
hint: leave out --domain, or remove it with --unset domain: it needs the CRDs of Traefik 3.4 or later

"#]]);
        assert_eq!(crate::rollout::versions(&namespace, "podinfo"), before);
        assert_eq!(set(&["--max-age", "300"]).code, Some(0));
    }
}
