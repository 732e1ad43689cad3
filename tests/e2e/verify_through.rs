//! `verify --through-cluster`: through the real API server, and what containerd forwards ports with, to the real Traefik.

use std::{process::Command, sync::LazyLock};

use serde_json::{Value, json};
use snapbox::str;
use testbed::{bed, directory::Directory, namespace::Namespace, port, process::Process, run::exactly, wait::until};

use crate::{
    routes::site::Site,
    shop::NAME,
    traefik::WEB,
    verify::{ADDRESS, SITES, WEB_SECURE, without_chance},
};

/// The kubelet of a node with three pods, of which the second one is the Traefik of the sites.
static EDGE: LazyLock<Process> = LazyLock::new(|| {
    let namespace = &SITES.through.namespace;
    let kubelet = node(namespace);
    let point = |name: &str, port: u16| json!({ "name": name, "containerPort": port });
    pod(namespace, "traefik-0", &json!([point("web", 1)]), false);
    pod(namespace, "traefik-1", &json!([point("web", WEB), point("websecure", WEB_SECURE)]), true);
    pod(namespace, "traefik-2", &json!([point("web", 1)]), true);
    kubelet
});

/// A node whose kubelet forwards every port to the Traefik of the sites.
fn node(namespace: &Namespace) -> Process {
    let port = port::free();
    let directory = std::mem::ManuallyDrop::new(Directory::new());
    let mut command = Command::new(bed::program("kubelet").unwrap_or_else(|error| panic!("{error}")));
    command.args([format!("127.0.0.1:{port}"), ADDRESS.to_string()]);
    let kubelet = Process::start(&command, &directory.path().join("kubelet.log"), Some(directory.path()));
    let kubelet = kubelet.unwrap_or_else(|error| panic!("{error}"));
    until("the kubelet to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    namespace.create_value(&json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "edge" } }));
    let status = json!({
        "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
        "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
    });
    namespace.patch_status("Node", "edge", &status);
    kubelet
}

/// A pod on that node, ready or not.
fn pod(namespace: &Namespace, name: &str, ports: &Value, is_ready: bool) {
    let container = json!({ "name": "traefik", "image": "traefik:v3.7.9", "ports": ports });
    namespace.create_value(&json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": { "app.kubernetes.io/name": "traefik" } },
        "spec": { "nodeName": "edge", "containers": [container] },
    }));
    let status = if is_ready { "True" } else { "False" };
    namespace.patch_status("Pod", name, &json!({ "conditions": [{ "type": "Ready", "status": status }] }));
}

pub(crate) fn without_an_address_it_goes_through_the_api_server_to_a_pod_of_traefik() {
    let (site, secure) = (&SITES.through, &SITES.secure);
    let namespace = &site.namespace;
    LazyLock::force(&EDGE);
    let named = |pod: &str| format!("--through-cluster={}/{pod}", namespace.name());
    let run = |site: &Site, flags: &str| {
        let words = ["verify", NAME, "--rate", "1000", "--browsers", "7", "--requests", "4"].into_iter();
        let run = site.namespace.run(words.chain(flags.split(' '))).redact(&site.host, "HOST");
        run.redact(namespace.name(), "EDGE").run()
    };
    // The pages are those of the routes, whatever port they have outside.
    exactly(
        &without_chance(&run(site, "--through-cluster")),
        str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
ok       Traefik chooses a track again at the entry, and only there
ok       the tracks are chosen in proportion to their weights

the cookie sticks (7 browsers, 75 requests)
--- stderr

"#]],
    );
    exactly(
        &without_chance(&run(secure, &(named("traefik-1") + " --insecure"))),
        str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
ok       Traefik chooses a track again at the entry, and only there
ok       the tracks are chosen in proportion to their weights

the cookie sticks (7 browsers, 75 requests)
--- stderr

"#]],
    );
    run(site, &named("traefik-2")).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: http://HOST/login: the connection to the server HOST:80 was closed before it answered
caused by: error forwarding port 1 to pod traefik-2, uid : dial tcp 198.18.0.10:1: connect: connection refused
hint: use --url URL, or --through-cluster=NAMESPACE/POD

"#]]);
    run(secure, &named("traefik-2")).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: pod `EDGE/traefik-2` has no entry point for https
hint: use --url URL, or --through-cluster=NAMESPACE/POD

"#]]);
    run(site, &named("gone")).shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: no pods `gone` in namespace `verify-through-[NS]`
hint: kubectl get pods -n verify-through-[NS]

"#]]);
}

