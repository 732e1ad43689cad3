//! The API server: connecting to it, its requests, and the meaning of its errors. Prints nothing.

mod acting;
mod config;
mod connect;
mod error;
mod exec;
mod flags;
mod follow;
mod guard;
mod http;
mod inside;
mod items;
mod kubeconfig;
mod list;
mod login;
mod object;
mod overrides;
mod parts;
mod permission;
mod progress;
mod proxy;
mod read;
mod retry;
mod sentence;
mod status;
mod support;
mod surroundings;
#[cfg(test)]
mod testing;
mod tls;
mod transport;
mod url;
mod versions;
mod warnings;
mod write;

use std::{sync::Arc, time::Duration};

pub use self::{
    acting::ActiveForms,
    connect::{connect, connect_quietly},
    error::Failure,
    flags::{ConnectionArgs, IgnoredArgs, Secret, duration, group_repeatable_flags, without_secrets},
    follow::{Collection, Event, ResourceVersion},
    http::{Answer, Call, Verb},
    kubeconfig::{Part as KubeconfigPart, names as in_kubeconfig},
    parts::Part,
    permission::Permission,
    progress::Progress,
    read::Selection,
    status::{Cause, Refusal},
    url::read as read_url,
    versions::Workload,
};

pub(crate) use self::parts::read as read_part;

/// A connection to one API server as one user. Nothing is sent before the first call.
pub struct Cluster {
    endpoint: error::Endpoint,
    namespace: String,
    timeout: Option<Duration>,
    verbosity: u8,
    progress: Arc<dyn Progress>,
    login: login::Login,
    session: tokio::sync::Mutex<login::Session>,
}

impl Cluster {
    /// Returns the namespace to use: the flag's, else the context's, else `default`.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the server's URL, without credentials.
    pub fn server(&self) -> &str {
        &self.endpoint.url
    }

    /// Returns a description of the credentials sent.
    pub fn sent_as(&self) -> &str {
        &self.endpoint.sent_as
    }

    /// Returns the proxy, without credentials, and where it is configured.
    pub fn proxy(&self) -> Option<(String, &str)> {
        self.endpoint.proxy.as_ref().map(|proxy| (proxy.address(), proxy.named_by.as_str()))
    }

    /// Returns the request timeout; `None` for no limit.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Returns the progress display.
    pub fn progress(&self) -> &dyn Progress {
        &*self.progress
    }

    /// Returns the level of `-v`.
    pub fn verbosity(&self) -> u8 {
        self.verbosity
    }
}
