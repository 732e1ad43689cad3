//! The listeners: with or without TLS, HTTP/1.1 only, with limits that no client can circumvent. Requests are handled
//! in `answer`.

use std::{
    collections::VecDeque,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::AbortHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    error::{Error, Kind, Result},
    guard::webhook::{MUTATE, VALIDATE},
    guard_server::{
        answer::{self, Port},
        shared::Shared,
    },
};

/// Timeout for the TLS handshake, and for the first complete request from its first byte on.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Idle timeout before the first request and between requests. It is longer than that of clients (Go: 90 s), so that
/// the server never closes a connection on which a request is just being sent: Go opens connections in advance and
/// uses them later, and does not repeat a POST that was lost (`shouldRetryRequest` of net/http/transport.go).
const IDLE: Duration = Duration::from_mins(5);
/// Maximum size of a request head, in bytes.
const LARGEST_HEAD: usize = 32 << 10;
/// Pause when no connection can be accepted for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(10);

impl Port {
    /// Returns the maximum number of connections, given the process's descriptor limit. An API server keeps a few open.
    /// The ports do not share their quotas, and the rest is reserved for connections to the API server.
    fn most_connections(self, descriptors: u64) -> usize {
        const REST: u64 = 48;
        let free = descriptors.saturating_sub(REST);
        let most = match self {
            Self::Whole => (free * 3 / 4).min(256),
            Self::Gate => (free / 8).min(64),
        };
        usize::try_from(most).unwrap_or_default().max(1)
    }
}

/// Raises the descriptor limit to its maximum and returns it.
pub(super) fn raise_descriptor_limit() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // If that fails, fewer connections are allowed.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        getrlimit(Resource::Nofile).current.unwrap_or(MOST_DESCRIPTORS).min(MOST_DESCRIPTORS)
    }
    #[cfg(not(unix))]
    MOST_DESCRIPTORS
}

/// Cap on the descriptor limit; more are of no use.
const MOST_DESCRIPTORS: u64 = 1 << 16;

/// Accepts connections until aborted. Without TLS only the paths for Flagger and health are available.
pub(super) async fn listen(shared: Arc<Shared>, tls: Option<TlsAcceptor>, listener: TcpListener, descriptors: u64) {
    let port = if tls.is_some() { Port::Whole } else { Port::Gate };
    let most = port.most_connections(descriptors);
    let places = Arc::new(Semaphore::new(most));
    let mut connections = Connections::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            connections.evict_idlest(most);
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if places.available_permits() == 0 {
            connections.evict_idlest(most);
        }
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (shared, tls, connection) = (Arc::clone(&shared), tls.clone(), Arc::new(Connection::new()));
        let task = tokio::spawn({
            let connection = Arc::clone(&connection);
            async move {
                serve(shared, stream, tls, connection).await;
                drop(place);
            }
        });
        connections.add(most, task.abort_handle(), connection);
    }
}

/// A connection.
#[derive(Debug)]
struct Connection {
    /// Time of the connection, or of its last request or response, in milliseconds since 1970.
    active: AtomicU64,
    /// Whether a response has been sent.
    has_asked: AtomicBool,
    /// Whether an admission review has been answered, as on the connections that API servers keep open.
    has_reviewed: AtomicBool,
}

impl Connection {
    fn new() -> Self {
        Self { active: AtomicU64::new(now()), has_asked: AtomicBool::new(false), has_reviewed: AtomicBool::new(false) }
    }

    fn note_activity(&self) {
        self.active.store(now(), Relaxed);
    }
}

/// The open connections, oldest first. If the limit is reached, the connection with the longest inactivity is closed,
/// so neither idle connections nor requests that never end keep an API server out: a new connection is always the last
/// to go. As long as at most half of them have brought reviews, these stay: a flood of other requests would else close the
/// idle connection of an API server in the very moment in which it sends a review on it.
#[derive(Default)]
struct Connections(VecDeque<(AbortHandle, Arc<Connection>)>);

impl Connections {
    fn add(&mut self, most: usize, task: AbortHandle, connection: Arc<Connection>) {
        if self.0.len() >= 2 * most {
            self.0.retain(|(task, _)| !task.is_finished());
        }
        self.0.push_back((task, connection));
    }

    fn evict_idlest(&mut self, most: usize) {
        self.0.retain(|(task, _)| !task.is_finished());
        let has_reviewed = |connection: &Connection| connection.has_reviewed.load(Relaxed);
        let reviewing = self.0.iter().filter(|(_, connection)| has_reviewed(connection)).count();
        let is_kept = |connection: &Connection| has_reviewed(connection) && 2 * reviewing <= most;
        let key = |connection: &Connection| (is_kept(connection), connection.active.load(Relaxed));
        let silent = self.0.iter().enumerate().min_by_key(|(_, (_, connection))| key(connection));
        if let Some((task, _)) = silent.map(|(at, _)| at).and_then(|at| self.0.remove(at)) {
            task.abort();
        }
    }
}

