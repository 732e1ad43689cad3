//! Reads what `lint` looks at in a cluster. Only the Canaries must be readable; rules that need what cannot be read find
//! nothing.

use futures_util::future::{join, join_all, join3};

use super::{Cluster, Selection};
use crate::{
    apiserver::{Collection, Failure, Part},
    error::Result,
    lint::{Known, Need, Seen, TrackService},
    model::name::Group,
    observed::{Loaded, Observed},
    plan::support::keys_in_schema,
    traefik::{Installation, entry},
};

/// Label of the workloads of Traefik's own chart, and of k3s.
pub(super) const TRAEFIK: &str = "app.kubernetes.io/name=traefik";

impl Cluster {
    /// Reads the Canaries of the namespace, or all, whatever their labels, with what is around them; and what could not be
    /// read.
    pub async fn lint(&self, selection: Selection<'_>) -> Result<(Vec<Observed>, Known, Vec<(Need, String)>)> {
        // Others next to the selected ones matter, too.
        let all = Selection { selector: None, ..selection };
        let (pairs, look) = join(self.pairs(all, false), self.read_coverage()).await;
        let pairs = self.with_routing(pairs?, selection.namespace, entry::Need::All).await;
        let version = Group::TraefikIo.api_version();
        let (document, installations, services) =
            join3(self.open_api(&version), self.installations(), self.listed_services(selection.namespace)).await;
        let routing = pairs.first().and_then(|pair| pair.routing.clone());
        let reason = routing.as_ref().and_then(|routing| routing.unread.clone().or(routing.unread_elsewhere.clone()));
        let mut unread: Vec<_> = reason.map(|reason| (Need::Routes, reason)).into_iter().collect();
        let mut seen = |need, reason: String| unread.push((need, reason));
        let known = Known {
            has_all_routes: routing.as_ref().is_some_and(|it| it.unread.is_none() && it.unread_elsewhere.is_none()),
            routing,
            installations: installations
                .unwrap_or_else(|reason| {
                    seen(Need::Traefik, reason);
                    Vec::new()
                })
                .into_iter()
                .map(Seen::from)
                .collect(),
            fields: keys_in_schema(&document).into_iter().map(Seen::from).collect(),
            services: services
                .map_err(|reason| seen(Need::Services, reason))
                .ok()
                .map(|all| all.into_iter().map(Seen::from).collect()),
            ..Known::default()
        };
        let observed = |pair: Loaded| Observed { guarded: look.covers(&pair.observed), ..pair.observed };
        Ok((pairs.into_iter().map(observed).collect(), known, unread))
    }

    /// Returns the Traefiks that run, or why they cannot be listed.
    async fn installations(&self) -> Result<Vec<Installation>, String> {
        let of_kind = |kind: &'static str| async move {
            let workloads = Collection::new("apps/v1", kind, None, &Part::WithoutManagedFields).selected(TRAEFIK);
            self.api.list(&workloads, |object| Installation::of_workload(&object)).await
        };
        let found = join_all(["deployments.apps", "daemonsets.apps"].map(of_kind)).await;
        let found: Result<Vec<_>, _> = found.into_iter().collect();
        Ok(found.map_err(Failure::into_message)?.into_iter().flatten().collect())
    }

    /// Returns the Services with their ports, or why they cannot be listed.
    async fn listed_services(&self, namespace: Option<&str>) -> Result<Vec<TrackService>, String> {
        let services = Collection::new("v1", "services", namespace, &Part::WithoutManagedFields);
        let listed = self.api.list(&services, |object| Some(TrackService::read(&object))).await;
        listed.map_err(Failure::into_message)
    }
}
