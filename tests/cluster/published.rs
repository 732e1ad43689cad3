//! `docs/json.md` against what is printed about a cluster; and `version` there.

use serde_json::{Value, json};
use snapbox::str;
use testbed::{
    fake::{Fake, Reply},
    fields::Fields,
    namespace::Namespace,
    run::Run,
};

use crate::rollout::{declare, rollout};

fn json_of(run: Run) -> Value {
    let output = run.run();
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

fn workload(kind: &str, label: &str, name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": { "name": name, "labels": { label: name } },
        "spec": {
            "selector": { "matchLabels": { label: name } },
            "template": {
                "metadata": { "labels": { label: name } },
                "spec": { "containers": [{ "name": "sidecar", "image": "proxy:9.9.9" }, { "name": name, "image": image }] },
            },
        },
    })
}

/// A scripted server of this version, with these Deployments and DaemonSets and no guard.
fn fake(version: &Value, deployments: &[Value], daemonsets: &[Value]) -> Fake {
    let fake = Fake::start();
    fake.on("GET", "/version", [Reply::json(200, version)]);
    let list = |items: &[Value]| {
        let mut items = items.to_vec();
        for item in &mut items {
            item["metadata"]["namespace"] = json!("system");
        }
        Reply::json(200, &json!({ "items": items }))
    };
    fake.on("GET", "/apis/apps/v1/deployments", [list(deployments)]);
    fake.on("GET", "/apis/apps/v1/daemonsets", [list(daemonsets)]);
    fake
}

fn version(fake: &Fake, words: &[&str]) -> Run {
    Run::new(["version"].into_iter().chain(words.iter().copied()))
        .kubeconfig(fake.kubeconfig())
        .redact(env!("CARGO_PKG_VERSION"), "0.0.0")
}

