//! Builds a [`ApiServer`] from flags and environment: chooses the source of the configuration, and overrides defaults of
//! the HTTP library that are unsuitable for an interactive program.

use std::{sync::Arc, time::Duration};

use http::{Uri, header};
use kube::{Config, config::AuthInfo};
use tokio::sync::Mutex;

use crate::{
    apiserver::{
        ApiServer, config,
        endpoint::Endpoint,
        error::CONNECT_TIMEOUT,
        flags::ConnectionArgs,
        kubeconfig::{self, Choice},
        login::Login,
        overrides,
        progress::Progress,
        proxy, url,
    },
    environment::Environment,
    error::{Error, Result},
};

/// Default of `--request-timeout`.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Determines the server, the credentials and the proxy, and runs the credential plugin if there is one. Sends nothing
/// to the server yet.
pub(crate) async fn connect(
    args: &ConnectionArgs,
    environment: &Environment,
    progress: Arc<dyn Progress>,
) -> Result<ApiServer> {
    let args = &args.without_empty();
    let loaded = kubeconfig::load(args, environment)?;
    let Source { mut config, proxy: kubeconfig_proxy, sent_as, token_of } = match loaded {
        // A broken kubeconfig never leads here: it is an error, and the pod's account is not used instead.
        None if args.server.is_none() && environment.in_pod && args.kubeconfig.is_none() => in_pod(args)?,
        None if args.server.is_none() => return Err(kubeconfig::none_found(environment)),
        loaded => {
            let mut choice = kubeconfig::choose(&loaded.unwrap_or_default(), args)?;
            overrides::apply(args, &mut choice)?;
            let proxy = choice.cluster.proxy_url.clone().map(|url| (choice.cluster_name.clone(), url));
            Source {
                config: config::build(&choice)?,
                proxy,
                sent_as: sent_as(args, &choice),
                token_of: token_of(args, &choice),
            }
        }
    };
    let withholds = !config::is_tls(&config.cluster_url) && sent_as.is_some();
    let sent_as = match sent_as {
        Some(_) if withholds => "without credentials".to_owned(),
        Some(text) => text,
        None => "without any credentials".to_owned(),
    };
    let sent_as = match &config.auth_info.impersonate {
        Some(name) => format!("{sent_as}, acting as `{name}`"),
        None => sent_as,
    };
    let named = kubeconfig_proxy.as_ref().map(|(cluster, url)| (cluster.as_str(), url.as_str()));
    let proxy = proxy::choose(&config.cluster_url, named, environment)?;
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let from_flag = args.server.is_some();
    let endpoint = Endpoint { sent_as, withholds, proxy, from_flag, ..place(&config.cluster_url) };

    let exec = config.auth_info.exec.take();
    let user = &config.auth_info;
    // Like kubectl: a token or a password takes precedence over the plugin.
    let exec = exec.filter(|_| user.token.is_none() && user.token_file.is_none() && user.username.is_none());
    let login = Login { config, exec, token_of };
    open(login, endpoint, namespace, args, progress).await
}

/// Prepares a connection to a server other than the API server. Nothing of the kubeconfig is used, and no credentials are sent.
pub(crate) async fn connect_anonymously(
    url: Uri,
    args: &ConnectionArgs,
    environment: &Environment,
    progress: Arc<dyn Progress>,
) -> Result<ApiServer> {
    let config = Config::new(url);
    let proxy = proxy::choose(&config.cluster_url, None, environment)?;
    let endpoint = Endpoint { proxy, sent_as: "without any credentials".to_owned(), ..place(&config.cluster_url) };
    let login = Login { config, exec: None, token_of: String::new() };
    open(login, endpoint, String::new(), args, progress).await
}

