//! The source of Canaries: a cluster or manifests. Both are read alike; only a cluster is written object by object.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join;

use crate::{
    cluster::{Cluster, Reading, Selection},
    error::{Error, Kind, Result},
    files::{Manifests, Object},
    flagger::{Canary, Declared, NativeField},
    model::{
        FIELDS, NamespacedName, ObjectKind,
        declaration::{ANNOTATION, NATIVE_COOKIE},
        entry::ENTRY_ANNOTATION,
        name::near,
        selector::Selector,
    },
    observed::{Loaded, Observed},
    traefik::{
        Lookup, Route, RouteKind, RoutesAndEvents, TraefikService,
        entry::{Need, Routing},
    },
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
            Self::Cluster(cluster) => cluster.list(selection).await?,
            Self::Files(files) => in_files(files, selection)?.into_iter().map(|(_, loaded)| loaded.observed).collect(),
        };
        observed.sort_by(|a, b| a.canary.target.cmp(&b.canary.target));
        Ok(observed)
    }

    /// Returns every selected Canary with its objects, sorted by namespace and name.
    pub async fn load_all(&self, selection: Selection<'_>) -> Result<Vec<Loaded>> {
        let mut loaded = match self {
            Self::Cluster(cluster) => cluster.load_all(selection).await?,
            Self::Files(files) => in_files(files, selection)?.into_iter().map(|(_, loaded)| loaded).collect(),
        };
        loaded.sort_by(|a, b| a.observed.canary.target.cmp(&b.observed.canary.target));
        Ok(loaded)
    }

    /// Returns one Canary, and whether the guard protects its cookie.
    pub async fn look(&self, namespace: Option<&str>, name: &str) -> Result<Observed> {
        let observed = self.load(namespace, name, Reading::SHOWN).await?.observed;
        match self {
            Self::Cluster(cluster) => Ok(Observed { guarded: cluster.guarded(&observed).await, ..observed }),
            Self::Files(_) => Ok(observed),
        }
    }

    /// Returns one Canary with its objects, whether the guard covers it, the routes to its TraefikService and, on a
    /// cluster, the last events.
    ///
    /// # Errors
    ///
    /// Fails if the Canary or its TraefikService cannot be read. Whatever else cannot be read is reported in the
    /// result.
    pub async fn load_with_context(&self, namespace: Option<&str>, name: &str) -> Result<(Loaded, RoutesAndEvents)> {
        let mut loaded = self.load(namespace, name, Reading { routing: Need::Own, ..Reading::SHOWN }).await?;
        match self {
            Self::Cluster(cluster) => {
                let (guarded, surroundings) =
                    join(cluster.guarded(&loaded.observed), cluster.surroundings(&loaded.observed)).await;
                loaded.observed.guarded = guarded;
                Ok((loaded, surroundings))
            }
            Self::Files(files) => {
                let routes = routes_in_files(files, &loaded.observed);
                Ok((loaded, RoutesAndEvents { routes, events: None }))
            }
        }
    }

    /// Returns one Canary with its objects. From manifests, everything is read in any case.
    pub async fn load(&self, namespace: Option<&str>, name: &str, reading: Reading) -> Result<Loaded> {
        let loaded = match self {
            Self::Cluster(cluster) => {
                let namespace = namespace.unwrap_or(cluster.api().namespace()).to_owned();
                cluster.load(&NamespacedName { namespace: Some(namespace), name: name.to_owned() }, reading).await?
            }
            Self::Files(files) => one_in_files(files, namespace, name)?.1,
        };
        if !loaded.observed.on_traefik() {
            return Err(not_on_traefik(&loaded.observed));
        }
        Ok(loaded)
    }
}

/// Finds the one Canary of this name to change among manifests, and the object it was read from. One without a provider
/// may be on Traefik, because Flagger's own default is not visible here.
///
/// # Errors
///
/// Fails as [`Source::load`] does.
pub fn to_change<'a>(files: &'a Manifests, namespace: Option<&str>, name: &str) -> Result<(&'a Object, Loaded)> {
    let (object, loaded) = one_in_files(files, namespace, name)?;
    if loaded.observed.canary.provider.is_some() && !loaded.observed.on_traefik() {
        return Err(not_on_traefik(&loaded.observed));
    }
    Ok((object, loaded))
}

