//! The pod of Traefik to which `verify --through-cluster` connects.

use serde_json::Value;

use crate::{
    apiserver::{Call, Verb, list, parts::Part, request::percent_encoded},
    cluster::{Cluster, lint::TRAEFIK},
    error::{Error, Result},
    model::NamespacedName,
    traefik::installation::TraefikPod,
};

impl Cluster {
    /// Returns a pod of Traefik: this one, else the first that is ready, by namespace and name.
    ///
    /// # Errors
    ///
    /// It does not exist, or cannot be read.
    pub async fn traefik_pod(&self, named: Option<&NamespacedName>) -> Result<TraefikPod> {
        let Some(pod) = named else { return self.first_traefik_pod().await };
        let (namespace, name) = (pod.namespace.as_deref(), pod.name.as_str());
        let call = Call { verb: Verb::Get, resource: "pods", namespace, name: Some(name) };
        let [space, name] = [namespace.unwrap_or_default(), name].map(percent_encoded);
        let answer = self.api.ask(&call, &format!("/api/v1/namespaces/{space}/pods/{name}")).await;
        let pod = answer.and_then(|answer| answer.json())?;
        Ok(TraefikPod::of(&pod))
    }

    async fn first_traefik_pod(&self) -> Result<TraefikPod> {
        let call = Call { verb: Verb::List, resource: "pods", namespace: None, name: None };
        let path = format!("/api/v1/pods?labelSelector={}", percent_encoded(TRAEFIK));
        let read = |pod: Value| TraefikPod::is_ready(&pod).then(|| TraefikPod::of(&pod));
        let pods = match self.api.ask(&call, &path).await {
            Ok(answer) => list::read(answer.body, &Part::WithoutManagedFields, read).await,
            Err(failure) => Err(failure),
        };
        let pods = pods.map_err(|failure| Error::from(failure).hint("--through-cluster=NAMESPACE/POD"))?;
        pods.into_iter().min_by(|a, b| a.target.cmp(&b.target)).ok_or_else(|| {
            Error::not_found(format!("no ready pod has the label {TRAEFIK}")).hint("--through-cluster=NAMESPACE/POD")
        })
    }
}
