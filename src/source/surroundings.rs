//! What is around the Canaries among manifests: routes and TraefikServices, without patches; for one file, without those of
//! other environments.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::kustomize::{Patches, is_part};
use crate::{
    files::{Manifests, Object},
    flagger::Canary,
    lint::{ByFile, Environments, Origin},
    model::{NamespacedName, ObjectKind, ObjectRef, view},
    traefik::Routing,
};

/// What is around the Canaries.
pub(super) struct Surroundings<'a> {
    /// The objects that route.
    objects: ByFile<'a, (ObjectKind, Arc<Value>, Origin)>,
    pub(super) environments: Environments,
    /// What is around the Canaries of each file; of the first, if all are of one environment.
    made: RefCell<HashMap<&'a str, Arc<Routing>>>,
}

impl<'a> Surroundings<'a> {
    /// Finds them.
    pub(super) fn of(files: &'a Manifests, patches: &Patches) -> Self {
        let (mut objects, mut canaries) = (ByFile::default(), Vec::new());
        for (number, object) in files.objects().enumerate().filter(|(_, object)| !patches.is_named(files, object)) {
            if let Some(kind) = ObjectKind::of_routing(&object.value) {
                let origin = Origin { file: object.file().to_owned(), number };
                objects.push(Some(object.file()), (kind, Arc::new(object.value.clone()), origin));
            } else if Canary::is(&object.value) && !is_part(&object.value) {
                canaries.push((ObjectKind::Canary, &object.value, object.file()));
            }
        }
        let is_one_file = files.objects().map(Object::file).collect::<BTreeSet<_>>().len() < 2;
        let environments = if is_one_file { Environments::default() } else { environments(&canaries, &objects) };
        Self { objects, environments, made: RefCell::default() }
    }

    /// Returns what is around the Canaries of a file.
    pub(super) fn routing(&self, file: &'a str) -> Arc<Routing> {
        let key = if self.environments.are_one() { "" } else { file };
        let make = || {
            let seen = self.objects.seen_from(Some(file), &self.environments).into_iter();
            Arc::new(seen.map(|(_, (kind, value, _))| (*kind, value.clone())).collect())
        };
        self.made.borrow_mut().entry(key).or_insert_with(make).clone()
    }

    /// Returns all routes and TraefikServices, and where they are.
    pub(super) fn all(&self) -> (Arc<Routing>, HashMap<ObjectRef, Vec<Origin>>) {
        let mut origins = HashMap::<_, Vec<_>>::new();
        for (kind, value, origin) in self.objects.all() {
            let reference = ObjectRef { kind: *kind, target: NamespacedName::of(value) };
            origins.entry(reference).or_default().push(origin.clone());
        }
        let make = || Arc::new(self.objects.all().map(|(kind, value, _)| (*kind, value.clone())).collect());
        (self.made.borrow().get("").cloned().unwrap_or_else(make), origins)
    }
}

fn environments(
    canaries: &[(ObjectKind, &Value, &str)],
    objects: &ByFile<'_, (ObjectKind, Arc<Value>, Origin)>,
) -> Environments {
    let routing = objects.all().map(|(kind, value, origin)| (*kind, &**value, origin.file.as_str()));
    Environments::among(canaries.iter().copied().chain(routing).map(|(kind, value, file)| {
        let name = view::text(value, &["metadata", "name"]).unwrap_or_default();
        ((kind, view::text(value, &["metadata", "namespace"]), name), file)
    }))
}