/// Returns the routes to the TraefikService among manifests, in any namespace.
fn routes_in_files(files: &Manifests, observed: &Observed) -> Vec<(RouteKind, Lookup<Vec<Route>>)> {
    let (service, group) = observed.routed_to();
    let routes = |kind: RouteKind| {
        let of_kind = files.objects().filter(|object| kind.is(&object.value));
        let routes = of_kind.filter_map(|object| kind.route(&object.value, service.as_ref()?, group)).collect();
        (kind, Lookup::Seen(routes))
    };
    RouteKind::all(group).map(routes).into()
}

/// Returns the error for a Canary that is not on Traefik.
fn not_on_traefik(observed: &Observed) -> Error {
    let canary = &observed.canary;
    let error = Error::new(Kind::NotFound, format!("Canary `{}` is not on Traefik", canary.target));
    match canary.provider.as_deref() {
        Some(provider) => error.caused_by(format!("its spec.provider is `{provider}`")),
        None => error
            .caused_by("it has no spec.provider, no TraefikService and no declared cookie")
            .hint("set spec.provider: traefik on the Canary"),
    }
}

/// Finds the one Canary of this name among manifests, and the object it was read from.
///
/// # Errors
///
/// Fails if there is none (similar names are hints), or if there are several.
fn one_in_files<'a>(files: &'a Manifests, namespace: Option<&str>, name: &str) -> Result<(&'a Object, Loaded)> {
    let all = in_files(files, Selection { namespace, selector: None })?;
    let names: BTreeSet<String> = all.iter().map(|(_, loaded)| loaded.observed.canary.target.name.clone()).collect();
    let found: Vec<_> = all.into_iter().filter(|(_, loaded)| loaded.observed.canary.target.name == name).collect();
    let (mut whole, parts): (Vec<_>, Vec<_>) = match found.len() {
        0 => return Err(none_in_files(files, namespace, name, &names)),
        1 => (found, Vec::new()),
        _ => found.into_iter().partition(|(object, _)| !is_part(&object.value)),
    };
    let over: Vec<_> = parts.iter().filter(|(_, loaded)| declares(&loaded.observed.canary)).collect();
    match whole.pop() {
        Some(one) if whole.is_empty() && over.is_empty() => {
            let over = files.mentions(&DECLARING, holds_no_patch);
            if over.is_empty() {
                return Ok(one);
            }
            Err(declared_over(name, &one.0.origin(), &over))
        }
        Some(one) if whole.is_empty() => {
            let over: Vec<_> = over.iter().map(|(object, _)| object.origin()).collect();
            Err(declared_over(name, &one.0.origin(), &over))
        }
        last => {
            let all = whole.iter().chain(&last).chain(&parts).map(|(object, _)| object.origin());
            let all = all.collect::<Vec<_>>().join(", ");
            Err(Error::usage(format!("more than one Canary is named `{name}`: {all}"))
                .hint("name one file with -f, or one namespace with -n"))
        }
    }
}

