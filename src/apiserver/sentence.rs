//! Turns a refused call into an error for the user: what failed, why, and what to try next. No I/O.

use http::StatusCode;

use crate::{
    apiserver::{
        call::Call,
        endpoint::Endpoint,
        error::Failure,
        status::{Denial, Refusal, printable},
    },
    error::{Error, Kind, MissingPermission},
};

/// Converts a failed call into an error with message, hints and exit code.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Status(_, error)
            | Failure::Unreachable(error)
            | Failure::Broken(error)
            | Failure::Tls(error)
            | Failure::NotJson(error)
            | Failure::Name(error)
            | Failure::Other(error) => error,
        }
    }
}

impl Failure {
    /// Returns what failed, in one sentence without the causes.
    pub fn into_message(self) -> String {
        Error::from(self).message().to_owned()
    }

    /// Formats the failure as one sentence with its causes, for logs.
    pub fn into_log_message(self) -> String {
        let error = Error::from(self);
        error.causes().iter().fold(error.message().to_owned(), |text, cause| format!("{text}: {cause}"))
    }
}

/// Returns the error for a refused call over this connection.
pub(super) fn refused(refusal: &Refusal, call: &Call<'_>, endpoint: &Endpoint) -> Error {
    if let Some(complaint) = refusal.strict_decoding() {
        return Error::cluster(format!("{} is invalid", subject(refusal, call))).caused_by(complaint);
    }
    match StatusCode::from_u16(refusal.code).unwrap_or_default() {
        StatusCode::UNAUTHORIZED => unauthorized(endpoint),
        StatusCode::FORBIDDEN => forbidden(refusal, call, endpoint),
        StatusCode::NOT_FOUND => not_found(refusal, call),
        StatusCode::CONFLICT => conflict(refusal, call),
        StatusCode::UNPROCESSABLE_ENTITY => invalid(refusal, call),
        code => {
            if refusal.message.starts_with("Client sent an HTTP request to an HTTPS server") {
                return Error::cluster("the server expects https, and the request was http")
                    .hint("use --server https://HOST:PORT");
            }
            let error = Error::cluster(format!("the server could not {}: it answered {code}", task(refusal, call)));
            explained(error, &refusal.complaint())
        }
    }
}

fn unauthorized(endpoint: &Endpoint) -> Error {
    if endpoint.withholds {
        return withheld(Error::cluster("the server requires credentials, and none were sent"));
    }
    with_credentials_cause(Error::cluster("the server does not accept these credentials"), endpoint)
        .hint_command("kubectl auth whoami", "")
}

/// Adds why no credentials were sent, and how to send them.
fn withheld(error: Error) -> Error {
    let why = "credentials are not sent over http, where others could read them";
    error.caused_by(why).hint("use --server https://HOST:PORT")
}

fn with_credentials_cause(error: Error, endpoint: &Endpoint) -> Error {
    if endpoint.sent_as.is_empty() { error } else { error.caused_by(format!("sent {}", endpoint.sent_as)) }
}

fn forbidden(refusal: &Refusal, call: &Call<'_>, endpoint: &Endpoint) -> Error {
    let Some(Denial { user, verb, what, namespace, why }) = refusal.denial() else {
        // Refused not by the authorizer but by an admission webhook, a policy or a quota.
        let error = Error::cluster(format!("the server refused to {}", task(refusal, call)));
        let error = explained(error, &refusal.complaint());
        let error = if endpoint.withholds { withheld(error) } else { error };
        return if refusal.message.is_empty() {
            error.hint_command(can_i(call.verb.as_str(), call.resource, call.namespace), "")
        } else {
            error
        };
    };
    let error = Error::cluster(format!("user `{user}` may not {verb} {what}{}", place(namespace)));
    let error = explained(error, &why.unwrap_or_default());
    let error = match user {
        _ if endpoint.withholds => withheld(error),
        "system:anonymous" => with_credentials_cause(error, endpoint),
        _ => error,
    };
    let error = error.hint_command(can_i(verb, &what, namespace), "");
    // Whoever is not known needs credentials, not a permission.
    if user == "system:anonymous" {
        return error;
    }
    let (verb, namespace) = (verb.to_owned(), namespace.map(str::to_owned));
    error.for_lack_of(MissingPermission { verb, resource: what, namespace })
}

