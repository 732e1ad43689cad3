//! The TraefikService that Flagger generates (fluxcd/flagger `pkg/router/traefik.go:Reconcile` and `SetRoutes`,
//! byte-identical from v1.30.0 to v1.44.0), with the declared cookie.

use serde_json::{Map, Value, json};

use crate::{
    error::{Error, Result},
    flagger::Canary,
    model::name::Group,
};

/// Annotations by which Flagger makes Flux leave the object alone (`pkg/router/util.go:filterMetadata`).
pub const FLUX: [(&str, &str); 2] =
    [("helm.toolkit.fluxcd.io/driftDetection", "disabled"), ("kustomize.toolkit.fluxcd.io/reconcile", "disabled")];

/// Returns the TraefikService of a Canary in this API group, with this weight of the canary.
///
/// # Errors
///
/// Fails if the Canary names no target or no port, without which Flagger cannot generate one.
pub fn traefik_service(canary: &Canary, group: Group, weight: i64) -> Result<Value> {
    let name = canary.service_name.as_deref().ok_or_else(|| incomplete(canary, "spec.targetRef.name"))?;
    let port = canary.port.ok_or_else(|| incomplete(canary, "spec.service.port"))?;

    let child = |track: &str, weight: Option<i64>| {
        let mut child = json!({"name": format!("{name}-{track}"), "port": port});
        if let Some(namespace) = &canary.target.namespace {
            child["namespace"] = namespace.clone().into();
        }
        if let Some(weight) = weight {
            child["weight"] = weight.into();
        }
        child
    };
    // Flagger lists the canary only above 0, and its type omits a weight of 0.
    let services = match weight {
        0 => vec![child("primary", Some(100))],
        100 => vec![child("primary", None), child("canary", Some(100))],
        weight => vec![child("primary", Some(100 - weight)), child("canary", Some(weight))],
    };

    let mut annotations = canary.apex_annotations.clone();
    annotations.extend(FLUX.map(|(key, value)| (key.to_owned(), value.into())));
    let mut metadata =
        Map::from_iter([("name".to_owned(), name.into()), ("annotations".to_owned(), annotations.into())]);
    if let Some(namespace) = &canary.target.namespace {
        metadata.insert("namespace".into(), namespace.clone().into());
    }
    if !canary.apex_labels.is_empty() {
        metadata.insert("labels".into(), canary.apex_labels.clone().into());
    }
    if let Some(uid) = &canary.uid {
        let owner = json!({"apiVersion": crate::model::name::CANARY_API_VERSION, "kind": "Canary",
            "name": canary.target.name, "uid": uid, "controller": true, "blockOwnerDeletion": true});
        metadata.insert("ownerReferences".into(), json!([owner]));
    }
    let mut weighted = json!({"services": services});
    if let Some(cookie) = canary.declared.cookie() {
        weighted["sticky"] = cookie.to_sticky();
    }
    Ok(
        json!({"apiVersion": group.api_version(), "kind": "TraefikService", "metadata": metadata, "spec": {"weighted": weighted}}),
    )
}

fn incomplete(canary: &Canary, field: &str) -> Error {
    Error::usage(format!("Canary `{}` has no {field}", canary.target))
        .caused_by("Flagger cannot generate a TraefikService without it")
}
