//! The little HTTP that the application, its users and Flagger's webhooks need.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, LazyLock},
};

use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::{Bytes, Incoming},
    client, server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};
use tokio_rustls::TlsConnector;

/// The thread on which all of it runs.
pub(crate) static RUNTIME: LazyLock<Handle> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
});

/// Runs to its end on that thread.
pub(crate) fn block_on<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, done) = std::sync::mpsc::channel();
    RUNTIME.spawn(async move { sender.send(work.await) });
    done.recv().expect("the work does not panic")
}

/// Answers on this port of every address, by what was asked and the address that was asked. The answers have
/// no body.
pub(crate) fn serve(port: u16, answer: fn(IpAddr, &Request<Incoming>) -> Response<Empty<Bytes>>) {
    let listener = block_on(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)));
    let listener = listener.unwrap_or_else(|error| panic!("cannot listen on port {port}: {error}"));
    RUNTIME.spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let Ok(address) = stream.local_addr().map(|address| address.ip()) else { continue };
            tokio::spawn(async move {
                let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(address, &request))));
                // A client that leaves in mid-answer is no fault of the server.
                let _ = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

/// A connection to a server.
pub(crate) struct Connection(client::conn::http1::SendRequest<Empty<Bytes>>);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: (Ipv4Addr, u16)) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        Self::over(stream).await
    }

    /// Connects over TLS to a server that has this certificate.
    pub(crate) async fn open_tls(
        address: (Ipv4Addr, u16),
        host: &str,
        certificate: CertificateDer<'static>,
    ) -> Result<Self, String> {
        let mut trusted = RootCertStore::empty();
        trusted.add(certificate).map_err(|error| error.to_string())?;
        let config = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        Self::over(stream.map_err(|error| error.to_string())?).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Self, String> {
        let (sender, connection) =
            client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Asks for a page with these cookies.
    pub(crate) async fn get(&mut self, host: &str, path: &str, cookies: &str) -> Result<Answer, String> {
        let mut request = Request::get(path).header(header::HOST, host);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        let request = request.body(Empty::new()).expect("a well-formed request");
        let answer = self.0.send_request(request).await.map_err(|error| format!("{path}: {error}"))?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| format!("{path}: {error}"))?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}
