//! Builds the HTTP client with the user's credentials, and builds it anew when a credential plugin's have
//! run out.
#![expect(clippy::disallowed_methods, reason = "reads the token file that a kubeconfig or a pod names")]

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Client, Config,
    config::{AuthInfo, ExecConfig},
};

use super::{Cluster, config, error::Failure, exec, progress::Progress, transport};
use crate::error::{Error, Result};

/// All that a client is built from.
pub(crate) struct Login {
    /// Without the plugin, and without what it hands out.
    pub(crate) config: Config,
    pub(crate) exec: Option<ExecConfig>,
    pub(crate) has_terminal: bool,
}

/// A client and until when its credentials hold.
pub(crate) struct Session {
    client: Client,
    expires: Option<Timestamp>,
}

/// Credentials that run out this soon count as run out.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

impl Login {
    /// Whether other credentials can be had.
    pub(crate) fn is_renewable(&self) -> bool {
        let user = &self.config.auth_info;
        self.exec.is_some() || user.token_file.is_some() && user.token.is_none()
    }

    /// Gets credentials and builds a client that sends them.
    pub(crate) async fn log_in(&self, progress: &Arc<dyn Progress>) -> Result<Session> {
        let mut config = self.config.clone();
        let mut expires = None;
        if let Some(exec) = &self.exec {
            // On the heap: whatever asks the server holds room for this in its own future.
            let credential = Box::pin(exec::run(exec, self.has_terminal, exec::LIMIT, &**progress)).await?;
            let user = &mut config.auth_info;
            user.token = credential.token.map(Into::into);
            if let Some((certificate, key)) = credential.certificate_and_key {
                user.client_certificate_data = Some(STANDARD.encode(certificate));
                user.client_key_data = Some(STANDARD.encode(key).into());
            }
            expires = credential.expires;
        }
        trim_token(&mut config.auth_info)?;
        let client = transport::client(config).map_err(|error| config::unusable(&error))?;
        Ok(Session { client, expires })
    }
}

/// A token file that ends with a line break, as most do, would make a header that cannot be sent. One without is read
/// by the client, and again once a minute.
fn trim_token(user: &mut AuthInfo) -> Result<()> {
    let Some(file) = user.token_file.as_ref().filter(|_| user.token.is_none()) else { return Ok(()) };
    let text = std::fs::read_to_string(file);
    let text = text
        .map_err(|error| Error::usage(format!("cannot read the token file `{file}`")).caused_by(error.to_string()))?;
    if text.trim() != text {
        user.token = Some(text.trim().to_owned().into());
        user.token_file = None;
    }
    Ok(())
}

impl Cluster {
    /// The client, after another login if the credentials have run out.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        let mut session = self.session.lock().await;
        if session.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires) {
            *session = self.login.log_in(&self.progress).await.map_err(Failure::Auth)?;
        }
        Ok(session.client.clone())
    }

    /// Logs in again although the credentials should hold: the server said they do not.
    pub(crate) async fn log_in_again(&self) -> Result<(), Failure> {
        let mut session = self.session.lock().await;
        *session = self.login.log_in(&self.progress).await.map_err(Failure::Auth)?;
        Ok(())
    }
}
