//! The API server runs policies in random order, drawn anew whenever any of them changes. Here it is drawn
//! many times, and each time Flagger's write is replayed onto an undeclared cookie that a person set.

use serde_json::{Value, json};
use testbed::{flagger, namespace::Namespace, objects, wait::until};

use crate::{
    cluster::Cluster,
    shop::{NAME, sticky},
};

/// How often the order is drawn. Go begins a small map at one of eight places: the rarer of two orders comes
/// up in an eighth of the draws at worst.
const DRAWS: usize = 40;
const PROBE: &str = "order-probe";

/// The cookie after Flagger's write, in each order that was drawn. `namespace` is guarded.
pub(crate) fn undeclared_stickies(cluster: &Cluster, namespace: &Namespace) -> Vec<Value> {
    let mut canary = objects::canary(NAME);
    // The real Flagger has nothing to do with it.
    canary["spec"]["suspend"] = json!(true);
    let canary = namespace.create_value(&canary);
    flagger::creates(namespace, objects::owned_by(objects::traefik_service(NAME, 100, 0), &canary));
    let by_a_person = namespace.path("TraefikService", NAME) + "?fieldManager=kubectl-edit";
    let draws = (0..DRAWS).map(|round| {
        draw(cluster, namespace, &round.to_string());
        let edit = json!({ "spec": { "weighted": { "sticky": sticky() } } });
        let edited = cluster.server.admin().merge(&by_a_person, &edit).expect("a person's edit");
        assert_eq!(edited["spec"]["weighted"]["sticky"], sticky(), "a person's edit is stored as it is");
        let weight = 10 + round as u64;
        let written = flagger::writes(namespace, NAME, 100 - weight, weight).expect("nobody else wrote");
        written["spec"]["weighted"]["sticky"].clone()
    });
    draws.collect()
}

/// Changes a policy that has nothing to do with the guard, and waits until the new one is in force.
fn draw(cluster: &Cluster, namespace: &Namespace, round: &str) {
    let expression = format!("[JSONPatch{{op: 'add', path: '/data', value: {{'round': '{round}'}}}}]");
    let rule =
        json!({ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"] });
    cluster.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": { "name": PROBE },
        "spec": {
            "matchConstraints": { "resourceRules": [rule] },
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": expression } }],
            "reinvocationPolicy": "Never",
        },
    }));
    cluster.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": PROBE },
        "spec": { "policyName": PROBE },
    }));
    let path = namespace.path("ConfigMap", "") + "?dryRun=All";
    let probe = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": PROBE } });
    until("the changed policy to be in force", || {
        let answer = cluster.server.admin().post(&path, &probe).expect("a create that is not stored");
        (answer["data"]["round"].as_str() == Some(round)).then_some(())
    });
}
