//! Flagger's mesh provider among manifests: in a Deployment, or in the values of its Helm chart, as Flux, Argo CD, k3s and
//! kustomize hold them. Pure.

use serde_json::Value;

use crate::{files::Manifests, flagger::mesh_provider, model::view::text, yaml};

/// The name of Flagger's chart.
const CHART: &str = "flagger";

/// Returns the mesh provider that every Flagger among the manifests has; `None` if there is none, or if they differ.
pub(super) fn among(files: &Manifests) -> Option<String> {
    let objects = files.objects().chain(files.without_kind());
    mesh_provider::agreed(objects.flat_map(|object| of(&object.value)))
}

/// Returns the mesh providers that an object installs Flagger with.
fn of(object: &Value) -> Vec<String> {
    let list = |pointer: &str| object.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    match text(object, &["kind"]) {
        Some("Deployment") => mesh_provider::of_deployment(object).into_iter().collect(),
        Some("HelmRelease") if text(object, &["spec", "chart", "spec", "chart"]) == Some(CHART) => {
            vec![mesh_provider::of_values(object.pointer("/spec/values"))]
        }
        // k3s, RKE2.
        Some("HelmChart") if text(object, &["spec", "chart"]).is_some_and(|chart| chart.ends_with(CHART)) => {
            vec![mesh_provider::of_values(written(object.pointer("/spec/valuesContent")).as_ref())]
        }
        Some("Application") => {
            let sources = object.pointer("/spec/source").into_iter().chain(list("/spec/sources"));
            sources.filter(|source| text(source, &["chart"]) == Some(CHART)).map(of_argo).collect()
        }
        _ => {
            let charts = list("/helmCharts").filter(|chart| text(chart, &["name"]) == Some(CHART));
            charts.map(|chart| mesh_provider::of_values(chart.get("valuesInline"))).collect()
        }
    }
}

/// Returns the mesh provider of a source of Argo CD: parameters come before the object, and that before the text.
fn of_argo(source: &Value) -> String {
    let parameters = source.pointer("/helm/parameters").and_then(Value::as_array).into_iter().flatten();
    let mut parameters = parameters.filter(|it| text(it, &["name"]) == Some("meshProvider"));
    match parameters.next().and_then(|it| text(it, &["value"])) {
        Some(provider) => provider.to_owned(),
        None => match source.pointer("/helm/valuesObject") {
            Some(values) => mesh_provider::of_values(Some(values)),
            None => mesh_provider::of_values(written(source.pointer("/helm/values")).as_ref()),
        },
    }
}

/// Returns values that are written as a text.
fn written(values: Option<&Value>) -> Option<Value> {
    yaml::parse(values?.as_str()?).ok()
}
