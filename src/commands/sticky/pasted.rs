//! The text to paste where a Canary is made of what is not edited: a chart's template, or a release of Flux.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    error::{Error, Kind},
    files::Manifests,
    flagger::Canary,
    model::{declaration::ANNOTATION, entry::ENTRY_ANNOTATION, name::CANARY_API_VERSION, view},
    observed::{Loaded, Observed},
    plan::{CookieChange, Plan, Scope},
    source, yaml,
};

/// Adds the text to paste to the error for a Canary that is not found.
pub(super) fn with_text(error: Error, manifests: &Manifests, name: &str, change: &CookieChange) -> Error {
    if error.kind() != Kind::NotFound {
        error
    } else if manifests.templates().next().is_some() {
        in_template(error, manifests, name, change)
    } else if source::releases(manifests).next().is_some() {
        in_release(error, name, change)
    } else {
        error
    }
}

fn in_template(error: Error, manifests: &Manifests, name: &str, change: &CookieChange) -> Error {
    let mut written = BTreeMap::new();
    let mut places = Vec::new();
    for (place, line) in manifests.template_lines() {
        let Some((key, value)) = annotation(line) else { continue };
        let Some(value) = value.filter(|_| !written.contains_key(key)) else {
            return error.hint(format!("the template declares it at {place}: change it there"));
        };
        written.insert(key, value);
        places.push(place);
    }
    let Some(annotations) = annotations_after(name, &json!(written), change) else { return error };
    let text = (!annotations.is_empty()).then(|| yaml::print(&json!({ "annotations": annotations })));
    let places = places.join(", ");
    error.hint(match text {
        Some(text) if places.is_empty() => {
            format!("to declare it in the template, add this to the Canary's metadata:\n{}", text.trim_end())
        }
        Some(text) => format!("to change it in the template, write this instead of {places}:\n{}", text.trim_end()),
        None => format!("to remove it from the template, delete {places}"),
    })
}

/// Flux patches what a release renders (fluxcd/helm-controller `api/v2/helmrelease_types.go:PostRenderer`).
fn in_release(error: Error, name: &str, change: &CookieChange) -> Error {
    let annotations = annotations_after(name, &json!({}), change).unwrap_or_default();
    if annotations.is_empty() {
        return error;
    }
    let metadata = json!({ "name": name, "annotations": annotations });
    let patch = yaml::print(&json!({ "apiVersion": CANARY_API_VERSION, "kind": "Canary", "metadata": metadata }));
    let patches = json!([{ "target": { "kind": "Canary", "name": name }, "patch": patch }]);
    let text = yaml::print(&json!({ "postRenderers": [{ "kustomize": { "patches": patches } }] }));
    error.hint(format!("to declare it, add this to the HelmRelease's spec:\n{}", text.trim_end()))
}

/// Returns the annotations of a Canary after this change; `None` if it cannot be made, or changes nothing.
fn annotations_after(name: &str, annotations: &Value, change: &CookieChange) -> Option<Map<String, Value>> {
    let object = json!({"metadata": {"name": name, "annotations": annotations}});
    let canary = Canary::from_object(&object)?;
    let loaded = Loaded::of(Observed::pair(canary, None), object, None);
    let plan = change.on(&loaded).and_then(|wanted| Plan::new(&loaded, &wanted, Scope::DeclareOnly));
    let after = plan.ok()?.steps.pop()?.after();
    Some(view::object(&after, &["metadata", "annotations"]).cloned().unwrap_or_default())
}

/// Returns the annotation of ours in a line of a template, with its value if that is in the line and no template itself.
fn annotation(line: &str) -> Option<(&'static str, Option<String>)> {
    let key = [ANNOTATION, ENTRY_ANNOTATION].into_iter().find(|key| line.contains(key))?;
    let value = yaml::parse(line.trim_start()).ok().filter(|_| !line.contains("{{"));
    Some((key, value.and_then(|value| value.get(key)?.as_str().map(str::to_owned))))
}
