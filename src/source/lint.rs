//! What `lint` looks at: the Canaries to check, all others, and what is around them; from a cluster or from manifests.

use std::{collections::HashMap, path::Path};

use serde_json::Value;

use super::{Source, add_mesh_provider, manifests};
use crate::{
    cluster::{Reading, Selection},
    error::{Error, Result},
    files::{Manifests, Object},
    lint::{Finding, Known, Need, Position, Scene, Severity, TrackService},
    model::{NamespacedName, ObjectKind, ObjectRef, selector::Selector, view},
    observed::{Loaded, Observed},
    traefik::Installation,
};

/// What `lint` looks at.
#[derive(Debug, Default)]
pub struct Linted {
    /// Every Canary that is known.
    pub canaries: Vec<Observed>,
    /// Positions of those to check.
    pub checked: Vec<usize>,
    /// What is around them.
    pub known: Known,
    /// What could not be read, with the reason.
    pub unread: Vec<(Need, String)>,
}

impl Linted {
    /// Returns the Canaries to check.
    pub fn checked(&self) -> impl Iterator<Item = &Observed> {
        self.checked.iter().map(|number| &self.canaries[*number])
    }

    /// Returns the findings, in the order of the Canaries and of the codes.
    pub fn findings(&self) -> Vec<Finding> {
        let scene = Scene::new(&self.canaries, &self.known);
        self.checked().flat_map(|observed| scene.check(observed)).collect()
    }

    /// Keeps only the Canaries on Traefik to check; returns the others.
    pub fn split_off_others(&mut self) -> Vec<Observed> {
        let (kept, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.checked).into_iter().partition(|number| self.canaries[*number].on_traefik());
        self.checked = kept;
        others.into_iter().map(|number| self.canaries[number].clone()).collect()
    }
}

impl Source {
    /// Reads what there is to check: these Canaries, or those selected.
    ///
    /// # Errors
    ///
    /// Fails if a named Canary does not exist, or if Canaries cannot be read. Whatever else cannot be read is reported in
    /// the result.
    pub async fn lint(&self, names: &[String], selection: Selection<'_>) -> Result<Linted> {
        let mut linted = match self {
            Self::Files(files) => of_files(files)?,
            Self::Cluster(cluster) => {
                let (mut canaries, known, unread) = cluster.lint(selection).await?;
                add_mesh_provider(cluster, canaries.iter_mut()).await;
                Linted { canaries, known, unread, ..Linted::default() }
            }
        };
        linted.canaries.sort_by(|a, b| a.canary.target.cmp(&b.canary.target));
        let selector = selection.selector.map(|text| Selector::parse(text).map_err(Error::usage)).transpose()?;
        let is_selected = |observed: &Observed| {
            let canary = &observed.canary;
            // Manifests may omit the namespace.
            selection.namespace.is_none_or(|it| canary.target.namespace.as_deref().is_none_or(|own| own == it))
                && selector.as_ref().is_none_or(|selector| selector.matches(&canary.labels))
        };
        let selected = |number: &usize| is_selected(&linted.canaries[*number]);
        linted.checked = (0..linted.canaries.len()).filter(selected).collect();
        if !names.is_empty() {
            let selected = std::mem::take(&mut linted.checked);
            for name in names {
                let is_it = |number: &&usize| {
                    let observed = &linted.canaries[**number];
                    observed.canary.target.name == *name && observed.on_traefik()
                };
                let found: Vec<_> = selected.iter().filter(is_it).copied().collect();
                if found.is_empty() {
                    // What there is instead, is an error, or patches of the Canary alone.
                    let patches = self.load_each(selection.namespace, name, Reading::SHOWN).await?;
                    let first = linted.canaries.len();
                    linted.canaries.extend(patches.into_iter().map(|loaded| loaded.observed));
                    linted.checked.extend(first..linted.canaries.len());
                }
                linted.checked.extend(found);
            }
        }
        Ok(linted)
    }