pub(crate) fn the_rights_that_rbac_prints_are_enough_to_go_through_the_api_server_and_all_of_them_are_needed() {
    let namespace = &SITES.through.namespace;
    LazyLock::force(&EDGE);
    let through = format!("--through-cluster={}/traefik-1", namespace.name());
    let run = |rights: &str| {
        let groups = "flagger.app, traefik.io, gateway.networking.k8s.io, networking.k8s.io";
        let rules = format!("[{{apiGroups: [{groups}], resources: ['*'], verbs: [get, list]}}, {rights}]");
        let words = ["verify", NAME, "--browsers", "2", "--requests", "2", "--rate", "1000", through.as_str()];
        let output = namespace.run_as(&namespace.user_with(&rules), words).redact(namespace.name(), "EDGE").run();
        // Users are numbered, whatever test has them.
        let text = without_chance(&output);
        let (before, after) = text.split_once("narrow-").unwrap_or((text.as_str(), ""));
        let user = if after.is_empty() { "" } else { "USER" };
        format!("{before}{user}{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
    };
    let rule = |resource: &str, verbs: &str| format!("{{apiGroups: [''], resources: [{resource}], verbs: [{verbs}]}}");
    let get = rule("pods", "get");
    let forward = |verbs: &str| format!("{get}, {}", rule("pods/portforward", verbs));
    exactly(
        &run(&rule("pods/portforward", "create, get")),
        str![[r#"
exit: 6
--- stdout
--- stderr
error: user `USER` may not get pods in namespace `verify-through-[NS]`
hint: kubectl auth can-i get pods -n verify-through-[NS]
hint: kubectl canary-traefik rbac verify --through-cluster -n verify-through-[NS] prints the permissions it needs

"#]],
    );
    // Kubernetes asks for it since 1.35.
    if bed::older_kubernetes().is_none() {
        exactly(
            &run(&forward("get")),
            str![[r#"
exit: 6
--- stdout
--- stderr
error: the server refused to create pods/portforward `traefik-1` in namespace `verify-through-[NS]`
hint: kubectl canary-traefik rbac verify --through-cluster -n verify-through-[NS] prints the permissions it needs

"#]],
        );
    }
    exactly(
        &run(&forward("create")),
        str![[r#"
exit: 6
--- stdout
--- stderr
error: user `USER` may not get pods/portforward in namespace `verify-through-[NS]`
hint: kubectl auth can-i get pods --subresource=portforward -n verify-through-[NS]
hint: kubectl canary-traefik rbac verify --through-cluster -n verify-through-[NS] prints the permissions it needs

"#]],
    );
    exactly(
        &run(&forward("create, get")),
        str![[r#"
exit: 0
--- stdout
TRACK     WEIGHT   PINS   REQUESTS
primary   N   N   N
canary   N   N   N
canary: N of N pins, N % (N % confidence: N % to N %), N % expected

ok       every page sets the cookie
ok       browsers store the cookie and send it back
ok       each browser stays on its track
ok       nothing else sets a cookie of this name
ok       the cookie lives as long as a flow
skipped  Traefik chooses a track again at the entry, and only there: no browser with a cookie came to the entry
ok       the tracks are chosen in proportion to their weights

the cookie sticks (2 browsers, 15 requests)
--- stderr

"#]],
    );
}
