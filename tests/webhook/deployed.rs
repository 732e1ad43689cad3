//! The webhook as it is installed, and what a cluster does for it, played by the tests: pods that run the arguments of the
//! Deployment as its `ServiceAccount`, each in a network namespace of its own; endpoints; readiness.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};
use testbed::{
    audit::Rules,
    directory::Directory,
    network::Pod,
    run::Output,
    running::{Running, Stream},
    server::Server,
};

/// The name of all its objects, and of its namespace.
pub(super) const NAME: &str = "kubectl-canary-traefik";
const ACCOUNT: &str = "system:serviceaccount:kubectl-canary-traefik:kubectl-canary-traefik";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Flags of an API server that calls webhooks by the endpoints of their Service, and that pods can reach.
pub(super) const ROUTING: [&str; 2] = ["--enable-aggregator-routing=true", "--bind-address=0.0.0.0"];

/// A pod of the Deployment.
pub(super) struct Replica {
    running: Running,
    _pod: Pod,
    _directory: Directory,
}

impl Replica {
    /// Starts the pod of this number, as the Deployment has it, and waits until it listens.
    pub(super) fn start(server: &Server, number: u8) -> Self {
        let pod = Pod::start(number);
        let container = deployment(server)["spec"]["template"]["spec"]["containers"][0].clone();
        let mut arguments: Vec<String> = serde_json::from_value(container["args"].clone()).expect("arguments");
        let path = format!("/api/v1/namespaces/{NAME}/serviceaccounts/{NAME}/token");
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let token = server.admin().post(&path, &request).expect("a token")["status"]["token"].clone();
        let directory = Directory::new();
        let kubeconfig = directory.write("kubeconfig", server.token_kubeconfig(&token, &pod.host));
        if let Some(folder) = arguments.iter_mut().find(|argument| argument.starts_with("--cert-dir=")) {
            *folder = format!("--cert-dir={}", mounted(server, &directory).display());
        }
        let mut running = Running::start(pod.run(&arguments).kubeconfig(kubeconfig));
        running.wait_for(Stream::Stderr, "listening");
        Self { running, _pod: pod, _directory: directory }
    }

    /// Waits until it has said this.
    pub(super) fn says(&mut self, text: &str) {
        self.running.wait_for(Stream::Stderr, text);
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn ends(self) -> Output {
        self.running.signal("TERM");
        self.running.ends()
    }
}

/// The Secret of the certificates as files, as the volume has it.
fn mounted<'a>(server: &Server, directory: &'a Directory) -> &'a Path {
    let path = format!("/api/v1/namespaces/{NAME}/secrets/{NAME}-certificates");
    let secret = server.admin().get(&path).expect("the Secret");
    for (name, data) in secret["data"].as_object().expect("data") {
        let data = STANDARD.decode(data.as_str().expect("text")).expect("base64");
        directory.write(name, String::from_utf8(data).expect("PEM"));
    }
    directory.path()
}

/// The Deployment, which is there.
pub(super) fn deployment(server: &Server) -> Value {
    server.admin().get(&deployment_path()).expect("the Deployment")
}

fn deployment_path() -> String {
    format!("/apis/apps/v1/namespaces/{NAME}/deployments/{NAME}")
}

/// The pods of these numbers are ready: endpoints of this Service, and replicas of the Deployment.
pub(super) fn ready(server: &Server, service: &str, numbers: &[u8]) {
    let endpoint =
        |number: &u8| json!({ "addresses": [format!("198.18.{number}.2")], "conditions": { "ready": true } });
    let of = server.admin().get(&format!("/api/v1/namespaces/{NAME}/services/{service}")).expect("the Service");
    let owner = json!([{ "apiVersion": "v1", "kind": "Service", "name": service, "uid": of["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true }]);
    let labels = json!({ "kubernetes.io/service-name": service });
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": { "name": service, "labels": labels, "ownerReferences": owner },
        "addressType": "IPv4",
        "endpoints": numbers.iter().map(endpoint).collect::<Vec<_>>(),
        "ports": [{ "name": "https", "port": 8443, "protocol": "TCP" }],
    });
    // What Kubernetes 1.33 looks at.
    let addresses = numbers.iter().map(|number| json!({ "ip": format!("198.18.{number}.2") })).collect::<Vec<_>>();
    let endpoints = json!({
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": { "name": service },
        "subsets": [{ "addresses": addresses, "ports": slice["ports"] }],
    });
    for (place, object) in [
        (format!("apis/discovery.k8s.io/v1/namespaces/{NAME}/endpointslices"), slice),
        (format!("api/v1/namespaces/{NAME}/endpoints"), endpoints),
    ] {
        let path = format!("/{place}/{service}?fieldManager=controller&force=true");
        let answer = server.admin().ask(&Method::PATCH, &path, "application/apply-patch+yaml", object.to_string());
        answer.expect("endpoints");
    }
    replicas(server, numbers.len());
}

/// So many replicas of the Deployment's present version are ready.
pub(super) fn replicas(server: &Server, count: usize) {
    let seen = deployment(server)["metadata"]["generation"].clone();
    let status = json!({ "status": { "observedGeneration": seen, "replicas": count, "updatedReplicas": count,
        "readyReplicas": count, "availableReplicas": count } });
    server.admin().merge(&(deployment_path() + "/status"), &status).expect("the Deployment's status");
}

/// What the installed roles allow the pods.
pub(super) fn rules(server: &Server) -> Rules {
    let role = |path: String| server.admin().get(&path).expect("a role");
    let roles = [role(format!("{RBAC}/clusterroles/{NAME}")), role(format!("{RBAC}/namespaces/{NAME}/roles/{NAME}"))];
    Rules::of(&roles)
}

/// What the pods asked for beyond these rules.
pub(super) fn beyond(server: &Server, rules: &Rules) -> Vec<String> {
    assert!(!server.audit_of(ACCOUNT).is_empty(), "the pods asked for nothing at all");
    rules.beyond(server, ACCOUNT).into_iter().collect()
}

/// What these rules allow and the pods did not ask for.
pub(super) fn unused(server: &Server, rules: &Rules) -> Vec<String> {
    rules.unused(server, ACCOUNT).into_iter().collect()
}
