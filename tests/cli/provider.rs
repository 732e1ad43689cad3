//! Which Canaries are on Traefik: those that say so, and those that name no provider where something else tells.

use serde_json::json;
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    objects,
    run::Run,
};

use crate::manifests::{canary, folder, in_namespace, run, service};

/// A Canary without a provider.
fn unsaid(name: &str) -> String {
    canary(name, None).replace("  provider: traefik\n", "")
}

/// Flagger's Deployment with these arguments.
fn flagger(arguments: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: flagger}}\nspec:\n  template:\n    spec:\n      containers:\n      - image: ghcr.io/fluxcd/flagger:1.44.0\n        args: {arguments}\n"
    )
}

#[test]
fn what_is_left_out_is_counted_with_the_reason() {
    let istio = |name: &str| canary(name, None).replace("provider: traefik", "provider: istio");
    let folder = folder(&[
        ("a.yaml", &(unsaid("a") + &unsaid("b"))),
        ("c.yaml", &(istio("c") + &istio("d"))),
        ("e.yaml", &istio("e").replace("istio", "nginx")),
    ]);
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 2 Canaries skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik); 2 Canaries skipped: spec.provider is istio; 1 Canary skipped: spec.provider is nginx
No resources found

"#]]);
    folder.write("f.yaml", canary("f", None));
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
f      <none>   <none>   <none>   none    -           <unknown>
--- stderr
note: 2 Canaries skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik); 2 Canaries skipped: spec.provider is istio; 1 Canary skipped: spec.provider is nginx

"#]]);
    run(&folder, "diff -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 2 Canaries skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik); 2 Canaries skipped: spec.provider is istio; 1 Canary skipped: spec.provider is nginx

"#]]);
    run(&folder, "show a -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `a` is not on Traefik
caused by: it has no spec.provider, no TraefikService and no declared cookie
hint: set spec.provider: traefik on the Canary

"#]]);
}

#[test]
fn a_traefik_service_of_its_name_tells() {
    let folder = folder(&[("a.yaml", &(unsaid("a") + &service("a", None)))]);
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME   PHASE    WEIGHT   COOKIE   STATE   PROTECTED   AGE
a      <none>   70/30    <none>   none    -           <unknown>
--- stderr

"#]]);
    run(&folder, "sticky set a --max-age 60 --yes -o name -f a.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a configured
--- stderr
--- a.yaml (before)
+++ a.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: a
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   targetRef:
     apiVersion: apps/v1

"#]]);
}

#[test]
fn flaggers_mesh_provider_tells_wherever_it_is_installed() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flagger}\nspec:\n  chart: {spec: {chart: flagger}}\n  values: {meshProvider: traefik}\n";
    let argo = |helm: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: flagger}}\nspec:\n  source: {{chart: flagger, helm: {helm}}}\n"
        )
    };
    let k3s = "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: flagger}\nspec:\n  chart: flagger/flagger\n  valuesContent: |-\n    meshProvider: traefik\n";
    let cases = [
        ("flagger.yaml", flagger("[-mesh-provider=traefik]")),
        ("flagger.yaml", release.to_owned()),
        ("flagger.yaml", argo("{parameters: [{name: meshProvider, value: traefik}]}")),
        ("flagger.yaml", argo("{valuesObject: {meshProvider: traefik}}")),
        ("flagger.yaml", argo("{values: 'meshProvider: traefik'}")),
        ("flagger.yaml", k3s.to_owned()),
        (
            "flagger.yaml",
            release.replace("chart: {spec: {chart: flagger}}", "chartRef: {kind: OCIRepository, name: flagger}"),
        ),
        (
            "flagger.yaml",
            argo("{valuesObject: {meshProvider: traefik}}")
                .replace("Application", "ApplicationSet")
                .replace("spec:\n  source", "spec:\n  template:\n   spec:\n    source"),
        ),
        ("kustomization.yaml", "helmCharts:\n- name: flagger\n  valuesInline: {meshProvider: traefik}\n".to_owned()),
    ];
    for (name, text) in cases {
        let folder = folder(&[("a.yaml", &unsaid("a")), (name, &text)]);
        let shown = run(&folder, "show -f . -o name");
        assert_eq!((shown.stdout.as_str(), shown.stderr.as_str()), ("canary.flagger.app/a\n", ""), "{text}");
    }
}

#[test]
fn values_that_are_somewhere_else_decide_nothing() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flagger}\nspec:\n  chart: {spec: {chart: flagger}}\n";
    let part = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flagger}\nspec:\n  values: {meshProvider: traefik}\n";
    let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: flagger}\nspec:\n  source: {chart: flagger, helm: {valueFiles: [values.yaml]}}\n";
    let chart = "helmCharts:\n- {name: flagger, valuesFile: values.yaml}\n";
    let values = ("values.yaml", "meshProvider: traefik\n");
    let inline = "patches:\n- patch: |-\n    kind: HelmRelease\n    metadata: {name: flagger}\n    spec: {values: {meshProvider: traefik}}\n";
    let told = |files: &[(&str, &str)]| {
        let folder = folder(&[&[("a.yaml", unsaid("a").as_str())], files].concat());
        let shown = run(&folder, "show -f . -o name");
        format!("{}{}", shown.stdout, shown.stderr)
    };
    assert_eq!(told(&[("flagger.yaml", release), ("patch.yaml", part)]), "canary.flagger.app/a\n");
    let from = format!("{release}  valuesFrom: [{{kind: ConfigMap, name: values}}]\n");
    for files in [
        &[("flagger.yaml", from.as_str())][..],
        &[("argo.yaml", argo), values],
        &[("kustomization.yaml", chart), values],
        &[("flagger.yaml", release), ("kustomization.yaml", inline)],
    ] {
        assert_eq!(
            told(files),
            "note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik)\n",
            "{files:?}"
        );
    }
}

