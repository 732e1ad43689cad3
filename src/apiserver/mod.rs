//! A Kubernetes API server: the connection to it, requests and watches, and the meaning of its errors. Knows no Canary
//! and prints nothing.

mod access_review;
pub(crate) mod backoff;
mod call;
mod collection;
mod config;
mod connect;
mod crypto;
mod endpoint;
mod error;
mod exec;
mod flags;
mod http;
mod identity;
mod items;
mod kubeconfig;
pub(crate) mod list;
mod login;
mod overrides;
pub(crate) mod parts;
pub(crate) mod port_forward;
mod progress;
mod proxy;
pub(crate) mod request;
mod retry;
mod sentence;
pub(crate) mod site;
pub(crate) mod status;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod transport;
mod trust;
mod url;
mod warnings;
mod watch;
mod websocket;

use std::{sync::Arc, time::Duration};

pub(crate) use self::parts::read as read_part;
pub(crate) use self::{
    access_review::Action,
    call::{Call, Verb},
    collection::Collection,
    connect::{connect, connect_anonymously},
    error::Failure,
    flags::{ConnectionArgs, duration, group_repeatable_flags, without_secrets},
    http::Answer,
    kubeconfig::{Part as KubeconfigPart, names as in_kubeconfig},
    parts::Part,
    progress::{Progress, Silent},
    url::{read as read_url, read_without_credentials},
    watch::Event,
};

/// A connection to one API server as one user. Nothing is sent before the first call.
pub struct ApiServer {
    endpoint: endpoint::Endpoint,
    namespace: String,
    timeout: Option<Duration>,
    verbosity: u8,
    progress: Arc<dyn Progress>,
    /// A warning of the server's that is an answer to this program, not news for people.
    silenced: Option<&'static str>,
    login: login::Login,
    session: tokio::sync::Mutex<login::Session>,
}

impl ApiServer {
    /// Returns the namespace to use: the flag's, else the context's, else `default`.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Does not show this warning of the server.
    #[must_use]
    pub fn silencing(self, warning: &'static str) -> Self {
        Self { silenced: Some(warning), ..self }
    }

    /// Returns the server's URL, without credentials.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Returns the progress display.
    pub fn progress(&self) -> &dyn Progress {
        &*self.progress
    }
}
