//! Connections to ports of pods, through the API server and the kubelet: as `kubectl port-forward` makes them, over a
//! WebSocket (protocol `v4.channel.k8s.io`, k8s.io/cri-streaming `pkg/streaming/portforward/websocket.go`).

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::Uri;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, Join, ReadBuf, duplex, join, split},
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};
use tower::service_fn;

use super::{
    ApiServer, Call, Failure, Verb,
    request::{self, get},
    transport::{AnyConnector, any},
    websocket,
};
use crate::{
    error::{Error, MissingPermission, Result},
    model::NamespacedName,
};

/// How the server names the protocol.
const PROTOCOL: &str = "v4.channel.k8s.io";
/// The channels of the first port.
const DATA: u8 = 0;
const ERROR: u8 = 1;
/// The most bytes of a frame that is sent.
const PIECE: usize = 16 << 10;

/// A port of a pod.
#[derive(Clone)]
pub(crate) struct PodPort {
    /// The API server through which it is reached.
    pub server: Arc<ApiServer>,
    /// The pod.
    pub pod: NamespacedName,
    /// The port.
    pub port: u16,
}

/// What comes from a port of a pod.
pub(crate) struct Incoming {
    pieces: Receiver<io::Result<Vec<u8>>>,
    /// What of the last piece was not read yet.
    rest: Vec<u8>,
}

