//! Kustomize patches of Canaries among manifests. They are recognised by their structure; nothing is built. Pure.
//!
//! A patch is a document that a kustomization names, a text inside a kustomization (kustomize's own, Flux's or Argo
//! CD's) or inside the configuration of a transformer, a JSON patch, or a Canary without a target. What kustomize accepts as a patch, and which objects a patch
//! is for: `sigs.k8s.io/kustomize/api/types/patch.go` and `selector.go`.

mod target;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use serde_json::{Value, json};

use self::target::Target;
use super::DECLARING;
use crate::{
    files::{Manifests, Object},
    flagger::{Canary, Declared},
    model::{
        declaration::ANNOTATION,
        entry::ENTRY_ANNOTATION,
        view::{at, text},
    },
    yaml,
};

/// Keys of a kustomization under which patches are listed.
const LISTS: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

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
        let path = files.source(canary).path.as_deref();
        is_part(&canary.value) || path.is_some_and(|path| self.files.contains(&normal(path)))
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

/// The patches found so far.
struct Finding<'a> {
    files: &'a Manifests,
    /// What is in each file.
    by_path: BTreeMap<PathBuf, Vec<&'a Object>>,
    patches: Patches,
    bases: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// The files of transformers that a kustomization names.
    transformers: BTreeSet<PathBuf>,
}

impl Finding<'_> {
    fn kustomization(&mut self, object: &Object) {
        let reach =
            folder_of(self.files, object).filter(|_| has_bases(&object.value)).and_then(|folder| self.reach(&folder));
        self.annotations(object, &object.value, &["commonAnnotations"], reach.as_ref());
        let mut items = Vec::new();
        collect(&object.value, &mut items);
        let root = folder_of(self.files, object);
        for item in items {
            self.item(object, root.as_deref(), item, reach.as_ref());
        }
        for entry in at(&object.value, &["transformers"]).and_then(Value::as_array).into_iter().flatten() {
            self.named_transformer(object, root.as_deref(), entry, reach.as_ref());
        }
    }

    /// Adds the patches of transformers that a kustomization names: a text, a file, or a folder.
    fn named_transformer(
        &mut self,
        holder: &Object,
        root: Option<&Path>,
        entry: &Value,
        reach: Option<&BTreeSet<PathBuf>>,
    ) {
        let Value::String(entry) = entry else { return };
        if entry.contains('\n') {
            for body in documents(entry).filter_map(|document| yaml::parse(document).ok()) {
                self.transformer(holder, root, &body, reach);
            }
            return;
        }
        let Some(path) = root.map(|root| normal(&root.join(entry))) else { return };
        let named = if self.by_path.contains_key(&path) {
            BTreeSet::from([path])
        } else {
            self.reach(&path).unwrap_or_default()
        };
        for path in named {
            for object in self.by_path.get(&path).cloned().unwrap_or_default() {
                self.transformer(object, root, &object.value, reach);
            }
            self.transformers.insert(path);
        }
    }

    /// Adds the patches in the configuration of one of kustomize's transformers (`sigs.k8s.io/kustomize/api/internal/builtins`).
    /// Its paths begin at the folder of the kustomization.
    fn transformer(&mut self, object: &Object, root: Option<&Path>, config: &Value, reach: Option<&BTreeSet<PathBuf>>) {
        if text(config, &["apiVersion"]) != Some("builtin") {
            return;
        }
        let item = |key: &str| config.get(key).map(|patch| json!({"patch": patch, "target": config["target"]}));
        match text(config, &["kind"]) {
            Some("AnnotationsTransformer") => self.annotations(object, config, &["annotations"], reach),
            Some("PatchTransformer") => self.item(object, root, config, reach),
            Some("PatchJson6902Transformer") => {
                self.item(object, root, &item("jsonOp").unwrap_or_else(|| config.clone()), reach);
            }
            Some("PatchStrategicMergeTransformer") => {
                let paths = at(config, &["paths"]).and_then(Value::as_array).into_iter().flatten();
                for path in paths.chain(config.get("patches")) {
                    self.item(object, root, path, reach);
                }
            }
            _ => {}
        }
    }

    /// Returns the files that the kustomization in this folder builds on; `None` if none of them is among the manifests.
    fn reach(&self, folder: &Path) -> Option<BTreeSet<PathBuf>> {
        let (mut reached, mut folders, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![folder.to_owned()]);
        while let Some(folder) = next.pop() {
            for base in self.bases.get(&folder).into_iter().flatten() {
                if self.bases.contains_key(base) {
                    if folders.insert(base.clone()) {
                        next.push(base.clone());
                    }
                } else {
                    let below = self.by_path.range(base.clone()..).map(|(path, _)| path);
                    let below = below.take_while(|path| path.starts_with(base));
                    reached.extend(below.filter(|path| *path == base || path.parent() == Some(base)).cloned());
                }
            }
        }
        (!reached.is_empty()).then_some(reached)
    }

    /// Adds annotations that are set on every object.
    fn annotations(&mut self, object: &Object, config: &Value, keys: &[&str], reach: Option<&BTreeSet<PathBuf>>) {
        let set = at(config, keys).and_then(Value::as_object);
        if set.is_some_and(|set| [ANNOTATION, ENTRY_ANNOTATION].iter().any(|key| set.contains_key(*key))) {
            self.add(object, true, Target::default(), reach);
        }
    }

    /// Adds one patch of a kustomization: a file, a text, or the patch itself.
    fn item(&mut self, holder: &Object, root: Option<&Path>, item: &Value, reach: Option<&BTreeSet<PathBuf>>) {
        let inner = item.get("patch").or_else(|| (!item.get("path").is_some_and(Value::is_string)).then_some(item));
        let target = item.get("target");
        let path = match (item.get("path"), item) {
            (Some(Value::String(path)), _) => Some(path),
            (None, Value::String(path)) if !path.contains(['\n', ':']) => Some(path),
            _ => None,
        };
        if let (Some(path), Some(folder)) = (path, root) {
            let path = normal(&folder.join(path));
            for object in self.by_path.get(&path).cloned().unwrap_or_default() {
                self.body(object, &object.value, target, reach);
            }
            self.patches.files.insert(path);
        } else if let Some(Value::String(text)) = inner {
            for document in documents(text) {
                if let Ok(body) = yaml::parse(document) {
                    self.body(holder, &body, target, reach);
                } else if DECLARING.iter().any(|word| document.contains(word)) {
                    self.add(holder, true, Target::default(), reach);
                }
            }
        } else if let Some(body) = inner {
            self.body(holder, body, target, reach);
        }
    }

    /// Adds the patch in this value, if it can be for a Canary.
    fn body(&mut self, place: &Object, body: &Value, target: Option<&Value>, reach: Option<&BTreeSet<PathBuf>>) {
        let own = Canary::is(body).then(|| Target::of(body));
        let target = match target {
            Some(target) => Target::read(target),
            None => own,
        };
        let Some(target) = target else { return };
        let declares = match body {
            Value::Array(operations) => operations.iter().any(changes_declaration),
            body => is_declaring(body),
        };
        self.add(place, declares, target, reach);
    }

    fn add(&mut self, object: &Object, declares: bool, target: Target, reach: Option<&BTreeSet<PathBuf>>) {
        let is_document = Canary::is(&object.value);
        let words: &[&str] = match (declares, is_document) {
            (true, _) => &DECLARING,
            (false, true) => &[],
            (false, false) => &["kind: Canary"],
        };
        let place = self.files.place_of(object, words);
        self.patches.all.push(Patch { place, is_document, declares, target, reach: reach.cloned() });
    }

    /// Adds the patches that no kustomization names.
    fn rest(&mut self) {
        let files = self.files;
        let is_named = |patches: &Patches, object: &Object| {
            files.source(object).path.as_deref().is_some_and(|path| patches.files.contains(&normal(path)))
        };
        for object in files.objects().filter(|object| Canary::is(&object.value) && is_part(&object.value)) {
            if !is_named(&self.patches, object) {
                self.add(object, is_declaring(&object.value), Target::of(&object.value), None);
            }
        }
        for object in files.without_kind() {
            // Without a target, only what is certainly about a cookie counts.
            let operations = object.value.as_array().into_iter().flatten();
            let is_about = |path: &str| path.contains("kubectl-canary-traefik~1") || path.starts_with(DECLARING[4]);
            if operations.filter_map(|it| text(it, &["path"])).any(is_about) && !is_named(&self.patches, object) {
                self.add(object, true, Target::default(), None);
            }
        }
    }
}

