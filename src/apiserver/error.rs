//! Request failures that callers can match on. They are classified by the types inside the HTTP library's errors, whose
//! messages are repetitive and can quote a token, so they are never shown.

use std::{error::Error as StdError, io, time::Duration};

use http::StatusCode;
use kube::client::AuthError;

use crate::{apiserver::status::Refusal, error::Error};

/// Timeout for establishing a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The reason a request failed, with the final message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server answered with an error status.
    Status(Box<Refusal>, Error),
    /// The connection could not be established, or was closed in the middle of an answer.
    Unreachable(Error),
    /// The connection broke after it was established and before an answer.
    Broken(Error),
    /// The server's certificate or the client's was rejected.
    Tls(Error),
    /// The answer is not from a Kubernetes API server.
    NotJson(Error),
    /// The name is not a valid object name. Nothing was sent: such an object cannot exist, and the path could lead to
    /// another one.
    Name(Error),
    /// There are no credentials, no answer in time, too large a one, or too long an address.
    Other(Error),
}

impl Failure {
    fn refusal(&self, code: StatusCode) -> Option<&Refusal> {
        match self {
            Self::Status(refusal, _) if refusal.code == code.as_u16() => Some(refusal),
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
            || matches!(self, Self::Status(refusal, _) if refusal.strict_decoding().is_some())
    }

    /// Returns whether the resourceVersion of a watch has expired.
    pub fn is_gone(&self) -> bool {
        self.refusal(StatusCode::GONE).is_some()
    }

    pub(crate) fn is_unauthorized(&self) -> bool {
        self.refusal(StatusCode::UNAUTHORIZED).is_some()
    }

    /// Returns whether the server rejects the credentials or denies the request.
    pub fn is_denied(&self) -> bool {
        self.is_forbidden() || self.is_unauthorized()
    }
}

pub(crate) fn not_kubernetes(cause: &str) -> Error {
    Error::cluster("the answer is not from a Kubernetes API server").caused_by(cause)
}

/// Returns the error for credentials that could not be obtained. Plugins are not run by the HTTP library.
pub(crate) fn auth(error: &AuthError) -> Error {
    let unusable = Error::cluster("the credentials of the kubeconfig cannot be used");
    match error {
        AuthError::ReadTokenFile(error, file) => {
            Error::usage(format!("cannot read the token file `{}`", file.display())).caused_by(error.to_string())
        }
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => {
            unusable.caused_by("they contain a character that is not allowed in an HTTP header")
        }
        AuthError::Oidc(error) => unusable.caused_by(chain(error).last().map(ToString::to_string).unwrap_or_default()),
        _ => unusable,
    }
}

/// Returns whether the connection could not be established.
pub(crate) fn is_connect(error: &(dyn StdError + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Returns whether the connection broke after it was established and before an answer.
pub(crate) fn is_broken(error: &(dyn StdError + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error).is_some_and(|error| !error.is_connect())
}

/// Iterates over an error and its sources, outermost first. `io::Error` does not expose the error it wraps as its
/// source, so it is unwrapped here.
pub(crate) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

pub(crate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// Formats a duration: `60 s`, `50 ms`.
pub(crate) fn seconds(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}
