//! An API server of our own plays the existing cluster.

use std::process::Command;

use serde_json::json;
use testbed::{bed, directory::Directory, objects, server::Server, wait::until};

use crate::namespaces;

#[test]
fn the_cluster_tests_pass_on_an_existing_cluster_and_leave_it_as_it_was() {
    let server = Server::dedicated(&[]);
    let api = server.admin();
    namespaces::follow(api);
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "theirs" } });
    api.post("/api/v1/namespaces", &namespace).expect("create a namespace");
    let flagger = "/apis/flagger.app/v1beta1/namespaces/theirs/canaries";
    let traefik = "/apis/traefik.io/v1alpha1/namespaces/theirs/traefikservices";
    for (path, object) in [(flagger, objects::canary("theirs")), (traefik, objects::traefik_service("theirs", 70, 30))]
    {
        until("the kind to be served", || (api.post(path, &object).code == 201).then_some(()));
    }
    let before = namespaces::objects(api);
    assert!(before.iter().any(|object| object.contains("theirs/theirs")), "{before:#?}");

    let directory = Directory::new();
    let kubeconfig = directory.write("kubeconfig", server.admin_kubeconfig("default"));
    let mut run = Command::new(bed::root().join("tests/run"));
    // What cargo tells this test of its package: build scripts that depend on it would run again, and all that needs them
    // be built anew, while other tests use it.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| name.to_string_lossy().starts_with(of)) {
            run.env_remove(name);
        }
    }
    let output = run
        .arg("cluster")
        .env("USE_EXISTING_CLUSTER", "true")
        .env("KUBECONFIG", kubeconfig)
        .output()
        .expect("tests/run can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let sum = text.lines().last().unwrap_or_default();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(sum.ends_with(" passed, 0 failed") && !sum.starts_with("0 "), "{text}");

    // A namespace is gone some moments after it was deleted.
    let mut now = namespaces::objects(api);
    until("the namespaces of the tests to be gone", || {
        now = namespaces::objects(api);
        (now.iter().all(|object| before.contains(object))).then_some(())
    });
    assert_eq!(now, before);
}
