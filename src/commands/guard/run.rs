//! `guard run`: runs the guard as a process.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use kube::core::Selector;

use super::traefik_url::{self, TraefikUrl, traefik_url};
use crate::{
    apiserver::{duration, read_url},
    context::Context,
    error::{Error, Exit, Result},
    guard::{self, Coverage, webhook::Address},
    guard_server::{self, Certificates, Log, LogFormat, Options},
    model::{NamespacedName, name::check, selector},
    text::without_userinfo,
};

/// Run the guard as a webhook server, in or outside the cluster
///
/// A mutating and validating admission webhook. On writes to TraefikServices, it restores the declared cookie; on
/// writes to Canaries, it rejects malformed declarations. Cookies lost while it was down are restored with one write
/// each. With -n it covers only that namespace.
///
/// With --webhook-url it runs outside the cluster and registers that address with the API server until it exits.
/// With --service it runs inside, and replicas share their certificates through --cert-secret. It also serves
/// /healthz, /readyz and /metrics.
///
/// /gate/drained answers Flagger's confirm-promotion webhook: it stays closed until the cookies that pin users to
/// the primary have expired. Flagger does not trust this server's certificate, so --gate-listen serves it
/// and /verify/sticky without TLS.
///
/// /verify/sticky answers a rollout webhook: it opens the pages that the webhook's metadata.url names, as the command
/// verify does, and fails if the cookie does not stick. It needs --traefik-url.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,

    /// Register this address (https://HOST:PORT) with the API server until the process exits
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    webhook_url: Option<String>,

    /// Run behind this Service, and maintain the CA bundle in the configuration that guard install created
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = target, conflicts_with = "webhook_url")]
    service: Option<NamespacedName>,

    /// Share certificates with other replicas in this Secret, which is created and renewed here
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = target, conflicts_with = "cert_dir")]
    cert_secret: Option<NamespacedName>,

    /// Use tls.crt and tls.key from this directory, reloaded when they change, and ca.crt for --webhook-url; without
    /// it, certificates are created and renewed here
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    cert_dir: Option<PathBuf>,

    /// Validity of certificates created here; they are renewed after two thirds of it
    #[arg(long, value_name = "DURATION", default_value = "2160h", value_parser = life, conflicts_with = "cert_dir")]
    cert_lifetime: Duration,

    /// Cover only Canaries with these labels
    #[arg(long, value_name = "SELECTOR", value_parser = selector::parse)]
    selector: Option<Selector>,

    /// Cover only namespaces with these labels
    #[arg(long, value_name = "SELECTOR", value_parser = selector::parse)]
    namespace_selector: Option<Selector>,

    /// Only answer requests; repair nothing
    #[arg(long)]
    no_repairs: bool,

    /// Update the objects of declared entries when the routes to their TraefikServices change
    #[arg(long, conflicts_with = "no_repairs")]
    entries: bool,

    /// Serve Flagger's webhooks on this address over plain HTTP
    #[arg(long, value_name = "ADDRESS")]
    gate_listen: Option<SocketAddr>,

    /// Where to reach Traefik, to verify cookies for Flagger; repeat for http and https
    #[arg(long = "traefik-url", value_name = "URL", value_parser = traefik_url, value_hint = clap::ValueHint::Url)]
    traefik_urls: Vec<Option<TraefikUrl>>,

    /// Log format
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_default_value = true)]
    log_format: LogFormat,
}

/// Anything shorter would be renewed all the time.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);
/// Anything longer ends past the years that X.509 can express (four digits), and is surely a mistake.
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
    // Where API servers call the webhook, and by which names.
    let address = match (&args.service, &args.webhook_url) {
        (Some(service), _) => Some((Address::Service(service.clone()), guard::deployment::names(service))),
        (None, Some(url)) => Some(address(url)?),
        (None, None) => None,
    };
    if address.is_none() && args.cert_dir.is_none() {
        return Err(Error::usage("API servers would not trust this process: no CA bundle would be registered for it")
            .hint("--service NAMESPACE/NAME runs behind a Service that guard install made")
            .hint("--webhook-url https://HOST:PORT registers it with the API server")
            .hint("--cert-dir DIR uses a certificate whose CA bundle is registered by other means"));
    }
    if args.entries && ctx.namespace().is_some() {
        return Err(Error::usage("--entries and -n cannot be given together")
            .caused_by("routes of every namespace can serve a path of an entry")
            .hint("leave out -n, or --entries"));
    }
    let (address, names) = address.map_or_else(Default::default, |(address, names)| (Some(address), names));
    let certificates = match (&args.cert_dir, &args.cert_secret) {
        (Some(folder), _) => Certificates::Folder(folder.clone()),
        (None, Some(secret)) => Certificates::Secret(secret.clone()),
        (None, None) => Certificates::Own,
    };
    let namespaces = args.namespace_selector.as_ref().map(selector::to_object);
    let coverage = Coverage {
        selector: args.selector.as_ref().map(selector::to_object),
        namespace_selector: ctx.namespace().map(guard::webhook::only).or(namespaces),
    };
    let options = Options {
        coverage,
        listen: args.listen,
        gate: args.gate_listen,
        traefik: traefik_url::address(args.traefik_urls.iter().flatten())?,
        address,
        names,
        certificates,
        life: args.cert_lifetime,
        namespace: ctx.namespace().map(str::to_owned),
        repairs: !args.no_repairs,
        entries: args.entries,
    };
    let ui = Arc::clone(&ctx.ui);
    let log = Log::new(args.log_format, move |line| ui.status(line));
    let cluster = ctx.cluster().await?;
    guard_server::run(options, cluster, log, shutdown_signal()).await?;
    Ok(Exit::Ok)
}

fn target(text: &str) -> std::result::Result<NamespacedName, String> {
    // Parts of an address can hold its password.
    let (namespace, name) = text.split_once('/').filter(|_| !text.contains("://")).ok_or("must be NAMESPACE/NAME")?;
    for part in [namespace, name] {
        check(part).map_err(|problem| format!("must be NAMESPACE/NAME: {problem}"))?;
    }
    Ok(NamespacedName { namespace: Some(namespace.to_owned()), name: name.to_owned() })
}

/// Parses a webhook URL without a path into its address and host.
fn address(url: &str) -> Result<(Address, Vec<String>)> {
    let wrong = |reason: &str| {
        Error::usage(format!("`{}` is not the address of a webhook", without_userinfo(url)))
            .caused_by(reason)
            .hint("use --webhook-url https://HOST:PORT")
    };
    let uri = read_url(url).map_err(wrong)?;
    let is_plain = uri.scheme_str() == Some("https") && matches!(uri.path(), "/" | "") && uri.query().is_none();
    let authority = uri.authority().filter(|authority| is_plain && !authority.as_str().contains('@'));
    let authority = authority.ok_or_else(|| wrong("it must be https://HOST:PORT"))?;
    let host = authority.host().trim_matches(['[', ']']);
    Ok((Address::Url(format!("https://{authority}")), vec![host.to_owned()]))
}

/// Waits for Ctrl-C, or for SIGTERM, which ends a container.
async fn shutdown_signal() {
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
        assert_eq!(target("a/b"), Ok(NamespacedName { namespace: Some("a".into()), name: "b".into() }));
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
            assert_eq!(read(url), Err(format!("`{url}` is not the address of a webhook")), "{url}");
        }
        assert_eq!(read("https://bob:hunter2@a:1"), Err("`https://a:1` is not the address of a webhook".to_owned()));
    }
}
