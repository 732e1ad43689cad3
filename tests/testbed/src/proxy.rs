//! Between the program and a real API server: stops at every request, so that a test can do something at exactly that
//! moment. Everything else goes through as it is, as the administrator.

use std::{
    io::{self, BufReader, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;

use super::{
    api::Api,
    directory::Directory,
    fake::{Request, read_request},
};

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The program has sent it; the server has not got it.
    Before,
    /// The server has answered it; the program has not got the answer.
    After,
}

/// Called at each moment of each request, one call at a time; `false` ends the connection there.
type Hook = Box<dyn FnMut(&Request, Moment) -> bool + Send>;

/// The proxy; it takes no more connections once it is dropped.
pub struct Proxy {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    directory: Directory,
}

impl Proxy {
    /// Starts it on a free port of `127.0.0.1`, before this API server.
    pub fn start(api: &Api, hook: impl FnMut(&Request, Moment) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound socket has an address");
        let ended = Arc::new(AtomicBool::new(false));
        let (api, is_ended) = (api.clone(), Arc::clone(&ended));
        let hook: Arc<Mutex<Hook>> = Arc::new(Mutex::new(Box::new(hook)));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if is_ended.load(Ordering::Relaxed) {
                    return;
                }
                let connection = connection.expect("a connection can be accepted");
                let (api, hook) = (api.clone(), Arc::clone(&hook));
                // An error here is the client leaving, which is its right.
                std::thread::spawn(move || serve(&connection, &api, &hook));
            }
        });
        Self { address, ended, directory: Directory::new() }
    }

    /// A kubeconfig for it with this default namespace.
    pub fn kubeconfig(&self, namespace: &str) -> PathBuf {
        let value = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "bed",
            "contexts": [{ "name": "bed", "context": { "cluster": "bed", "namespace": namespace } }],
            "clusters": [{ "name": "bed", "cluster": { "server": format!("http://{}", self.address) } }],
        });
        self.directory.write("kubeconfig", format!("{value:#}\n"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The acceptor waits for one more connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(connection: &TcpStream, api: &Api, hook: &Mutex<Hook>) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = read_request(&mut reader)? {
        let goes_on = |moment| {
            let mut hook = hook.lock().unwrap_or_else(PoisonError::into_inner);
            hook(&request, moment)
        };
        if !goes_on(Moment::Before) {
            return connection.shutdown(Shutdown::Both);
        }
        let mark = if request.query.is_empty() { "" } else { "?" };
        let mut forwarded = http::Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}{mark}{}", request.path, request.query));
        for name in ["content-type", "accept", "user-agent"] {
            if let Some(value) = request.header(name) {
                forwarded = forwarded.header(name, value);
            }
        }
        let forwarded = forwarded.body(request.body.clone().into_bytes()).expect("it was a request before");
        let answer = api.send(forwarded).map_err(io::Error::other)?;
        if !goes_on(Moment::After) {
            return connection.shutdown(Shutdown::Both);
        }
        let mut writer = connection;
        let (code, length) = (answer.code, answer.text.len());
        // As the server has it: what it does not serve at all is answered in plain words.
        let kind = if answer.text.starts_with('{') { "application/json" } else { "text/plain" };
        write!(writer, "HTTP/1.1 {code} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n")?;
        writer.write_all(answer.text.as_bytes())?;
    }
    Ok(())
}
