//! Kustomize patches of Canaries among manifests. They are recognised by their structure; nothing is built, and nothing
//! read but the working directory.
//!
//! A patch is a document that a kustomization names, a text inside a kustomization (kustomize's own, Flux's or Argo
//! CD's) or inside the configuration of a transformer, a JSON patch, or a Canary without a target. What kustomize accepts as
//! a patch, and which objects a patch is for: `sigs.k8s.io/kustomize/api/types/patch.go` and `selector.go`.

mod declares;
mod finding;
mod target;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use serde_json::Value;

use self::{finding::Finding, target::Target};
use crate::{
    files::{Manifests, Object},
    flagger::Canary,
    model::view::{at, text},
};

/// A patch that can change Canaries.
#[derive(Debug)]
pub(super) struct Patch {
    /// Where it is: `file:line`.
    pub(super) place: String,
    /// Whether it can be edited as a document of its own.
    pub(super) is_document: bool,
    /// Whether it changes the declared cookie or entry.
    pub(super) declares: bool,
    target: Target,
    /// The files that its kustomization builds on; `None` if they are not known.
    reach: Option<BTreeSet<PathBuf>>,
}

impl Patch {
    /// Returns whether the patch may change this Canary, which was found in this file (a [`normal`] path).
    fn is_for(&self, canary: &Canary, file: Option<&PathBuf>) -> bool {
        let is_reached = match (&self.reach, file) {
            (Some(reach), Some(file)) => reach.contains(file),
            _ => true,
        };
        is_reached && self.target.matches(canary)
    }

    /// Returns whether the patch names this Canary, so that it is worth mentioning if nothing else is found.
    pub(super) fn names(&self, name: &str) -> bool {
        self.target.names(name)
    }
}

/// Returns whether this is a part of a Canary, which kustomize merges into a whole one: that always has a target, as
/// the definition of Canaries requires.
pub fn is_part(canary: &Value) -> bool {
    canary.pointer("/spec/targetRef").is_none()
}

/// Returns whether this is a kustomization whose patches are only for what it builds on. A component's are for what includes it,
/// and those of Flux and Argo CD for a path.
fn has_bases(object: &Value) -> bool {
    is_of_kustomize(object) && text(object, &["kind"]).is_none_or(|kind| kind == "Kustomization")
}

/// Returns whether this is kustomize's own, and not of Flux or Argo CD.
fn is_of_kustomize(object: &Value) -> bool {
    text(object, &["apiVersion"]).is_none_or(|version| version.starts_with("kustomize.config.k8s.io/"))
}

/// The patches among manifests.
#[derive(Debug, Default)]
pub(super) struct Patches {
    /// Every patch that can change a Canary.
    pub(super) all: Vec<Patch>,
    /// The files that are named as patches.
    files: BTreeSet<PathBuf>,
}

impl Patches {
    /// Finds the patches.
    pub(super) fn among(files: &Manifests) -> Self {
        let mut by_path = BTreeMap::<_, Vec<_>>::new();
        for object in files.objects().chain(files.without_kind()) {
            if let Some(path) = &files.source(object).path {
                by_path.entry(normal(path)).or_default().push(object);
            }
        }
        let (patches, transformers) = (Self::default(), BTreeSet::new());
        let mut found = Finding { files, by_path, patches, bases: bases(files), transformers };
        let all = || files.objects().chain(files.without_kind());
        all().filter(|object| is_kustomization(files, object)).for_each(|object| found.kustomization(object));
        // Those that no kustomization names may be for anything.
        for object in all() {
            let path = files.source(object).path.as_deref().map(normal);
            if path.is_none_or(|path| !found.transformers.contains(&path)) {
                found.transformer(object, folder_of(files, object).as_deref(), &object.value, None);
            }
        }
        found.rest();
        found.patches
    }

    /// Returns the patches that may change this Canary, which this object declares.
    pub(super) fn of<'a>(
        &'a self,
        files: &Manifests,
        canary: &'a Canary,
        object: &Object,
    ) -> impl Iterator<Item = &'a Patch> {
        let file = files.source(object).path.as_deref().map(normal);
        self.all.iter().filter(move |patch| patch.is_for(canary, file.as_ref()))
    }

    /// Returns whether this Canary is a patch: it has no target, or a kustomization names its file as one.
    pub(super) fn has(&self, files: &Manifests, canary: &Object) -> bool {
        is_part(&canary.value) || self.is_named(files, canary)
    }

    /// Returns whether a kustomization names the file of this object as a patch.
    pub(super) fn is_named(&self, files: &Manifests, object: &Object) -> bool {
        let path = files.source(object).path.as_deref().filter(|_| !self.files.is_empty());
        path.is_some_and(|path| self.files.contains(&normal(path)))
    }
}

/// Returns whether this object can hold patches of objects in other files: a kustomization or what stands for one.
fn is_kustomization(files: &Manifests, object: &Object) -> bool {
    match text(&object.value, &["kind"]) {
        Some(kind) => ["Kustomization", "Component", "Application", "ApplicationSet"].contains(&kind),
        None => object.value.is_object() && files.source(object).path.is_some(),
    }
}

/// Returns what each kustomization builds on, by its folder.
fn bases(files: &Manifests) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut bases = BTreeMap::<_, Vec<_>>::new();
    for object in files.objects().chain(files.without_kind()) {
        let folder =
            folder_of(files, object).filter(|_| is_of_kustomize(&object.value) && is_kustomization(files, object));
        if let Some(folder) = folder {
            let lists = ["resources", "bases", "components"].map(|key| at(&object.value, &[key]));
            let entries = lists.into_iter().flatten().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
            let paths = entries.map(|entry| normal(&folder.join(entry))).collect::<Vec<_>>();
            bases.entry(folder).or_default().extend(paths);
        }
    }
    bases
}

fn folder_of(files: &Manifests, object: &Object) -> Option<PathBuf> {
    files.source(object).path.as_deref().and_then(Path::parent).map(normal)
}

/// Returns the documents of a text.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---")
}

/// Returns an absolute path without `.` and `..`, so that files compare however they were named.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
