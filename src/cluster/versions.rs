//! Versions of Kubernetes, Flagger, Traefik and the guard in a cluster.

use futures_util::future::join_all;
use serde_json::Value;

use crate::{
    apiserver::{Call, Collection, Part, Verb},
    cluster::Cluster,
    error::Result,
    guard::{GuardKind, policy, webhook},
    model::NamespacedName,
};

/// A Deployment or DaemonSet found by its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The application: `flagger`, `traefik`.
    pub name: String,
    /// `deployment` or `daemonset`.
    pub kind: &'static str,
    /// The namespace and name.
    pub target: NamespacedName,
    /// The image of the container named like the application, else of the first container.
    pub image: String,
}

impl Cluster {
    /// Returns the API server's version, and the version it serves, which differs if an older one is emulated.
    pub async fn server_version(&self) -> Result<(String, String)> {
        let call = Call { verb: Verb::Get, resource: "the version", namespace: None, name: None };
        let version = self.api.ask(&call, "/version").await?.json()?;
        let text = |key: &str| version[key].as_str().unwrap_or_default().to_owned();
        let version = text("gitVersion");
        let emulated = text("emulationMinor");
        let serves =
            if emulated.is_empty() { version.clone() } else { format!("{}.{emulated}", text("emulationMajor")) };
        Ok((version, serves))
    }

    /// Finds Flagger and Traefik in all namespaces, by the label of their Helm charts (`app.kubernetes.io/name`) and
    /// that of Flagger's kustomization (`app`). `None` if the user may not list workloads.
    pub async fn workloads(&self) -> Option<Vec<Workload>> {
        let labels = [Some("app.kubernetes.io/name"), Some("app")];
        let both = [("deployment", labels), ("daemonset", [labels[0], None])];
        let asked = both.iter().flat_map(|(kind, labels)| labels.iter().flatten().map(move |label| (*kind, *label)));
        let found = join_all(asked.map(|(kind, label)| self.labelled(kind, label))).await;
        let may_look = found.iter().any(Option::is_some);
        let mut all: Vec<_> = found.into_iter().flatten().flatten().collect();
        all.sort_by(|a, b| (&a.name, &a.target).cmp(&(&b.name, &b.target)));
        all.dedup();
        may_look.then_some(all)
    }

    async fn labelled(&self, kind: &'static str, label: &str) -> Option<Vec<Workload>> {
        let resource = if kind == "deployment" { "deployments.apps" } else { "daemonsets.apps" };
        let all = Collection::new("apps/v1", resource, None, &Part::WithoutManagedFields);
        let selected = all.selected(&format!("{label} in (flagger,traefik)"));
        let pointer = format!("/metadata/labels/{}", label.replace('/', "~1"));
        let workload = move |object: Value| {
            let name = object.pointer(&pointer)?.as_str()?.to_owned();
            let containers = object.pointer("/spec/template/spec/containers")?.as_array()?;
            let own = containers.iter().find(|container| container["name"] == *name).or(containers.first())?;
            let image = own["image"].as_str()?.to_owned();
            Some(Workload { name, kind, target: NamespacedName::of(&object), image })
        };
        self.api.list(&selected, workload).await.ok()
    }

    /// Returns the form and version of the installed guard; `Some(None)` if there is none, `None` if the user may not
    /// read its objects.
    pub async fn guard_version(&self) -> Option<Option<(&'static str, String)>> {
        let version = |object: &Value| {
            let label = object.pointer("/metadata/labels")?.get(policy::VERSION_LABEL)?;
            Some(label.as_str()?.to_owned())
        };
        let policies = self.policies_among(policy::is_keep).await.ok()?;
        if policies.enforces_declarations() {
            return Some(Some(("policies", policies.version().unwrap_or_default().to_owned())));
        }
        let wanted = GuardKind::MutatingWebhookConfiguration.named(None, webhook::NAME);
        let found = self.find_guard(&wanted).await.ok()?;
        let found = found.filter(|found| webhook::coverage(found).is_some());
        Some(found.map(|found| ("webhook", version(&found).unwrap_or_default())))
    }
}
