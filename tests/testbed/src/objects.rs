//! Objects as they are found in a cluster: a person's Canary, and the TraefikService that Flagger makes for it.

use serde_json::{Value, json};

/// A Canary on Traefik as in Flagger's tutorial: steps of 10 every minute up to 50, port 80.
pub fn canary(name: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": { "name": name },
        "spec": {
            "provider": "traefik",
            "targetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
            "progressDeadlineSeconds": 60,
            "service": { "port": 80, "targetPort": 9898 },
            "analysis": { "interval": "1m", "threshold": 5, "maxWeight": 50, "stepWeight": 10 },
        },
    })
}

/// The TraefikService that Flagger makes for `canary(name)`, without its owner.
///
/// As Flagger has it: no entry for a canary of weight 0, and no `weight` at all on a primary of weight 0.
pub fn traefik_service(name: &str, primary: u64, canary: u64) -> Value {
    json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": {
            "name": name,
            "annotations": {
                "helm.toolkit.fluxcd.io/driftDetection": "disabled",
                "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
            },
        },
        "spec": { "weighted": { "services": services(name, "", primary, canary) } },
    })
}

/// The TraefikService in its owner's namespace, controlled by that Canary.
pub fn owned_by(mut service: Value, canary: &Value) -> Value {
    let namespace = &canary["metadata"]["namespace"];
    service["metadata"]["namespace"] = namespace.clone();
    service["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "flagger.app/v1beta1",
        "blockOwnerDeletion": true,
        "controller": true,
        "kind": "Canary",
        "name": canary["metadata"]["name"],
        "uid": canary["metadata"]["uid"],
    }]);
    for child in service["spec"]["weighted"]["services"].as_array_mut().into_iter().flatten() {
        child["namespace"] = namespace.clone();
    }
    service
}

/// `spec.weighted.services` as Flagger writes it.
pub fn services(name: &str, namespace: &str, primary: u64, canary: u64) -> Value {
    let child = |track: &str, weight: u64| {
        let mut child = json!({ "name": format!("{name}-{track}"), "namespace": namespace, "port": 80 });
        if weight > 0 {
            child["weight"] = json!(weight);
        }
        child
    };
    let mut services = vec![child("primary", primary)];
    if canary > 0 {
        services.push(child("canary", canary));
    }
    Value::Array(services)
}

/// The status of a Canary in this phase, with this weight on the canary.
pub fn status(phase: &str, weight: u64) -> Value {
    json!({
        "phase": phase,
        "canaryWeight": weight,
        "failedChecks": 0,
        "iterations": 0,
        "lastAppliedSpec": "5454669676",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}
