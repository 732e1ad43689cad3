//! What this program asks of a cluster: Canaries with their TraefikServices, routes, the guard's objects, versions, and
//! the writes of a confirmed plan. The requests themselves are [`apiserver`]'s.

mod acting;
pub mod collections;
mod events;
mod guard;
mod inside;
mod mesh_provider;
pub(crate) mod paths;
mod read;
mod routing;
mod support;
mod surroundings;
mod versions;
mod write;

use std::sync::Arc;

pub use self::{
    acting::ActiveForms,
    read::{Reading, Selection},
    versions::Workload,
};
use crate::{
    apiserver::{self, ApiServer, ConnectionArgs, Progress},
    environment::Environment,
    error::Result,
    guard::webhook::IS_HERE,
};

/// A cluster as one user sees it.
pub struct Cluster {
    api: ApiServer,
}

impl Cluster {
    /// Connects as the flags say; see [`apiserver::connect`].
    ///
    /// # Errors
    ///
    /// There is no usable configuration.
    pub async fn connect(
        args: &ConnectionArgs,
        environment: &Environment,
        progress: Arc<dyn Progress>,
    ) -> Result<Self> {
        Ok(Self { api: apiserver::connect(args, environment, progress).await?.silencing(IS_HERE) })
    }

    /// Connects without a terminal for credential plugins; see [`apiserver::connect_quietly`].
    ///
    /// # Errors
    ///
    /// There is no usable configuration.
    pub async fn connect_quietly(
        args: &ConnectionArgs,
        environment: &Environment,
        progress: Arc<dyn Progress>,
    ) -> Result<Self> {
        Ok(Self { api: apiserver::connect_quietly(args, environment, progress).await?.silencing(IS_HERE) })
    }

    /// Uses this connection.
    #[cfg(test)]
    pub(crate) fn of(api: ApiServer) -> Self {
        Self { api }
    }

    /// Returns the connection.
    pub fn api(&self) -> &ApiServer {
        &self.api
    }
}