/// Collects the items of every list of patches in a value.
fn collect<'v>(value: &'v Value, items: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field {
                    Value::Array(list) if LISTS.contains(&key.as_str()) => items.extend(list),
                    // A release of Helm patches what its chart renders, which is in no file.
                    field if key != "postRenderers" => collect(field, items),
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|item| collect(item, items)),
        _ => {}
    }
}

/// Returns whether an operation of a JSON patch changes what a Canary declares, by itself or with what is around it.
fn changes_declaration(operation: &Value) -> bool {
    let is_changed = |path: &str| {
        ["", "/metadata", "/metadata/annotations", "/spec", "/spec/service"].contains(&path)
            || path.starts_with("/metadata/annotations/kubectl-canary-traefik~1")
            || path.starts_with("/spec/service/traefik")
    };
    let paths = [text(operation, &["path"]), text(operation, &["from"])];
    text(operation, &["op"]) != Some("test") && paths.into_iter().flatten().any(is_changed)
}

/// Returns whether a strategic merge patch changes what a Canary declares.
fn is_declaring(patch: &Value) -> bool {
    let annotations = at(patch, &["metadata", "annotations"]).and_then(Value::as_object);
    annotations.is_some_and(|set| set.contains_key(ANNOTATION) || set.contains_key(ENTRY_ANNOTATION))
        || at(patch, &["spec", "service", "traefik"]).is_some()
        || Canary::from_object(patch).is_some_and(|canary| canary.declared != Declared::Nothing)
        || patch.get("$patch").is_some()
}