/// Sets what the HTTP library does otherwise, and begins a session.
async fn open(
    mut login: Login,
    endpoint: Endpoint,
    namespace: String,
    args: &ConnectionArgs,
    progress: Arc<dyn Progress>,
) -> Result<ApiServer> {
    login.config.proxy_url = endpoint.proxy.as_ref().map(|proxy| proxy.url.clone());
    login.config.default_retry = false;
    login.config.connect_timeout = Some(CONNECT_TIMEOUT);
    login.config.headers.push((header::USER_AGENT, user_agent()));
    let session = login.log_in(&progress).await?;
    Ok(ApiServer {
        endpoint,
        namespace,
        timeout: Some(args.request_timeout.unwrap_or(REQUEST_TIMEOUT)).filter(|limit| !limit.is_zero()),
        verbosity: args.verbosity,
        progress,
        silenced: None,
        login,
        session: Mutex::new(session),
    })
}

/// The connection's configuration, and its description for messages.
struct Source {
    config: Config,
    /// The cluster's name and its `proxy-url`.
    proxy: Option<(String, String)>,
    /// Description of the credentials, if there are any.
    sent_as: Option<String>,
    /// Description of the token, for the error if it cannot be sent.
    token_of: String,
}

/// Returns the configuration of the pod's service account, with the overrides of the flags.
fn in_pod(args: &ConnectionArgs) -> Result<Source> {
    let config = Config::incluster().map_err(|error| {
        Error::usage("no kubeconfig found, and this pod has no service account to use")
            .caused_by(error.to_string())
            .hint("use --kubeconfig FILE")
    })?;
    as_in_pod(config, args)
}

fn as_in_pod(mut config: Config, args: &ConnectionArgs) -> Result<Source> {
    let mut sent_as = "as the service account of this pod";
    if let Some(token) = &args.token {
        config.auth_info = AuthInfo { token: Some(token.clone()), ..AuthInfo::default() };
        sent_as = WITH_TOKEN;
    }
    overrides::impersonation(args, &mut config.auth_info)?;
    Ok(Source { config, proxy: None, sent_as: Some(sent_as.to_owned()), token_of: TOKEN_OF_FLAG.to_owned() })
}

const WITH_TOKEN: &str = "with the token of --token";
const TOKEN_OF_FLAG: &str = "the token of --token";

/// Returns a description of the credentials, if there are any, for the error if the server rejects them.
fn sent_as(args: &ConnectionArgs, choice: &Choice) -> Option<String> {
    let user = &choice.user;
    let bare = user.token.is_none()
        && user.token_file.is_none()
        && user.username.is_none()
        && user.exec.is_none()
        && user.auth_provider.is_none()
        && user.client_certificate.is_none()
        && user.client_certificate_data.is_none();
    Some(match (&args.token, &args.username, &args.client_certificate) {
        (Some(_), ..) => WITH_TOKEN.to_owned(),
        (_, Some(name), _) => format!("as user `{name}` of --username"),
        (.., Some(file)) => format!("with the client certificate `{}`", file.display()),
        _ if bare => return None,
        _ => format!("as user `{}` of {}", choice.user_name, choice.files),
    })
}

fn token_of(args: &ConnectionArgs, choice: &Choice) -> String {
    match &args.token {
        Some(_) => TOKEN_OF_FLAG.to_owned(),
        None => format!("the token of user `{}` in {}", choice.user_name, choice.files),
    }
}

fn place(url: &Uri) -> Endpoint {
    let port = url.port_u16().unwrap_or(if config::is_tls(url) { 443 } else { 80 });
    let host = url.host().unwrap_or_default();
    Endpoint {
        url: url::without_userinfo(url),
        address: format!("{host}:{port}"),
        host: host.trim_matches(['[', ']']).to_owned(),
        ..Endpoint::default()
    }
}

/// Returns `kubectl-canary-traefik/0.1.0 (linux/amd64)`, with Go's names for system and architecture, as other clients
/// send.
pub(super) fn user_agent() -> http::HeaderValue {
    let system = if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let text = format!("kubectl-canary-traefik/{} ({system}/{machine})", env!("CARGO_PKG_VERSION"));
    http::HeaderValue::try_from(text).unwrap_or_else(|_| http::HeaderValue::from_static("kubectl-canary-traefik"))
}

#[cfg(test)]
mod tests;
