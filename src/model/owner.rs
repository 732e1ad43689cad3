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
    let places = [&["metadata", "annotations", ANNOTATION][..], &NATIVE_COOKIE];
    let has = |object: &Value, prefix: &str| {
        let is_there =
            |keys: &&[&str]| keys.iter().try_fold(object, |value, key| value.get(format!("{prefix}{key}"))).is_some();
        places.iter().any(is_there)
    };
    let recorded = managers(canary).any(|(name, fields)| tool.is_manager(name) && has(fields, "f:"));
    let applied = view::text(canary, &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]);
    let applied = applied.and_then(|text| serde_json::from_str::<Value>(text).ok());
    recorded || (tool == Tool::ArgoCd && applied.is_some_and(|applied| has(&applied, "")))
}

/// Returns the field managers and their fields.
fn managers(canary: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = view::list(canary, &["metadata", "managedFields"]).iter();
    entries.filter_map(|entry| Some((entry.get("manager")?.as_str()?, entry.get("fieldsV1")?)))
}

#[cfg(test)]
mod tests;
