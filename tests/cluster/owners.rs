//! Canaries that a GitOps tool applies from a source of its own: what is said before a change, and what then becomes
//! of it.

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{flux, namespace::Namespace, objects, pty::Pty, run::Output};

use crate::rollout::{declare, declared};

const SET: [&str; 8] = ["sticky", "set", "podinfo", "--name", "login", "--max-age", "300", "--yes"];
const REMOVE: [&str; 4] = ["sticky", "remove", "podinfo", "--yes"];

/// The Canary as a Flux Kustomization applies it; with this cookie in its source.
fn of_flux(cookie: Option<&str>) -> Value {
    let mut canary = objects::canary("podinfo");
    canary["metadata"]["labels"] =
        json!({ "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" });
    if let Some(cookie) = cookie {
        canary["metadata"]["annotations"] = json!({ ANNOTATION: cookie });
    }
    canary
}

/// What is said before the question: after the diff.
fn notice(output: &Output) -> String {
    let said = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("the Canary is applied") || line.starts_with("to change its"));
    said.map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn says(output: &Output, expected: impl snapbox::IntoData) {
    assert_eq!(output.code, Some(0), "{output}");
    testbed::run::exactly(&notice(output), expected);
}

#[test]
fn the_warning_stands_between_the_diff_and_what_was_done() {
    let namespace = Namespace::new("owned");
    flux::reconciles(&namespace, &of_flux(None));
    namespace.run(SET).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/podinfo configured
--- stderr
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
   creationTimestamp: "[TIME]"
   labels:
     kustomize.toolkit.fluxcd.io/name: apps
warning CT021: owned-[NS]/podinfo: with Max-Age=300 and an interval of 60 s, returning users see the canary in 11 % of their page views during the steps, instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where your logins begin and a Max-Age just over one login, for example /login and 2m: kubectl canary-traefik sticky set podinfo -n owned-[NS] --entry /login --max-age 2m
the Canary is applied by Flux Kustomization `flux-system/apps`: its next reconcile keeps this cookie, unless its source declares another
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE
the TraefikService is not changed: Flagger has not created TraefikService `podinfo` yet
not live yet
once Flagger has created the TraefikService: kubectl canary-traefik sticky apply podinfo
to undo: kubectl canary-traefik sticky remove podinfo

"#]]);
}

