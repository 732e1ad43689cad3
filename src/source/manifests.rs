//! Canaries among manifests.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    kustomize::{Patches, is_part},
    not_on_traefik, provider,
    refusals::{nothing, several},
    selected,
    surroundings::Surroundings,
};
use crate::{
    cluster::Selection,
    error::{Error, Result},
    files::{Manifests, Object},
    flagger::{Canary, Declared, NativeField},
    lint::{ByFile, nearest},
    model::{FIELDS, NamespacedName, declaration::NATIVE_COOKIE},
    observed::{Loaded, Manifest, Observed},
    traefik::TraefikService,
};

/// A Canary among manifests.
struct Found<'a> {
    object: &'a Object,
    loaded: Loaded,
    /// Whether it is a patch of another one.
    is_patch: bool,
}

/// Returns every selected Canary, in the order of the files. Patches are none.
pub(super) fn all(files: &Manifests, selection: Selection<'_>) -> Result<Vec<Loaded>> {
    Ok(all_with_surroundings(files, selection)?.0)
}

/// Returns the same, and what is around them.
pub(super) fn all_with_surroundings<'a>(
    files: &'a Manifests,
    selection: Selection<'_>,
) -> Result<(Vec<Loaded>, Surroundings<'a>)> {
    let patches = Patches::among(files);
    let surroundings = Surroundings::of(files, &patches);
    let found = find(files, &patches, &surroundings, selection)?;
    Ok((found.into_iter().filter(|it| !it.is_patch).map(|it| it.loaded).collect(), surroundings))
}

/// Returns every Canary of this name: those that are whole, else the patches of it.
///
/// # Errors
///
/// Fails if there is none; similar names are hints.
pub(super) fn named(files: &Manifests, namespace: Option<&str>, name: &str) -> Result<Vec<Loaded>> {
    let found = find_named(files, &Patches::among(files), namespace, name)?;
    Ok(found.into_iter().map(|it| it.loaded).collect())
}

/// Finds the one Canary of this name to change among manifests, and the object it was read from. One without a provider
/// may be on Traefik, unless Flagger's mesh provider is among the manifests, too.
///
/// # Errors
///
/// Fails if there is none (similar names are hints), if there are several, if a patch overrides what it declares, or if
/// its provider is not Traefik.
pub fn to_change<'a>(files: &'a Manifests, namespace: Option<&str>, name: &str) -> Result<(&'a Object, Loaded)> {
    let patches = Patches::among(files);
    let mut found = find_named(files, &patches, namespace, name)?;
    let one = match found.len() {
        1 => found.remove(0),
        _ => return Err(several(name, &found.into_iter().map(|it| it.loaded).collect::<Vec<_>>())),
    };
    let over = patches.of(files, &one.loaded.observed.canary, one.object).filter(|patch| patch.declares);
    let over: Vec<_> = over.collect();
    let is_document = over.iter().any(|patch| patch.is_document);
    let mut over: Vec<_> = over.iter().map(|patch| patch.place.as_str()).collect();
    over.dedup();
    if !one.is_patch && !over.is_empty() {
        let (at, over) = (one.object.origin(), over.join(", "));
        let canary = &one.loaded.observed.canary;
        let is_declared = canary.declared != Declared::Nothing || canary.entry.is_some();
        let (problem, cause) = if is_declared {
            (
                format!("is declared in several files: {at}, {over}"),
                "changing only one of them might have no effect".into(),
            )
        } else {
            (
                format!("is declared in a kustomize patch: {over}"),
                format!("the patch might override a declaration in {at}"),
            )
        };
        let error = Error::usage(format!("the cookie of Canary `{name}` {problem}")).caused_by(cause);
        return Err(if is_document {
            error.hint("choose the file to change: -f FILE")
        } else {
            error.hint(format!("change it by hand in {over}: such a patch is not edited here"))
        });
    }
    let observed = &one.loaded.observed;
    let is_known = observed.canary.provider.is_some() || observed.mesh_provider.is_some();
    if is_known && !observed.on_traefik() {
        return Err(not_on_traefik(observed));
    }
    Ok((one.object, one.loaded))
}

/// Returns the places of the Canaries among which [`to_change`] cannot decide; empty if there is nothing to decide.
pub fn choices(files: &Manifests, namespace: Option<&str>, name: &str) -> Vec<String> {
    let found = find_named(files, &Patches::among(files), namespace, name).unwrap_or_default();
    if found.len() < 2 { Vec::new() } else { found.iter().map(|it| it.object.origin()).collect() }
}

/// Returns the manifests without the other whole Canaries of this name: only the one at this place is left, with the patches
/// that may change it.
pub fn narrowed(files: &Manifests, name: &str, place: &str) -> Manifests {
    let is_whole = |object: &Object| Canary::is(&object.value) && !is_part(&object.value);
    let chosen_is_whole = files.objects().any(|object| object.origin() == place && is_whole(object));
    files.without(|object| {
        let is_rival = if chosen_is_whole { is_whole(object) } else { Canary::is(&object.value) };
        let other = is_rival && object.origin() != place;
        other && Canary::from_object(&object.value).is_some_and(|canary| canary.target.name == name)
    })
}

