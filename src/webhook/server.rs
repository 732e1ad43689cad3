//! The listeners: TLS or none, HTTP/1.1, and limits that nobody on the network can talk it out of. What a request means is
//! [`answer`](super::answer)'s.

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
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::AbortHandle,
};
use tokio_rustls::TlsAcceptor;

use super::{Shared, answer};
use crate::error::{Error, Kind, Result};

/// From the connection to the first whole request.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Between requests. Longer than clients keep an idle connection (Go: 90 s): whoever closes last never closes
/// under a request.
const IDLE: Duration = Duration::from_mins(5);
/// Bytes of a request's head.
const LARGEST_HEAD: usize = 32 << 10;
/// When no connection can be taken, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(10);

/// Whom a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// API servers, over TLS: everything.
    Whole,
    /// Flagger, whose webhooks cannot check our authority, without TLS: the gate, and how the process is.
    Gate,
}

impl Port {
    /// How many connections it has at most, of so many descriptors of this process. An API server keeps a few. The ports
    /// take nothing from each other, and the rest is for the way to the API server.
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

/// Has the system allow as many descriptors as it ever would; how many those are.
pub(super) fn raise_descriptor_limit() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        // Where that is not allowed, there are fewer connections.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        getrlimit(Resource::Nofile).current.unwrap_or(MOST_DESCRIPTORS).min(MOST_DESCRIPTORS)
    }
    #[cfg(not(unix))]
    MOST_DESCRIPTORS
}

/// More are of no use.
const MOST_DESCRIPTORS: u64 = 1 << 16;

/// Listens for as long as the process lives. Without TLS only the gate can be asked.
pub(super) async fn listen(shared: Arc<Shared>, tls: Option<TlsAcceptor>, listener: TcpListener, descriptors: u64) {
    let port = if tls.is_some() { Port::Whole } else { Port::Gate };
    let most = port.most_connections(descriptors);
    let places = Arc::new(Semaphore::new(most));
    let mut guests = Guests::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            guests.send_one_away();
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if places.available_permits() == 0 {
            guests.send_one_away();
        }
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (shared, tls, guest) = (Arc::clone(&shared), tls.clone(), Arc::new(Guest::new()));
        let task = tokio::spawn({
            let guest = Arc::clone(&guest);
            async move {
                serve(shared, stream, tls, guest).await;
                drop(place);
            }
        });
        guests.add(most, task.abort_handle(), guest);
    }
}

/// A connection.
#[derive(Debug)]
struct Guest {
    /// When it was made, or last asked or was answered, in milliseconds since 1970.
    active: AtomicU64,
    /// Whether it has been answered so far.
    has_asked: AtomicBool,
}

impl Guest {
    fn new() -> Self {
        Self { active: AtomicU64::new(now()), has_asked: AtomicBool::new(false) }
    }

    fn is_active(&self) {
        self.active.store(now(), Relaxed);
    }
}

/// Who is connected, oldest first. When there is no place left, whoever has been silent for longest gives way, so that no
/// number of idle connections, nor of requests that never end, keeps an API server out: whoever has just come is last.
#[derive(Default)]
struct Guests(VecDeque<(AbortHandle, Arc<Guest>)>);

impl Guests {
    fn add(&mut self, most: usize, task: AbortHandle, guest: Arc<Guest>) {
        if self.0.len() >= 2 * most {
            self.0.retain(|(task, _)| !task.is_finished());
        }
        self.0.push_back((task, guest));
    }

    fn send_one_away(&mut self) {
        self.0.retain(|(task, _)| !task.is_finished());
        let silent = self.0.iter().enumerate().min_by_key(|(_, (_, guest))| guest.active.load(Relaxed));
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
async fn serve(shared: Arc<Shared>, stream: TcpStream, tls: Option<TlsAcceptor>, guest: Arc<Guest>) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return converse(shared, stream, Port::Gate, guest).await };
    let Ok(Ok(stream)) = tokio::time::timeout(FIRST_REQUEST, shake_hands(stream, tls)).await else { return };
    converse(shared, stream, Port::Whole, guest).await;
}

/// Answers on a connection, to its end.
async fn converse(
    shared: Arc<Shared>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    port: Port,
    guest: Arc<Guest>,
) {
    let service = service_fn(|request| {
        let (shared, guest) = (Arc::clone(&shared), Arc::clone(&guest));
        guest.is_active();
        async move {
            let response = answer::answer(&shared, port, request).await;
            guest.is_active();
            guest.has_asked.store(true, Relaxed);
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
            () = first.as_mut(), if !guest.has_asked.load(Relaxed) => {
                if !guest.has_asked.load(Relaxed) {
                    return;
                }
            }
            () = begins(&mut draining) => break,
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The connections of a full listener, named by when each was last active, in the order in which they give way.
    #[tokio::test]
    async fn whoever_was_silent_for_longest_gives_way_and_whoever_has_just_come_is_last() {
        let mut guests = Guests::default();
        let mut tasks = Vec::new();
        for active in [50, 10, 99, 30] {
            let guest = Guest { active: AtomicU64::new(active), has_asked: AtomicBool::new(active != 99) };
            let task = tokio::spawn(std::future::pending::<()>());
            guests.add(4, task.abort_handle(), Arc::new(guest));
            tasks.push((active, task));
        }
        let mut gone = Vec::new();
        while !tasks.is_empty() {
            guests.send_one_away();
            tokio::task::yield_now().await;
            gone.extend(tasks.extract_if(.., |(_, task)| task.is_finished()).map(|(active, _)| active));
        }
        assert_eq!(gone, [10, 30, 50, 99]);
    }
}
