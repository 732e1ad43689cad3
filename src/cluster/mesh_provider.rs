//! Flagger's mesh provider in a cluster.

use futures_util::future::join_all;

use crate::{
    apiserver::{Collection, Part},
    cluster::Cluster,
    flagger::mesh_provider,
};

/// Labels of Flagger's Deployment: that of its Helm chart, and that of its kustomization.
const LABELS: [&str; 2] = ["app.kubernetes.io/name=flagger", "app=flagger"];

impl Cluster {
    /// Returns the mesh provider that every Flagger in the cluster has; `None` if none is found, if they differ, or if the
    /// user may not list Deployments in all namespaces.
    pub async fn mesh_provider(&self) -> Option<String> {
        let found = join_all(LABELS.iter().map(|label| self.providers(label))).await;
        mesh_provider::agreed(found.into_iter().flatten().flatten())
    }

    async fn providers(&self, label: &str) -> Option<Vec<String>> {
        let all = Collection::new("apps/v1", "deployments.apps", None, &Part::WithoutManagedFields);
        self.api.list(&all.selected(label), |object| mesh_provider::of_deployment(&object)).await.ok()
    }
}
