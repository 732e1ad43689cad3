//! The HTTP client under every call: kube's layers on a connection of our own making. kube's own leaves
//! Nagle's algorithm on, and since a TLS handshake ends with a small write that the server acknowledges late, every
//! new connection would cost 40 ms.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use hyper_util::{
    client::legacy::{
        Client as HttpClient,
        connect::{
            Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
    },
    rt::TokioExecutor,
};
use kube::{Client, Config, client::ConfigExt};
use tower::{BoxError, Service, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::{config, url};

/// Silence on a connection before the system asks whether the other side is still there, and how it goes on asking.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;

/// Builds the client, through the proxy if the configuration names one.
///
/// # Errors
///
/// Certificates or credentials cannot be used, or the proxy's kind is not known.
pub(crate) fn client(config: Config) -> Result<Client, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(config.connect_timeout);
    // A peer that vanished without a word is found by the system within half a minute.
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
    let Some(proxy) = config.proxy_url.clone() else { return over(config, tcp) };
    match proxy.scheme_str() {
        Some("socks5") => over(config, SocksV5::new(proxy, tcp)),
        Some("http") => over(config, with_credentials(&proxy, Tunnel::new(proxy.clone(), tcp))),
        Some("https") => {
            let tls = config.rustls_https_connector_with_connector(tcp)?;
            over(config, with_credentials(&proxy, Tunnel::new(proxy.clone(), tls)))
        }
        _ => Err(kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy) }),
    }
}

fn over<C>(config: Config, connector: C) -> Result<Client, kube::Error>
where
    C: 'static + Clone + Send + Sync + Service<Uri>,
    C::Response: 'static + Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin,
    C::Future: 'static + Send,
    C::Error: 'static + Send + Sync + std::error::Error,
{
    let http =
        HttpClient::builder(TokioExecutor::new()).build(config.rustls_https_connector_with_connector(connector)?);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        // Whatever else goes wrong: never over a connection that others can read.
        .option_layer(if config::is_tls(&config.cluster_url) { config.auth_layer()? } else { None })
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}

/// With the user and the password of the proxy's URL (RFC 9110 section 11.7.2).
fn with_credentials<C>(proxy: &Uri, tunnel: Tunnel<C>) -> Tunnel<C> {
    let header = url::userinfo(proxy).and_then(|(user, password)| {
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode([&*user, b":", &*password].concat()))).ok()
    });
    match header {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}
