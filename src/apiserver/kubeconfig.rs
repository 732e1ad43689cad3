//! Finds, reads and merges kubeconfig files, and selects a cluster, a user and a namespace according to the flags.
//! Makes no API requests.

use std::{
    io,
    path::{Path, PathBuf},
};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError};

use crate::{
    apiserver::flags::ConnectionArgs,
    environment::Environment,
    error::{Error, Result, reason},
    model::name::near,
};

/// The merged kubeconfig files.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    config: Kubeconfig,
    /// The file names, for messages.
    files: String,
}

/// The selected cluster, user and namespace.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    pub(crate) cluster: Cluster,
    pub(crate) cluster_name: String,
    pub(crate) user: AuthInfo,
    pub(crate) user_name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) files: String,
}

/// Reads the files named by `--kubeconfig`, `KUBECONFIG` or the home directory. `None` if there is none, or if they are
/// empty.
///
/// Of several files only missing ones are skipped (client-go `tools/clientcmd/loader.go:Load`): an unreadable file may
/// name another cluster and user than the next one.
pub(crate) fn load(args: &ConnectionArgs, environment: &Environment) -> Result<Option<Loaded>> {
    if let Some(file) = &args.kubeconfig {
        let missing = || Error::usage(format!("no file `{}`", file.display())).hint("use --kubeconfig FILE");
        let config = read(file)?.ok_or_else(missing)?;
        return merge([(file.clone(), config)]).map(Some);
    }
    let mut found = Vec::new();
    for file in candidates(environment) {
        if let Some(config) = read(&file)? {
            found.push((file, config));
        }
    }
    let loaded = merge(found)?;
    let config = &loaded.config;
    let is_empty = config.clusters.is_empty() && config.contexts.is_empty() && config.auth_infos.is_empty();
    Ok((!is_empty || config.current_context.is_some()).then_some(loaded))
}

/// The kind of a named entry in a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Context,
    Cluster,
    User,
}

/// Returns the names of this kind; empty if no kubeconfig can be read.
pub(crate) fn names(args: &ConnectionArgs, environment: &Environment, part: Part) -> Vec<String> {
    let Ok(Some(Loaded { config, .. })) = load(&args.without_empty(), environment) else { return Vec::new() };
    match part {
        Part::Context => config.contexts.into_iter().map(|named| named.name).collect(),
        Part::Cluster => config.clusters.into_iter().map(|named| named.name).collect(),
        Part::User => config.auth_infos.into_iter().map(|named| named.name).collect(),
    }
}

/// Returns the error for a missing kubeconfig.
pub(crate) fn none_found(environment: &Environment) -> Error {
    let looked: Vec<_> = candidates(environment).iter().map(|file| file.display().to_string()).collect();
    let error = Error::usage("no kubeconfig found");
    let error = if looked.is_empty() { error } else { error.caused_by(format!("looked for {}", looked.join(", "))) };
    error.hint("use --kubeconfig FILE, or --server URL")
}

/// Returns the files to look for, in order. `KUBECONFIG` replaces the home directory's file.
fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let listed: Vec<PathBuf> = environment.kubeconfig.iter().flat_map(std::env::split_paths).collect();
    let listed: Vec<PathBuf> = listed.into_iter().filter(|file| !file.as_os_str().is_empty()).collect();
    if listed.is_empty() {
        environment.home.iter().map(|home| home.join(".kube").join("config")).collect()
    } else {
        listed
    }
}

