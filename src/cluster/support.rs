//! Cookie fields supported by the cluster's Traefik, from the schema of its TraefikServices and its version. All of it
//! is optional: what cannot be read counts as unknown.

use futures_util::future::join3;
use serde_json::Value;

use crate::{
    apiserver::{Call, Verb, request::percent_encoded},
    cluster::Cluster,
    model::name::Group,
    observed::Loaded,
    plan::support::{Support, keys_in_schema, oldest_traefik},
};

/// Label of the workloads of Traefik's own chart, and of k3s.
const LABEL: &str = "app.kubernetes.io/name=traefik";

impl Cluster {
    /// Returns the known support for the fields of this Canary's cookie.
    pub async fn support(&self, loaded: &Loaded) -> Support {
        let group = loaded.observed.service().map_or(Group::TraefikIo, |service| service.group);
        let schema = format!("/openapi/v3/apis/{}", group.api_version());
        let workloads = |kind: &str| format!("/apis/apps/v1/{kind}?labelSelector={}&limit=50", percent_encoded(LABEL));
        let (deployments, daemon_sets) = (workloads("deployments"), workloads("daemonsets"));
        let (document, deployments, daemon_sets) = join3(
            self.find("the OpenAPI document of Traefik's group", &schema),
            self.find("deployments.apps", &deployments),
            self.find("daemonsets.apps", &daemon_sets),
        )
        .await;
        let items = [deployments, daemon_sets].map(|list| list["items"].as_array().cloned().unwrap_or_default());
        let support =
            Support { keys: keys_in_schema(&document), traefik: oldest_traefik(items.iter().flatten()), native: None };
        support.with_native(&loaded.native)
    }

    /// Returns the answer, or null on failure.
    async fn find(&self, resource: &str, path: &str) -> Value {
        let call = Call { verb: Verb::List, resource, namespace: None, name: None };
        self.api.ask(&call, path).await.and_then(|answer| answer.json()).unwrap_or_default()
    }
}
