//! The API server: how to reach it, how to speak to it, what its refusals mean. Knows no Canary and prints
//! nothing.

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
    acting::Here,
    connect::{connect, connect_quietly},
    error::Failure,
    flags::{ConnectionArgs, IgnoredArgs, Secret, duration, gather, without_secrets},
    follow::{Collection, Event, Place},
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

/// A way to one API server, as one user. Nothing is sent before the first call.
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
    /// The namespace to look in: of the flag, else of the context, else `default`.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The server's URL, without credentials.
    pub fn server(&self) -> &str {
        &self.endpoint.url
    }

    /// Whose credentials are sent, in words.
    pub fn sent_as(&self) -> &str {
        &self.endpoint.sent_as
    }

    /// The proxy in between and what named it, without credentials.
    pub fn proxy(&self) -> Option<(String, &str)> {
        self.endpoint.proxy.as_ref().map(|proxy| (proxy.address(), proxy.named_by.as_str()))
    }

    /// How long an answer may take; `None` is for ever.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whoever shows that something takes its time.
    pub fn progress(&self) -> &dyn Progress {
        &*self.progress
    }

    /// The level of `-v`.
    pub fn verbosity(&self) -> u8 {
        self.verbosity
    }
}
