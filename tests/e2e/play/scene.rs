//! What the playground and the documents' transcripts start from: a shop behind Traefik that Flagger rolls out.

use std::{process::Command, time::Duration};

use http::Method;
use serde_json::{Value, json};
use testbed::{bed, directory::Directory, server::Server};

use crate::cluster::Cluster;

pub(crate) const NAMESPACE: &str = "shop";
pub(crate) const CANARY: &str = "checkout";
pub(crate) const HOST: &str = "shop.example";
/// How long the pods of a primary take to be replaced.
const ROLLING: Duration = Duration::from_secs(15);
/// How long Flagger takes to see a Canary for the first time, on a slow machine.
const LIMIT: Duration = Duration::from_mins(5);
/// The interval of the analysis in `scene.yaml`.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
const OBJECTS: &str = include_str!("scene.yaml");
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/shop/deployments/checkout";

/// Starts everything but Traefik, and waits until the Canary can be rolled out.
pub(crate) fn start() -> &'static Cluster {
    let cluster = Cluster::start(&[], ROLLING);
    cluster.start_flagger();
    apply(&cluster.server);
    let initialized = cluster.history.wait(("Canary", NAMESPACE, CANARY), LIMIT, |canary| {
        (canary["status"]["phase"] == "Initialized").then_some(())
    });
    assert!(initialized.is_some(), "the Canary was not initialized\n{}", cluster.last_words());
    cluster
}

fn apply(server: &Server) {
    let directory = Directory::new();
    let kubeconfig = directory.write("kubeconfig", server.admin_kubeconfig(NAMESPACE));
    let objects = directory.write("scene.yaml", OBJECTS);
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let output = Command::new(kubectl).arg("apply").arg("-f").arg(objects).env("KUBECONFIG", kubeconfig).output();
    let output = output.expect("kubectl can be started");
    assert!(output.status.success(), "kubectl apply: {}", String::from_utf8_lossy(&output.stderr));
}

/// The version that the target Deployment asks for.
pub(crate) fn version(server: &Server) -> String {
    let deployment = server.admin().get(DEPLOYMENT).expect("the Deployment is there");
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().expect("a pod has an image").to_owned()
}

/// Puts the next version into the target Deployment, and returns it.
pub(crate) fn release(server: &Server) -> String {
    let now = version(server);
    let (name, number) = now.split_once(':').expect("an image has a tag");
    let next = format!("{name}:{}", number.parse::<u32>().expect("a tag of the playground is a number") + 1);
    let patch: Value = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": next }]);
    let answer = server.admin().ask(&Method::PATCH, DEPLOYMENT, "application/json-patch+json", patch.to_string());
    answer.expect("release a version");
    next
}
