//! A fake server for tests: listens on 127.0.0.1, gives prepared replies and records the requests. Plain or over TLS.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    apiserver::{ApiServer, ConnectionArgs, Progress, Silent, connect, crypto, endpoint::Endpoint},
    environment::Environment,
    error::Result,
};

/// A progress display that records everything.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Progress for Heard {
    fn warning(&self, _: &str) {}

    fn waiting(&self, what: &str, _: Duration) {
        self.0.lock().unwrap().push(format!("waiting for {what}"));
    }
    fn done(&self) {
        self.0.lock().unwrap().push("done".to_owned());
    }
    fn log(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

/// The server's reaction to a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends this text, head and body.
    Text(String),
    /// Sends this text and closes the connection.
    Cut(String),
    /// Never answers.
    Hang,
    /// Closes the connection.
    Close,
}

/// Returns an answer with this status line, headers and body.
pub(crate) fn reply(status: &str, headers: &[&str], body: &str) -> Reply {
    let length = format!("content-length: {}", body.len());
    let head = [&[&format!("HTTP/1.1 {status}"), length.as_str()], headers, &["", ""]].concat().join("\r\n");
    Reply::Text(format!("{head}{body}"))
}

/// Returns an answer in JSON.
pub(crate) fn json(status: &str, body: &str) -> Reply {
    reply(status, &["content-type: application/json"], body)
}

/// A running server. The last reply is repeated.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    is_tls: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::run(replies.into_iter().collect(), None).await
    }

    /// Starts a TLS server with this certificate from `testdata`.
    pub(crate) async fn start_tls(certificate: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::start_tls_with_key(certificate, "server.key", replies).await
    }

    pub(crate) async fn start_tls_with_key(
        certificate: &str,
        key: &str,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let chain = vec![CertificateDer::from_pem_file(testdata(certificate)).unwrap()];
        let key = PrivateKeyDer::from_pem_file(testdata(key)).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(crypto::provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::run(replies.into_iter().collect(), Some(Arc::new(config).into())).await
    }

    async fn run(replies: Vec<Reply>, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, is_tls) = (listener.local_addr().unwrap(), tls.is_some());
        let server = Self { address, is_tls, asked: Arc::default() };
        let (asked, replies) = (server.asked.clone(), Arc::new(replies));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (asked, replies, tls) = (asked.clone(), replies.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &asked, &replies).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &asked, &replies).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    /// Returns the complete requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the value of a header in each request, in order.
    pub(crate) fn heard(&self, header: &str) -> Vec<Option<String>> {
        let value = |request: String| {
            let lines = request.lines().filter_map(|line| line.split_once(": "));
            lines.into_iter().find_map(|(name, value)| (name == header).then(|| value.trim().to_owned()))
        };
        self.asked().into_iter().map(value).collect()
    }

    /// Returns `http://ADDRESS` or `https://ADDRESS`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.address)
    }

    /// Returns flags for this server.
    pub(crate) fn args(&self) -> ConnectionArgs {
        let certificate_authority = self.is_tls.then(|| testdata("ca.pem"));
        ConnectionArgs { server: Some(self.url()), certificate_authority, ..ConnectionArgs::default() }
    }

    /// Returns a kubeconfig for this server and user.
    pub(crate) fn kubeconfig(&self, user: &serde_json::Value) -> String {
        let mut cluster = serde_json::json!({"server": self.url()});
        if self.is_tls {
            cluster["certificate-authority"] = testdata("ca.pem").display().to_string().into();
        }
        serde_json::json!({
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
        })
        .to_string()
    }

    pub(crate) async fn connect(&self) -> ApiServer {
        connected(&self.args()).await.unwrap()
    }
}

/// Connects with these flags in an empty environment.
pub(crate) async fn connected(args: &ConnectionArgs) -> Result<ApiServer> {
    connect(args, &Environment::default(), Arc::new(Silent)).await
}

/// A temporary folder, removed on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // Tests run side by side, and may choose the same name.
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("canary-traefik-{name}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    #[expect(clippy::disallowed_methods, reason = "makes what a test reads")]
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Returns an endpoint that is never connected to.
pub(crate) fn nowhere() -> Endpoint {
    let text = |text: &str| text.to_owned();
    Endpoint {
        url: text("https://10.0.0.1:6443"),
        address: text("10.0.0.1:6443"),
        host: text("10.0.0.1"),
        sent_as: text("as user `jane` of config"),
        ..Endpoint::default()
    }
}

pub(crate) fn testdata(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/apiserver/testdata").join(name)
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, asked: &Mutex<Vec<String>>, replies: &[Reply]) {
    while let Some(request) = request(&mut stream).await {
        let count = {
            let mut asked = asked.lock().unwrap();
            asked.push(request);
            asked.len()
        };
        match &replies[count.min(replies.len()) - 1] {
            Reply::Text(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Cut(text) => return stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Hang => std::future::pending().await,
            Reply::Close => return,
        }
    }
}

/// Reads one request: the head, and the body that it announces.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        // The beginning of a TLS handshake.
        if bytes.first() == Some(&0x16) {
            return Some("not HTTP".to_owned());
        }
        if let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if bytes.len() >= head + 4 + length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Returns a port on which nothing listens, reserved while the socket lives.
pub(crate) fn closed_port() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}
