//! TLS in front of a server that speaks none, with the certificate that the unit tests have too; and certificates for servers
//! that have none.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use super::bed;

/// It ends when dropped.
pub struct Tls {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tls {
    /// Starts it on a free port of `127.0.0.1`.
    pub fn start(server: SocketAddr) -> Self {
        let chain = vec![CertificateDer::from_pem_file(testdata("server.pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(testdata("server.key")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("they fit");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (end, ended) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, acceptor, server) => {}
                    _ = ended => {}
                }
            });
        });
        Self { address, end: Some(end), thread: Some(thread) }
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The file with the authority that its certificate is from.
    pub fn authority() -> PathBuf {
        testdata("ca.pem")
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, server: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that leaves, or does not like the certificate, is none of the server's business.
            let Ok(mut client) = acceptor.accept(client).await else { return };
            let Ok(mut server) = TcpStream::connect(server).await else { return };
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}

/// A certificate or a key.
pub fn testdata(name: &str) -> PathBuf {
    bed::root().join("src/apiserver/testdata").join(name)
}

/// Writes a certificate for these names, with its authority, its key and the public one into a folder: `tls.crt`, `tls.key`,
/// `tls.pub`. On a curve: with RSA, making and using keys would be a tenth of what an API server has to compute.
pub fn issue(folder: &Path, names: &[&str]) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("names");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let write =
        |name: &str, text: String| std::fs::write(folder.join(name), text).expect("a file in a folder of the tests");
    write("tls.crt", certificate.pem() + &authority.pem());
    write("tls.key", key.serialize_pem());
    write("tls.pub", key.public_key_pem());
}
