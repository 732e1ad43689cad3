//! A scripted HTTP server for faults that a real API server does not show at will: any status, header and
//! body, answers that break off, hang or never come. It records what it was asked.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use serde_json::{Value, json};

use super::{directory::Directory, tls::Tls};

/// One answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole answer.
    Whole { code: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// The head and the beginning of a body that claims to be longer, then the end of the connection.
    Broken { code: u16, body: Vec<u8> },
    /// The head and the beginning of a stream (as of a watch), which then stays open and silent.
    Open { code: u16, body: Vec<u8> },
    /// The head of a stream, and then whatever the test sends, until it drops the sender.
    Fed(Feed),
    /// No answer; the connection stays open until the client leaves.
    Hang,
    /// No answer; the connection is closed.
    Close,
}

/// What a test sends while an answer lasts.
type Feed = Arc<Mutex<Receiver<String>>>;

impl Reply {
    /// A stream, and the sender of its pieces.
    pub fn fed() -> (Sender<String>, Self) {
        let (sender, receiver) = channel();
        (sender, Self::Fed(Arc::new(Mutex::new(receiver))))
    }

    /// An answer in JSON.
    pub fn json(code: u16, value: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Whole { code, headers, body: value.to_string().into_bytes() }
    }

    /// A refusal as the API server words it: a `Status` with this reason and message.
    pub fn refusal(code: u16, reason: &str, message: &str) -> Self {
        let status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        });
        Self::json(code, &status)
    }

    /// An answer of any other kind.
    pub fn text(code: u16, content: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole { code, headers: vec![("content-type".to_owned(), content.to_owned())], body: body.into() }
    }

    /// One more header on a whole answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match &mut self {
            Self::Whole { headers, .. } => headers.push((name.to_owned(), value.to_owned())),
            other => panic!("{other:?} has no headers of one's choice"),
        }
        self
    }
}

/// One request as it came. Header names are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What stands after the `?`; empty without one.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Method, path and query in one line.
    pub fn line(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, self.query)
    }
}

#[derive(Default)]
struct State {
    /// Method, path, and the answers still to be given; the last one stays.
    script: Vec<(String, String, Vec<Reply>)>,
    requests: Vec<Request>,
    connections: Vec<TcpStream>,
    ended: bool,
}

/// The server; it ends when dropped.
pub struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    acceptor: Option<JoinHandle<()>>,
    tls: Option<Tls>,
    directory: Directory,
}

