//! Builds the HTTP client with the user's credentials, and builds it anew when a credential plugin's have
//! run out.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use kube::{Client, Config, config::ExecConfig};

use super::{Cluster, config, error::Failure, exec, progress::Progress, transport};
use crate::error::Result;

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
        self.exec.is_some()
    }

    /// Gets credentials and builds a client that sends them.
    pub(crate) async fn log_in(&self, progress: &Arc<dyn Progress>) -> Result<Session> {
        let mut config = self.config.clone();
        let mut expires = None;
        if let Some(exec) = &self.exec {
            let credential = exec::run(exec, self.has_terminal, &**progress).await?;
            let user = &mut config.auth_info;
            user.token = credential.token.map(Into::into);
            if let Some((certificate, key)) = credential.certificate_and_key {
                user.client_certificate_data = Some(STANDARD.encode(certificate));
                user.client_key_data = Some(STANDARD.encode(key).into());
            }
            expires = credential.expires;
        }
        let client = transport::client(config).map_err(|error| config::unusable(&error))?;
        Ok(Session { client, expires })
    }
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
