//! The pod of Traefik to which `verify --through-cluster` connects.

use crate::{
    apiserver::{Call, Collection, Part, Verb, request},
    cluster::{Cluster, lint::TRAEFIK},
    error::{Error, Result},
    model::NamespacedName,
    traefik::installation::TraefikPod,
};

impl Cluster {
    /// Returns a pod of Traefik: this one, else the first that is ready, by namespace and name.
    pub async fn traefik_pod(&self, named: Option<&NamespacedName>) -> Result<TraefikPod> {
        let Some(pod) = named else { return self.first_traefik_pod().await };
        let (namespace, name) = (pod.namespace.as_deref(), pod.name.as_str());
        let call = Call { verb: Verb::Get, resource: "pods", namespace, name: Some(name) };
        let path = request::path("v1", "pods", namespace, Some(name));
        let pod = self.api.ask(&call, &path).await?.json()?;
        Ok(TraefikPod::of(&pod))
    }

    async fn first_traefik_pod(&self) -> Result<TraefikPod> {
        let pods = Collection::new("v1", "pods", None, &Part::WithoutManagedFields).selected(TRAEFIK);
        let pods = self.api.list(&pods, |pod| TraefikPod::is_ready(&pod).then(|| TraefikPod::of(&pod))).await;
        let pods = pods.map_err(|failure| Error::from(failure).hint("use --through-cluster=NAMESPACE/POD"))?;
        pods.into_iter().min_by(|a, b| a.target.cmp(&b.target)).ok_or_else(|| {
            Error::not_found(format!("no ready pod has the label {TRAEFIK}"))
                .hint("use --through-cluster=NAMESPACE/POD")
        })
    }
}