impl Fake {
    /// Starts it on a free port of `127.0.0.1`. What is not scripted is answered 404 as the API server does.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let acceptor = std::thread::spawn(move || {
            for connection in listener.incoming() {
                let connection = connection.expect("a connection can be accepted");
                let mut state = lock(&shared);
                if state.ended {
                    return;
                }
                state.connections.push(connection.try_clone().expect("a socket can be cloned"));
                drop(state);
                let shared = Arc::clone(&shared);
                // An error here is the client leaving, which is its right.
                std::thread::spawn(move || serve(&connection, &shared));
            }
        });
        Self { address, state, acceptor: Some(acceptor), tls: None, directory: Directory::new() }
    }

    /// The same over TLS, without which no credentials are sent.
    pub fn start_tls() -> Self {
        let mut fake = Self::start();
        fake.tls = Some(Tls::start(fake.address));
        fake
    }

    /// Answers `method` on `path` (without query) with these, one after the other; the last one for ever.
    pub fn on(&self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        let replies: Vec<_> = replies.into_iter().collect();
        assert!(!replies.is_empty(), "no answer for {method} {path}");
        let mut state = lock(&self.state);
        state
            .script
            .retain(|(known_method, known_path, _)| (known_method.as_str(), known_path.as_str()) != (method, path));
        state.script.push((method.to_owned(), path.to_owned(), replies));
        self
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state).requests.clone()
    }

    /// The requests so far as lines of method, path and query.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.state).requests.iter().map(Request::line).collect()
    }

    /// `http://127.0.0.1:PORT`, or `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.tls.as_ref().map_or_else(|| format!("http://{}", self.address), Tls::url)
    }

    /// A kubeconfig for it, with a token and the default namespace `shop`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_as(&json!({ "token": "fake" }))
    }

    /// A kubeconfig for it, with this user and the default namespace `shop`.
    pub fn kubeconfig_as(&self, user: &Value) -> PathBuf {
        let mut cluster = json!({ "server": self.url() });
        if self.tls.is_some() {
            cluster["certificate-authority"] = json!(Tls::authority());
        }
        let value = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{ "name": "fake", "context": { "cluster": "fake", "user": "fake", "namespace": "shop" } }],
            "clusters": [{ "name": "fake", "cluster": cluster }],
            "users": [{ "name": "fake", "user": user }],
        });
        self.directory.write("kubeconfig", format!("{value:#}\n"))
    }

    /// A directory of the server's own, for files that belong to the test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.ended = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // The acceptor waits for one more connection.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn serve(connection: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        let reply = answer(&mut lock(state), request);
        let mut writer = connection;
        match reply {
            Reply::Whole { code, headers, body } => {
                write!(writer, "HTTP/1.1 {code} -\r\n")?;
                for (name, value) in headers {
                    write!(writer, "{name}: {value}\r\n")?;
                }
                write!(writer, "content-length: {}\r\n\r\n", body.len())?;
                writer.write_all(&body)?;
            }
            Reply::Broken { code, body } => {
                write!(writer, "HTTP/1.1 {code} -\r\ncontent-type: application/json\r\n")?;
                write!(writer, "content-length: {}\r\n\r\n", body.len() + 1)?;
                writer.write_all(&body)?;
                return connection.shutdown(Shutdown::Both);
            }
            Reply::Open { code, body } => {
                write!(writer, "HTTP/1.1 {code} -\r\ncontent-type: application/json\r\n")?;
                write!(writer, "transfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len())?;
                writer.write_all(&body)?;
                writer.write_all(b"\r\n")?;
                return wait_for_the_client_to_leave(reader);
            }
            Reply::Fed(feed) => {
                write!(writer, "HTTP/1.1 {code} -\r\ncontent-type: application/json\r\n", code = 200)?;
                write!(writer, "transfer-encoding: chunked\r\n\r\n")?;
                let feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
                for piece in feed.iter() {
                    write!(writer, "{:x}\r\n{piece}\r\n", piece.len())?;
                }
                write!(writer, "0\r\n\r\n")?;
            }
            Reply::Hang => return wait_for_the_client_to_leave(reader),
            Reply::Close => return connection.shutdown(Shutdown::Both),
        }
    }
    Ok(())
}

fn answer(state: &mut State, request: Request) -> Reply {
    let row = state.script.iter_mut().find(|(method, path, _)| *method == request.method && *path == request.path);
    let reply = match row {
        Some((_, _, replies)) if replies.len() > 1 => replies.remove(0),
        Some((_, _, replies)) => replies[0].clone(),
        None => Reply::refusal(404, "NotFound", "the server could not find the requested resource"),
    };
    state.requests.push(request);
    reply
}

pub(crate) fn read_request(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, query, headers, body: String::new() };
    let mut body = Vec::new();
    if let Some(length) = request.header("content-length") {
        body.resize(length.parse().map_err(io::Error::other)?, 0);
        reader.read_exact(&mut body)?;
    } else if request.header("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(&read_line(reader)?, 16).map_err(io::Error::other)?;
            let begin = body.len();
            body.resize(begin + size, 0);
            reader.read_exact(&mut body[begin..])?;
            read_line(reader)?;
            if size == 0 {
                break;
            }
        }
    }
    request.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(request))
}

fn read_line(reader: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn wait_for_the_client_to_leave(mut reader: BufReader<&TcpStream>) -> io::Result<()> {
    io::copy(&mut reader, &mut io::sink()).map(drop)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
