//! Which tool owns a Canary: it applies the object from a source of its own, and may put back what is changed here.
//! Pure: told by labels, annotations and `metadata.managedFields`.
//!
//! | tool | known by | what becomes of a field that its source does not set |
//! |---|---|---|
//! | Flux Kustomization | labels `kustomize.toolkit.fluxcd.io/{name,namespace}` (fluxcd/pkg `ssa/manager.go:SetOwnerLabels`) | stays: server-side apply; but for one set by a field manager `kubectl…`, which it takes over first (`ssa/patch.go:matchFieldManager`) |
//! | Flux HelmRelease | labels `helm.toolkit.fluxcd.io/{name,namespace}` (fluxcd/helm-controller `internal/postrender/common_renderer.go`) | stays: as Helm, and drift is found by server-side apply |
//! | Argo CD | annotation `argocd.argoproj.io/tracking-id` that names this object, else the label of the other tracking method (argoproj/argo-cd `util/argo/resource_tracking.go`) | stays: it compares and applies three ways (`gitops-engine/pkg/diff/diff.go:threeWayMergePatch`); but not with `Replace=true` |
//! | Helm | annotation `meta.helm.sh/release-name` (helm/helm `pkg/action/validate.go`) | stays: a patch between two releases, or server-side apply (`pkg/kube/client.go:createPatch`) |

use std::fmt;

use serde_json::Value;

use super::{canary::NATIVE_COOKIE, declaration::ANNOTATION, view};

/// The tool that applies a Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Which tool.
    pub tool: Tool,
    /// What of it: a Kustomization, a HelmRelease, an Application, a release; with its namespace where it has one.
    pub name: String,
    /// What it does with the declared cookie.
    pub habit: Habit,
}

/// A tool that applies objects from a source of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Flux' kustomize-controller.
    Kustomization,
    /// Flux' helm-controller.
    HelmRelease,
    /// Argo CD.
    ArgoCd,
    /// Helm, typed by a person or a pipeline.
    Helm,
}

/// What a tool does with a change of the declared cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// It is told to leave this object alone, by this label or annotation.
    LeavesAlone(&'static str),
    /// Its source sets the cookie: it puts that one back.
    PutsBack,
    /// It replaces the whole object: what its source does not set goes.
    Replaces,
    /// It puts back what its source sets, and leaves the rest. Whether that has a cookie is not known.
    KeepsTheRest,
}

impl Tool {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kustomization => "flux-kustomization",
            Self::HelmRelease => "flux-helmrelease",
            Self::ArgoCd => "argocd",
            Self::Helm => "helm",
        }
    }

    /// What people call the thing that has the name.
    fn title(self) -> &'static str {
        match self {
            Self::Kustomization => "Flux Kustomization",
            Self::HelmRelease => "Flux HelmRelease",
            Self::ArgoCd => "Argo CD Application",
            Self::Helm => "Helm release",
        }
    }

    /// What of it puts things back.
    pub fn act(self) -> &'static str {
        match self {
            Self::Kustomization => "its next reconcile",
            Self::HelmRelease => "its next upgrade or correction of drift",
            Self::ArgoCd => "its next sync",
            Self::Helm => "its next upgrade",
        }
    }

    /// Where it has the Canary from.
    pub fn source(self) -> &'static str {
        if self.is_helm() { "its chart" } else { "its source" }
    }

    /// Whether what it applies is made of templates, which are no manifests.
    pub fn is_helm(self) -> bool {
        matches!(self, Self::HelmRelease | Self::Helm)
    }

    /// Whether a field manager is this tool.
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

impl Habit {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeavesAlone(_) => "leavesAlone",
            Self::PutsBack => "putsBack",
            Self::Replaces => "replaces",
            Self::KeepsTheRest => "keepsTheRest",
        }
    }
}

/// Who applies this Canary, if it can be told.
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
    // Helm's own marks are on the objects of a HelmRelease too.
    let found = [
        (Tool::Kustomization, flux("kustomize.toolkit.fluxcd.io")),
        (Tool::HelmRelease, flux("helm.toolkit.fluxcd.io")),
        (Tool::ArgoCd, argo_application(canary)),
        (Tool::Helm, helm()),
    ];
    let (tool, name) = found.into_iter().find_map(|(tool, name)| Some((tool, name?)))?;
    Some(Owner { tool, name, habit: habit(canary, tool) })
}

/// The Application that tracks this object. A tracking id that names another object was copied along with it, and Argo CD
/// does not count it either. The label `app.kubernetes.io/instance` is on nearly every chart's objects: it means Argo CD
/// only where Argo CD has written the object.
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