#[test]
fn the_warning_comes_before_the_question() {
    let namespace = Namespace::new("owned-asked");
    flux::reconciles(&namespace, &of_flux(None));
    let mut terminal = Pty::start(namespace.run(&SET[..7]));
    terminal.answers("Change 1 object?", "n");
    let seen = terminal.ends();
    assert_eq!(seen.code, Some(3));
    seen.shows(str![[r#"
exit: 3
--- screen
--- canary.flagger.app/podinfo (live)
+++ canary.flagger.app/podinfo (after)
@@ -1,6 +1,8 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=300
   creationTimestamp: "[TIME]"
   labels:
     kustomize.toolkit.fluxcd.io/name: apps
warning CT021: owned-asked-[NS]/podinfo: with Max-Age=300 and an interval of 60
s, returning users see the canary in 11 % of their page views during the steps,
instead of 30 %
  fix: set spec.analysis.interval to Max-Age plus 3 s or more, and declare where
 your logins begin and a Max-Age just over one login, for example /login and 2m:
 kubectl canary-traefik sticky set podinfo -n owned-asked-[NS] --entry /login --
max-age 2m
the Canary is applied by Flux Kustomization `flux-system/apps`: its next reconci
le keeps this cookie, unless its source declares another
to change its source instead: kubectl canary-traefik sticky set podinfo --name l
ogin --max-age 300 -f FILE
cancelled: nothing was changed

"#]]);
    assert_eq!(declared(&namespace, "podinfo"), Value::Null);
}

#[test]
fn a_cookie_that_fluxs_source_does_not_declare_outlives_its_reconcile() {
    let namespace = Namespace::new("flux-keeps");
    flux::reconciles(&namespace, &of_flux(None));
    says(
        &namespace.run(SET).run(),
        str![[r#"
the Canary is applied by Flux Kustomization `flux-system/apps`: its next reconcile keeps this cookie, unless its source declares another
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE

"#]],
    );
    flux::reconciles(&namespace, &of_flux(None));
    assert_eq!(declared(&namespace, "podinfo"), "login; Max-Age=300");
    says(
        &namespace.run(REMOVE).run(),
        str![[r#"
the Canary is applied by Flux Kustomization `flux-system/apps`: its next reconcile brings a cookie back if its source declares one
to change its source instead: kubectl canary-traefik sticky remove podinfo -f FILE

"#]],
    );
    flux::reconciles(&namespace, &of_flux(None));
    assert_eq!(declared(&namespace, "podinfo"), Value::Null);
}

/// The other half of the claim: the replay is as strict as Flux is.
#[test]
fn a_cookie_that_kubectl_declared_does_not_outlive_fluxs_reconcile() {
    let namespace = Namespace::new("flux-kubectl");
    flux::reconciles(&namespace, &of_flux(None));
    declare(&namespace, "podinfo", "login");
    flux::reconciles(&namespace, &of_flux(None));
    assert_eq!(declared(&namespace, "podinfo"), Value::Null);
}

#[test]
fn a_cookie_that_fluxs_source_declares_comes_back() {
    let namespace = Namespace::new("flux-back");
    flux::reconciles(&namespace, &of_flux(Some("sso; Max-Age=60")));
    says(
        &namespace.run(SET).run(),
        str![[r#"
the Canary is applied by Flux Kustomization `flux-system/apps`: its source declares a cookie, and its next reconcile replaces yours with that one
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE

"#]],
    );
    assert_eq!(declared(&namespace, "podinfo"), "login; Max-Age=300");
    flux::reconciles(&namespace, &of_flux(Some("sso; Max-Age=60")));
    assert_eq!(declared(&namespace, "podinfo"), "sso; Max-Age=60");
    says(
        &namespace.run(REMOVE).run(),
        str![[r#"
the Canary is applied by Flux Kustomization `flux-system/apps`: its source declares the cookie, so its next reconcile brings it back
to change its source instead: kubectl canary-traefik sticky remove podinfo -f FILE

"#]],
    );
    flux::reconciles(&namespace, &of_flux(Some("sso; Max-Age=60")));
    assert_eq!(declared(&namespace, "podinfo"), "sso; Max-Age=60");
}

#[test]
fn every_tool_is_named_and_told_apart() {
    let namespace = Namespace::new("owners");
    namespace.create_value(&objects::canary("podinfo"));
    let release = json!({ "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "web" });
    let helm = json!({ "helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "web" });
    let tracked = format!("web:flagger.app/Canary:{}/podinfo", namespace.name());
    let argo = json!({ "argocd.argoproj.io/tracking-id": tracked });
    let replaced =
        json!({ "argocd.argoproj.io/tracking-id": tracked, "argocd.argoproj.io/sync-options": "Replace=true" });
    let flux = of_flux(None)["metadata"]["labels"].clone();
    let disabled = json!({ "kustomize.toolkit.fluxcd.io/reconcile": "disabled" });
    let nothing = json!({});
    let mut said = String::new();
    for (labels, annotations) in [
        (&nothing, &nothing),
        (&flux, &nothing),
        (&flux, &disabled),
        (&helm, &release),
        (&nothing, &argo),
        (&nothing, &replaced),
        (&nothing, &release),
    ] {
        let marks = json!({ "metadata": { "labels": labels, "annotations": annotations } });
        namespace.patch("Canary", "podinfo", &marks);
        for change in [&SET[..], &REMOVE[..]] {
            let output = namespace.run(change).run();
            assert_eq!(output.code, Some(0), "{output}");
            said.push_str(&notice(&output));
        }
        let gone = |keys: &Value| -> Value {
            keys.as_object().expect("keys").keys().map(|key| (key.clone(), Value::Null)).collect()
        };
        let unmarked = json!({ "metadata": { "labels": gone(labels), "annotations": gone(annotations) } });
        namespace.patch("Canary", "podinfo", &unmarked);
    }
    testbed::run::exactly(
        &said,
        str![[r#"
the Canary is applied by Flux Kustomization `flux-system/apps`: its next reconcile keeps this cookie, unless its source declares another
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE
the Canary is applied by Flux Kustomization `flux-system/apps`: its next reconcile brings a cookie back if its source declares one
to change its source instead: kubectl canary-traefik sticky remove podinfo -f FILE
the Canary is applied by Flux Kustomization `flux-system/apps`: it is configured to leave the Canary alone (kustomize.toolkit.fluxcd.io/reconcile: disabled)
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE
the Canary is applied by Flux Kustomization `flux-system/apps`: it is configured to leave the Canary alone (kustomize.toolkit.fluxcd.io/reconcile: disabled)
to change its source instead: kubectl canary-traefik sticky remove podinfo -f FILE
the Canary is applied by Flux HelmRelease `web/shop`: its next upgrade or correction of drift keeps this cookie, unless its chart declares another
to change its chart instead: set the Canary's annotation kubectl-canary-traefik/sticky-cookie: 'login; Max-Age=300'
the Canary is applied by Flux HelmRelease `web/shop`: its next upgrade or correction of drift may bring a cookie back if its chart declares one
to change its chart instead: remove the annotation kubectl-canary-traefik/sticky-cookie
the Canary is applied by Argo CD Application `web`: its next sync keeps this cookie, unless its source declares another
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE
the Canary is applied by Argo CD Application `web`: its next sync brings a cookie back if its source declares one
to change its source instead: kubectl canary-traefik sticky remove podinfo -f FILE
the Canary is applied by Argo CD Application `web`: its next sync replaces the Canary, and only a cookie that its source declares stays
to change its source instead: kubectl canary-traefik sticky set podinfo --name login --max-age 300 -f FILE
the Canary is applied by Argo CD Application `web`: its next sync replaces the Canary, and brings back a cookie that its source declares
to change its source instead: kubectl canary-traefik sticky remove podinfo -f FILE
the Canary is applied by Helm release `web/shop`: its next upgrade keeps this cookie, unless its chart declares another
to change its chart instead: set the Canary's annotation kubectl-canary-traefik/sticky-cookie: 'login; Max-Age=300'
the Canary is applied by Helm release `web/shop`: its next upgrade may bring a cookie back if its chart declares one
to change its chart instead: remove the annotation kubectl-canary-traefik/sticky-cookie

"#]],
    );
}

#[test]
fn an_owner_is_no_concern_of_a_change_that_leaves_the_canary_alone() {
    let namespace = Namespace::new("owned-live");
    namespace.create_rollout("podinfo", 90, 10);
    namespace.patch("Canary", "podinfo", &json!({ "metadata": { "labels": of_flux(None)["metadata"]["labels"] } }));
    let output = namespace.run(SET).arguments(["--live-only"]).run();
    says(&output, "");
    // Nothing changes, so there is nothing to say.
    declare(&namespace, "podinfo", "login; Max-Age=300");
    says(&namespace.run(SET).run(), "");
}

#[test]
fn who_applies_a_canary_is_described() {
    let namespace = Namespace::new("owned-told");
    flux::reconciles(&namespace, &of_flux(Some("login")));
    let output = namespace.run(["describe", "podinfo"]).run();
    let told = output.stdout.lines().skip_while(|line| !line.starts_with("Applied by")).take(3).collect::<Vec<_>>();
    testbed::run::exactly(
        &told.join("\n"),
        str![[r#"
Applied by:      Flux Kustomization `flux-system/apps`: its source declares a
                 cookie, and its next reconcile replaces yours with that one
Tracks:
"#]],
    );
}
