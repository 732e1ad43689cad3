//! `guard run`: the guard as a process.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};

use crate::{
    cluster::{duration, read_url},
    context::Context,
    error::{Error, Exit, Result},
    guard::{self, Coverage, webhook::Address},
    model::{Target, name::check, selector::Selector},
    text::without_userinfo,
    webhook::{self, Certificates, Log, LogFormat, Options},
};

/// Be the guard, for clusters that have no admission policies
///
/// A mutating and validating admission webhook: an API server asks it about each write of a TraefikService, and it puts
/// the declared cookie back inside that write. What was written while it did not run is repaired by one write for each
/// loss. A malformed declaration on a Canary is refused. With -n it guards that namespace alone.
///
/// With --webhook-url it runs outside the cluster and registers that address with the API server until it ends; with
/// --service it runs inside, and several processes share their certificates by --cert-secret. Serves /healthz, /readyz and /metrics beside /mutate and /validate.
///
/// At /gate/drained it answers Flagger's confirm-promotion webhook: closed until the cookies that pin people to the
/// primary have run out. Flagger does not know the authority here, so --gate-listen answers that path without TLS.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,

    /// Tell API servers to ask this address (https://HOST:PORT), until the end
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    webhook_url: Option<String>,

    /// Run behind this Service, and keep the authority right in the configuration that guard install made
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = target, conflicts_with = "webhook_url")]
    service: Option<Target>,

    /// Share certificates with other processes in this Secret, which is made and renewed here
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = target, conflicts_with = "cert_dir")]
    cert_secret: Option<Target>,

    /// Use tls.crt and tls.key of this folder, read again when they change, and for --webhook-url its ca.crt; without
    /// it, certificates are made and renewed here
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    cert_dir: Option<PathBuf>,

    /// How long certificates made here hold (renewed at two thirds)
    #[arg(long, value_name = "DURATION", default_value = "2160h", value_parser = life, conflicts_with = "cert_dir")]
    cert_lifetime: Duration,

    /// Guard only Canaries with these labels
    #[arg(long, value_name = "SELECTOR", value_parser = selector)]
    selector: Option<Selector>,

    /// Guard only namespaces with these labels
    #[arg(long, value_name = "SELECTOR", value_parser = selector)]
    namespace_selector: Option<Selector>,

    /// Answer, and never write a TraefikService
    #[arg(long)]
    no_repairs: bool,

    /// Answer Flagger's confirm-promotion webhook on this address, by http
    #[arg(long, value_name = "ADDRESS")]
    gate_listen: Option<SocketAddr>,

    /// How lines are logged
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_default_value = true)]
    log_format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Shorter ones would be renewed all the time.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
/// Longer ones end beyond the years that certificates can name (X.509 has four digits), and are nobody's intention.
const LONGEST_LIFE: Duration = Duration::from_hours(10 * 365 * 24);

fn life(text: &str) -> std::result::Result<Duration, String> {
    let life = duration(text)?;
    match life {
        _ if life < SHORTEST_LIFE => Err(format!("at least {} s", SHORTEST_LIFE.as_secs())),
        _ if life > LONGEST_LIFE => Err("at most 87600h, which is ten years".into()),
        _ => Ok(life),
    }
}

