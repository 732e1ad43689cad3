//! The HTTP client: kube's layers on our own connector. kube's connector leaves Nagle's algorithm enabled. Since a TLS
//! handshake ends with a small write that the server acknowledges late, every new connection would take 40 ms longer.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client as HttpClient,
        connect::{
            Connected, Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
    },
    rt::TokioExecutor,
};
use kube::{Client, Config, client::ConfigExt, config::AuthInfo};
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, ServerName},
    sign::SingleCertAndKey,
};
use tower::{BoxError, Service, ServiceBuilder, util::BoxCloneSyncService};
use tower_http::decompression::DecompressionLayer;

use crate::{
    apiserver::{config, crypto, identity, trust::Trust, url},
    error::{Error, Result},
};

/// TCP keepalive: idle time before the first probe, the interval of the probes, and their number.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;

/// Builds the client, with the proxy if the configuration has one.
///
/// # Errors
///
/// Certificates or credentials cannot be used, or the proxy's scheme is not supported.
pub(crate) fn client(config: Config) -> Result<Client> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    // A silently dead peer is detected within half a minute.
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
    let tls = Tls::new(&config)?;
    let Some(proxy) = config.proxy_url.clone() else { return over(config, &tls, any(tcp)) };
    match proxy.scheme_str() {
        Some("socks5") => {
            let tunnel = SocksV5::new(proxy.clone(), tcp);
            let text = |part| String::from_utf8(part).ok();
            match url::userinfo(&proxy).and_then(|(user, password)| text(user).zip(text(password))) {
                Some((user, password)) => over(config, &tls, any(tunnel.with_auth(user, password))),
                None => over(config, &tls, any(tunnel)),
            }
        }
        Some("http") => over(config, &tls, any(with_credentials(&proxy, Tunnel::new(proxy.clone(), tcp)))),
        Some("https") => {
            let tunnel = Tunnel::new(proxy.clone(), tls.over(any(tcp)));
            over(config, &tls, any(with_credentials(&proxy, tunnel)))
        }
        _ => Err(config::unusable(&kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy) })),
    }
}

/// Builds a client over these connections, without a proxy.
pub(crate) fn client_over(config: Config, connector: AnyConnector) -> Result<Client> {
    let tls = Tls::new(&config)?;
    over(config, &tls, connector)
}

/// Opens connections, whatever they lead through. TLS and HTTP over each type of its own would be compiled for each.
pub(crate) type AnyConnector = BoxCloneSyncService<Uri, AnyStream, BoxError>;

type AnyStream = Box<dyn Stream>;

/// A connection of any type.
pub(crate) trait Stream: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Stream for T {}

/// Forgets the type of the connections.
pub(crate) fn any<C>(connector: C) -> AnyConnector
where
    C: 'static + Clone + Send + Sync + Service<Uri>,
    C::Response: 'static + Stream,
    C::Future: 'static + Send,
    C::Error: 'static + Into<BoxError>,
{
    let boxed = |stream: C::Response| -> AnyStream { Box::new(stream) };
    BoxCloneSyncService::new(ServiceBuilder::new().map_response(boxed).map_err(Into::into).service(connector))
}

impl Connection for AnyStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// The TLS configuration of a connection.
struct Tls {
    config: ClientConfig,
    /// The name in the server's certificate, if it is not the host's.
    server_name: Option<ServerName<'static>>,
}

impl Tls {
    fn new(config: &Config) -> Result<Self> {
        let provider = Arc::new(crypto::provider());
        // For what kube sets up; it fails if that was done before.
        let _ = crypto::provider().install_default();
        let identity = identity::load(&config.auth_info, &provider)?;
        let trust = match &config.root_cert {
            Some(_) if config.root_cert_file.is_some() || config.accept_invalid_certs => None,
            Some(authorities) => {
                let authorities = authorities.iter().cloned().map(CertificateDer::from).collect();
                Some(Trust::new(authorities, &provider).ok_or_else(config::unusable_authority)?)
            }
            None => None,
        };
        let mut others = config.clone();
        others.auth_info = AuthInfo::default();
        if !needs_system_authorities(config) {
            others.root_cert = Some(Vec::new());
        }
        let mut tls = others.rustls_client_config().map_err(|error| config::unusable(&error))?;
        if let Some(trust) = trust {
            tls.dangerous().set_certificate_verifier(Arc::new(trust));
        }
        if let Some(identity) = identity {
            tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(identity));
        }
        let name = config.tls_server_name.clone().map(ServerName::try_from).transpose();
        let server_name = name.map_err(|_| {
            Error::usage("--tls-server-name is neither a host name nor an address").hint("use --tls-server-name NAME")
        })?;
        Ok(Self { config: tls, server_name })
    }

    fn over(&self, connector: AnyConnector) -> HttpsConnector<AnyConnector> {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.config.clone()).https_or_http();
        match &self.server_name {
            Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name.clone())),
            None => builder,
        }
        .enable_http1()
        .wrap_connector(connector)
    }
}

/// Returns whether certificates are checked against the system's authorities. Reading them takes longer than a request.
fn needs_system_authorities(config: &Config) -> bool {
    let is_proxy_tls = config.proxy_url.as_ref().is_some_and(config::is_tls);
    (config::is_tls(&config.cluster_url) || is_proxy_tls) && config.root_cert.is_none() && !config.accept_invalid_certs
}

fn over(config: Config, tls: &Tls, connector: AnyConnector) -> Result<Client> {
    let unusable = |error| config::unusable(&error);
    // Credentials are never sent over an unencrypted connection.
    let credentials = if config::is_tls(&config.cluster_url) { config.auth_layer().map_err(unusable)? } else { None };
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(credentials)
        .layer(config.extra_headers_layer().map_err(unusable)?)
        .map_err(BoxError::from)
        .service(HttpClient::builder(TokioExecutor::new()).build(tls.over(connector)));
    Ok(Client::new(service, config.default_namespace))
}

/// Adds the user and password of the proxy's URL (RFC 9110 section 11.7.2).
fn with_credentials<C>(proxy: &Uri, tunnel: Tunnel<C>) -> Tunnel<C> {
    let header = url::userinfo(proxy).and_then(|(user, password)| {
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode([&*user, b":", &*password].concat()))).ok()
    });
    match header {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}

#[cfg(test)]
mod tests;
