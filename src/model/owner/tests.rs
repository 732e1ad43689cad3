//! Tests of owners.

use serde_json::json;

use super::*;

fn canary(labels: &Value, annotations: &Value, managed: &Value) -> Value {
    json!({"metadata": {"name": "podinfo", "namespace": "shop", "labels": labels, "annotations": annotations,
        "managedFields": managed}})
}

fn told(labels: &Value, annotations: &Value, managed: &Value) -> String {
    of(&canary(labels, annotations, managed))
        .map_or_else(|| "nobody".to_owned(), |owner| format!("{owner} {:?}", owner.policy))
}

fn kustomize(more: &Value) -> Value {
    let mut labels =
        json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    labels
}

fn by(manager: &str, fields: &Value) -> Value {
    json!([{"manager": "other", "fieldsV1": {}}, {"manager": manager, "operation": "Apply", "fieldsV1": fields}])
}

#[test]
fn each_tool_is_known_by_its_marks() {
    let none = json!({});
    let helm = json!({"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "web"});
    let release = json!({"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "web"});
    let tracked = |id: &str| json!({"argocd.argoproj.io/tracking-id": id});
    let instance = json!({"app.kubernetes.io/instance": "shop"});
    for (labels, annotations, managed, expected) in [
        (&none, &none, &none, "nobody"),
        (&kustomize(&none), &none, &none, "Flux Kustomization `flux-system/apps` Preserves"),
        (&release, &helm, &none, "Flux HelmRelease `web/shop` Preserves"),
        (&none, &helm, &none, "Helm release `web/shop` Preserves"),
        // A chart's label that Argo CD rendered: Helm never saw the object.
        (&json!({"app.kubernetes.io/managed-by": "Helm"}), &none, &none, "nobody"),
        (&none, &tracked("web:flagger.app/Canary:shop/podinfo"), &none, "Argo CD Application `web` Preserves"),
        (
            &none,
            &tracked("argocd_web:flagger.app/Canary:shop/podinfo"),
            &none,
            "Argo CD Application `argocd_web` Preserves",
        ),
        // Copied from another object.
        (&none, &tracked("web:flagger.app/Canary:shop/other"), &none, "nobody"),
        (&none, &tracked("web:apps/Deployment:shop/podinfo"), &none, "nobody"),
        (&none, &tracked("web"), &none, "nobody"),
        (&instance, &none, &none, "nobody"),
        (&instance, &none, &by("argocd-controller", &none), "Argo CD Application `shop` Preserves"),
        (&json!({"argocd.argoproj.io/instance": "shop"}), &none, &none, "Argo CD Application `shop` Preserves"),
    ] {
        assert_eq!(told(labels, annotations, managed), expected, "{labels} {annotations}");
    }
}

#[test]
fn a_source_that_sets_the_cookie_is_known_by_the_servers_record() {
    let none = json!({});
    let annotation = json!({"f:metadata": {"f:annotations": {format!("f:{ANNOTATION}"): {}}}});
    let native = json!({"f:spec": {"f:service": {"f:traefik": {"f:sticky": {"f:cookie": {"f:name": {}}}}}}});
    let labels = kustomize(&none);
    let puts_back = "Flux Kustomization `flux-system/apps` Restores";
    for fields in [&annotation, &native] {
        assert_eq!(told(&labels, &none, &by("kustomize-controller", fields)), puts_back);
        assert_eq!(
            told(&labels, &none, &by("canary-traefik", fields)),
            "Flux Kustomization `flux-system/apps` Preserves"
        );
    }
    let applied = json!({"metadata": {"annotations": {ANNOTATION: "login"}}}).to_string();
    let annotations = json!({"argocd.argoproj.io/tracking-id": "web:flagger.app/Canary:shop/podinfo",
        "kubectl.kubernetes.io/last-applied-configuration": applied});
    assert_eq!(told(&none, &annotations, &none), "Argo CD Application `web` Restores");
}

#[test]
fn instructions_to_the_tools_are_heeded() {
    let none = json!({});
    for (key, value) in [("reconcile", "disabled"), ("ssa", "Ignore"), ("ssa", "IfNotPresent")] {
        let told_so = json!({format!("kustomize.toolkit.fluxcd.io/{key}"): value});
        let policy = format!("Ignores(\"kustomize.toolkit.fluxcd.io/{key}: {value}\")");
        let expected = format!("Flux Kustomization `flux-system/apps` {policy}");
        assert_eq!(told(&kustomize(&none), &told_so, &none), expected);
        assert_eq!(told(&kustomize(&told_so), &none, &none), expected);
    }
    let merged = json!({"kustomize.toolkit.fluxcd.io/ssa": "Merge"});
    assert_eq!(told(&kustomize(&merged), &none, &none), "Flux Kustomization `flux-system/apps` Preserves");
    let replaced = json!({"argocd.argoproj.io/tracking-id": "web:flagger.app/Canary:shop/podinfo",
        "argocd.argoproj.io/sync-options": "Prune=false, Replace=true"});
    assert_eq!(told(&none, &replaced, &none), "Argo CD Application `web` Replaces");
}

#[test]
fn odd_metadata_is_nobodys() {
    for odd in [
        json!(null),
        json!({"metadata": {"labels": 3, "annotations": [], "managedFields": "x"}}),
        json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": ""}, "managedFields": [3, {"manager": 1}]}}),
    ] {
        assert_eq!(of(&odd), None, "{odd}");
    }
}