/// Runs `guard run`.
pub(super) async fn run(ctx: &Context, args: &RunArgs) -> Result<Exit> {
    let address = match (&args.service, &args.webhook_url) {
        (Some(service), _) => Some(behind(service)),
        (None, Some(url)) => Some(address(url)?),
        (None, None) => None,
    };
    if address.is_none() && args.cert_dir.is_none() {
        return Err(Error::usage("API servers would not trust this process: nothing tells them its authority")
            .hint("--service NAMESPACE/NAME runs behind a Service that guard install made")
            .hint("--webhook-url https://HOST:PORT registers it with the API server")
            .hint("--cert-dir DIR takes a certificate whose authority someone else registers"));
    }
    let (address, names) = address.map_or_else(Default::default, |(address, names)| (Some(address), names));
    let certificates = match (&args.cert_dir, &args.cert_secret) {
        (Some(folder), _) => Certificates::Folder(folder.clone()),
        (None, Some(secret)) => Certificates::Secret(secret.clone()),
        (None, None) => Certificates::Own,
    };
    let namespaces = args.namespace_selector.as_ref().map(Selector::to_object);
    let coverage = Coverage {
        selector: args.selector.as_ref().map(Selector::to_object),
        namespace_selector: ctx.namespace().map(guard::webhook::only).or(namespaces),
    };
    let options = Options {
        coverage,
        listen: args.listen,
        gate: args.gate_listen,
        address,
        names,
        certificates,
        life: args.cert_lifetime,
        namespace: ctx.namespace().map(str::to_owned),
        repairs: !args.no_repairs,
    };
    let format = if args.log_format == Format::Json { LogFormat::Json } else { LogFormat::Text };
    let ui = Arc::clone(&ctx.ui);
    let log = Log::new(format, move |line| ui.status(line));
    let cluster = super::cluster(ctx).await?;
    webhook::run(options, cluster, log, told_to_end()).await?;
    Ok(Exit::Ok)
}

fn selector(text: &str) -> std::result::Result<Selector, String> {
    Selector::parse(text)
}

fn target(text: &str) -> std::result::Result<Target, String> {
    let (namespace, name) = text.split_once('/').ok_or("it is NAMESPACE/NAME")?;
    for part in [namespace, name] {
        check(part).map_err(|problem| format!("it is NAMESPACE/NAME, and {problem}"))?;
    }
    Ok(Target { namespace: Some(namespace.to_owned()), name: name.to_owned() })
}

/// The address behind a Service, and the names by which API servers call it.
fn behind(service: &Target) -> (Address, Vec<String>) {
    (Address::Service(service.clone()), guard::deployment::names(service))
}

/// The address without a path, and its host.
fn address(url: &str) -> Result<(Address, Vec<String>)> {
    let wrong = |reason: &str| {
        Error::usage(format!("`{}` is no address for a webhook", without_userinfo(url)))
            .caused_by(reason)
            .hint("--webhook-url https://HOST:PORT")
    };
    let uri = read_url(url).map_err(wrong)?;
    let is_plain = uri.scheme_str() == Some("https") && matches!(uri.path(), "/" | "") && uri.query().is_none();
    let authority = uri.authority().filter(|authority| is_plain && !authority.as_str().contains('@'));
    let authority = authority.ok_or_else(|| wrong("it is https, a host and a port, and nothing else"))?;
    let host = authority.host().trim_matches(['[', ']']);
    Ok((Address::Url(format!("https://{authority}")), vec![host.to_owned()]))
}

/// Ctrl-C, or the signal by which a container is told to end.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_with_its_namespace() {
        assert_eq!(target("a/b"), Ok(Target { namespace: Some("a".into()), name: "b".into() }));
        for text in ["", "a", "/b", "a/", "../b", "a/b/c", "a/%2e"] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_https_with_a_host_and_nothing_behind_it() {
        let read = |url: &str| address(url).map_err(|error| error.message().to_owned());
        let is = |url: &str, host: &str| Ok((Address::Url(url.into()), vec![host.to_owned()]));
        assert_eq!(read("https://127.0.0.1:8443"), is("https://127.0.0.1:8443", "127.0.0.1"));
        assert_eq!(read("https://[::1]:1/"), is("https://[::1]:1", "::1"));
        for url in ["http://a:1", "https://a/x", "a:1", "https://a?b", "", "https://", "https://a:99999", "https://a:"]
        {
            assert_eq!(read(url), Err(format!("`{url}` is no address for a webhook")), "{url}");
        }
        assert_eq!(read("https://bob:hunter2@a:1"), Err("`https://a:1` is no address for a webhook".to_owned()));
    }
}
