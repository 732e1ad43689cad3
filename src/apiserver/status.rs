//! Parses error answers of the server and extracts the useful part of their messages. No I/O.

use http::StatusCode;
use serde_json::Value;

/// An error answer: a `Status` object, or plain text from some parts of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status code.
    pub code: u16,
    /// The machine-readable reason: `NotFound`, `Forbidden`, `Invalid`, …; may be empty.
    pub reason: String,
    /// The server's message, unchanged.
    pub message: String,
    /// The invalid fields and what is wrong with them.
    pub causes: Vec<Cause>,
    /// The resource named by the server (`canaries`); empty if the resource is unknown.
    pub resource: String,
    /// The object's name according to the server.
    pub name: String,
    /// Wait before a retry requested by the server, in seconds.
    pub retry_after: Option<u64>,
}

/// One problem of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// The machine-readable reason, such as `FieldManagerConflict`; may be empty.
    pub reason: String,
    /// The path of the field; may be empty.
    pub field: String,
    /// The message, without any dump of an object.
    pub message: String,
}

impl Refusal {
    /// Parses an answer with an error status. `None` if it is not from a Kubernetes API server.
    pub(crate) fn read(code: StatusCode, content_type: &str, body: &[u8]) -> Option<Self> {
        if let Ok(status) = serde_json::from_slice::<Value>(body)
            && status["kind"] == "Status"
        {
            return Some(Self::from_status(code, &status));
        }
        let is_text = content_type.is_empty() || content_type.starts_with("text/plain");
        let is_refusal = code.is_client_error() || code.is_server_error();
        let text = std::str::from_utf8(body).ok().filter(|_| is_text && is_refusal)?;
        Some(Self { code: code.as_u16(), message: text.trim().to_owned(), ..Self::default() })
    }

    fn from_status(code: StatusCode, status: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let details = &status["details"];
        let causes = details["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self {
            code: code.as_u16(),
            reason: text(&status["reason"]),
            message: text(&status["message"]),
            causes: causes
                .iter()
                .map(|cause| Cause {
                    reason: text(&cause["reason"]),
                    field: text(&cause["field"]),
                    message: without_dump(cause["message"].as_str().unwrap_or_default()),
                })
                .collect(),
            resource: text(&details["kind"]),
            name: text(&details["name"]),
            retry_after: details["retryAfterSeconds"].as_u64(),
        }
    }

    /// Returns the message of a strict decoding error, without the dump of the object before it. Recognized by its
    /// text, since the code is 422 or 400.
    pub(crate) fn strict_decoding(&self) -> Option<String> {
        let (_, tail) = self.message.rsplit_once("strict decoding error: ")?;
        Some(printable(tail))
    }

    /// Returns the message without the object's name, `is invalid` and dumps.
    pub(crate) fn complaint(&self) -> String {
        let message = [" is invalid: ", " is forbidden: "]
            .iter()
            .find_map(|mark| self.message.split_once(mark).map(|(_, tail)| tail))
            .unwrap_or(&self.message);
        without_dump(message)
    }

    /// Parses the authorizer's message: `User "jane" cannot patch resource "…" in API group "…" …`.
    pub(crate) fn denial(&self) -> Option<Denial<'_>> {
        let (_, text) = self.message.split_once("User \"")?;
        let (user, text) = text.split_once("\" cannot ")?;
        let (verb, text) = text.split_once(' ')?;
        if let Some(text) = text.strip_prefix("path \"") {
            let (path, why) = text.split_once('"')?;
            return Some(Denial { user, verb, what: path.to_owned(), namespace: None, why: Denial::why(why) });
        }
        let (resource, text) = text.strip_prefix("resource \"")?.split_once("\" in API group \"")?;
        let (group, text) = text.split_once('"')?;
        let what = if group.is_empty() { resource.to_owned() } else { with_group(resource, group) };
        let (namespace, why) = match text.strip_prefix(" in the namespace \"") {
            Some(text) => text.split_once('"').map(|(namespace, why)| (Some(namespace), why))?,
            None => (None, text.strip_prefix(" at the cluster scope").unwrap_or(text)),
        };
        Some(Denial { user, verb, what, namespace, why: Denial::why(why) })
    }
}

/// The parts of an authorizer's message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Denial<'a> {
    pub(crate) user: &'a str,
    pub(crate) verb: &'a str,
    pub(crate) what: String,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) why: Option<String>,
}

impl Denial<'_> {
    fn why(rest: &str) -> Option<String> {
        Some(printable(rest.trim_start_matches([':', ' ']))).filter(|why| !why.is_empty())
    }
}

/// Inserts the API group: `deployments/status` of `apps` becomes `deployments.apps/status`.
fn with_group(resource: &str, group: &str) -> String {
    match resource.split_once('/') {
        Some((resource, subresource)) => format!("{resource}.{group}/{subresource}"),
        None => format!("{resource}.{group}"),
    }
}

/// Removes dumps: `Invalid value: <the whole object>: what is wrong` becomes `invalid value: what is wrong`. Short
/// values stay.
fn without_dump(message: &str) -> String {
    const SHORT: usize = 60;
    for (mark, lead) in [("Invalid value: ", "invalid value"), ("Unsupported value: ", "unsupported value")] {
        let Some((before, rest)) = message.split_once(mark) else { continue };
        let value = value_length(rest);
        if value > SHORT || rest.starts_with(['{', '[']) || rest.starts_with("map[") || rest.starts_with("\"{") {
            let tail = rest.get(value..).unwrap_or_default();
            return printable(&format!("{before}{lead}{tail}"));
        }
    }
    printable(message)
}

/// Returns the length of the value at the start of the text: to its closing quote, or to the last `: `.
fn value_length(text: &str) -> usize {
    if !text.starts_with('"') {
        return text.rfind(": ").unwrap_or(text.len());
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the text as one line without control characters, truncated to 600 characters.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 600;
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let flat = flat.trim();
    match flat.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat.to_owned(),
    }
}
