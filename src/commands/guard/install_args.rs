//! The arguments of `guard install`.

use std::time::Duration;

use clap::Args;

use super::traefik_url::{TraefikUrl, traefik_url};
use crate::{
    apiserver::duration,
    commands::args::{ConfirmArgs, format_of},
    output::Format,
};

/// The form of the guard to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mode {
    /// Admission policies if the cluster serves them, else the webhook
    Auto,
    /// Admission policies
    Policy,
    /// The webhook
    Webhook,
}

/// Install the guard, or update it to this version
///
/// Kubernetes 1.36 and later: three admission policies and their bindings, which the API server evaluates itself. On
/// older clusters, or with --mode webhook: a webhook that the API server calls (see guard run), in a Deployment with
/// two replicas of --image. Both forms restore the declared cookie in every write that removes it, and reject malformed
/// declarations.
///
/// Without selectors, an update keeps the current ones; a new guard covers everything. If the other form is
/// installed, it is removed once the new one works, so that every write stays protected.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Protect every declared cookie in the cluster\n  kubectl canary-traefik guard install\n\n  # Only in labelled namespaces\n  kubectl canary-traefik guard install --namespace-selector canary-traefik=guarded\n\n  # Print the policies as YAML, for Git\n  kubectl canary-traefik guard install -o yaml"
)]
pub(crate) struct InstallArgs {
    /// Form of the guard
    #[arg(long, value_name = "MODE", default_value = "auto", hide_default_value = true)]
    pub(super) mode: Mode,

    /// Image of this program, for the webhook
    #[arg(long, value_name = "IMAGE")]
    pub(super) image: Option<String>,

    /// Namespace for the webhook; by default a new one is created
    #[arg(long, value_name = "NAME")]
    pub(super) guard_namespace: Option<String>,

    /// Cover only Canaries with these labels; '' covers all of them
    #[arg(long, value_name = "SELECTOR")]
    pub(super) selector: Option<String>,

    /// Cover only namespaces with these labels; '' covers all of them
    #[arg(long, value_name = "SELECTOR")]
    pub(super) namespace_selector: Option<String>,

    /// Also update the objects of declared entries when your routes change (webhook only); --entries=false turns this
    /// off
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) entries: Option<bool>,

    /// Where the webhook reaches Traefik, to verify cookies for Flagger (webhook only); repeat for http and https; ''
    /// turns this off
    #[arg(long = "traefik-url", value_name = "URL", value_parser = traefik_url, value_hint = clap::ValueHint::Url)]
    pub(super) traefik_urls: Vec<Option<TraefikUrl>>,

    /// Overwrite fields that other field managers own
    #[arg(long)]
    pub(super) force_conflicts: bool,

    /// Only print the objects, for example to keep them in Git; makes no API requests
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["yaml", "json", "name"]))]
    pub(super) output: Option<Format>,

    /// How long to wait until the guard works; 0s tests it once
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(super) wait: Duration,

    #[command(flatten)]
    pub(super) confirm: ConfirmArgs,
}
