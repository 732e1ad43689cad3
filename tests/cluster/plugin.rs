//! As a plugin of the real kubectl.

use std::path::Path;

use serde_json::json;
use snapbox::str;
use testbed::{bed, namespace::Namespace, pty::Pty, run::Run};

use crate::rollout::{declared, rollout};

fn kubectl<'a>(namespace: &Namespace, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-canary_traefik"));
    Run::of(kubectl, ["canary-traefik"])
        .arguments(arguments)
        .env("PATH", program.parent().expect("the program is in a folder"))
        .kubeconfig(namespace.kubeconfig())
        .redact(namespace.name(), "kubectl-[NS]")
}

#[test]
fn kubectl_finds_it_and_hands_on_what_it_prints_and_how_it_ends() {
    let namespace = rollout("kubectl");
    kubectl(&namespace, ["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
podinfo   <none>   90/10    <none>   none    -           [A]
--- stderr

"#]]);
    kubectl(&namespace, ["show", "-A", "--context", "bed", "-l", "no=such"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
No resources found

"#]]);
    kubectl(&namespace, ["show", "podinf"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no Canary `podinf` in namespace `kubectl-[NS]`
hint: did you mean `podinfo`?

"#]]);
    kubectl(&namespace, ["sticky", "set", "podinfo", "--max-age", "300"]).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=300
   creationTimestamp: "[TIME]"
   name: podinfo
   namespace: kubectl-[NS]
--- traefikservice.traefik.io/podinfo (live)
+++ traefikservice.traefik.io/podinfo (after)
@@ -26,3 +26,6 @@
       namespace: kubectl-[NS]
       port: 80
       weight: 10
+    sticky:
+      cookie:
+        maxAge: 300
warning CT021: kubectl-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n kubectl-[NS] --entry /login --max-age 2m
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
}

#[test]
fn its_help_names_it_as_it_is_typed() {
    let namespace = rollout("kubectl");
    kubectl(&namespace, ["show", "--nope"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: unexpected argument '--nope' found

Usage: kubectl canary-traefik show [OPTIONS] [NAME]...

For more information, try '--help'.

"#]]);
}

#[test]
fn a_person_can_answer_through_kubectl() {
    let namespace = rollout("kubectl");
    let mut pty = Pty::start(kubectl(&namespace, ["sticky", "set", "podinfo", "--max-age", "300"]));
    pty.answers("Change 2 objects?", "y");
    assert_eq!(pty.ends().code, Some(0));
    assert_eq!(declared(&namespace, "podinfo"), json!("; Max-Age=300"));
}
