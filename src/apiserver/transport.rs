//! The HTTP client: kube's layers on our own connector. kube's connector leaves Nagle's algorithm enabled. Since a TLS
//! handshake ends with a small write that the server acknowledges late, every new connection would take 40 ms longer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
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
///
/// # Errors
///
/// Certificates cannot be used.
pub(crate) fn client_over(config: Config, connector: AnyConnector) -> Result<Client> {
    let tls = Tls::new(&config)?;
    over(config, &tls, connector)
}

/// Opens connections, whatever they lead through. TLS and HTTP over each type of its own would be compiled for each.
pub(crate) type AnyConnector = BoxCloneSyncService<Uri, AnyStream, BoxError>;

/// A connection of any type.
pub(crate) struct AnyStream(Pin<Box<dyn Stream>>);

trait Stream: Connection + Read + Write + Send {}

impl<T: Connection + Read + Write + Send> Stream for T {}

/// Forgets the type of the connections.
pub(crate) fn any<C>(connector: C) -> AnyConnector
where
    C: 'static + Clone + Send + Sync + Service<Uri>,
    C::Response: 'static + Connection + Read + Write + Send,
    C::Future: 'static + Send,
    C::Error: 'static + Into<BoxError>,
{
    let boxed = |stream: C::Response| AnyStream(Box::pin(stream));
    BoxCloneSyncService::new(ServiceBuilder::new().map_response(boxed).map_err(Into::into).service(connector))
}

impl Connection for AnyStream {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

impl Read for AnyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buffer)
    }
}

impl Write for AnyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write_vectored(cx, buffers)
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
            Error::usage("--tls-server-name is neither a host name nor an address").hint("--tls-server-name NAME")
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
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::{Arc, Mutex},
    };

    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use crate::apiserver::{
        Call, ConnectionArgs, Verb,
        testing::{Folder, Server, connected, json as reply, testdata},
    };

    /// Starts a SOCKS proxy that requires a user and a password (RFC 1928, RFC 1929), and returns its port and the
    /// credentials it receives.
    async fn proxy(accepts: bool) -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, heard) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let all = Arc::clone(&heard);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let heard = Arc::clone(&heard);
                tokio::spawn(async move { serve(&mut client, accepts, &heard).await });
            }
        });
        (port, all)
    }

    async fn serve(client: &mut TcpStream, accepts: bool, heard: &Mutex<Vec<String>>) -> Option<()> {
        let [_, count] = read(client).await?;
        let mut methods = vec![0; usize::from(count)];
        client.read_exact(&mut methods).await.ok()?;
        if !methods.contains(&2) {
            client.write_all(&[5, 0xff]).await.ok()?;
            return None;
        }
        client.write_all(&[5, 2]).await.ok()?;
        let [_, length] = read(client).await?;
        let user = text(client, length).await?;
        let [length] = read(client).await?;
        let password = text(client, length).await?;
        heard.lock().unwrap().push(format!("{user} {password}"));
        client.write_all(&[1, u8::from(!accepts)]).await.ok()?;
        let [_, _, _, kind, a, b, c, d, high, low] = read(client).await?;
        assert_eq!(kind, 1, "an address of version 4");
        let mut server = TcpStream::connect((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]))).await.ok()?;
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
        tokio::io::copy_bidirectional(client, &mut server).await.ok().map(drop)
    }

    async fn read<const N: usize>(client: &mut TcpStream) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        client.read_exact(&mut bytes).await.ok().map(|_| bytes)
    }

    async fn text(client: &mut TcpStream, length: u8) -> Option<String> {
        let mut bytes = vec![0; usize::from(length)];
        client.read_exact(&mut bytes).await.ok()?;
        String::from_utf8(bytes).ok()
    }

    /// Returns the error of a call through this proxy, as printed.
    async fn said(proxy_url: &str) -> Result<(), String> {
        let server = Server::start_tls("server.pem", [reply("200 OK", "{}")]).await;
        let folder = Folder::new("socks");
        let cluster =
            json!({"server": server.url(), "certificate-authority": testdata("ca.pem"), "proxy-url": proxy_url});
        let file = folder.write("config", &json!({"clusters": [{"name": "c", "cluster": cluster}]}).to_string());
        let flags =
            ConnectionArgs { kubeconfig: Some(file), cluster: Some("c".to_owned()), ..ConnectionArgs::default() };
        let call = Call { verb: Verb::Get, resource: "the version", namespace: None, name: None };
        let asked = connected(&flags).await.unwrap().ask(&call, "/version").await;
        asked.map(drop).map_err(|failure| {
            let error = crate::error::Error::from(failure);
            let causes = error.causes().iter().map(String::as_str);
            let all = std::iter::once(error.message()).chain(causes).chain(error.hints().into_iter().take(1));
            all.collect::<Vec<_>>().join("; ").replace(&server.address.to_string(), "SERVER")
        })
    }

    #[tokio::test]
    async fn a_socks_proxy_is_told_user_and_password_unescaped() {
        let (port, heard) = proxy(true).await;
        assert_eq!(said(&format!("socks5://me:p%40ss@127.0.0.1:{port}")).await, Ok(()));
        assert_eq!(said(&format!("socks5h://me@127.0.0.1:{port}")).await, Ok(()));
        assert_eq!(*heard.lock().unwrap(), ["me p@ss", "me "]);
    }

    #[tokio::test]
    async fn a_socks_proxy_that_refuses_is_told_apart() {
        let (port, _) = proxy(false).await;
        let proxy = format!("the proxy socks5://127.0.0.1:{port} (proxy-url of cluster `c`)");
        let hint = format!("socks5://USER:PASSWORD@127.0.0.1:{port}");
        assert_eq!(
            said(&format!("socks5://127.0.0.1:{port}")).await,
            Err(format!("{proxy} requires a user and a password; {hint}"))
        );
        assert_eq!(
            said(&format!("socks5://me:wrong@127.0.0.1:{port}")).await,
            Err(format!("{proxy} does not accept this user and password; {hint}"))
        );
    }
}