fn habit(canary: &Value, tool: Tool) -> Habit {
    // Flux takes its instructions from labels and annotations alike (fluxcd/pkg `ssa/utils/meta.go:AnyInMetadata`).
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
            Habit::LeavesAlone("kustomize.toolkit.fluxcd.io/reconcile: disabled")
        }
        Tool::Kustomization if told("kustomize.toolkit.fluxcd.io/ssa", "ignore") => {
            Habit::LeavesAlone("kustomize.toolkit.fluxcd.io/ssa: Ignore")
        }
        Tool::Kustomization if told("kustomize.toolkit.fluxcd.io/ssa", "ifnotpresent") => {
            Habit::LeavesAlone("kustomize.toolkit.fluxcd.io/ssa: IfNotPresent")
        }
        _ if source_sets_cookie(canary, tool) => Habit::PutsBack,
        Tool::ArgoCd if lists("argocd.argoproj.io/sync-options", "Replace=true") => Habit::Replaces,
        _ => Habit::KeepsTheRest,
    }
}

/// Whether the tool itself has set the declared cookie: by the server's record of who set what, and by what was applied
/// last from the client's side.
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

/// Who set which fields.
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
            .map_or_else(|| "nobody".to_owned(), |owner| format!("{owner} {:?}", owner.habit))
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
            (&kustomize(&none), &none, &none, "Flux Kustomization `flux-system/apps` KeepsTheRest"),
            (&release, &helm, &none, "Flux HelmRelease `web/shop` KeepsTheRest"),
            (&none, &helm, &none, "Helm release `web/shop` KeepsTheRest"),
            // A chart's label that Argo CD rendered: Helm never saw the object.
            (&json!({"app.kubernetes.io/managed-by": "Helm"}), &none, &none, "nobody"),
            (&none, &tracked("web:flagger.app/Canary:shop/podinfo"), &none, "Argo CD Application `web` KeepsTheRest"),
            (
                &none,
                &tracked("argocd_web:flagger.app/Canary:shop/podinfo"),
                &none,
                "Argo CD Application `argocd_web` KeepsTheRest",
            ),
            // Copied from another object.
            (&none, &tracked("web:flagger.app/Canary:shop/other"), &none, "nobody"),
            (&none, &tracked("web:apps/Deployment:shop/podinfo"), &none, "nobody"),
            (&none, &tracked("web"), &none, "nobody"),
            (&instance, &none, &none, "nobody"),
            (&instance, &none, &by("argocd-controller", &none), "Argo CD Application `shop` KeepsTheRest"),
            (&json!({"argocd.argoproj.io/instance": "shop"}), &none, &none, "Argo CD Application `shop` KeepsTheRest"),
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
        let puts_back = "Flux Kustomization `flux-system/apps` PutsBack";
        for fields in [&annotation, &native] {
            assert_eq!(told(&labels, &none, &by("kustomize-controller", fields)), puts_back);
            assert_eq!(
                told(&labels, &none, &by("canary-traefik", fields)),
                "Flux Kustomization `flux-system/apps` KeepsTheRest"
            );
        }
        let applied = json!({"metadata": {"annotations": {ANNOTATION: "login"}}}).to_string();
        let annotations = json!({"argocd.argoproj.io/tracking-id": "web:flagger.app/Canary:shop/podinfo",
            "kubectl.kubernetes.io/last-applied-configuration": applied});
        assert_eq!(told(&none, &annotations, &none), "Argo CD Application `web` PutsBack");
    }

    #[test]
    fn instructions_to_the_tools_are_heeded() {
        let none = json!({});
        for (key, value) in [("reconcile", "disabled"), ("ssa", "Ignore"), ("ssa", "IfNotPresent")] {
            let told_so = json!({format!("kustomize.toolkit.fluxcd.io/{key}"): value});
            let habit = format!("LeavesAlone(\"kustomize.toolkit.fluxcd.io/{key}: {value}\")");
            let expected = format!("Flux Kustomization `flux-system/apps` {habit}");
            assert_eq!(told(&kustomize(&none), &told_so, &none), expected);
            assert_eq!(told(&kustomize(&told_so), &none, &none), expected);
        }
        let merged = json!({"kustomize.toolkit.fluxcd.io/ssa": "Merge"});
        assert_eq!(told(&kustomize(&merged), &none, &none), "Flux Kustomization `flux-system/apps` KeepsTheRest");
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