/// Returns a TLS acceptor that serves the current certificate.
///
/// # Errors
///
/// This program was built without any TLS protocol version.
pub(super) fn acceptor(shared: &Shared) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Error::new(Kind::Bug, format!("no TLS: {error}")))?;
    let mut config = config.with_no_client_auth().with_cert_resolver(Arc::clone(&shared.identity) as _);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves one connection until it ends.
async fn serve(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>, connection: Arc<Connection>) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve_connection(shared, Box::new(stream), Port::Gate, connection).await };
    let Ok(Ok(stream)) = tokio::time::timeout(FIRST_REQUEST, accept_tls(stream, tls)).await else { return };
    serve_connection(shared, Box::new(stream), Port::Whole, connection).await;
}

/// A stream, with or without TLS. As a trait object, since each type would have an HTTP server of its own in the executable.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Answers the requests of a connection until it ends.
async fn serve_connection(shared: Arc<Shared>, stream: Box<dyn Stream>, port: Port, connection: Arc<Connection>) {
    let service = service_fn(|request| {
        let (shared, connection) = (Arc::clone(&shared), Arc::clone(&connection));
        connection.note_activity();
        let is_review = matches!(request.uri().path(), MUTATE | VALIDATE);
        async move {
            let response = answer::answer(&shared, port, request).await;
            connection.note_activity();
            if is_review && response.status() == hyper::StatusCode::OK {
                connection.has_reviewed.store(true, Relaxed);
            }
            connection.has_asked.store(true, Relaxed);
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut draining = shared.shutdown.draining.subscribe();
    // It holds only the byte that is waited for.
    let mut stream = BufReader::with_capacity(1, stream);
    tokio::select! {
        first = tokio::time::timeout(IDLE, stream.fill_buf()) => match first {
            Ok(Ok(bytes)) if !bytes.is_empty() => (),
            _ => return,
        },
        () = begins(&mut draining) => return,
    }
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(LARGEST_HEAD).half_close(false);
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut first = pin!(tokio::time::sleep(FIRST_REQUEST));
    loop {
        tokio::select! {
            // Errors of a connection are ignored.
            _ = served.as_mut() => return,
            () = first.as_mut(), if !connection.has_asked.load(Relaxed) => {
                if !connection.has_asked.load(Relaxed) {
                    return;
                }
            }
            () = begins(&mut draining) => break,
        }
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn begins(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}

/// Performs the TLS handshake, or answers a client that uses plain HTTP with an error.
async fn accept_tls(mut stream: TcpStream, tls: TlsAcceptor) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
    const WORD: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
        content-length: 34\r\n\r\nthis port speaks https, not http.\n";
    let mut first = [0];
    stream.peek(&mut first).await?;
    // HTTP methods begin with a letter, TLS handshakes with 0x16.
    if first[0].is_ascii_alphabetic() {
        // Unread data would reset the connection before the response arrives.
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(WORD).await?;
        stream.shutdown().await?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    tls.accept(stream).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the connections of a full listener, identified by their last activity, in the order in which they are
    /// closed. Each has brought a review or not.
    async fn closed(open: [(u64, bool); 4]) -> Vec<u64> {
        let mut connections = Connections::default();
        let mut tasks = Vec::new();
        for (active, has_reviewed) in open {
            let connection = Connection::new();
            connection.active.store(active, Relaxed);
            connection.has_reviewed.store(has_reviewed, Relaxed);
            let task = tokio::spawn(std::future::pending::<()>());
            connections.add(4, task.abort_handle(), Arc::new(connection));
            tasks.push((active, task));
        }
        let mut gone = Vec::new();
        while !tasks.is_empty() {
            connections.evict_idlest(4);
            tokio::task::yield_now().await;
            gone.extend(tasks.extract_if(.., |(_, task)| task.is_finished()).map(|(active, _)| active));
        }
        gone
    }

    #[tokio::test]
    async fn whoever_was_silent_for_longest_gives_way_and_whoever_has_just_come_is_last() {
        for has_reviewed in [false, true] {
            assert_eq!(closed([50, 10, 99, 30].map(|active| (active, has_reviewed))).await, [10, 30, 50, 99]);
        }
    }

    #[tokio::test]
    async fn who_brings_reviews_stays_unless_that_is_more_than_half() {
        assert_eq!(closed([(50, true), (10, true), (99, false), (30, false)]).await, [30, 99, 10, 50]);
        assert_eq!(closed([(10, true), (20, true), (30, true), (40, false)]).await, [10, 40, 20, 30]);
    }
}
