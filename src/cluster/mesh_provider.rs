//! Flagger's mesh provider in a cluster.

use futures_util::future::join_all;
use serde_json::Value;

use crate::{
    apiserver::{Call, Verb, list, parts::Part, request::percent_encoded},
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
        let call = Call { verb: Verb::List, resource: "deployments.apps", namespace: None, name: None };
        let path = format!("/apis/apps/v1/deployments?labelSelector={}", percent_encoded(label));
        let answer = self.api.ask(&call, &path).await.ok()?;
        let provider = |object: Value| mesh_provider::of_deployment(&object);
        list::read(answer.body, &Part::WithoutManagedFields, provider).await.ok()
    }
}