fn declares(canary: &Canary) -> bool {
    canary.declared != Declared::Nothing || canary.entry.is_some()
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

/// Returns whether this object cannot contain patches of other objects. Kustomize, Flux and Argo CD have kinds that
/// can; documents without a kind are not objects here.
fn holds_no_patch(object: &Object) -> bool {
    const HOLDING: [&str; 5] = ["Kustomization", "Component", "HelmRelease", "Application", "ApplicationSet"];
    object.value.get("kind").and_then(serde_json::Value::as_str).is_none_or(|kind| !HOLDING.contains(&kind))
}

/// Returns whether this is a part of a Canary, which kustomize merges into a whole one: that always has a target, as
/// the definition of Canaries requires.
pub fn is_part(canary: &serde_json::Value) -> bool {
    canary.pointer("/spec/targetRef").is_none()
}

/// Returns the error for a patch that overrides what the Canary's own document declares.
fn declared_over(name: &str, at: &str, over: &[String]) -> Error {
    Error::usage(format!("two files declare the cookie of Canary `{name}`: {at} and {}", over.join(", ")))
        .caused_by("changing only one of them might have no effect")
        .hint("choose the file to change with -f")
}

/// Returns the error for a missing Canary, with the namespaces of its name or the existing names as hints.
fn none_in_files(files: &Manifests, namespace: Option<&str>, name: &str, names: &BTreeSet<String>) -> Error {
    let Some(namespace) = namespace else {
        let mut error = Error::not_found(format!("no Canary `{name}` in the files"));
        for place in files.mentions(&["kind: Canary", DECLARING[1]], holds_no_patch) {
            error = error.caused_by(format!("{place} is a patch inside another document and cannot be edited"));
        }
        return match near(name, names.iter().map(String::as_str)).first() {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if names.is_empty() => error.hint("no document is a Canary (flagger.app/v1beta1)"),
            None => error.hint(there_are(names)),
        };
    };
    let error = Error::not_found(format!("no Canary `{name}` of namespace `{namespace}` in the files"));
    let elsewhere = files.objects().filter(|object| Canary::is(&object.value)).filter_map(|object| {
        let target = Canary::from_object(&object.value)?.target;
        (target.name == name).then_some(target.namespace?)
    });
    let elsewhere: BTreeSet<String> = elsewhere.collect();
    match near(name, names.iter().map(String::as_str)).first() {
        _ if !elsewhere.is_empty() => {
            elsewhere.iter().fold(error, |error, namespace| error.hint(format!("-n {namespace}")))
        }
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.hint("no Canary in the files is in that namespace"),
        None => error.hint(there_are(names)),
    }
}

fn there_are(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("there are: {}{more}", shown.join(", "))
}

/// Returns every selected Canary among manifests with its TraefikService, in the order of the files.
fn in_files<'a>(files: &'a Manifests, selection: Selection<'_>) -> Result<Vec<(&'a Object, Loaded)>> {
    let selector = selection.selector.map(|text| Selector::parse(text).map_err(Error::usage)).transpose()?;
    let services: Vec<_> = files
        .objects()
        .filter_map(|object| {
            let group = TraefikService::is(&object.value)?;
            Some((TraefikService::from_object(&object.value, group)?, &object.value))
        })
        .collect();
    let routing = Arc::new(routing(files));
    let canaries = files.objects().filter(|object| Canary::is(&object.value)).filter_map(|object| {
        let canary = Canary::from_object(&object.value)?;
        let in_namespace = selection
            .namespace
            .is_none_or(|namespace| canary.target.namespace.as_deref().is_none_or(|own| own == namespace));
        let selected = selector.as_ref().is_none_or(|selector| selector.matches(&canary.labels));
        if !in_namespace || !selected {
            return None;
        }
        let service = canary
            .service_target()
            .and_then(|target| services.iter().find(|(service, _)| service.target == target))
            .map(|(service, value)| (service.clone(), (*value).clone()));
        let (service, value) = service.unzip();
        let native = native_field(&object.value);
        let observed = Observed::pair(canary, service);
        let loaded = Loaded { observed, canary: object.value.clone(), service: value, native, routing: None };
        Some((object, loaded.with_routing(routing.clone())))
    });
    Ok(canaries.collect())
}

/// Returns what entries depend on among manifests, in any namespace.
fn routing(files: &Manifests) -> Routing {
    let objects =
        files.objects().filter_map(|object| Some((ObjectKind::of_routing(&object.value)?, object.value.clone())));
    objects.collect()
}

/// Without a schema, a manifest that uses the native field implies that its cluster has it.
fn native_field(canary: &serde_json::Value) -> NativeField {
    match NATIVE_COOKIE.iter().try_fold(canary, |value, key| value.get(key)) {
        Some(_) => NativeField::Present(FIELDS.iter().map(|field| (field.key.to_owned(), Vec::new())).collect()),
        None => NativeField::Absent,
    }
}