#[test]
fn version_tells_what_is_there() {
    let namespace = Namespace::new("version");
    namespace.create_value(&workload("Deployment", "app", "flagger", "ghcr.io/fluxcd/flagger:1.44.0"));
    namespace.create_value(&workload("DaemonSet", "app.kubernetes.io/name", "traefik", "traefik:v3.7.15"));
    let output = namespace.run(["version", "-o", "json"]).run();
    let seen: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"));
    let here = |part: &str| {
        let all = seen[part].as_array().expect("a list").iter();
        all.filter(|one| one["namespace"] == namespace.name()).map(|one| one["version"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((here("flagger"), here("traefik")), (vec![json!("1.44.0")], vec![json!("v3.7.15")]));
    Fields::of("VersionReport").hold(&seen);
    // Who may not look sees that, and is no failure.
    let nobody = namespace.user_with("[]");
    let output = namespace.run_as(&nobody, ["version"]).redact(env!("CARGO_PKG_VERSION"), "0.0.0").run();
    assert_eq!(output.code, Some(0), "{output}");
    // What follows the rows is what an older server is too old for.
    let rows = output.stdout.lines().skip(2).take_while(|line| !line.is_empty());
    let rows: Vec<_> = rows.map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(
        rows[1..],
        [["flagger", "<unknown>", "<none>"], ["traefik", "<unknown>", "<none>"], ["guard", "<unknown>", "<none>"]]
    );
}

#[test]
fn version_says_what_is_too_old() {
    let helm = "app.kubernetes.io/name";
    let old = fake(
        &json!({ "gitVersion": "v1.27.4" }),
        &[
            workload("Deployment", helm, "flagger", "ghcr.io/fluxcd/flagger:1.41.0"),
            workload("Deployment", helm, "traefik", "docker.io/traefik:v3.2.1@sha256:00"),
        ],
        &[],
    );
    version(&old, &[]).run().shows(str![[r#"
exit: 0
--- stdout
PART      VERSION   WHERE
client    0.0.0     kubectl-canary-traefik
server    v1.27.4   http://127.0.0.1:[PORT]
flagger   1.41.0    deployment/flagger (system)
traefik   v3.2.1    deployment/traefik (system)
guard     <none>    <none>

Kubernetes v1.27.4 serves no MutatingAdmissionPolicy (from 1.36 on): there the guard is a webhook
Kubernetes v1.27.4 has no matchConditions in webhooks (from 1.28 on): the webhook is called for every write
Flagger 1.41.0 writes traefik.containo.us, which Traefik 3 does not read (traefik.io from 1.42 on)
Traefik v3.2.1 does not honour --path (from 3.3 on)
Traefik v3.2.1 does not honour --domain (from 3.4 on)
--- stderr

"#]]);
    let new = fake(
        &json!({ "gitVersion": "v1.37.2", "emulationMajor": "1", "emulationMinor": "35" }),
        &[workload("Deployment", helm, "flagger", "ghcr.io/fluxcd/flagger:1.44.0")],
        &[workload("DaemonSet", helm, "traefik", "traefik:latest")],
    );
    version(&new, &[]).run().shows(str![[r#"
exit: 0
--- stdout
PART      VERSION   WHERE
client    0.0.0     kubectl-canary-traefik
server    v1.37.2   http://127.0.0.1:[PORT]
flagger   1.44.0    deployment/flagger (system)
traefik   latest    daemonset/traefik (system)
guard     <none>    <none>

Kubernetes 1.35 serves no MutatingAdmissionPolicy (from 1.36 on): there the guard is a webhook
--- stderr

"#]]);
    version(&new, &["-o", "yaml"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
client:
  version: "0.0.0"
flagger:
- image: ghcr.io/fluxcd/flagger:1.44.0
  kind: deployment
  name: flagger
  namespace: system
  version: "1.44.0"
guard:
  mode: none
  version: null
kind: VersionReport
limits:
- "Kubernetes 1.35 serves no MutatingAdmissionPolicy (from 1.36 on): there the guard is a webhook"
server:
  address: http://127.0.0.1:[PORT]
  version: v1.37.2
traefik:
- image: traefik:latest
  kind: daemonset
  name: traefik
  namespace: system
  version: latest
--- stderr

"#]]);
    let mut fields = Fields::of("VersionReport");
    fields.hold(&json_of(version(&old, &["-o", "json"])));
    fields.hold(&json_of(version(&new, &["-o", "json"])));
    fields.hold(&json_of(version(&new, &["--client", "-o", "json"])));
    fields.were_all_seen();
}

#[test]
fn the_fields_of_a_check_of_rights_are_those_of_the_page() {
    let namespace = rollout("published");
    let mut fields = Fields::of("PermissionsReport");
    fields.hold(&json_of(namespace.run(["rbac", "--check", "-o", "json"])));
    let nobody = namespace.user_with("[]");
    fields.hold(&json_of(namespace.run_as(&nobody, ["rbac", "show", "--check", "-o", "json"])));
    fields.were_all_seen();
}

#[test]
fn the_fields_of_a_report_from_a_cluster_are_those_of_the_page() {
    let namespace = rollout("published");
    declare(&namespace, "podinfo", "login");
    let mut fields = Fields::of("StickyReport");
    fields.hold(&json_of(namespace.run(["sticky", "get", "podinfo", "-o", "json"])));
    fields.hold(&json_of(namespace.run(["show", "podinfo", "-o", "json"])));
}

#[test]
fn the_fields_of_a_description_are_those_of_the_page() {
    let namespace = Namespace::new("described");
    let (canary, _) = namespace.create_rollout("podinfo", 90, 10);
    declare(&namespace, "podinfo", "login; Max-Age=300");
    let release = json!({ "meta.helm.sh/release-name": "podinfo", "meta.helm.sh/release-namespace": namespace.name() });
    namespace.patch("Canary", "podinfo", &json!({ "metadata": { "annotations": release } }));
    let service = json!({ "kind": "TraefikService", "name": "podinfo" });
    let rule = json!({ "kind": "Rule", "match": "Host(`shop.example.com`)", "services": [service] });
    namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": "shop" },
        "spec": { "entryPoints": ["websecure"], "routes": [rule] },
    }));
    namespace.create_value(&json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": "podinfo" },
        "involvedObject": { "kind": "Canary", "name": "podinfo", "namespace": namespace.name(), "uid": canary["metadata"]["uid"] },
        "type": "Normal",
        "reason": "Synced",
        "message": "New revision detected",
    }));
    namespace.patch_status("Canary", "podinfo", &json!({ "phase": "Progressing" }));
    let mut fields = Fields::of("CanaryDescription");
    let described = ["describe", "podinfo", "-o", "json"];
    fields.hold(&json_of(namespace.run(described)));
    // A route through another TraefikService, one that misses, one whose rule Traefik refuses, and a TraefikService that
    // Flagger resets.
    let refused = json!({ "kind": "TraefikService", "name": "podinfo" });
    let qualified = json!({ "kind": "TraefikService", "name": format!("{}-outer@kubernetescrd", namespace.name()) });
    let missing = json!({ "kind": "Service", "name": "podinfo", "port": 80 });
    for (name, end, service) in [("nested", ")", qualified), ("missing", ")", missing), ("refused", "", refused)] {
        let rule = format!("Host(`{name}.example.com`{end}");
        let rule = json!({ "kind": "Rule", "match": rule, "services": [service] });
        namespace.create_value(&json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": { "name": name },
            "spec": { "routes": [rule] },
        }));
    }
    namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": { "name": "outer" },
        "spec": { "weighted": { "services": [{ "kind": "TraefikService", "name": "podinfo", "weight": 1 }] } },
    }));
    namespace.patch("TraefikService", "podinfo", &json!({ "metadata": { "labels": { "team": "shop" } } }));
    fields.hold(&json_of(namespace.run(described)));
    declare(&namespace, "podinfo", "login; Max-Age=-1");
    fields.hold(&json_of(namespace.run(described)));
    // Who may not look at what is around it.
    let narrow = namespace
        .user_with("- {apiGroups: [flagger.app, traefik.io], resources: [canaries, traefikservices], verbs: [get]}");
    fields.hold(&json_of(namespace.run_as(&narrow, described)));
    // Who may look at it in this namespace alone.
    let near = namespace.user_with(
        "- {apiGroups: [flagger.app, traefik.io], resources: [canaries, traefikservices, ingressroutes], verbs: [get, list]}",
    );
    fields.hold(&json_of(namespace.run_as(&near, described)));
    fields.were_all_seen();
}

#[test]
fn the_fields_of_the_guards_status_are_those_of_the_page() {
    let namespace = Namespace::new("guard-status");
    Fields::of("GuardStatus").hold(&json_of(namespace.run(["guard", "status", "-o", "json"])));
}