#[test]
fn a_mesh_provider_other_than_traefik_is_named() {
    let folder = folder(&[("a.yaml", &unsaid("a")), ("flagger.yaml", &flagger("[-log-level=info]"))]);
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is istio
No resources found

"#]]);
    run(&folder, "sticky set a --max-age 60 --yes -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `a` is not on Traefik
caused by: it has no spec.provider and no TraefikService, and Flagger's default provider (-mesh-provider) is `istio`
hint: set spec.provider: traefik on the Canary

"#]]);
    // Two Flaggers that differ decide nothing.
    folder.write("other.yaml", flagger("[-mesh-provider=traefik]"));
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik)
No resources found

"#]]);
    run(&folder, "sticky set a --max-age 60 --yes -o name -f .").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a configured
--- stderr
warning: Canary `a` has no spec.provider, and Flagger's default provider (-mesh-provider) is unknown. If it is not traefik, the cookie has no effect; to be sure, set spec.provider: traefik
--- ./a.yaml (before)
+++ ./a.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: a
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   targetRef:
     apiVersion: apps/v1

"#]]);
}

#[test]
fn a_change_of_a_canary_of_unknown_provider_says_so_first() {
    let folder = folder(&[("a.yaml", &in_namespace("shop", &unsaid("a")))]);
    run(&folder, "sticky set a --max-age 60 --yes -f a.yaml").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a configured
--- stderr
warning: Canary `shop/a` has no spec.provider, and Flagger's default provider (-mesh-provider) is unknown. If it is not traefik, the cookie has no effect; to be sure, set spec.provider: traefik
--- a.yaml (before)
+++ a.yaml (after)
@@ -4,6 +4,8 @@
 metadata:
   namespace: shop
   name: a
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=60
 spec:
   targetRef:
     apiVersion: apps/v1

"#]]);
}

/// A scripted server with the Canary `a`, which names no provider.
fn shop() -> Fake {
    let fake = Fake::start();
    let mut object = objects::canary("a");
    object["metadata"]["namespace"] = "shop".into();
    object["spec"].as_object_mut().expect("a spec").remove("provider");
    let canaries = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";
    fake.on("GET", canaries, [Reply::json(200, &json!({"kind": "CanaryList", "items": [object]}))]);
    let services = "/apis/traefik.io/v1alpha1/namespaces/shop/traefikservices";
    fake.on("GET", services, [Reply::json(200, &json!({"kind": "TraefikServiceList", "items": []}))]);
    fake
}

#[test]
fn on_a_cluster_flaggers_deployment_is_asked_for_its_mesh_provider() {
    let fake = shop();
    let flagger = |provider: &str| {
        let container = json!({"image": "flagger", "args": [format!("-mesh-provider={provider}")]});
        let spec = json!({"template": {"spec": {"containers": [container]}}});
        let list = json!({"kind": "DeploymentList", "items": [{"metadata": {"name": "flagger"}, "spec": spec}]});
        fake.on("GET", "/apis/apps/v1/deployments", [Reply::json(200, &list)]);
    };
    let show = || Run::new(["show", "-o", "name"]).kubeconfig(fake.kubeconfig()).run();
    show().shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is unknown (to include it, set spec.provider: traefik)

"#]]);
    flagger("istio");
    show().shows(str![[r#"
exit: 0
--- stdout
--- stderr
note: 1 Canary skipped: no spec.provider, and Flagger's default provider (-mesh-provider) is istio

"#]]);
    flagger("traefik");
    show().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/a
--- stderr

"#]]);
}

#[test]
fn a_declared_cookie_does_not_count_where_flaggers_mesh_provider_is_another() {
    let fake = shop();
    let mut object = objects::canary("a");
    object["metadata"]["namespace"] = "shop".into();
    object["metadata"]["annotations"] = json!({"kubectl-canary-traefik/sticky-cookie": "login"});
    object["spec"].as_object_mut().expect("a spec").remove("provider");
    let place = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/a";
    fake.on("GET", place, [Reply::json(200, &object)]);
    let describe = || {
        let output = Run::new(["sticky", "get", "a"]).kubeconfig(fake.kubeconfig()).run();
        (output.code, output.stderr)
    };
    assert_eq!(describe(), (Some(0), String::new()), "nothing says otherwise");
    let container = json!({"image": "flagger", "args": ["-mesh-provider=istio"]});
    let spec = json!({"template": {"spec": {"containers": [container]}}});
    let list = json!({"kind": "DeploymentList", "items": [{"metadata": {"name": "flagger"}, "spec": spec}]});
    fake.on("GET", "/apis/apps/v1/deployments", [Reply::json(200, &list)]);
    Run::new(["sticky", "get", "a"]).kubeconfig(fake.kubeconfig()).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: Canary `shop/a` is not on Traefik
caused by: it has no spec.provider and no TraefikService, and Flagger's default provider (-mesh-provider) is `istio`
hint: set spec.provider: traefik on the Canary

"#]]);
}

#[test]
fn nothing_is_asked_about_flagger_where_every_canary_names_its_provider() {
    let fake = shop();
    let canaries = "/apis/flagger.app/v1beta1/namespaces/shop/canaries";
    fake.on("GET", canaries, [Reply::json(200, &json!({"kind": "CanaryList", "items": [objects::canary("a")]}))]);
    assert_eq!(Run::new(["show"]).kubeconfig(fake.kubeconfig()).run().code, Some(0));
    assert!(fake.lines().iter().all(|line| !line.starts_with("GET /apis/apps/")), "{:?}", fake.lines());
}
