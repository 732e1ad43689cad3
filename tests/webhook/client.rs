//! A client that sends to the guard's port what it likes.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use testbed::wait::PATIENCE;

/// Far longer than anything the guard waits for.
const LIMIT: Duration = PATIENCE;

/// A connection over TLS.
pub(super) struct Client(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Client {
    /// Connects to the port and accepts the certificate of these authorities for this name.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificate, or the connection.
    pub(super) fn connect(port: u16, authorities: &[u8], name: &str) -> std::io::Result<Self> {
        Self::speaks(port, authorities, name, rustls::DEFAULT_VERSIONS, &[])
    }

    /// The same with these versions of TLS, and these protocols to choose from.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificate, or the connection.
    pub(super) fn speaks(
        port: u16,
        authorities: &[u8],
        name: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
        protocols: &[&str],
    ) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            roots.add(certificate.expect("PEM")).expect("a certificate");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
        let mut config = config.expect("TLS").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut stream = StreamOwned::new(connection, plain(port));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self(BufReader::new(stream)))
    }

    /// The certificate that was shown.
    pub(super) fn certificate(&self) -> Vec<u8> {
        self.0.get_ref().conn.peer_certificates().expect("a certificate")[0].to_vec()
    }

    /// Sends these bytes, as far as they are taken.
    pub(super) fn sends(&mut self, bytes: &[u8]) {
        let stream = self.0.get_mut();
        let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    }

    /// Posts a body and returns the status and the body of the answer.
    pub(super) fn posts(&mut self, path: &str, body: &[u8]) -> (u16, String) {
        self.begins(path, body);
        self.answer()
    }

    /// Posts a body, and leaves the answer to be read.
    pub(super) fn begins(&mut self, path: &str, body: &[u8]) {
        let head = format!("POST {path} HTTP/1.1\r\nhost: guard\r\ncontent-length: {}\r\n\r\n", body.len());
        self.sends(&[head.as_bytes(), body].concat());
    }

    /// Waits a moment for anything to read; false when the connection is closed or an answer is there.
    pub(super) fn is_open(&mut self) -> bool {
        let limit = |client: &Self, limit| client.0.get_ref().sock.set_read_timeout(Some(limit)).expect("a limit");
        limit(self, Duration::from_millis(200));
        let result = self.0.fill_buf().map(<[u8]>::len);
        limit(self, LIMIT);
        result.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// The statuses of all answers until the connection is closed.
    pub(super) fn statuses(&mut self) -> Vec<u16> {
        std::iter::repeat_with(|| self.answer().0).take_while(|status| *status != 0).collect()
    }

    /// Gets a path.
    pub(super) fn gets(&mut self, path: &str) -> (u16, String) {
        self.sends(format!("GET {path} HTTP/1.1\r\nhost: guard\r\n\r\n").as_bytes());
        self.answer()
    }

    /// Reads an answer; the status is 0 when the connection is closed instead.
    pub(super) fn answer(&mut self) -> (u16, String) {
        let mut status = 0;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return (0, String::new());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().expect("a status");
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the body is as long as it says");
        (status, String::from_utf8(body).expect("UTF-8"))
    }
}

/// A connection without TLS.
pub(super) fn plain(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}
