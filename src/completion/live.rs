//! Completes names from a kubeconfig, a cluster or manifests. On Tab, no answer is better than a slow one: one attempt,
//! less than a second, no questions, no error messages.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use clap::{Arg, FromArgMatches};

use super::line::Line;
use crate::{
    apiserver,
    apiserver::{ConnectionArgs, KubeconfigPart, Silent},
    cluster::Cluster,
    environment::Environment,
    files,
    flagger::Canary,
};

/// Time limit of a completion.
const PATIENCE: Duration = Duration::from_millis(900);

/// The kind of name that an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Live {
    /// A Canary in the namespace.
    Canary,
    /// A namespace.
    Namespace,
    /// An entry of the kubeconfig.
    Kubeconfig(KubeconfigPart),
}

impl Live {
    /// Returns the kind of name that this argument takes, by its value name and its flag.
    pub(crate) fn of(arg: &Arg) -> Option<Self> {
        let word = arg.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
        match (arg.get_long(), word) {
            (None, Some("NAME" | "CANARY")) => Some(Self::Canary),
            (Some("namespace" | "guard-namespace"), _) => Some(Self::Namespace),
            (Some("context"), _) => Some(Self::Kubeconfig(KubeconfigPart::Context)),
            (Some("cluster"), _) => Some(Self::Kubeconfig(KubeconfigPart::Cluster)),
            (Some("user"), _) => Some(Self::Kubeconfig(KubeconfigPart::User)),
            _ => None,
        }
    }
}

/// Returns the names, sorted; none if they cannot be read in time.
pub(super) fn names(live: Live, line: &Line<'_>, environment: &Environment) -> BTreeSet<String> {
    let connection = connection(line).unwrap_or_default();
    match live {
        Live::Kubeconfig(part) => apiserver::in_kubeconfig(&connection, environment, part).into_iter().collect(),
        Live::Canary if manifests(line).next().is_some() => in_manifests(line),
        Live::Canary | Live::Namespace => asked(live, &connection, environment).unwrap_or_default(),
    }
}

/// Parses the connection flags on the line with their regular parser.
fn connection(line: &Line<'_>) -> Option<ConnectionArgs> {
    let parser = <ConnectionArgs as clap::Args>::augment_args(clap::Command::new("").no_binary_name(true));
    let typed = line.flags.iter().filter_map(|(arg, value)| {
        let flag = format!("--{}", arg.get_long()?);
        let is_known = parser.get_arguments().any(|known| known.get_long() == arg.get_long());
        is_known.then(|| value.map_or(flag.clone(), |value| format!("{flag}={value}")))
    });
    let typed: Vec<_> = typed.collect();
    ConnectionArgs::from_arg_matches(&parser.try_get_matches_from(typed).ok()?).ok()
}

fn asked(live: Live, connection: &ConnectionArgs, environment: &Environment) -> Option<BTreeSet<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let names = async {
        let cluster = Cluster::connect(connection, environment, Arc::new(Silent)).await.ok()?;
        let namespace = (live == Live::Canary).then(|| cluster.api().namespace().to_owned());
        cluster.names(namespace.as_deref()).await
    };
    let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, names).await.ok().flatten() });
    // A DNS lookup may still be blocking its thread.
    runtime.shutdown_background();
    names.map(|names| names.into_iter().collect())
}

fn manifests<'a>(line: &'a Line<'_>) -> impl Iterator<Item = &'a str> {
    line.flags.iter().filter(|(arg, _)| arg.get_long() == Some("filename")).filter_map(|(_, value)| *value)
}

fn in_manifests(line: &Line<'_>) -> BTreeSet<String> {
    // Standard input is the terminal here, and reading a pipe would drain it.
    let is_there = |path: &PathBuf| path.is_file() || path.is_dir() || !path.exists() && path.as_os_str() != "-";
    let named: Vec<_> = manifests(line).flat_map(|list| list.split(',')).map(PathBuf::from).filter(is_there).collect();
    let recursive = line.flags.iter().any(|(arg, _)| arg.get_long() == Some("recursive"));
    let Ok(manifests) = files::read(&named, recursive, |_| None) else { return BTreeSet::new() };
    let canaries = manifests.objects().filter(|object| Canary::is(&object.value));
    canaries.filter_map(|object| Some(Canary::from_object(&object.value)?.target.name)).collect()
}
