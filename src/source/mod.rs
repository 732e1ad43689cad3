//! The source of Canaries: a cluster or manifests. Both are read alike; only a cluster is written object by object.

mod kustomize;
mod lint;
mod manifests;
mod provider;
mod refusals;
mod surroundings;
mod unusable;

use std::collections::BTreeSet;

use futures_util::future::join;
use kube::core::SelectorExt as _;

pub use self::{
    kustomize::is_part,
    lint::Linted,
    manifests::{choices, narrowed, to_change},
    unusable::{releases, unusable},
};
use crate::{
    cluster::{Cluster, Reading, Selection},
    error::{Error, Kind, Result},
    files::Manifests,
    flagger::Canary,
    model::{NamespacedName, declaration::ANNOTATION, entry::ENTRY_ANNOTATION, selector},
    observed::{Loaded, Observed},
    traefik::{RoutesAndEvents, entry::Need},
};

/// The source of Canaries.
pub enum Source {
    /// An API server.
    Cluster(Box<Cluster>),
    /// Manifests from `-f`.
    Files(Manifests),
}

impl Source {
    /// Returns the namespace used if none is given: the context's; for manifests, `None` for all.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Cluster(cluster) => Some(cluster.api().namespace()),
            Self::Files(_) => None,
        }
    }

    /// Returns every selected Canary, sorted by namespace and name.
    pub async fn list(&self, selection: Selection<'_>) -> Result<Vec<Observed>> {
        let mut observed = match self {
            Self::Cluster(cluster) => {
                let mut all = cluster.list(selection).await?;
                add_mesh_provider(cluster, all.iter_mut()).await;
                all
            }
            Self::Files(files) => manifests::all(files, selection)?.into_iter().map(|loaded| loaded.observed).collect(),
        };
        observed.sort_by(|a, b| a.canary.target.cmp(&b.canary.target));
        Ok(observed)
    }

    /// Returns every selected Canary with its objects, sorted by namespace and name.
    pub async fn load_all(&self, selection: Selection<'_>) -> Result<Vec<Loaded>> {
        let mut loaded = match self {
            Self::Cluster(cluster) => {
                let mut all = cluster.load_all(selection).await?;
                add_mesh_provider(cluster, all.iter_mut().map(|loaded| &mut loaded.observed)).await;
                all
            }
            Self::Files(files) => manifests::all(files, selection)?,
        };
        loaded.sort_by(|a, b| a.observed.canary.target.cmp(&b.observed.canary.target));
        Ok(loaded)
    }

    /// Returns every Canary of this name, of which a cluster has one, and whether the guard protects its cookie.
    pub async fn look(&self, namespace: Option<&str>, name: &str) -> Result<Vec<Observed>> {
        let mut all = Vec::new();
        for loaded in self.load_each(namespace, name, Reading::SHOWN).await? {
            let observed = loaded.observed;
            all.push(match self {
                Self::Cluster(cluster) => Observed { guarded: cluster.guarded(&observed).await, ..observed },
                Self::Files(_) => observed,
            });
        }
        Ok(all)
    }

    /// Returns every Canary of this name with its objects, whether the guard covers it, the routes to its TraefikService
    /// and, on a cluster, the last events.
    ///
    /// # Errors
    ///
    /// Fails if the Canary or its TraefikService cannot be read. Whatever else cannot be read is reported in the
    /// result.
    pub async fn load_with_context(
        &self,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Vec<(Loaded, RoutesAndEvents)>> {
        let reading = Reading { routing: Need::All, ..Reading::SHOWN };
        let mut all = Vec::new();
        for mut loaded in self.load_each(namespace, name, reading).await? {
            let mut others = BTreeSet::new();
            let events = match self {
                Self::Cluster(cluster) => {
                    let (guarded, events) =
                        join(cluster.guarded(&loaded.observed), cluster.events(&loaded.observed)).await;
                    loaded.observed.guarded = guarded;
                    Some(events)
                }
                Self::Files(files) => {
                    others = manifests::others(files, &loaded.observed.canary);
                    None
                }
            };
            let routes = loaded.routes(&others);
            all.push((loaded, RoutesAndEvents { routes, events }));
        }
        Ok(all)
    }

    /// Returns one Canary with its objects. From manifests, everything is read in any case.
    ///
    /// # Errors
    ///
    /// Fails if there is none, it is not on Traefik, or several manifests have the name.
    pub async fn load(&self, namespace: Option<&str>, name: &str, reading: Reading) -> Result<Loaded> {
        let mut all = self.load_each(namespace, name, reading).await?;
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Err(refusals::several(name, &all)),
        }
    }

    /// Returns every Canary of this name with its objects, likewise.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or if one is not on Traefik.
    pub async fn load_each(&self, namespace: Option<&str>, name: &str, reading: Reading) -> Result<Vec<Loaded>> {
        let all = match self {
            Self::Cluster(cluster) => {
                let namespace = namespace.unwrap_or(cluster.api().namespace()).to_owned();
                let target = NamespacedName { namespace: Some(namespace), name: name.to_owned() };
                let mut loaded = cluster.load(&target, reading).await?;
                add_mesh_provider(cluster, [&mut loaded.observed].into_iter()).await;
                vec![loaded]
            }
            Self::Files(files) => manifests::named(files, namespace, name)?,
        };
        match all.iter().find(|loaded| !loaded.observed.on_traefik()) {
            Some(other) => Err(not_on_traefik(&other.observed)),
            None => Ok(all),
        }
    }
}

