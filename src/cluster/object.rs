//! Paths and requests for objects, and parsing of answers.

use http::{Method, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    Answer, Call, Cluster, Failure, Verb,
    parts::{self, Part, PartRead},
};
use crate::{
    error::Error,
    model::{NamespacedName, name},
    plan::{ObjectKind, ObjectRef},
};

impl<'a> Call<'a> {
    /// Returns a call about one object.
    pub fn of(verb: Verb, object: &'a ObjectRef) -> Self {
        Self {
            verb,
            resource: object.kind.resource(),
            namespace: object.target.namespace.as_deref(),
            name: Some(&object.target.name),
        }
    }
}

impl Answer {
    /// Parses the body as a JSON value.
    ///
    /// # Errors
    ///
    /// The body is not JSON.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::broken(&error))
    }
}

impl Answer {
    /// Parses this part of the body.
    ///
    /// # Errors
    ///
    /// The body is not JSON.
    pub(crate) fn part(&self, part: &'static Part) -> Result<PartRead, Failure> {
        parts::read(&self.body, part).map_err(|error| Failure::broken(&error))
    }
}

impl Failure {
    /// Returns the failure for a successful answer whose body cannot be parsed.
    pub(super) fn broken(error: &serde_json::Error) -> Self {
        Self::NotJson(Error::cluster("the server's answer cannot be read").caused_by(error.to_string()))
    }
}

/// Returns the path of a resource, or of one object.
pub(super) fn path(kind: ObjectKind, namespace: Option<&str>, name: Option<&str>) -> String {
    let mut path = format!("/apis/{}", kind.api_version());
    if let Some(namespace) = namespace {
        path.push_str("/namespaces/");
        path.push_str(&percent_encoded(namespace));
    }
    path.push('/');
    path.push_str(kind.plural());
    if let Some(name) = name {
        path.push('/');
        path.push_str(&percent_encoded(name));
    }
    path
}

/// Returns the path of the Secrets of a namespace, or of one Secret.
pub(super) fn secrets(namespace: &str, name: Option<&str>) -> String {
    let path = format!("/api/v1/namespaces/{}/secrets", percent_encoded(namespace));
    name.map_or_else(|| path.clone(), |name| format!("{path}/{}", percent_encoded(name)))
}

/// Returns a call about one Secret.
pub(super) fn secret_call(verb: Verb, target: &NamespacedName) -> Call<'_> {
    Call { verb, resource: "secrets", namespace: target.namespace.as_deref(), name: Some(&target.name) }
}

/// Escapes everything but unreserved characters (RFC 3986 section 2.3), so that user input stays one path segment.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Builds a GET request for this path.
///
/// # Errors
///
/// As [`request`].
pub(super) fn get(path: &str) -> Result<http::Request<Vec<u8>>, Failure> {
    request(Method::GET, path, None, Vec::new())
}

/// Builds a request. Every segment of the path must be a valid object name, so that no name can lead to another path,
/// even if something on the way to the server normalizes paths.
///
/// # Errors
///
/// A segment is not a valid name, or the URI is too long.
pub(super) fn request(
    method: Method,
    path_and_query: &str,
    content_type: Option<&'static str>,
    body: Vec<u8>,
) -> Result<http::Request<Vec<u8>>, Failure> {
    let path = path_and_query.split('?').next().unwrap_or_default();
    for part in path.split('/').skip(1) {
        let part = percent_decode_str(part).decode_utf8_lossy();
        name::check(&part).map_err(|problem| Failure::Name(Error::usage(problem.to_string())))?;
    }
    let mut request =
        http::Request::builder().method(method).uri(path_and_query).header(header::ACCEPT, "application/json");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    request.body(body).map_err(|_| {
        let length = path_and_query.len();
        Failure::Request(Error::usage(format!("a request for an address of {length} characters cannot be sent")))
    })
}

impl Cluster {
    /// Sends a GET request for this path.
    ///
    /// # Errors
    ///
    /// As [`get`] and [`Cluster::call`].
    pub(super) async fn ask(&self, call: &Call<'_>, path: &str) -> Result<Answer, Failure> {
        self.call(call, get(path)?).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::testing::{Server, json},
        model::name::Group,
    };

    fn refused(path: &str) -> String {
        match get(path).unwrap_err() {
            Failure::Name(error) | Failure::Request(error) => error.message().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_name_makes_a_path_that_leads_elsewhere() {
        for name in ["", ".", "..", "../../other/traefikservices/o1", "a/b", "a%2fb", "%2e%2e", &"a".repeat(254)] {
            for kind in [ObjectKind::Canary, ObjectKind::TraefikService(Group::TraefikIo)] {
                let problem = name::check(name).unwrap_err().to_string();
                assert_eq!(refused(&path(kind, Some(name), None)), problem);
                assert_eq!(refused(&path(kind, Some("shop"), Some(name))), problem);
            }
        }
        let request = get(&path(ObjectKind::Canary, Some("a..b"), Some("\u{1b}ä"))).unwrap();
        assert_eq!(request.uri(), "/apis/flagger.app/v1beta1/namespaces/a..b/canaries/%1B%C3%A4");
    }

    #[test]
    fn what_is_too_long_for_a_request_is_a_failure() {
        let length = 70_000 + "/version?labelSelector=".len();
        assert_eq!(
            refused(&format!("/version?labelSelector={}", "a".repeat(70_000))),
            format!("a request for an address of {length} characters cannot be sent")
        );
    }

    #[tokio::test]
    async fn what_cannot_be_named_is_not_there_and_not_asked_for() {
        let server = Server::start([json("200 OK", "{}")]).await;
        let cluster = server.connect().await;
        let target = NamespacedName { namespace: Some("shop".to_owned()), name: "a".repeat(70_000) };
        let failure = cluster.get(ObjectKind::TraefikService(Group::TraefikIo), &target).await.unwrap_err();
        assert_eq!((failure.is_not_found(), failure.is_transient(), server.asked().len()), (true, false, 0));
    }
}
