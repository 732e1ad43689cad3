//! Cookie fields supported by the cluster's Traefik, from the schema of its TraefikServices and its version. All of it
//! is optional: what cannot be read counts as unknown.

use futures_util::future::join3;
use serde_json::Value;

use crate::{
    apiserver::{
        Call, Verb,
        request::{path, percent_encoded},
    },
    cluster::{Cluster, lint::TRAEFIK},
    model::name::Group,
    observed::Loaded,
    plan::support::{Support, keys_in_schema, oldest_traefik},
};

impl Cluster {
    /// Returns the known support for the fields of this Canary's cookie.
    pub async fn support(&self, loaded: &Loaded) -> Support {
        let group = loaded.observed.service().map_or(Group::TraefikIo, |service| service.group);
        let version = group.api_version();
        let (document, deployments, daemon_sets) =
            join3(self.open_api(&version), self.running("deployments.apps"), self.running("daemonsets.apps")).await;
        let items = [deployments, daemon_sets].map(|list| list["items"].as_array().cloned().unwrap_or_default());
        let support =
            Support { keys: keys_in_schema(&document), traefik: oldest_traefik(items.iter().flatten()), native: None };
        support.with_native(&loaded.native)
    }

    /// Returns the OpenAPI document of an API version; null on failure.
    pub(super) async fn open_api(&self, version: &str) -> Value {
        let call = Call { verb: Verb::Get, resource: "the OpenAPI document", namespace: None, name: None };
        let path = format!("/openapi/v3/apis/{version}");
        self.api.ask(&call, &path).await.and_then(|answer| answer.json()).unwrap_or_default()
    }

    /// Returns the list of Traefik's workloads of this resource; null on failure.
    async fn running(&self, resource: &str) -> Value {
        let call = Call { verb: Verb::List, resource, namespace: None, name: None };
        let path = path("apps/v1", resource, None, None);
        let path = format!("{path}?labelSelector={}&limit=50", percent_encoded(TRAEFIK));
        self.api.ask(&call, &path).await.and_then(|answer| answer.json()).unwrap_or_default()
    }
}
