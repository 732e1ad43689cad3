//! What is meant as a Canary among manifests, or makes one, and cannot be read as one. Pure.

use super::kustomize::{Patches, is_part};
use crate::{
    files::{Manifests, Object},
    flagger::Canary,
    model::{NamespacedName, name::CANARY_API_VERSION, view},
};

/// A document that is meant as a Canary, and that no cluster takes as one by this name.
pub struct Unusable {
    /// Where it is, as `file:line`.
    pub place: String,
    /// What is wrong with it: `a Canary without metadata.name`.
    pub problem: String,
    /// What cures it.
    pub(super) cure: String,
}

/// Returns the whole Canaries that cannot be used. A name can be left to `kubectl create` alone, which makes another one each
/// time (`generateName`); and Flagger 1.44 serves one version (`artifacts/flagger/crd.yaml`).
pub fn unusable(files: &Manifests) -> Vec<Unusable> {
    let mut patches = None;
    let mut is_patch = |object: &Object| patches.get_or_insert_with(|| Patches::among(files)).is_named(files, object);
    let found = files.objects().filter(|object| !is_part(&object.value)).filter_map(|object| {
        let place = || object.origin();
        let (problem, cure) = if let Some(version) = Canary::other_version(&object.value) {
            (
                format!("a Canary of {version}: only {CANARY_API_VERSION} is read"),
                format!("change the apiVersion of the Canary at {} to {CANARY_API_VERSION}", place()),
            )
        } else if Canary::is(&object.value) && Canary::from_object(&object.value).is_none() {
            ("a Canary without metadata.name".into(), format!("give the Canary at {} a metadata.name", place()))
        } else {
            return None;
        };
        (!is_patch(object)).then(|| Unusable { place: place(), problem, cure })
    });
    found.collect()
}

/// Returns the releases of Flux whose chart may make a Canary, as many charts do by a value of this name, with their places.
pub fn releases(files: &Manifests) -> impl Iterator<Item = String> {
    files.objects().filter_map(|object| {
        let canary = object.value.pointer("/spec/values/canary")?.as_object()?;
        let is_off = canary.get("enabled").is_some_and(|enabled| *enabled == false);
        let is_release = view::text(&object.value, &["kind"]) == Some("HelmRelease") && !is_off;
        is_release.then(|| format!("{}: HelmRelease `{}`", object.origin(), NamespacedName::of(&object.value)))
    })
}