/// Reads one file; `None` if it does not exist.
fn read(file: &Path) -> Result<Option<Kubeconfig>> {
    match Kubeconfig::read_from(file) {
        Ok(mut config) => {
            // kubectl takes what is empty for unset.
            for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
                for text in [&mut cluster.certificate_authority_data, &mut cluster.certificate_authority] {
                    *text = text.take().filter(|text| !text.is_empty());
                }
            }
            Ok(Some(config))
        }
        Err(KubeconfigError::ReadConfig(error, _)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn merge(files: impl IntoIterator<Item = (PathBuf, Kubeconfig)>) -> Result<Loaded> {
    let (mut config, mut names) = (Kubeconfig::default(), Vec::new());
    for (file, mut next) in files {
        if let Some(kind) = next.kind.as_deref().filter(|kind| *kind != "Config") {
            return Err(Error::usage(format!("`{}` is not a kubeconfig", file.display()))
                .caused_by(format!("its kind is `{kind}`"))
                .hint("use --kubeconfig FILE"));
        }
        // An empty value is unset: a later file may set it.
        next.current_context = next.current_context.filter(|name| !name.is_empty());
        config = config.merge(next).map_err(|error| unreadable(&file, &error))?;
        names.push(file.display().to_string());
    }
    Ok(Loaded { config, files: names.join(", ") })
}

/// Returns the error for a file that cannot be read. The parser's own message can quote the line and thus a token, so
/// only the location is shown.
fn unreadable(file: &Path, error: &KubeconfigError) -> Error {
    let file = file.display();
    match error {
        KubeconfigError::ReadConfig(error, _) => Error::usage(format!("cannot read `{file}`")).caused_by(reason(error)),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            Error::usage(format!("`{file}` has a different kind or version than the kubeconfig before it"))
        }
        KubeconfigError::Parse(error) => {
            let refusal = Error::usage(format!("`{file}` is not a kubeconfig"));
            match error.location() {
                Some(place) => {
                    let place = format!("line {}, column {}", place.line(), place.column());
                    let is_twice = error.to_string().contains("duplicate mapping key");
                    refusal.caused_by(if is_twice { format!("{place}: duplicate key") } else { place })
                }
                None => refusal,
            }
        }
        _ => Error::usage(format!("`{file}` cannot be used as a kubeconfig")),
    }
}

/// Selects the context, its cluster and its user, or those that the flags name.
pub(crate) fn choose(loaded: &Loaded, args: &ConnectionArgs) -> Result<Choice> {
    let Loaded { config, files } = loaded;
    let (context_name, context) = context(loaded, args)?;

    let wanted = args.cluster.as_deref().unwrap_or(&context.cluster);
    let found = config.clusters.iter().find(|named| named.name == wanted).and_then(|named| named.cluster.clone());
    let cluster = match found {
        Some(cluster) => cluster,
        // `--server` is enough.
        None if args.cluster.is_none() && args.server.is_some() => Cluster::default(),
        None => {
            let names = config.clusters.iter().map(|named| named.name.as_str()).collect();
            let error = unknown("cluster", wanted, files, names, args.cluster.is_some());
            return Err(if args.cluster.is_some() {
                error
            } else {
                error.caused_by(format!("context `{context_name}` names it"))
            });
        }
    };

    let wanted = args.user.as_deref().or(context.user.as_deref()).unwrap_or_default();
    let found = config.auth_infos.iter().find(|named| named.name == wanted).and_then(|named| named.auth_info.clone());
    let user = match found {
        Some(user) => user,
        // Like kubectl: a context may have no user, or one that does not exist.
        None if args.user.is_none() => AuthInfo::default(),
        None => {
            let names = config.auth_infos.iter().map(|named| named.name.as_str()).collect();
            return Err(unknown("user", wanted, files, names, true));
        }
    };

    Ok(Choice {
        cluster,
        cluster_name: args.cluster.clone().unwrap_or(context.cluster),
        user,
        user_name: wanted.to_owned(),
        namespace: context.namespace.filter(|name| !name.is_empty()),
        files: files.clone(),
    })
}

fn context(loaded: &Loaded, args: &ConnectionArgs) -> Result<(String, Context)> {
    let Loaded { config, files } = loaded;
    let known: Vec<&str> = config.contexts.iter().map(|named| named.name.as_str()).collect();
    let Some(name) = args.context.as_ref().or(config.current_context.as_ref()) else {
        if args.server.is_some() || args.cluster.is_some() {
            return Ok(Default::default());
        }
        let error = Error::usage(format!("no context is chosen in {files}")).hint("use --context NAME");
        return Err(with_known("contexts", &known, error));
    };
    if let Some(found) = config.contexts.iter().find(|named| &named.name == name) {
        return Ok((name.clone(), found.context.clone().unwrap_or_default()));
    }
    let error = unknown("context", name, files, known, true);
    Err(if args.context.is_some() { error } else { error.caused_by("current-context names it") })
}

/// Returns the error for an unknown name, listing the known ones, most similar first.
fn unknown(what: &str, name: &str, files: &str, known: Vec<&str>, has_flag: bool) -> Error {
    let near = near(name, known.iter().copied());
    let mut error = Error::usage(format!("no {what} named `{name}` in {files}"));
    if let Some(best) = near.first().filter(|_| has_flag) {
        error = error.hint(format!("use --{what} {best}"));
    }
    let rest: Vec<&str> = known.into_iter().filter(|name| !near.contains(name)).collect();
    with_known(&format!("{what}s"), &[near, rest].concat(), error)
}

fn with_known(what: &str, known: &[&str], error: Error) -> Error {
    const SHOWN: usize = 10;
    match known.len() {
        0 => error,
        all if all > SHOWN => {
            error.hint(format!("known {what}: {} and {} more", known[..SHOWN].join(", "), all - SHOWN))
        }
        _ => error.hint(format!("known {what}: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests;
