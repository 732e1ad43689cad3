//! The tool that owns a Canary: it applies the object from its own source, and may revert changes made here. Pure:
//! recognised by labels, annotations and `metadata.managedFields`.
//!
//! | tool | recognised by | what happens to a field that its source does not set |
//! |---|---|---|
//! | Flux Kustomization | labels `kustomize.toolkit.fluxcd.io/{name,namespace}` (fluxcd/pkg `ssa/manager.go:SetOwnerLabels`) | stays (server-side apply), unless set by a field manager `kubectl…`, which it takes over first (`ssa/patch.go:matchFieldManager`) |
//! | Flux HelmRelease | labels `helm.toolkit.fluxcd.io/{name,namespace}` (fluxcd/helm-controller `internal/postrender/common_renderer.go`) | stays, as with Helm; drift is detected by server-side apply |
//! | Argo CD | annotation `argocd.argoproj.io/tracking-id` that names this object, else the label of the other tracking method (argoproj/argo-cd `util/argo/resource_tracking.go`) | stays (three-way diff and apply, `gitops-engine/pkg/diff/diff.go:threeWayMergePatch`), unless `Replace=true` |
//! | Helm | annotation `meta.helm.sh/release-name` (helm/helm `pkg/action/validate.go`) | stays (a patch between two releases, or server-side apply, `pkg/kube/client.go:createPatch`) |

use std::fmt;

use serde_json::Value;

use crate::{
    model::declaration::NATIVE_COOKIE,
    model::{declaration::ANNOTATION, view},
};

/// The tool that applies a Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The tool.
    pub tool: Tool,
    /// Name of the Kustomization, HelmRelease, Application or release, with its namespace if it has one.
    pub name: String,
    /// How it treats the declared cookie.
    pub policy: OwnerPolicy,
}

/// A tool that applies objects from its own source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Flux's kustomize-controller.
    Kustomization,
    /// Flux's helm-controller.
    HelmRelease,
    /// Argo CD.
    ArgoCd,
    /// Helm, run by a person or a pipeline.
    Helm,
}

/// How a tool treats a change of the declared cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerPolicy {
    /// Leaves this object alone, because of this label or annotation.
    Ignores(&'static str),
    /// Restores the cookie, which its source sets.
    Restores,
    /// Replaces the whole object: fields that its source does not set are removed.
    Replaces,
    /// Restores fields that its source sets, and leaves the others. Whether its source sets the cookie is not known.
    Preserves,
}

impl Tool {
    /// Returns the name for machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kustomization => "flux-kustomization",
            Self::HelmRelease => "flux-helmrelease",
            Self::ArgoCd => "argocd",
            Self::Helm => "helm",
        }
    }

    /// Returns the display name of what the owner's name refers to.
    fn title(self) -> &'static str {
        match self {
            Self::Kustomization => "Flux Kustomization",
            Self::HelmRelease => "Flux HelmRelease",
            Self::ArgoCd => "Argo CD Application",
            Self::Helm => "Helm release",
        }
    }

    /// Returns the action by which the tool restores fields.
    pub fn act(self) -> &'static str {
        match self {
            Self::Kustomization => "its next reconcile",
            Self::HelmRelease => "its next upgrade or correction of drift",
            Self::ArgoCd => "its next sync",
            Self::Helm => "its next upgrade",
        }
    }

    /// Returns where the tool gets the Canary from.
    pub fn source(self) -> &'static str {
        if self.is_helm() { "its chart" } else { "its source" }
    }

    /// Returns whether the tool applies templates, which are not plain manifests.
    pub fn is_helm(self) -> bool {
        matches!(self, Self::HelmRelease | Self::Helm)
    }

    /// Returns whether a field manager is this tool.
    fn is_manager(self, name: &str) -> bool {
        match self {
            Self::Kustomization => name == "kustomize-controller",
            Self::HelmRelease => name == "helm-controller",
            Self::ArgoCd => name.starts_with("argocd-"),
            Self::Helm => name == "helm",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.tool.title(), self.name)
    }
}

impl OwnerPolicy {
    /// Returns the name for machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignores(_) => "ignores",
            Self::Restores => "restores",
            Self::Replaces => "replaces",
            Self::Preserves => "preserves",
        }
    }
}

