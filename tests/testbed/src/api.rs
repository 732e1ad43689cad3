//! A plain client of the API server for the tests' own use: one request, one answer, the code and the body
//! as they came. It does not retry, and asks under a name of its own.

use std::{
    path::Path,
    sync::{LazyLock, mpsc},
};

use futures_util::TryStreamExt as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::{Client, Config, client::Body, config::KubeConfigOptions, config::Kubeconfig, core::WatchEvent};
use serde_json::Value;
use tokio::runtime::Handle;

use super::wait::PATIENCE;

/// What the tests call themselves (a part of it becomes the field manager).
const USER_AGENT: &str = "canary-traefik-tests/0";

/// The thread on which every request of this process is made.
static NETWORK: LazyLock<Handle> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
});

/// A client for one user of one API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
}

/// The code and the body of an answer.
#[derive(Debug, Clone)]
#[must_use]
pub struct Answer {
    pub code: u16,
    pub text: String,
}

/// What a watch tells.
#[derive(Debug, Clone)]
pub enum Change {
    /// An object as it is from now on.
    Is(Value),
    /// An object that was deleted, as it was.
    Was(Value),
    /// The watch cannot go on from where it was to begin; what there is has to be read anew.
    Expired,
}

impl Api {
    /// The client that a kubeconfig file describes.
    ///
    /// # Errors
    ///
    /// What is wrong with the file.
    pub fn from_file(kubeconfig: &Path) -> Result<Self, String> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| error.to_string())?;
        Self::connect(async move { Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await })
    }

    /// The client of the current kubeconfig (`KUBECONFIG`, else the one in the home directory).
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn current() -> Result<Self, String> {
        Self::connect(async { Config::from_kubeconfig(&KubeConfigOptions::default()).await })
    }

    fn connect<E: std::fmt::Display + Send + 'static>(
        config: impl Future<Output = Result<Config, E>> + Send + 'static,
    ) -> Result<Self, String> {
        block_on(async move {
            let mut config = config.await.map_err(|error| error.to_string())?;
            config.default_retry = false;
            Client::try_from(config).map(|client| Self { client }).map_err(|error| error.to_string())
        })
    }

    /// Sends one request and returns the answer, whatever its code.
    ///
    /// # Errors
    ///
    /// When no answer came.
    pub fn send(&self, request: Request<Vec<u8>>) -> Result<Answer, String> {
        let client = self.client.clone();
        block_on(async move {
            let answer = client.send(request.map(Body::from)).await.map_err(|error| error.to_string())?;
            let code = answer.status().as_u16();
            let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Answer { code, text: String::from_utf8_lossy(&body).into_owned() })
        })
    }

    /// Like [`send`](Self::send), for a request that must be answered.
    pub fn ask(&self, method: &Method, path: &str, content: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("user-agent", USER_AGENT)
            .header("content-type", content)
            .header("accept", "application/json")
            .body(body.into())
            .expect("a well-formed request");
        self.send(request).unwrap_or_else(|error| panic!("no answer to {method} {path}: {error}"))
    }

    /// Every change of a collection after this resourceVersion; when it is empty, what there is and then every
    /// change. Ends when the server ends it or is gone.
    pub fn watch(&self, collection: &str, version: &str) -> mpsc::Receiver<Change> {
        let path = format!("{collection}?watch=true&resourceVersion={version}");
        let request = Request::get(path).header("user-agent", USER_AGENT).body(Vec::new());
        let request = request.expect("a well-formed request");
        let (sender, changes) = mpsc::channel();
        let client = self.client.clone();
        NETWORK.spawn(async move {
            let mut events = match client.request_events::<Value>(request).await {
                Ok(events) => std::pin::pin!(events),
                Err(kube::Error::Api(status)) if status.code == 410 => {
                    let _ = sender.send(Change::Expired);
                    return;
                }
                Err(_) => return,
            };
            while let Ok(Some(event)) = events.try_next().await {
                let change = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => Change::Is(object),
                    WatchEvent::Deleted(object) => Change::Was(object),
                    WatchEvent::Error(status) if status.code == 410 => Change::Expired,
                    WatchEvent::Error(_) | WatchEvent::Bookmark(_) => continue,
                };
                if sender.send(change).is_err() {
                    return;
                }
            }
        });
        changes
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&Method::GET, path, "application/json", "")
    }

    pub fn post(&self, path: &str, object: &Value) -> Answer {
        self.ask(&Method::POST, path, "application/json", object.to_string())
    }

    pub fn merge(&self, path: &str, patch: &Value) -> Answer {
        self.ask(&Method::PATCH, path, "application/merge-patch+json", patch.to_string())
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.ask(&Method::DELETE, path, "application/json", "")
    }
}

impl Answer {
    /// The body of an answer that must be a success; `what` says what was asked for.
    pub fn expect(self, what: &str) -> Value {
        assert!(self.code < 300, "{what}: the server answered {}: {}", self.code, self.text);
        self.json()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    /// The server's own words in a refusal.
    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }
}

fn block_on<T: Send + 'static>(work: impl Future<Output = Result<T, String>> + Send + 'static) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    NETWORK.spawn(async move {
        let outcome = tokio::time::timeout(PATIENCE, work).await;
        let _ = sender.send(outcome.unwrap_or_else(|_| Err(format!("nothing within {} s", PATIENCE.as_secs()))));
    });
    receiver.recv().unwrap_or_else(|_| Err("the request was dropped".to_owned()))
}
