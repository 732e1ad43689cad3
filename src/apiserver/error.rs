//! Request failures that callers can match on. They are classified by the types inside the HTTP library's errors, whose
//! messages are repetitive and can quote a token, so they are never shown.

use std::{error::Error as StdError, io, time::Duration};

use http::{HeaderMap, StatusCode, header};
use kube::client::AuthError;

use crate::{
    apiserver::{
        http::{Call, Verb},
        proxy::Proxy,
        status::Refusal,
        tls,
    },
    error::Error,
};

/// Timeout for establishing a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The reason a request failed. Every variant except [`Failure::Status`] already contains the final message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server answered with an error status.
    Status(Box<Refusal>),
    /// The connection could not be established, or broke.
    Unreachable(Error),
    /// The server did not answer in time.
    Timeout(Error),
    /// The server's certificate or the client's was rejected.
    Tls(Error),
    /// The credentials could not be obtained: a plugin or a file failed.
    Auth(Error),
    /// The answer is not from a Kubernetes API server.
    NotJson(Error),
    /// The answer exceeds the memory limit.
    TooLarge(Error),
    /// The name is not a valid object name. Nothing was sent: such an object cannot exist, and the path could lead to
    /// another one.
    Name(Error),
    /// The request cannot be built, for example because its URL is too long.
    Request(Error),
}

impl Failure {
    fn refusal(&self, code: StatusCode) -> Option<&Refusal> {
        match self {
            Self::Status(refusal) if refusal.code == code.as_u16() => Some(refusal),
            _ => None,
        }
    }

    /// Returns whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is_no_name() || self.refusal(StatusCode::NOT_FOUND).is_some_and(|refusal| !refusal.resource.is_empty())
    }

    /// Returns whether the name is not a valid object name.
    pub(crate) fn is_no_name(&self) -> bool {
        matches!(self, Self::Name(_))
    }

    /// Returns whether the server does not serve the resource: the custom resource definition is not installed.
    pub fn is_no_such_resource(&self) -> bool {
        self.refusal(StatusCode::NOT_FOUND).is_some_and(|refusal| refusal.resource.is_empty())
    }

    /// Returns whether the object changed since it was read, exists already, or belongs to another field manager.
    pub fn is_conflict(&self) -> bool {
        self.refusal(StatusCode::CONFLICT).is_some()
    }

    /// Returns whether another field manager owns fields of a server-side apply.
    pub fn is_field_conflict(&self) -> bool {
        let is_manager = |refusal: &Refusal| refusal.causes.iter().any(|cause| cause.reason == "FieldManagerConflict");
        self.refusal(StatusCode::CONFLICT).is_some_and(is_manager)
    }

    /// Returns whether the server answered 403.
    pub fn is_forbidden(&self) -> bool {
        self.refusal(StatusCode::FORBIDDEN).is_some()
    }

    /// Returns whether the object does not match its schema.
    pub fn is_invalid(&self) -> bool {
        self.refusal(StatusCode::UNPROCESSABLE_ENTITY).is_some()
            || matches!(self, Self::Status(refusal) if refusal.strict_decoding().is_some())
    }

    /// Returns whether the resourceVersion of a watch has expired.
    pub fn is_gone(&self) -> bool {
        self.refusal(StatusCode::GONE).is_some()
    }

    pub(crate) fn is_unauthorized(&self) -> bool {
        self.refusal(StatusCode::UNAUTHORIZED).is_some()
    }
}

