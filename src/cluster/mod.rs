//! What this program asks of a cluster: Canaries with their TraefikServices, routes, the guard's objects, versions, and
//! the writes of a confirmed plan. The requests themselves are [`apiserver`]'s.

mod acting;
pub mod collections;
mod coverage;
mod events;
mod guard;
mod inside;
mod lint;
mod listing;
mod mesh_provider;
pub(crate) mod paths;
mod read;
mod routing;
mod support;
mod traefik_api;
mod traefik_pod;
mod versions;
mod write;

use std::sync::Arc;

pub use self::{
    acting::ActiveForms,
    coverage::GuardCoverage,
    read::{Reading, Selection, no_flagger},
    versions::Workload,
};
use crate::{
    apiserver::{self, ApiServer, ConnectionArgs, Progress},
    environment::Environment,
    error::Result,
    guard::webhook::IS_HERE,
    traefik::router::Router,
};

/// A cluster as one user sees it.
pub struct Cluster {
    api: Arc<ApiServer>,
    /// Routers of Traefik's other providers, which are no objects of the cluster.
    other_routers: Vec<Router>,
}

impl Cluster {
    /// Connects as the flags say; see [`apiserver::connect`].
    pub async fn connect(
        args: &ConnectionArgs,
        environment: &Environment,
        progress: Arc<dyn Progress>,
    ) -> Result<Self> {
        let api = apiserver::connect(args, environment, progress).await?.silencing(IS_HERE);
        Ok(Self { api: Arc::new(api), other_routers: Vec::new() })
    }

    /// Uses this connection.
    #[cfg(test)]
    pub(crate) fn of(api: ApiServer) -> Self {
        Self { api: Arc::new(api), other_routers: Vec::new() }
    }

    /// Returns the connection.
    pub fn api(&self) -> &Arc<ApiServer> {
        &self.api
    }
}
