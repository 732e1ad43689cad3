//! Finds patches in kustomizations, transformers, and what holds them for Flux and Argo CD.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    super::DECLARING,
    Patch, Patches,
    declares::{changes_declaration, collect, each, has_ours, is_declaring, sets_annotations},
    documents, folder_of, has_bases, is_part, normal,
    target::Target,
};
use crate::{
    files::{Manifests, Object},
    flagger::Canary,
    model::view::{at, list, text},
    yaml,
};

/// The files that a kustomization builds on, if they are known.
type Reach<'a> = Option<&'a BTreeSet<PathBuf>>;

/// The patches found so far.
pub(super) struct Finding<'a> {
    pub(super) files: &'a Manifests,
    /// What is in each file.
    pub(super) by_path: BTreeMap<PathBuf, Vec<&'a Object>>,
    pub(super) patches: Patches,
    pub(super) bases: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// The files of transformers that a kustomization names.
    pub(super) transformers: BTreeSet<PathBuf>,
}

impl Finding<'_> {
    pub(super) fn kustomization(&mut self, object: &Object) {
        let root = folder_of(self.files, object);
        let reach = root.as_deref().filter(|_| has_bases(&object.value)).and_then(|folder| self.reach(folder));
        let template = at(&object.value, &["spec", "templatePatch"]).and_then(Value::as_str).unwrap_or_default();
        if sets_annotations(&object.value) || DECLARING.iter().any(|word| template.contains(word)) {
            self.add(object, true, Target::default(), reach.as_ref());
        }
        self.replacements(object, root.as_deref(), &object.value, reach.as_ref());
        let mut items = Vec::new();
        collect(&object.value, &mut items);
        for item in items {
            self.item(object, root.as_deref(), item, reach.as_ref());
        }
        for entry in list(&object.value, &["transformers"]) {
            self.named_transformer(object, root.as_deref(), entry, reach.as_ref());
        }
    }

    /// Adds the patches of transformers that a kustomization names: a text, a file, or a folder.
    fn named_transformer(&mut self, holder: &Object, root: Option<&Path>, entry: &Value, reach: Reach<'_>) {
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
    pub(super) fn transformer(&mut self, object: &Object, root: Option<&Path>, config: &Value, reach: Reach<'_>) {
        if text(config, &["apiVersion"]) != Some("builtin") {
            return;
        }
        let item = |key: &str| config.get(key).map(|patch| json!({"patch": patch, "target": config["target"]}));
        match text(config, &["kind"]) {
            Some("AnnotationsTransformer") if has_ours(config.get("annotations")) => {
                self.add(object, true, Target::default(), reach);
            }
            Some("ReplacementTransformer") => self.replacements(object, root, config, reach),
            Some("PatchTransformer") => self.item(object, root, config, reach),
            Some("PatchJson6902Transformer") => {
                self.item(object, root, &item("jsonOp").unwrap_or_else(|| config.clone()), reach);
            }
            Some("PatchStrategicMergeTransformer") => {
                let paths = list(config, &["paths"]).iter();
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

    /// Adds the replacements of a kustomization or transformer that write an annotation of ours.
    fn replacements(&mut self, holder: &Object, root: Option<&Path>, config: &Value, reach: Reach<'_>) {
        for entry in list(config, &["replacements"]) {
            let path = text(entry, &["path"]).zip(root).map(|(path, root)| normal(&root.join(path)));
            let named = path.and_then(|path| self.by_path.get(&path).cloned()).unwrap_or_default();
            let named = named.into_iter().flat_map(|object| each(&object.value).map(move |entry| (object, entry)));
            for (place, entry) in named.chain([(holder, entry)]).collect::<Vec<_>>() {
                for target in list(entry, &["targets"]) {
                    let paths = list(target, &["fieldPaths"]).iter();
                    let is_ours = |path: &str| path.contains("kubectl-canary-traefik/");
                    let select = target.get("select").map_or_else(|| Some(Target::default()), Target::read);
                    if let Some(select) = select.filter(|_| paths.filter_map(Value::as_str).any(is_ours)) {
                        self.add(place, true, select, reach);
                    }
                }
            }
        }
    }

    /// Adds one patch of a kustomization: a file, a text, or the patch itself.
    fn item(&mut self, holder: &Object, root: Option<&Path>, item: &Value, reach: Reach<'_>) {
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
    fn body(&mut self, place: &Object, body: &Value, target: Option<&Value>, reach: Reach<'_>) {
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

    fn add(&mut self, object: &Object, declares: bool, target: Target, reach: Reach<'_>) {
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
    pub(super) fn rest(&mut self) {
        let files = self.files;
        for object in files.objects().filter(|object| Canary::is(&object.value) && is_part(&object.value)) {
            if !self.patches.is_named(files, object) {
                self.add(object, is_declaring(&object.value), Target::of(&object.value), None);
            }
        }
        for object in files.without_kind() {
            // Without a target, only what is certainly about a cookie counts.
            let operations = object.value.as_array().into_iter().flatten();
            let is_about = |path: &str| path.contains("kubectl-canary-traefik~1") || path.starts_with(DECLARING[4]);
            if operations.filter_map(|it| text(it, &["path"])).any(is_about) && !self.patches.is_named(files, object) {
                self.add(object, true, Target::default(), None);
            }
        }
    }
}
