//! The listeners: TLS or none, HTTP/1.1, and limits that nobody on the network can talk it out of. What a request means is
//! [`answer`](super::answer)'s.

use std::{
    collections::VecDeque,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::AbortHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Shared,
    answer::{self, Port},
};
use crate::error::{Error, Kind, Result};

/// An API server keeps a few connections.
const MOST_CONNECTIONS: usize = 512;
/// From the connection to the first whole request.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Between requests. Longer than clients keep an idle connection (Go: 90 s): whoever closes last never closes
/// under a request.
const IDLE: Duration = Duration::from_mins(5);
/// Bytes of a request's head.
const LARGEST_HEAD: usize = 32 << 10;
/// When no connection can be taken, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens for as long as the process lives. Without TLS only the gate can be asked.
pub(super) async fn listen(shared: Arc<Shared>, tls: Option<TlsAcceptor>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut guests = Guests::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if places.available_permits() == 0 {
            guests.send_one_away();
        }
        let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        let (shared, tls, asked) = (Arc::clone(&shared), tls.clone(), Arc::<AtomicU64>::default());
        let asks = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            serve(shared, stream, tls, asks).await;
            drop(place);
        });
        guests.add(task.abort_handle(), asked);
    }
}

/// Who is connected, oldest first, with the time of the last request (0: none so far). When there is no place left,
/// whoever has been silent for longest gives way, so that no number of idle connections keeps an API server out.
#[derive(Default)]
struct Guests(VecDeque<(AbortHandle, Arc<AtomicU64>)>);

impl Guests {
    fn add(&mut self, task: AbortHandle, asked: Arc<AtomicU64>) {
        if self.0.len() >= 2 * MOST_CONNECTIONS {
            self.0.retain(|(task, _)| !task.is_finished());
        }
        self.0.push_back((task, asked));
    }

    fn send_one_away(&mut self) {
        self.0.retain(|(task, _)| !task.is_finished());
        let silent = self.0.iter().enumerate().min_by_key(|(_, (_, asked))| asked.load(Relaxed));
        if let Some((task, _)) = silent.map(|(at, _)| at).and_then(|at| self.0.remove(at)) {
            task.abort();
        }
    }
}

/// TLS with whatever certificate the process shows at the time.
///
/// # Errors
///
/// This program was built without a protocol version.
pub(super) fn acceptor(shared: &Shared) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Error::new(Kind::Bug, format!("no TLS: {error}")))?;
    let mut config = config.with_no_client_auth().with_cert_resolver(Arc::clone(&shared.identity) as _);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// One connection, to its end.
async fn serve(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>, asked: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return converse(shared, stream, Port::Gate, asked).await };
    let Ok(Ok(stream)) = tokio::time::timeout(FIRST_REQUEST, shake_hands(stream, tls)).await else { return };
    converse(shared, stream, Port::Whole, asked).await;
}

/// Answers on a connection, to its end.
async fn converse(
    shared: Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    port: Port,
    asked: Arc<AtomicU64>,
) {
    let service = service_fn(|request| {
        let (shared, asked) = (Arc::clone(&shared), Arc::clone(&asked));
        async move {
            let response = answer::answer(&shared, port, request).await;
            asked.store(now(), Relaxed);
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(LARGEST_HEAD).half_close(false);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut draining = shared.draining.subscribe();
    let mut first = pin!(tokio::time::sleep(FIRST_REQUEST));
    loop {
        tokio::select! {
            // However it ended: there is nobody to tell.
            _ = connection.as_mut() => return,
            () = first.as_mut(), if asked.load(Relaxed) == 0 => {
                if asked.load(Relaxed) == 0 {
                    return;
                }
            }
            () = begins(&mut draining) => break,
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs())
}

async fn begins(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}

/// TLS, or a word to a client that does not speak it.
async fn shake_hands(
    mut stream: TcpStream,
    tls: TlsAcceptor,
) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
    const WORD: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
        content-length: 37\r\n\r\nthis port speaks https and not http.\n";
    let mut first = [0];
    stream.peek(&mut first).await?;
    // Methods begin with a letter, TLS with 0x16.
    if first[0].is_ascii_alphabetic() {
        // What is left unread would break the connection off before the word arrives.
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(WORD).await?;
        stream.shutdown().await?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    tls.accept(stream).await
}