fn can_i(verb: &str, what: &str, namespace: Option<&str>) -> String {
    let scope = match namespace {
        Some(namespace) => format!(" -n {namespace}"),
        None if verb == "list" || verb == "watch" => " -A".to_owned(),
        None => String::new(),
    };
    // After a slash, kubectl takes the name of an object.
    match what.split_once('/') {
        Some((resource, part)) if !resource.is_empty() => {
            format!("kubectl auth can-i {verb} {resource} --subresource={part}{scope}")
        }
        _ => format!("kubectl auth can-i {verb} {what}{scope}"),
    }
}

fn not_found(refusal: &Refusal, call: &Call<'_>) -> Error {
    if refusal.resource.is_empty() {
        let error = Error::not_found(format!("the server has no resource type `{}`", call.resource));
        return match call.resource.split_once('.') {
            Some((_, group)) => error.hint_command(format!("kubectl api-resources --api-group {group}"), ""),
            None => error,
        };
    }
    if refusal.resource == "namespaces" && !call.resource.starts_with("namespaces") {
        return Error::not_found(format!("no namespace `{}`", refusal.name)).hint_command("kubectl get namespaces", "");
    }
    let error = Error::not_found(format!("no {}{}", subject(refusal, call), place(call.namespace)));
    let scope = call.namespace.map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    error.hint_command(format!("kubectl get {}{scope}", call.resource), "")
}

fn conflict(refusal: &Refusal, call: &Call<'_>) -> Error {
    let what = format!("{}{}", subject(refusal, call), place(call.namespace));
    if refusal.reason == "AlreadyExists" {
        return Error::new(Kind::Conflict, format!("{what} already exists"));
    }
    if refusal.causes.iter().any(|cause| cause.reason == "FieldManagerConflict") {
        let error = Error::new(Kind::Conflict, format!("fields of {what} are owned by another field manager"));
        return with_causes(error, refusal).hint("add --force-conflicts to overwrite them");
    }
    Error::new(Kind::Conflict, format!("{what} was changed by someone else in the meantime"))
        .hint("run the command again")
}

fn invalid(refusal: &Refusal, call: &Call<'_>) -> Error {
    let error = Error::cluster(format!("{} is invalid", subject(refusal, call)));
    if refusal.causes.is_empty() { explained(error, &refusal.complaint()) } else { with_causes(error, refusal) }
}

fn with_causes(error: Error, refusal: &Refusal) -> Error {
    refusal.causes.iter().fold(error, |error, cause| match cause.field.as_str() {
        "" | "<nil>" => error.caused_by(cause.message.clone()),
        field => error.caused_by(format!("{}: {}", printable(field), cause.message)),
    })
}

fn explained(error: Error, reason: &str) -> Error {
    if reason.is_empty() { error } else { error.caused_by(reason) }
}

/// Returns the resource with the object's name in backticks.
fn subject(refusal: &Refusal, call: &Call<'_>) -> String {
    match call.name.or(Some(refusal.name.as_str())).filter(|name| !name.is_empty()) {
        Some(name) => format!("{} `{name}`", call.resource),
        None => call.resource.to_owned(),
    }
}

/// Returns the verb, the object and the namespace of the call.
fn task(refusal: &Refusal, call: &Call<'_>) -> String {
    format!("{} {}{}", call.verb.as_str(), subject(refusal, call), place(call.namespace))
}

fn place(namespace: Option<&str>) -> String {
    namespace.map(|namespace| format!(" in namespace `{namespace}`")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