/// Returns the tool that applies this Canary, if it can be recognised.
pub fn of(canary: &Value) -> Option<Owner> {
    let label = |key: &str| view::owned(canary, &["metadata", "labels", key]);
    let annotation = |key: &str| view::owned(canary, &["metadata", "annotations", key]);
    let placed = |namespace: Option<String>, name: String| match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    };
    let flux = |group: &str| {
        let name = label(&format!("{group}/name"))?;
        Some(placed(label(&format!("{group}/namespace")), name))
    };
    let helm = || Some(placed(annotation("meta.helm.sh/release-namespace"), annotation("meta.helm.sh/release-name")?));
    // Objects of a HelmRelease have Helm's own annotations too.
    let found = [
        (Tool::Kustomization, flux("kustomize.toolkit.fluxcd.io")),
        (Tool::HelmRelease, flux("helm.toolkit.fluxcd.io")),
        (Tool::ArgoCd, argo_application(canary)),
        (Tool::Helm, helm()),
    ];
    let (tool, name) = found.into_iter().find_map(|(tool, name)| Some((tool, name?)))?;
    Some(Owner { tool, name, policy: policy(canary, tool) })
}

/// Returns the Application that tracks this object. A tracking id that names another object was copied along with it,
/// and Argo CD ignores it too. The label `app.kubernetes.io/instance` is on nearly every chart's objects: it means Argo
/// CD only if Argo CD has written the object.
fn argo_application(canary: &Value) -> Option<String> {
    let label = |key: &str| view::owned(canary, &["metadata", "labels", key]);
    let tracked = view::text(canary, &["metadata", "annotations", "argocd.argoproj.io/tracking-id"]).and_then(|id| {
        let (application, object) = id.split_once(':')?;
        let (kind, place) = object.split_once(':')?;
        let (namespace, name) = place.split_once('/')?;
        let own = view::text(canary, &["metadata", "namespace"]);
        let is_this = kind == "flagger.app/Canary"
            && Some(name) == view::text(canary, &["metadata", "name"])
            && own.is_none_or(|own| own == namespace);
        (is_this && !application.is_empty()).then(|| application.to_owned())
    });
    let written = || managers(canary).any(|(name, _)| Tool::ArgoCd.is_manager(name));
    tracked
        .or_else(|| label("argocd.argoproj.io/instance"))
        .or_else(|| label("app.kubernetes.io/instance").filter(|_| written()))
}

fn policy(canary: &Value, tool: Tool) -> OwnerPolicy {
    // Flux reads its instructions from labels and annotations alike (fluxcd/pkg `ssa/utils/meta.go:AnyInMetadata`).
    let told = |key: &str, value: &str| {
        ["labels", "annotations"].iter().any(|place| {
            view::text(canary, &["metadata", place, key]).is_some_and(|said| said.eq_ignore_ascii_case(value))
        })
    };
    let lists = |key: &str, option: &str| {
        view::text(canary, &["metadata", "annotations", key])
            .is_some_and(|options| options.split(',').any(|one| one.trim() == option))
    };
    match tool {
        Tool::Kustomization if told("kustomize.toolkit.fluxcd.io/reconcile", "disabled") => {
            OwnerPolicy::Ignores("kustomize.toolkit.fluxcd.io/reconcile: disabled")
        }
        Tool::Kustomization if told("kustomize.toolkit.fluxcd.io/ssa", "ignore") => {
            OwnerPolicy::Ignores("kustomize.toolkit.fluxcd.io/ssa: Ignore")
        }
        Tool::Kustomization if told("kustomize.toolkit.fluxcd.io/ssa", "ifnotpresent") => {
            OwnerPolicy::Ignores("kustomize.toolkit.fluxcd.io/ssa: IfNotPresent")
        }
        _ if source_sets_cookie(canary, tool) => OwnerPolicy::Restores,
        Tool::ArgoCd if lists("argocd.argoproj.io/sync-options", "Replace=true") => OwnerPolicy::Replaces,
        _ => OwnerPolicy::Preserves,
    }
}

/// Returns whether the tool itself has set the declared cookie, according to `managedFields` or to the last client-side
/// apply.
fn source_sets_cookie(canary: &Value, tool: Tool) -> bool {
    let has = |object: &Value| {
        view::at(object, &["metadata", "annotations", ANNOTATION]).is_some()
            || view::at(object, &NATIVE_COOKIE).is_some()
    };
    let recorded = managers(canary).any(|(name, fields)| {
        let native: Vec<_> = NATIVE_COOKIE.iter().map(|key| format!("f:{key}")).collect();
        let native: Vec<_> = native.iter().map(String::as_str).collect();
        let annotation = format!("f:{ANNOTATION}");
        tool.is_manager(name)
            && (view::at(fields, &["f:metadata", "f:annotations", &annotation]).is_some()
                || view::at(fields, &native).is_some())
    });
    let applied = view::text(canary, &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]);
    let applied = applied.and_then(|text| serde_json::from_str::<Value>(text).ok());
    recorded || (tool == Tool::ArgoCd && applied.is_some_and(|applied| has(&applied)))
}

/// Returns the field managers and their fields.
fn managers(canary: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = view::at(canary, &["metadata", "managedFields"]).and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| Some((entry.get("manager")?.as_str()?, entry.get("fieldsV1")?)))
}

#[cfg(test)]
mod tests {
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
}
