//! What a cluster does with Deployments, as far as Flagger and Traefik can see it: pods start and are replaced
//! in some time, are listed in the `EndpointSlice` of their track, and make the Deployment's status ready.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{Method, Request};
use serde_json::{Value, json};
use testbed::{
    api::{Api, Change},
    wait::until,
};

use crate::application;

/// How long a pod takes to start.
const STARTING: Duration = Duration::from_secs(2);

/// Namespace and name of a Deployment.
type Key = (String, String);

#[derive(Default)]
struct Deployment {
    /// As it was seen last.
    object: Value,
    /// The generation that was acted upon.
    generation: u64,
    /// The version of its pod, and the pod's address.
    pod: Option<(String, Ipv4Addr)>,
    /// Whether a pod is being started.
    busy: bool,
}

/// Makes the Deployments of one server ready, as long as the process lives.
pub(crate) struct Kubelet {
    api: Api,
    /// How long it takes to replace the pods of a Deployment; old and new ones answer meanwhile.
    rolling: Duration,
    deployments: Mutex<BTreeMap<Key, Deployment>>,
}

impl Kubelet {
    /// Starts it.
    pub(crate) fn start(api: &Api, rolling: Duration) {
        let kubelet = Arc::new(Self { api: api.clone(), rolling, deployments: Mutex::default() });
        std::thread::spawn(move || {
            loop {
                for change in kubelet.api.watch("/apis/apps/v1/deployments", "") {
                    if let Change::Is(object) = change {
                        kubelet.see(object);
                    }
                }
                // The server is away.
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }

    fn see(self: &Arc<Self>, object: Value) {
        let text = |name: &str| object["metadata"][name].as_str().expect("a Deployment has it").to_owned();
        let key = (text("namespace"), text("name"));
        self.lock().entry(key.clone()).or_default().object = object;
        self.act(&key);
    }

    /// Does what the Deployment asks for, unless it is being done or something else has to end first.
    fn act(self: &Arc<Self>, key: &Key) {
        let mut deployments = self.lock();
        let deployment = deployments.entry(key.clone()).or_default();
        let object = &deployment.object;
        let generation = object["metadata"]["generation"].as_u64().expect("a Deployment has a generation");
        let version =
            object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().expect("a pod has an image");
        let version = version.to_owned();
        let replicas = object["spec"]["replicas"].as_u64().expect("the server fills in the replicas");
        if deployment.busy || generation == deployment.generation {
            return;
        }
        deployment.generation = generation;
        let old = if replicas == 0 { None } else { deployment.pod.take() };
        deployment.busy = replicas > 0 && old.as_ref().is_none_or(|(running, _)| *running != version);
        deployment.pod.clone_from(&old);
        let busy = deployment.busy;
        drop(deployments);

        let old = old.map(|(_, address)| address);
        if !busy {
            self.list(key, old.as_slice());
            self.report(key, generation, replicas, replicas);
            return;
        }
        let (this, key) = (Arc::clone(self), key.clone());
        std::thread::spawn(move || {
            let pod = application::start_pod(track(&key.1), &version);
            if let Some(old) = old {
                this.list(&key, &[old, pod]);
                this.report(&key, generation, 2, 1);
                std::thread::sleep(this.rolling);
            } else {
                std::thread::sleep(STARTING);
            }
            this.list(&key, &[pod]);
            this.report(&key, generation, 1, 1);
            let mut deployments = this.lock();
            let deployment = deployments.entry(key.clone()).or_default();
            deployment.pod = Some((version, pod));
            deployment.busy = false;
            drop(deployments);
            this.act(&key);
        });
    }

    /// Lists the pods in the `EndpointSlice` of the Service that Flagger makes for this Deployment, and in its `Endpoints`,
    /// which Traefik reads before 3.1.
    fn list(&self, (namespace, name): &Key, pods: &[Ipv4Addr]) {
        let base = name.strip_suffix("-primary").unwrap_or(name);
        let service = format!("{base}-{}", track(name));
        let endpoints: Vec<_> = pods
            .iter()
            .map(|address| json!({ "addresses": [address.to_string()], "conditions": { "ready": true } }))
            .collect();
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": { "name": service, "labels": { "kubernetes.io/service-name": service } },
            "addressType": "IPv4",
            "ports": [{ "name": "http", "port": application::PORT, "protocol": "TCP" }],
            "endpoints": endpoints,
        });
        let addresses: Vec<_> = pods.iter().map(|address| json!({ "ip": address.to_string() })).collect();
        let endpoints = json!({
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": { "name": service },
            // A subset without addresses is refused.
            "subsets": if pods.is_empty() { json!([]) } else { json!([{ "addresses": addresses, "ports": slice["ports"] }]) },
        });
        for (group, resource, object) in
            [("apis/discovery.k8s.io/v1", "endpointslices", &slice), ("api/v1", "endpoints", &endpoints)]
        {
            let path = format!("/{group}/namespaces/{namespace}/{resource}/{service}?fieldManager=kubelet&force=true");
            self.write(&path, "application/apply-patch+yaml", object);
        }
    }

    fn report(&self, (namespace, name): &Key, generation: u64, replicas: u64, updated: u64) {
        let status = json!({
            "observedGeneration": generation,
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
        });
        self.write(
            &format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status"),
            "application/merge-patch+json",
            &json!({ "status": status }),
        );
    }

    /// Writes until the server takes it: it may be away.
    fn write(&self, path: &str, content: &str, body: &Value) {
        until(&format!("the server to take {path}"), || {
            let request = Request::builder()
                .method(Method::PATCH)
                .uri(path)
                .header("content-type", content)
                .body(body.to_string().into_bytes())
                .expect("a well-formed request");
            self.api.send(request).is_ok_and(|answer| answer.code < 300).then_some(())
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Deployment>> {
        self.deployments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The track of a Deployment's pods.
fn track(deployment: &str) -> &'static str {
    if deployment.ends_with("-primary") { "primary" } else { "canary" }
}
