//! Paths and requests for objects, and parsing of answers.

use http::{Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::{
    apiserver::{
        Answer, ApiServer, Call, Failure,
        parts::{self, Part, PartRead},
    },
    error::Error,
    model::name,
};

impl Answer {
    /// Parses the body as a JSON value.
    pub fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// Parses this part of the body.
    pub(crate) fn part(&self, part: &'static Part) -> Result<PartRead, Failure> {
        Ok(parts::read(&self.body, part)?)
    }
}

/// Converts the error of a successful answer whose body cannot be parsed.
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson(Error::cluster("the server's answer cannot be read").caused_by(error.to_string()))
    }
}

/// All but the unreserved characters (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escapes everything but unreserved characters, so that user input stays one segment of a path.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Returns the path of a resource (with its group) of this API version, or of one object.
pub(crate) fn path(version: &str, resource: &str, namespace: Option<&str>, name: Option<&str>) -> String {
    let root = if version.contains('/') { "/apis" } else { "/api" };
    let namespace = namespace.map_or_else(String::new, |it| format!("/namespaces/{}", percent_encoded(it)));
    let plural = resource.split('.').next().unwrap_or_default();
    let name = name.map_or_else(String::new, |it| format!("/{}", percent_encoded(it)));
    format!("{root}/{version}{namespace}/{plural}{name}")
}

/// Builds a GET request for this path.
#[expect(clippy::disallowed_methods, reason = "a GET writes nothing")]
pub(crate) fn get(path: &str) -> Result<http::Request<Vec<u8>>, Failure> {
    request(Method::GET, path, None, Vec::new())
}

/// Builds a request. Every segment of the path must be a valid object name, so that no name can lead to another path,
/// even if something on the way to the server normalizes paths.
///
/// # Errors
///
/// A segment is not a valid name, or the URI is too long.
pub(crate) fn request(
    method: Method,
    path_and_query: &str,
    content_type: Option<&'static str>,
    body: Vec<u8>,
) -> Result<http::Request<Vec<u8>>, Failure> {
    let path = path_and_query.split('?').next().unwrap_or_default();
    for part in path.split('/').skip(1) {
        let part = percent_decode_str(part).decode_utf8_lossy();
        name::check(&part).map_err(|problem| Failure::Name(Error::usage(problem)))?;
    }
    let mut request =
        http::Request::builder().method(method).uri(path_and_query).header(header::ACCEPT, "application/json");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    request.body(body).map_err(|_| {
        let length = path_and_query.len();
        Failure::Other(Error::usage(format!("a request for an address of {length} characters cannot be sent")))
    })
}

impl ApiServer {
    /// Sends a GET request for this path.
    pub(crate) async fn ask(&self, call: &Call<'_>, path: &str) -> Result<Answer, Failure> {
        self.call(call, get(path)?).await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn refused(path: &str) -> String {
        match get(path).unwrap_err() {
            Failure::Name(error) | Failure::Other(error) => error.message().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_too_long_for_a_request_is_a_failure() {
        let length = 70_000 + "/version?labelSelector=".len();
        assert_eq!(
            refused(&format!("/version?labelSelector={}", "a".repeat(70_000))),
            format!("a request for an address of {length} characters cannot be sent")
        );
    }
}