/// The description of a connection, for messages.
#[derive(Debug, Clone)]
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
            error.hint("--server https://HOST:PORT")
        } else {
            error.hint_command("kubectl config view --minify", "")
        }
    }

    /// Classifies an error of the HTTP library.
    pub(crate) fn classify(&self, error: &(dyn StdError + 'static)) -> Failure {
        let address = &self.address;
        if let Some(error) = find::<AuthError>(error) {
            return Failure::Auth(auth(error));
        }
        if let Some(error) = find::<rustls::Error>(error) {
            return Failure::Tls(tls::sentence(error, address, |error| self.with_look(error)));
        }
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            return not_kubernetes("it does not speak HTTP");
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
            return Failure::Unreachable(broke.caused_by(last));
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
        let shown = format!("{} ({})", proxy.address(), proxy.named_by);
        let wants = |what: &str| {
            let (scheme, place) = (proxy.url.scheme_str().unwrap_or_default(), proxy.place());
            Error::cluster(format!("the proxy {shown} {what}")).hint(format!("{scheme}://USER:PASSWORD@{place}"))
        };
        let goes_no_further = || format!("the proxy {shown} does not connect to the server {}", self.address);
        let error = match (last.strip_prefix("tunnel error: "), last.strip_prefix("SOCKS error: ")) {
            (Some("proxy authorization required"), _) => wants("requires a user and a password"),
            // The proxy accepts neither of the two methods that can be offered (RFC 1928 section 3).
            (_, Some("server does not support user/pass authentication")) if !proxy.has_user() => {
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
        Failure::TooLarge(if is_wide { error.hint("-n NAMESPACE") } else { error })
    }

    /// Returns the failure for a request that exceeded this timeout.
    pub(crate) fn timed_out(limit: Duration) -> Failure {
        let error = Error::cluster(format!("no answer from the server within {}", seconds(limit)));
        Failure::Timeout(error.hint(format!("--request-timeout {}s", (limit * 5).as_secs().max(1))))
    }

    /// Returns the failure for an answer with an error status.
    pub(crate) fn refused(&self, call: &Call<'_>, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match Refusal::read(code, text(header::CONTENT_TYPE), body) {
            Some(refusal) => {
                let (sent_as, withholds) = (self.sent_as.clone(), self.withholds);
                Failure::Status(Box::new(Refusal { made: call.into(), sent_as, withholds, ..refusal }))
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
        match not_kubernetes(&format!("{} answers {what}", self.url)) {
            Failure::NotJson(error) => Failure::NotJson(self.with_look(error)),
            other => other,
        }
    }
}

fn not_kubernetes(cause: &str) -> Failure {
    Failure::NotJson(Error::cluster("the answer is not from a Kubernetes API server").caused_by(cause))
}

/// Returns the error for credentials that could not be obtained. Only the plugin's standard error is quoted: its output
/// may contain a token.
pub(crate) fn auth(error: &AuthError) -> Error {
    let lead = |cause: &dyn ToString| {
        Error::cluster("the credentials of the kubeconfig cannot be used").caused_by(cause.to_string())
    };
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let text = String::from_utf8_lossy(&out.stderr);
            let lines = text.lines().map(super::status::printable).filter(|line| !line.is_empty());
            lines.fold(Error::cluster(format!("the credential plugin failed with {}", out.status)), Error::caused_by)
        }
        AuthError::ReadTokenFile(error, file) => {
            Error::usage(format!("cannot read the token file `{}`", file.display())).caused_by(error.to_string())
        }
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => {
            lead(&"they contain a character that is not allowed in an HTTP header")
        }
        AuthError::AuthExec(reason) => lead(&reason.split(" failed: ").next().unwrap_or_default()),
        AuthError::Oidc(error) => lead(&chain(error).last().map(ToString::to_string).unwrap_or_default()),
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) => {
            lead(&"the credential plugin's answer cannot be read")
        }
        _ => Error::cluster("the credentials of the kubeconfig cannot be used"),
    }
}

/// Returns whether the connection could not be established.
fn is_connect(error: &(dyn StdError + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Returns whether the connection broke after it was established and before an answer.
pub(crate) fn is_broken(error: &(dyn StdError + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(|error| !error.is_connect())
}

/// Iterates over an error and its sources, outermost first. `io::Error` does not expose the error it wraps as its
/// source, so it is unwrapped here.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// Formats a duration: `60 s`, `50 ms`.
pub(crate) fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}