    /// Returns what is wrong with each of these Canaries, without notes, as far as what is read already shows it: from
    /// manifests, everything.
    ///
    /// # Errors
    ///
    /// Fails if manifests cannot be read.
    pub fn findings<'a>(&self, all: impl Iterator<Item = &'a Loaded>) -> Result<Vec<Vec<Finding>>> {
        let linted = match self {
            Self::Files(files) => of_files(files)?,
            Self::Cluster(_) => Linted::default(),
        };
        let check = |loaded: &Loaded| {
            let own = Known {
                routing: loaded.routing.clone().filter(|_| loaded.observed.canary.entry.is_some()),
                ..Known::default()
            };
            let known = if matches!(self, Self::Files(_)) { &linted.known } else { &own };
            let mut findings = Scene::new(&linted.canaries, known).check(&loaded.observed);
            findings.retain(|finding| finding.severity != Severity::Info);
            findings
        };
        Ok(all.map(check).collect())
    }

    /// Returns where each of these findings is written; `None` for those in a cluster.
    pub fn positions(&self, findings: &[Finding], canaries: &[Observed]) -> Vec<Option<Position>> {
        match self {
            Self::Cluster(_) => findings.iter().map(|_| None).collect(),
            Self::Files(files) => positions(files, findings, canaries),
        }
    }
}

/// Returns everything among manifests.
fn of_files(files: &Manifests) -> Result<Linted> {
    let all = manifests::all(files, Selection { namespace: None, selector: None })?;
    let routing = all.first().and_then(|loaded| loaded.routing.clone());
    let (mut installations, mut fields, mut services) = (Vec::new(), None, Vec::new());
    for object in files.objects() {
        match view::text(&object.value, &["kind"]) {
            Some("Deployment" | "DaemonSet") => installations.extend(Installation::of_workload(&object.value)),
            Some("CustomResourceDefinition") => fields = fields.or_else(|| fields_in_definition(&object.value)),
            Some("Service") if view::text(&object.value, &["apiVersion"]) == Some("v1") => {
                services.push(TrackService::read(&object.value));
            }
            _ => {}
        }
    }
    let known = Known { routing, installations, fields, services: Some(services), has_all_routes: false };
    Ok(Linted { canaries: all.into_iter().map(|it| it.observed).collect(), known, ..Linted::default() })
}

/// Returns the fields of a cookie in the definition of TraefikServices.
fn fields_in_definition(definition: &Value) -> Option<Vec<String>> {
    const COOKIE: [&str; 4] = ["spec", "weighted", "sticky", "cookie"];
    if !view::text(definition, &["metadata", "name"])?.starts_with("traefikservices.traefik.") {
        return None;
    }
    let versions = view::at(definition, &["spec", "versions"])?.as_array()?;
    let schema = versions.iter().find_map(|version| view::at(version, &["schema", "openAPIV3Schema"]))?;
    let cookie = COOKIE.iter().try_fold(schema, |schema, key| schema.get("properties")?.get(key))?;
    Some(cookie.get("properties")?.as_object()?.keys().cloned().collect())
}

/// Returns where each of these findings is written.
fn positions(files: &Manifests, findings: &[Finding], canaries: &[Observed]) -> Vec<Option<Position>> {
    if findings.is_empty() {
        return Vec::new();
    }
    let mut by_reference = HashMap::<ObjectRef, Vec<&Object>>::new();
    let mut by_place = HashMap::new();
    for object in files.objects() {
        by_place.insert((object.file(), object.line()), object);
        if let Some(kind) = ObjectKind::of_routing(&object.value) {
            let reference = ObjectRef { kind, target: NamespacedName::of(&object.value) };
            by_reference.entry(reference).or_default().push(object);
        }
    }
    let mut manifests = HashMap::<_, Vec<_>>::new();
    for observed in canaries {
        manifests.entry(&observed.canary.target).or_default().extend(&observed.manifest);
    }
    let position = |finding: &Finding| {
        let own = manifests.get(&finding.target)?.iter().find(|own| finding.manifest.as_ref() == Some(*own))?;
        let object = match &finding.place.object {
            None => *by_place.get(&(own.file.as_str(), own.line))?,
            // Of several environments, that of the Canary.
            Some(reference) => {
                by_reference.get(reference)?.iter().max_by_key(|object| in_common(object.file(), &own.file)).copied()?
            }
        };
        let (line, column) = files.position_of(object, &finding.place.path, finding.place.offset);
        Some(Position { file: object.file().to_owned(), line, column })
    };
    findings.iter().map(position).collect()
}

/// Returns how many folders two paths have in common.
fn in_common(one: &str, other: &str) -> usize {
    Path::new(one).components().zip(Path::new(other).components()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
