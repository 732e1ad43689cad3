//! Flagger's mesh provider among manifests: in a Deployment, or in the values of its Helm chart, as Flux, Argo CD, k3s and
//! kustomize hold them. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    files::Manifests,
    flagger::mesh_provider,
    model::view::{list, text},
    yaml,
};

/// The name of Flagger's chart.
const CHART: &str = "flagger";

/// What an object says of the mesh provider.
enum Said {
    /// Flagger is installed with this one.
    Provider(String),
    /// Flagger is installed with values that are somewhere else.
    Elsewhere,
    /// A part of a HelmRelease has this one.
    Values(String),
    /// Values may be changed in a way that is not followed.
    Unknown,
}

/// Returns the mesh provider that every Flagger among the manifests has; `None` if there is none, if they differ, or if it is
/// not known.
pub(super) fn among(files: &Manifests) -> Option<String> {
    let objects = || files.objects().chain(files.without_kind()).map(|object| &object.value);
    let parts: BTreeSet<&str> = objects().filter(|it| is_part(it)).filter_map(release).collect();
    let (mut providers, mut values, mut is_elsewhere) = (Vec::new(), Vec::new(), false);
    for said in objects().flat_map(|object| of(object, &parts)) {
        match said {
            Said::Provider(provider) => providers.push(provider),
            Said::Values(provider) => values.push(provider),
            Said::Elsewhere => is_elsewhere = true,
            Said::Unknown => return None,
        }
    }
    match (is_elsewhere, values.is_empty()) {
        (true, true) => None,
        // Values without a Flagger may be anyone's.
        (true, false) => mesh_provider::agreed(providers.into_iter().chain(values)),
        (false, _) => mesh_provider::agreed(providers),
    }
}

/// Returns what an object says. `parts` are the releases that are merged with others.
fn of(object: &Value, parts: &BTreeSet<&str>) -> Vec<Said> {
    let list = |pointer: &str| object.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let spec = |pointer: &str| object.pointer(pointer);
    match text(object, &["kind"]) {
        Some("Deployment") => mesh_provider::of_deployment(object).map(Said::Provider).into_iter().collect(),
        Some("HelmRelease") if is_part(object) => {
            mesh_provider::in_values(spec("/spec/values")).map(Said::Values).into_iter().collect()
        }
        Some("HelmRelease") if is_flaggers(object) => {
            let is_merged = release(object).is_some_and(|name| parts.contains(name));
            vec![values(spec("/spec/values"), is_merged || spec("/spec/valuesFrom").is_some())]
        }
        // k3s, RKE2.
        Some("HelmChart") if text(object, &["spec", "chart"]).is_some_and(|chart| chart.ends_with(CHART)) => {
            vec![values(written(spec("/spec/valuesContent")).as_ref(), spec("/spec/valuesSecrets").is_some())]
        }
        Some("Application" | "ApplicationSet") => {
            let of =
                |at: &str| object.pointer(&format!("{at}/source")).into_iter().chain(list(&format!("{at}/sources")));
            let sources = of("/spec").chain(of("/spec/template/spec"));
            sources.filter(|source| text(source, &["chart"]) == Some(CHART)).map(of_argo).collect()
        }
        Some("Kustomization" | "Component") | None if object.is_object() => {
            let charts = list("/helmCharts").filter(|chart| text(chart, &["name"]) == Some(CHART));
            let is_elsewhere =
                |chart: &Value| ["valuesFile", "additionalValuesFiles"].iter().any(|it| chart.get(it).is_some());
            let mut said: Vec<_> = charts.map(|chart| values(chart.get("valuesInline"), is_elsewhere(chart))).collect();
            if said.is_empty() && object.to_string().contains("meshProvider") {
                // A patch of a HelmRelease.
                said.push(Said::Unknown);
            }
            said
        }
        _ => Vec::new(),
    }
}

/// Returns what a chart's values say; `is_elsewhere` if there are more of them.
fn values(values: Option<&Value>, is_elsewhere: bool) -> Said {
    match mesh_provider::in_values(values) {
        Some(provider) => Said::Provider(provider),
        None if is_elsewhere => Said::Elsewhere,
        None => Said::Provider(mesh_provider::DEFAULT.to_owned()),
    }
}

/// Returns whether a HelmRelease is of Flagger's chart. The chart of an OCI repository is known by that name alone.
fn is_flaggers(object: &Value) -> bool {
    let names = [&["spec", "chart", "spec", "chart"][..], &["spec", "chartRef", "name"], &["spec", "releaseName"]];
    names.iter().any(|keys| text(object, keys) == Some(CHART))
}

/// Returns whether this is a patch of a HelmRelease: a whole one has a chart.
fn is_part(object: &Value) -> bool {
    let has = |key: &str| object.pointer(key).is_some();
    text(object, &["kind"]) == Some("HelmRelease") && !has("/spec/chart") && !has("/spec/chartRef")
}

/// Returns the name of an object.
fn release(object: &Value) -> Option<&str> {
    text(object, &["metadata", "name"])
}

/// Returns what a source of Argo CD says: parameters come before the object, and that before the text.
fn of_argo(source: &Value) -> Said {
    let parameters = list(source, &["helm", "parameters"]).iter();
    let mut parameters = parameters.filter(|it| text(it, &["name"]) == Some("meshProvider"));
    if let Some(provider) = parameters.next().and_then(|it| text(it, &["value"])) {
        return Said::Provider(provider.to_owned());
    }
    let is_elsewhere = source.pointer("/helm/valueFiles").is_some();
    match source.pointer("/helm/valuesObject") {
        Some(object) => values(Some(object), is_elsewhere),
        None => values(written(source.pointer("/helm/values")).as_ref(), is_elsewhere),
    }
}

/// Returns values that are written as a text.
fn written(values: Option<&Value>) -> Option<Value> {
    yaml::parse(values?.as_str()?).ok()
}
