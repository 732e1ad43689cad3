//! Builds the HTTP client with the user's credentials, and rebuilds it when those of a credential plugin have expired.
#![expect(clippy::disallowed_methods, reason = "reads the token file that a kubeconfig or a pod names")]

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Client, Config,
    config::{AuthInfo, ExecConfig},
};
use secrecy::ExposeSecret;

use crate::{
    apiserver::{ApiServer, error::Failure, exec, progress::Progress, transport},
    error::{Error, Result, reason},
};

/// The inputs from which a client is built.
pub(crate) struct Login {
    /// The configuration without the plugin and its credentials.
    pub(crate) config: Config,
    pub(crate) exec: Option<ExecConfig>,
    /// Description of the token, for the error if it cannot be sent.
    pub(crate) token_of: String,
}

/// A client and the expiry of its credentials.
pub(crate) struct Session {
    client: Client,
    expires: Option<Timestamp>,
}

/// Credentials that expire within this time count as expired.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

impl Login {
    /// Returns whether new credentials can be obtained.
    pub(crate) fn is_renewable(&self) -> bool {
        let user = &self.config.auth_info;
        self.exec.is_some() || user.token_file.is_some()
    }

    /// Obtains credentials and builds a client that sends them.
    pub(crate) async fn log_in(&self, progress: &Arc<dyn Progress>) -> Result<Session> {
        let mut config = self.config.clone();
        let mut expires = None;
        if let Some(exec) = &self.exec {
            // Boxed, because this future is part of every request's future.
            let credential = Box::pin(exec::run(exec, exec::LIMIT, &**progress)).await?;
            let user = &mut config.auth_info;
            user.token = credential.token.map(Into::into);
            if let Some((certificate, key)) = credential.certificate_and_key {
                user.client_certificate_data = Some(STANDARD.encode(certificate));
                user.client_key_data = Some(STANDARD.encode(key).into());
            }
            expires = credential.expires;
        }
        self.authorize(&mut config)?;
        let client = transport::client(config)?;
        Ok(Session { client, expires })
    }

    /// Moves a password or a token into a header. kube would do so too, but a line break would end the process.
    ///
    /// A token file without a trailing line break is left to kube, which rereads it once a minute. With one, as in most
    /// files, kube builds a header that cannot be sent.
    fn authorize(&self, config: &mut Config) -> Result<()> {
        let user = &mut config.auth_info;
        if let Some(provider) = &mut user.auth_provider {
            if provider.name != "oidc" {
                return Err(no_provider(&provider.name));
            }
            // Public clients have no secret (OpenID Connect Core, section 9), but kube requires one.
            provider.config.entry("client-secret".to_owned()).or_default();
            return Ok(());
        }
        let header = if let (Some(name), Some(password)) = (&user.username, &user.password) {
            let text = STANDARD.encode(format!("{name}:{}", password.expose_secret()));
            sensitive(format!("Basic {text}"), "the user name or the password")?
        } else if let Some((text, file)) = token_in_file(user)? {
            let header = bearer(text.trim(), &format!("the token file `{file}`"))?;
            if text.trim() == text {
                user.token = None;
                return Ok(());
            }
            header
        } else if let Some(token) = &user.token {
            bearer(token.expose_secret(), &self.token_of)?
        } else {
            return Ok(());
        };
        (user.username, user.password, user.token, user.token_file) = (None, None, None, None);
        config.headers.push((header::AUTHORIZATION, header));
        Ok(())
    }
}

/// Returns the content and the name of the token file. A file that cannot be read, or is empty, is passed over if there is a
/// token, too (client-go `transport/round_trippers.go:bearerAuthRoundTripper`, `token_source.go:fileTokenSource`).
fn token_in_file(user: &AuthInfo) -> Result<Option<(String, String)>> {
    let Some(file) = user.token_file.as_ref().filter(|file| !file.is_empty()) else { return Ok(None) };
    match std::fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() && user.token.is_some() => Ok(None),
        Ok(text) => Ok(Some((text, file.clone()))),
        Err(_) if user.token.is_some() => Ok(None),
        Err(error) => Err(Error::usage(format!("cannot read the token file `{file}`")).caused_by(reason(&error))),
    }
}

/// Returns the `Authorization` header value for this token (RFC 6750 section 2.1).
fn bearer(token: &str, whose: &str) -> Result<HeaderValue> {
    sensitive(format!("Bearer {token}"), whose)
}

/// Returns a header value marked as sensitive, so that it is not logged.
fn sensitive(value: String, whose: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(value).map_err(|_| not_sendable(whose))?;
    header.set_sensitive(true);
    Ok(header)
}

/// Returns the error for an auth provider other than `oidc`. Like kubectl, which supports no other one any more
/// (client-go `plugin/pkg/client/auth`).
fn no_provider(name: &str) -> Error {
    let error = Error::usage(format!("the auth-provider `{name}` of the kubeconfig's user is not supported"));
    match name {
        "gcp" => error.hint("gcloud container clusters get-credentials NAME writes one for gke-gcloud-auth-plugin"),
        "azure" => error.hint("kubelogin convert-kubeconfig"),
        _ => error,
    }
}

fn not_sendable(what: &str) -> Error {
    Error::usage(format!("{what} contains a line break or another control character"))
        .caused_by("this is not allowed in an HTTP header")
}

impl ApiServer {
    /// Returns the client, after a new login if the credentials have expired.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        let mut session = self.session.lock().await;
        if session.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires) {
            *session = self.login.log_in(&self.progress).await.map_err(Failure::Other)?;
        }
        Ok(session.client.clone())
    }

    /// Logs in again although the credentials should still be valid, because the server rejected them.
    pub(crate) async fn log_in_again(&self) -> Result<(), Failure> {
        let mut session = self.session.lock().await;
        *session = self.login.log_in(&self.progress).await.map_err(Failure::Other)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