/// Returns the TraefikServices of the other Canaries among manifests, whether they are there or not.
pub(super) fn others(files: &Manifests, canary: &Canary) -> BTreeSet<NamespacedName> {
    let canaries = files.objects().filter(|object| Canary::is(&object.value));
    let services = canaries.filter_map(|object| Canary::from_object(&object.value)?.service_target());
    services.filter(|service| canary.service_target().as_ref() != Some(service)).collect()
}

/// Finds every Canary of this name: those that are whole, else the patches of it.
fn find_named<'a>(
    files: &'a Manifests,
    patches: &Patches,
    namespace: Option<&str>,
    name: &str,
) -> Result<Vec<Found<'a>>> {
    let all = find(files, patches, &Surroundings::of(files, patches), Selection { namespace, selector: None })?;
    let names: BTreeSet<String> = all.iter().map(|it| it.loaded.observed.canary.target.name.clone()).collect();
    let found = all.into_iter().filter(|it| it.loaded.observed.canary.target.name == name);
    let (parts, mut whole): (Vec<_>, Vec<_>) = found.partition(|it| it.is_patch);
    // One without a namespace is meant only where none is of that namespace.
    let is_of_it = |it: &Found<'_>| it.loaded.observed.canary.target.namespace.as_deref() == namespace;
    if namespace.is_some() && whole.iter().any(is_of_it) {
        whole.retain(is_of_it);
    }
    match (whole.is_empty(), parts.is_empty()) {
        (true, true) => Err(nothing(files, patches, namespace, name, &names)),
        (true, false) => Ok(parts),
        (false, _) => Ok(whole),
    }
}

/// Finds every selected Canary among manifests with its TraefikService, in the order of the files.
fn find<'a>(
    files: &'a Manifests,
    patches: &Patches,
    surroundings: &Surroundings<'a>,
    selection: Selection<'_>,
) -> Result<Vec<Found<'a>>> {
    let is_selected = selected(selection)?;
    let mut services = BTreeMap::<NamespacedName, ByFile<'_, _>>::new();
    for object in files.objects().filter(|object| !patches.is_named(files, object)) {
        let service =
            TraefikService::is(&object.value).and_then(|group| TraefikService::from_object(&object.value, group));
        if let Some(service) = service {
            let of_name = services.entry(service.target.clone()).or_default();
            of_name.push(Some(object.file()), (service, &object.value));
        }
    }
    let mesh_provider = provider::among(files);
    let canaries = files.objects().filter(|object| Canary::is(&object.value)).filter_map(|object| {
        let canary = Canary::from_object(&object.value).filter(&is_selected)?;
        let of_name = canary.service_target().and_then(|target| services.get(&target));
        let seen = of_name.map(|all| all.seen_from(Some(object.file()), &surroundings.environments));
        let seen = seen.into_iter().flatten().map(|(file, service)| (file.unwrap_or_default(), service));
        let service = nearest(object.file(), seen);
        let (service, value) = service.map(|(service, value)| (service.clone(), (*value).clone())).unzip();
        let native = native_field(&object.value);
        let is_patch = patches.has(files, object);
        let mesh_provider = mesh_provider.clone().filter(|_| canary.provider.is_none());
        let manifest = (!is_patch).then(|| manifest(files, patches, &canary, object));
        let observed = Observed {
            mesh_provider,
            manifest: Some(manifest.unwrap_or_else(|| of(object))),
            ..Observed::pair(canary, service)
        };
        let loaded = Loaded { observed, canary: object.value.clone(), service: value, native, routing: None };
        Some(Found { object, loaded: loaded.with_routing(surroundings.routing(object.file())), is_patch })
    });
    Ok(canaries.collect())
}

/// Returns where an object is.
fn of(object: &Object) -> Manifest {
    Manifest { file: object.file().to_owned(), line: object.line(), patches: Vec::new() }
}

/// Returns where a Canary is, with the patches of it.
fn manifest(files: &Manifests, patches: &Patches, canary: &Canary, object: &Object) -> Manifest {
    let own = patches.of(files, canary, object).map(|patch| patch.place.clone());
    let mut own: Vec<_> = own.collect();
    own.dedup();
    Manifest { patches: own, ..of(object) }
}

/// Without a schema, a manifest that uses the native field implies that its cluster has it.
fn native_field(canary: &Value) -> NativeField {
    match NATIVE_COOKIE.iter().try_fold(canary, |value, key| value.get(key)) {
        Some(_) => NativeField::Present(FIELDS.iter().map(|field| (field.key.to_owned(), Vec::new())).collect()),
        None => NativeField::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn choosing_one_of_several_canaries_keeps_the_patches_and_whatever_has_another_name() {
        let canary = |name: &str, spec: &str| {
            format!("apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata:\n  name: {name}\nspec:\n  {spec}\n---\n")
        };
        let target = "targetRef: {name: shop}";
        let text =
            [canary("shop", target), canary("shop", target), canary("shop", "suspend: true"), canary("cart", target)];
        let files = files::parse(None, text.concat()).unwrap();
        let left = |place: &str| {
            let narrowed = narrowed(&files, "shop", place);
            narrowed.objects().map(Object::line).collect::<Vec<_>>()
        };
        assert_eq!(left("stdin:1"), [1, 15, 22]);
        assert_eq!(left("stdin:8"), [8, 15, 22]);
        // A patch was chosen: it is what is changed, not what it patches.
        assert_eq!(left("stdin:15"), [15, 22]);
    }
}
