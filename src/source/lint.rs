//! What `lint` looks at: the Canaries to check, all others, and what is around them; from a cluster or from manifests.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Source, add_mesh_provider, manifests, selected};
use crate::{
    cluster::{Reading, Selection},
    error::Result,
    files::{Manifests, Object},
    flagger::Canary,
    lint::{Finding, Known, Need, Position, Scene, Seen, Severity, TrackService},
    model::view,
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
        let is_selected = selected(selection)?;
        let is_checked = |number: &usize| is_selected(&linted.canaries[*number].canary);
        linted.checked = (0..linted.canaries.len()).filter(is_checked).collect();
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
            let mut seen = BTreeSet::new();
            linted.checked.retain(|number| seen.insert(*number));
        }
        Ok(linted)
    }

    /// Returns what is wrong with each of these Canaries, without notes, as far as what is read already shows it: from
    /// manifests, everything.
    pub fn findings<'a>(&self, all: impl Iterator<Item = &'a Loaded>) -> Result<Vec<Vec<Finding>>> {
        let without_notes = |mut findings: Vec<Finding>| {
            findings.retain(|finding| finding.severity != Severity::Info);
            findings
        };
        match self {
            Self::Files(files) => {
                let linted = of_files(files)?;
                let scene = Scene::new(&linted.canaries, &linted.known);
                Ok(all.map(|loaded| without_notes(scene.check(&loaded.observed))).collect())
            }
            Self::Cluster(_) => {
                let check = |loaded: &Loaded| {
                    let routing = loaded.routing.clone().filter(|_| loaded.observed.canary.entry.is_some());
                    let known = Known { routing, ..Known::default() };
                    without_notes(Scene::new(&[], &known).check(&loaded.observed))
                };
                Ok(all.map(check).collect())
            }
        }
    }

    /// Returns where each of these findings is written; `None` for those in a cluster.
    pub fn positions(&self, findings: &[Finding]) -> Vec<Option<Position>> {
        match self {
            Self::Cluster(_) => findings.iter().map(|_| None).collect(),
            Self::Files(files) => positions(files, findings),
        }
    }
}

/// Returns everything among manifests.
fn of_files(files: &Manifests) -> Result<Linted> {
    let (all, surroundings) = manifests::all_with_surroundings(files, Selection { namespace: None, selector: None })?;
    let (routing, origins) = surroundings.all();
    let environments = surroundings.environments;
    let mut known = Known { routing: Some(routing), origins, environments, ..Known::default() };
    let mut services = Vec::new();
    for object in files.objects() {
        let file = || Some(object.file().to_owned());
        match view::text(&object.value, &["kind"]) {
            Some("Deployment" | "DaemonSet") => {
                let installation = Installation::of_workload(&object.value);
                known.installations.extend(installation.map(|what| Seen { what, file: file() }));
            }
            Some("CustomResourceDefinition") => {
                let fields = fields_in_definition(&object.value);
                known.fields.extend(fields.map(|what| Seen { what, file: file() }));
            }
            Some("Service") if view::text(&object.value, &["apiVersion"]) == Some("v1") => {
                services.push(Seen { what: TrackService::read(&object.value), file: file() });
            }
            _ => {}
        }
    }
    known.services = Some(services);
    Ok(Linted { canaries: all.into_iter().map(|it| it.observed).collect(), known, ..Linted::default() })
}

/// Returns the fields of a cookie in the definition of TraefikServices.
fn fields_in_definition(definition: &Value) -> Option<Vec<String>> {
    const COOKIE: [&str; 4] = ["spec", "weighted", "sticky", "cookie"];
    if view::text(definition, &["metadata", "name"])? != "traefikservices.traefik.io" {
        return None;
    }
    let versions = view::at(definition, &["spec", "versions"])?.as_array()?;
    let schema = versions.iter().find_map(|version| view::at(version, &["schema", "openAPIV3Schema"]))?;
    let cookie = COOKIE.iter().try_fold(schema, |schema, key| schema.get("properties")?.get(key))?;
    Some(cookie.get("properties")?.as_object()?.keys().cloned().collect())
}

/// Returns where each of these findings is written.
fn positions(files: &Manifests, findings: &[Finding]) -> Vec<Option<Position>> {
    if findings.is_empty() {
        return Vec::new();
    }
    let objects: Vec<_> = files.objects().collect();
    let canaries: HashMap<_, _> = objects
        .iter()
        .filter(|object| Canary::is(&object.value))
        .map(|object| ((object.file(), object.line(), view::text(&object.value, &["metadata", "name"])), *object))
        .collect();
    let object = |finding: &Finding| match (&finding.place.origin, &finding.place.object) {
        (Some(origin), _) => objects.get(origin.number).copied(),
        (None, Some(_)) => None,
        (None, None) => {
            let manifest = finding.manifest.as_ref()?;
            canaries.get(&(manifest.file.as_str(), manifest.line, Some(finding.target.name.as_str()))).copied()
        }
    };
    let found: Vec<_> = findings.iter().map(object).collect();
    let fields: Vec<_> = findings
        .iter()
        .zip(&found)
        .filter_map(|(finding, object)| Some(((*object)?, finding.place.path.as_slice(), finding.place.offset)))
        .collect();
    let mut places = files.positions_of(&fields).into_iter();
    let mut position = |object: &Object| {
        let (line, column) = places.next()?;
        Some(Position { file: object.file().to_owned(), line, column })
    };
    found.into_iter().map(|object| object.and_then(&mut position)).collect()
}

#[cfg(test)]
mod tests;
