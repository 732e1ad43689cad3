//! The description of a connection, and the failures that it is named in.

use std::{error::Error as StdError, io, time::Duration};

use http::{HeaderMap, StatusCode, header};
use kube::client::AuthError;

use crate::{
    apiserver::{
        call::{Call, Verb},
        error::{CONNECT_TIMEOUT, Failure, auth, chain, find, is_broken, is_connect, not_kubernetes, seconds},
        proxy::Proxy,
        sentence,
        status::Refusal,
        tls, url,
    },
    error::Error,
};

/// The description of a connection, for messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint {
    /// The server's URL without credentials.
    pub(crate) url: String,
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// The host without the port.
    pub(crate) host: String,
    /// Description of the credentials sent.
    pub(crate) sent_as: String,
    /// Whether credentials were withheld, because they could be read in transit over http.
    pub(crate) withholds: bool,
    /// The proxy, if one is used.
    pub(crate) proxy: Option<Proxy>,
    /// Whether the address comes from `--server` rather than from a kubeconfig.
    pub(crate) from_flag: bool,
}

impl Endpoint {
    /// Adds the hint for checking the address.
    fn with_look(&self, error: Error) -> Error {
        if self.from_flag {
            error.hint("use --server https://HOST:PORT")
        } else {
            error.hint_command("kubectl config view --minify", "")
        }
    }

    /// Classifies an error of the HTTP library.
    pub(crate) fn classify(&self, error: &(dyn StdError + 'static)) -> Failure {
        let address = &self.address;
        if let Some(error) = find::<AuthError>(error) {
            return Failure::Other(auth(error));
        }
        if let Some(error) = find::<rustls::Error>(error) {
            return Failure::Tls(tls::sentence(error, address, |error| self.with_look(error)));
        }
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            return Failure::NotJson(not_kubernetes("it does not speak HTTP"));
        }
        let last = chain(error).last().map(ToString::to_string).unwrap_or_default();
        let kind = chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).last().map(io::Error::kind);
        if last == "tls handshake eof" {
            return Failure::Tls(self.with_look(Error::cluster(format!(
                "the server {address} closed the connection during the TLS handshake"
            ))));
        }
        if !is_connect(error) {
            let broke = Error::cluster(format!("the connection to the server {address} was closed before it answered"));
            let broke = broke.caused_by(last);
            return if is_broken(error) { Failure::Broken(broke) } else { Failure::Unreachable(broke) };
        }
        // The resolver's error type is private: only its text identifies it.
        let is_unknown = chain(error).any(|error| error.to_string() == "dns error");
        if let Some(proxy) = &self.proxy {
            return Failure::Unreachable(self.proxy_failed(proxy, kind, is_unknown, &last));
        }
        Failure::Unreachable(self.with_look(match kind {
            _ if is_unknown => Error::cluster(format!("cannot resolve the server's name `{}`", self.host)),
            Some(io::ErrorKind::ConnectionRefused) => {
                Error::cluster(format!("the connection to the server {address} was refused"))
            }
            Some(io::ErrorKind::TimedOut) => {
                Error::cluster(format!("no connection to the server {address} within {}", seconds(CONNECT_TIMEOUT)))
            }
            _ => Error::cluster(format!("no connection to the server {address}")).caused_by(last),
        }))
    }

    fn proxy_failed(&self, proxy: &Proxy, kind: Option<io::ErrorKind>, is_unknown: bool, last: &str) -> Error {
        let shown = format!("{} ({})", url::without_userinfo(&proxy.url), proxy.named_by);
        let wants = |what: &str| {
            let (scheme, place) = (proxy.url.scheme_str().unwrap_or_default(), url::place(&proxy.url));
            Error::cluster(format!("the proxy {shown} {what}")).hint(format!("{scheme}://USER:PASSWORD@{place}"))
        };
        let goes_no_further = || format!("the proxy {shown} does not connect to the server {}", self.address);
        let error = match (last.strip_prefix("tunnel error: "), last.strip_prefix("SOCKS error: ")) {
            (Some("proxy authorization required"), _) => wants("requires a user and a password"),
            // The proxy accepts neither of the two methods that can be offered (RFC 1928 section 3).
            (_, Some("server does not support user/pass authentication")) if url::userinfo(&proxy.url).is_none() => {
                wants("requires a user and a password")
            }
            (_, Some("credentials not accepted")) => wants("does not accept this user and password"),
            (Some(_), _) => Error::cluster(goes_no_further()),
            (_, Some(reason)) if reason != "failed to create underlying connection" => {
                Error::cluster(goes_no_further()).caused_by(reason)
            }
            _ => Error::cluster(format!("the proxy {shown} cannot be reached")).caused_by(match kind {
                _ if is_unknown => "its name cannot be resolved",
                Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
                Some(io::ErrorKind::TimedOut) => "no answer",
                _ => last,
            }),
        };
        if proxy.from_environment { error.hint(format!("NO_PROXY={}", self.host)) } else { self.with_look(error) }
    }

    /// Returns the failure for an answer that ends prematurely.
    pub(crate) fn broke_off(&self) -> Failure {
        let error = format!("the connection to the server {} was closed in the middle of the answer", self.address);
        Failure::Unreachable(Error::cluster(error))
    }

    /// Returns the failure for an answer that exceeds `most` bytes.
    pub(crate) fn too_large(most: usize, call: &Call<'_>) -> Failure {
        let error = Error::cluster(format!("the server's answer is larger than {} MiB", most >> 20))
            .caused_by(format!("the request was to {} {}", call.verb.as_str(), call.resource));
        let is_wide = call.verb == Verb::List && call.namespace.is_none();
        Failure::Other(if is_wide { error.hint("ask for one namespace: -n NAMESPACE") } else { error })
    }

    /// Returns the failure for a request that exceeded this timeout.
    pub(crate) fn timed_out(limit: Duration) -> Failure {
        let error = Error::cluster(format!("no answer from the server within {}", seconds(limit)));
        Failure::Other(error.hint(format!("wait longer: --request-timeout {}s", (limit * 5).as_secs().max(1))))
    }

    /// Returns the failure for an answer with an error status.
    pub(crate) fn refused(&self, call: &Call<'_>, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match Refusal::read(code, text(header::CONTENT_TYPE), body) {
            Some(refusal) => {
                let error = sentence::refused(&refusal, call, self);
                Failure::Status(Box::new(refusal), error)
            }
            None => self.not_json(code, headers),
        }
    }

    /// Returns the failure for an answer that is not from an API server.
    pub(crate) fn not_json(&self, code: StatusCode, headers: &HeaderMap) -> Failure {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let mut what = code.to_string();
        if let Some(place) = text(header::LOCATION).filter(|_| code.is_redirection()) {
            // The query can contain a one-time secret of a login page.
            what = format!("{what}, to {}", place.split(['?', '#']).next().unwrap_or_default());
        } else if let Some(kind) = text(header::CONTENT_TYPE) {
            what = format!("{what}, {kind}");
        }
        Failure::NotJson(self.with_look(not_kubernetes(&format!("{} answers {what}", self.url))))
    }
}