/// Returns what tells whether a Canary is selected. Manifests may omit the namespace.
fn selected(selection: Selection<'_>) -> Result<impl Fn(&Canary) -> bool> {
    let selector = selection.selector.map(|text| selector::parse(text).map_err(Error::usage)).transpose()?;
    Ok(move |canary: &Canary| {
        let own = canary.target.namespace.as_deref();
        selection.namespace.is_none_or(|namespace| own.is_none_or(|own| own == namespace))
            && selector.as_ref().is_none_or(|selector| selector.matches(&canary.labels))
    })
}

/// Adds Flagger's mesh provider to the Canaries that it decides about. It is only asked for if there are any.
async fn add_mesh_provider<'a>(cluster: &Cluster, all: impl Iterator<Item = &'a mut Observed>) {
    // A declared cookie only counts where the provider is not known.
    let undecided: Vec<_> = all.filter(|it| it.canary.provider.is_none() && !it.is_certainly_on_traefik()).collect();
    if undecided.is_empty() {
        return;
    }
    let provider = cluster.mesh_provider().await;
    for observed in undecided {
        observed.mesh_provider.clone_from(&provider);
    }
}

/// Returns the error for a Canary that is not on Traefik.
fn not_on_traefik(observed: &Observed) -> Error {
    let canary = &observed.canary;
    let error = Error::new(Kind::NotFound, format!("Canary `{}` is not on Traefik", canary.target));
    match (&canary.provider, &observed.mesh_provider) {
        (Some(provider), _) => error.caused_by(format!("its spec.provider is `{provider}`")),
        (None, Some(provider)) => error
            .caused_by(format!(
                "it has no spec.provider and no TraefikService, and Flagger's default provider (-mesh-provider) is `{provider}`"
            ))
            .hint("set spec.provider: traefik on the Canary"),
        (None, None) => error
            .caused_by("it has no spec.provider, no TraefikService and no declared cookie")
            .hint("set spec.provider: traefik on the Canary"),
    }
}

/// Text that marks a patch, inside another document, of what a Canary declares.
const DECLARING: [&str; 5] = [
    ANNOTATION,
    "kubectl-canary-traefik~1sticky-cookie",
    ENTRY_ANNOTATION,
    "kubectl-canary-traefik~1entry",
    "/spec/service/traefik",
];

/// Finds the first line of a text, from 1, that mentions a Canary or what one declares. Comments are ignored.
pub fn mention(text: &str) -> Option<usize> {
    let is_of_flagger = text.contains("flagger.app/");
    let is_kind = |line: &str| {
        let after = line.split_once("kind").map_or("", |(_, after)| after);
        after.trim_start_matches(['"', '\'', ' ', '\t', ':']).starts_with("Canary")
    };
    let is_canary = |line: &str| line.contains("Canary") && (is_of_flagger || is_kind(line));
    let is_said = |line: &str| DECLARING[..4].iter().any(|word| line.contains(word)) || is_canary(line);
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    text.lines().position(|line| !is_comment(line) && is_said(line)).map(|at| at + 1)
}