impl PodPort {
    /// Returns what opens a connection each time that one is needed.
    pub(super) fn connector(self) -> AnyConnector {
        any(service_fn(move |_: Uri| {
            let port = self.clone();
            async move { port.open().await.map(TokioIo::new).map_err(|error| io::Error::other(error.message().to_owned())) }
        }))
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// The API server refuses it, or does not reach the kubelet. Whether the pod has the port shows when it is used.
    pub(crate) async fn open(&self) -> Result<Join<Incoming, DuplexStream>> {
        let Self { server, pod, port } = self;
        let (namespace, name) = (pod.namespace.as_deref(), pod.name.as_str());
        let call = Call { verb: Verb::Create, resource: "pods/portforward", namespace, name: Some(name) };
        let pod_path = request::path("v1", "pods", namespace, Some(name));
        let path = format!("{pod_path}/portforward?ports={port}");
        let socket = async {
            let mut request = get(&path)?;
            let accepted = websocket::offer(request.headers_mut(), PROTOCOL);
            server.upgrade(&call, request, &accepted).await
        };
        let socket = socket.await.map_err(|failure: Failure| {
            let is_forbidden = failure.is_forbidden();
            let error = Error::from(failure);
            // For the second of the two permissions that it asks for, the server has other words.
            if !is_forbidden || error.missing_permission().is_some() {
                return error;
            }
            let namespace = pod.namespace.clone();
            error.for_lack_of(MissingPermission { verb: "create".into(), resource: call.resource.into(), namespace })
        })?;
        let (sender, pieces) = channel(16);
        let (outgoing, sent) = duplex(PIECE);
        tokio::spawn(relay(socket, sender, sent));
        Ok(join(Incoming { pieces, rest: Vec::new() }, outgoing))
    }
}

/// Moves bytes between the socket and a connection, until one of them ends.
async fn relay(socket: Upgraded, incoming: Sender<io::Result<Vec<u8>>>, mut outgoing: DuplexStream) {
    let (mut reader, writer) = split(TokioIo::new(socket));
    let writer = Mutex::new(writer);
    let receive = async {
        let received = receive(&mut reader, &incoming, &writer).await;
        if let Err(error) = received {
            // Whoever read until now has gone.
            let _ = incoming.send(Err(error)).await;
        }
    };
    let pass_on = async {
        let mut piece = vec![DATA; PIECE + 1];
        while let Ok(size @ 1..) = outgoing.read(&mut piece[1..]).await {
            if send(&writer, websocket::BINARY, &piece[..=size]).await.is_err() {
                return;
            }
        }
        let _ = send(&writer, websocket::CLOSE, &1000_u16.to_be_bytes()).await;
    };
    tokio::select! {
        () = receive => {}
        () = pass_on => {}
    }
}

async fn send(writer: &Mutex<impl AsyncWrite + Unpin>, kind: u8, payload: &[u8]) -> io::Result<()> {
    writer.lock().await.write_all(&websocket::frame(kind, payload)).await
}

/// Passes on what comes from the pod.
async fn receive(
    reader: &mut (impl AsyncRead + Unpin),
    incoming: &Sender<io::Result<Vec<u8>>>,
    writer: &Mutex<impl AsyncWrite + Unpin>,
) -> io::Result<()> {
    // The first message of each channel is the port.
    let (mut has_begun, mut channel) = ([false; 2], DATA);
    loop {
        let (kind, mut payload) = websocket::read(reader).await?;
        match kind {
            websocket::CLOSE => return Ok(()),
            websocket::PING => send(writer, websocket::PONG, &payload).await?,
            websocket::BINARY if payload.is_empty() => {}
            websocket::BINARY | websocket::CONTINUATION => {
                if kind == websocket::BINARY {
                    channel = payload.remove(0);
                }
                match has_begun.get_mut(usize::from(channel)) {
                    Some(has_begun) if !*has_begun => *has_begun = true,
                    _ if channel == ERROR => return Err(io::Error::other(String::from_utf8_lossy(&payload))),
                    _ if channel == DATA && incoming.send(Ok(payload)).await.is_err() => return Ok(()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl AsyncRead for Incoming {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.pieces.poll_recv(cx)) {
                Some(Ok(piece)) => self.rest = piece,
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Ok(())),
            }
        }
        let size = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..size]);
        self.rest.drain(..size);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a frame as a server sends it.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        [&[first, u8::try_from(payload.len()).unwrap()], payload].concat()
    }

    /// Returns what of these frames comes to the reader, what is answered, and the error at the end.
    async fn received(frames: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>, Option<String>) {
        let (sender, mut incoming) = channel(16);
        let writer = Mutex::new(Vec::new());
        let end = receive(&mut frames.concat().as_slice(), &sender, &writer).await;
        drop(sender);
        let mut all = Vec::new();
        while let Some(piece) = incoming.recv().await {
            all.extend(piece.unwrap());
        }
        (all, writer.into_inner(), end.err().map(|error| error.to_string()))
    }

    const BEGIN: u8 = 0x80 | websocket::BINARY;

    #[tokio::test]
    async fn data_comes_in_pieces_behind_the_port() {
        let port = [frame(BEGIN, &[DATA, 0x40, 0x1f]), frame(BEGIN, &[ERROR, 0x40, 0x1f])];
        let first = frame(websocket::BINARY, &[DATA, b'a', b'b']);
        let rest = frame(0x80 | websocket::CONTINUATION, b"c");
        let end = [frame(BEGIN, &[]), frame(0x80 | websocket::CLOSE, &[3, 232])];
        let (data, answered, error) = received(&[&port[..], &[first, rest], &end].concat()).await;
        assert_eq!((data.as_slice(), answered, error), (&b"abc"[..], Vec::new(), None));
    }

    #[tokio::test]
    async fn a_ping_is_answered_and_an_error_is_passed_on() {
        let port = [frame(BEGIN, &[DATA, 0, 0]), frame(BEGIN, &[ERROR, 0, 0])];
        let ping = frame(0x80 | websocket::PING, b"hi");
        let failed = frame(BEGIN, b"\x01no such port");
        let (data, answered, error) = received(&[&port[..], &[ping, failed]].concat()).await;
        assert_eq!((data, error.as_deref()), (Vec::new(), Some("no such port")));
        assert_eq!((answered[0], answered.len()), (0x80 | websocket::PONG, 2 + 4 + 2));
        let (_, _, error) = received(&port).await;
        assert_eq!(error.as_deref(), Some("early eof"));
    }
}
