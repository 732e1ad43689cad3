//! A Flagger that copies the cookie itself: the Canary has a field of its own for it.

mod dedicated_server {
    //! On a server of their own, with that field in its definition.

    use serde_json::{Value, json};
    use snapbox::str;
    use testbed::namespace::Namespace;

    use crate::{
        definitions::native,
        rollout::{declare, declared, objects, set_live, undo, versions},
    };

    const SET: [&str; 11] = [
        "sticky",
        "set",
        "podinfo",
        "--name",
        "login",
        "--max-age",
        "300",
        "--http-only",
        "--same-site",
        "lax",
        "--yes",
    ];

    fn rollout(hint: &str) -> Namespace<'static> {
        let namespace = Namespace::on(native(), hint);
        namespace.create_rollout("podinfo", 90, 10);
        namespace
    }

    fn field(namespace: &Namespace) -> Value {
        namespace.get("Canary", "podinfo")["spec"]["service"]["traefik"].clone()
    }

    #[test]
    fn set_writes_the_field_and_nothing_else() {
        let namespace = rollout("native");
        let [_, before] = versions(&namespace, "podinfo");
        let [canary, _] = objects(&namespace, "podinfo");
        namespace.run(SET).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -16,6 +16,13 @@
   service:
     port: 80
     targetPort: 9898
+    traefik:
+      sticky:
+        cookie:
+          httpOnly: true
+          maxAge: 300
+          name: login
+          sameSite: Lax
   targetRef:
     apiVersion: apps/v1
     kind: Deployment
warning CT021: native-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n native-[NS] --entry /login --max-age 2m
protected: Flagger itself copies the declared cookie to the TraefikService
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
        let cookie = json!({ "name": "login", "maxAge": 300, "httpOnly": true, "sameSite": "Lax" });
        assert_eq!(field(&namespace), json!({ "sticky": { "cookie": cookie } }));
        let [mut now, _] = objects(&namespace, "podinfo");
        now["spec"]["service"].as_object_mut().expect("a mapping").remove("traefik");
        assert_eq!(now, canary);
        assert_eq!(versions(&namespace, "podinfo")[1], before, "the TraefikService is Flagger's");

        namespace.run(SET).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo unchanged
--- stderr
the TraefikService is not changed: Flagger itself copies the declared cookie to it

"#]]);
        namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   flagger     [A]
--- stderr

"#]]);
        namespace.run(["sticky", "get", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
FIELD       DECLARED   LIVE
name        login      <unset>
max-age     300        <unset>
http-only   true       <unset>
same-site   lax        <unset>

state       missing (declared in spec.service.traefik.sticky.cookie)
protected   flagger
--- stderr

"#]]);
        namespace.run(["sticky", "apply", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
native-[NS]/podinfo: Flagger itself copies the declared cookie
nothing to apply

"#]]);
        assert_eq!(versions(&namespace, "podinfo")[1], before);
    }

    #[test]
    fn what_flagger_has_copied_is_synced_and_kept() {
        let namespace = rollout("native-synced");
        assert_eq!(namespace.run(SET).run().code, Some(0));
        let cookie = json!({ "name": "login", "maxAge": 300, "httpOnly": true, "sameSite": "lax" });
        set_live(&namespace, "podinfo", &cookie);
        namespace.run(["show", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE    PROTECTED   AGE
podinfo   <none>   90/10    login    synced   flagger     [A]
--- stderr

"#]]);
        assert_eq!(namespace.run(["diff"]).run().code, Some(0));
    }

    #[test]
    fn remove_gives_the_canary_back() {
        let namespace = rollout("native-remove");
        let before = objects(&namespace, "podinfo");
        assert_eq!(namespace.run(SET).run().code, Some(0));
        let declaring = objects(&namespace, "podinfo");
        assert_ne!(declaring, before);
        let removed = namespace.run(["sticky", "remove", "podinfo", "--yes"]).run();
        removed.shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -16,13 +16,6 @@
   service:
     port: 80
     targetPort: 9898
-    traefik:
-      sticky:
-        cookie:
-          httpOnly: true
-          maxAge: 300
-          name: login
-          sameSite: Lax
   targetRef:
     apiVersion: apps/v1
     kind: Deployment
the TraefikService is not changed: Flagger itself copies the declared cookie to it
to undo: kubectl canary-traefik sticky set podinfo --name login --max-age 300 --http-only --same-site lax --declare-only

"#]]);
        assert_eq!(objects(&namespace, "podinfo"), before);

        undo(&namespace, &removed);
        assert_eq!(objects(&namespace, "podinfo"), declaring);
    }

    #[test]
    fn the_commands_that_undo_a_set_undo_it() {
        let namespace = rollout("native-undo");
        let before = objects(&namespace, "podinfo");
        let set = namespace.run(SET).run();
        undo(&namespace, &set);
        assert_eq!(objects(&namespace, "podinfo"), before);

        assert_eq!(namespace.run(SET).run().code, Some(0));
        let before = objects(&namespace, "podinfo");
        let set =
            namespace.run(["sticky", "set", "podinfo", "--unset", "max-age", "--same-site", "strict", "--yes"]).run();
        undo(&namespace, &set);
        assert_eq!(objects(&namespace, "podinfo"), before);
    }

    #[test]
    fn a_field_that_the_definition_lacks_is_refused() {
        let namespace = rollout("native-domain");
        let before = versions(&namespace, "podinfo");
        namespace.run(SET).arguments(["--domain", "example.com"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the Canaries of this cluster have no cookie field `domain`
hint: leave out --domain, or remove it with --unset domain

"#]]);
        assert_eq!(versions(&namespace, "podinfo"), before);
    }

    #[test]
    fn an_annotation_from_before_makes_way_for_the_field() {
        let namespace = rollout("native-annotation");
        declare(&namespace, "podinfo", "old; Max-Age=60");
        namespace.run(["sticky", "set", "podinfo", "--max-age", "300", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,8 +1,6 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: old; Max-Age=60
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: native-annotation-[NS]
@@ -18,6 +16,11 @@
   service:
     port: 80
     targetPort: 9898
+    traefik:
+      sticky:
+        cookie:
+          maxAge: 300
+          name: old
   targetRef:
     apiVersion: apps/v1
     kind: Deployment
warning CT021: native-annotation-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n native-annotation-[NS] --entry /login --max-age 2m
protected: Flagger itself copies the declared cookie to the TraefikService
to undo: kubectl canary-traefik sticky set podinfo --max-age 60 --declare-only

"#]]);
        assert_eq!(declared(&namespace, "podinfo"), Value::Null);
        assert_eq!(field(&namespace), json!({ "sticky": { "cookie": { "name": "old", "maxAge": 300 } } }));

        declare(&namespace, "podinfo", "old; Max-Age=60");
        namespace.run(["sticky", "remove", "podinfo", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,8 +1,6 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
-  annotations:
-    kubectl-canary-traefik/sticky-cookie: old; Max-Age=60
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: native-annotation-[NS]
@@ -18,11 +16,6 @@
   service:
     port: 80
     targetPort: 9898
-    traefik:
-      sticky:
-        cookie:
-          maxAge: 300
-          name: old
   targetRef:
     apiVersion: apps/v1
     kind: Deployment
the TraefikService is not changed: Flagger itself copies the declared cookie to it
to undo: kubectl canary-traefik sticky set podinfo --name old --max-age 300 --declare-only

"#]]);
        assert_eq!((declared(&namespace, "podinfo"), field(&namespace)), (Value::Null, Value::Null));
    }
}
