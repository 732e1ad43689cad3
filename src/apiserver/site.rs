//! Connections to other servers than the API server, over the same transport, with the same words for what fails.

use std::{error::Error as StdError, path::Path};

use http::Uri;
use kube::{Client, Config};
use rustls::pki_types::{
    CertificateDer,
    pem::{self, PemObject},
};

use super::{
    connect::user_agent,
    endpoint::Endpoint,
    error::{CONNECT_TIMEOUT, Failure},
    port_forward::PodPort,
    transport,
};
use crate::{
    error::{Error, Result, reason as reason_of},
    text::without_password,
};

/// Which servers are trusted.
#[derive(Debug, Clone, Default)]
pub(crate) enum SiteTrust {
    /// Those that the system's authorities sign for.
    #[default]
    System,
    /// Those that these authorities sign for.
    Authorities(Vec<Vec<u8>>),
    /// All of them.
    Anyone,
}

impl SiteTrust {
    /// Trusts the authorities of a PEM file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds no certificate.
    pub(crate) fn of_file(file: &Path) -> Result<Self> {
        let shown = without_password(&file.display().to_string());
        let unusable = |cause: String| {
            Error::usage(format!("cannot read certificates from `{shown}`"))
                .caused_by(cause)
                .hint("use --ca-file FILE, in PEM")
        };
        let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        let all = all.map_err(|error| match error {
            pem::Error::Io(error) => unusable(reason_of(&error)),
            other => unusable(other.to_string()),
        })?;
        if all.is_empty() {
            return Err(unusable("it holds no certificate".into()));
        }
        Ok(Self::Authorities(all.iter().map(|certificate| certificate.to_vec()).collect()))
    }
}

/// Returns a client for the server of this URL, or for this port of a pod; its certificate must be for this name.
pub(crate) fn client(url: Uri, name: &str, trust: &SiteTrust, through: Option<PodPort>) -> Result<Client> {
    let mut config = Config::new(url);
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.headers.push((http::header::USER_AGENT, user_agent()));
    config.tls_server_name = Some(name.trim_matches(['[', ']']).to_owned());
    match trust {
        SiteTrust::System => {}
        SiteTrust::Authorities(authorities) => config.root_cert = Some(authorities.clone()),
        SiteTrust::Anyone => config.accept_invalid_certs = true,
    }
    match through {
        Some(port) => transport::client_over(config, port.connector()),
        None => transport::client(config),
    }
}

pub(crate) use super::error::is_broken;

/// Returns why a request to the server of this host at `HOST:PORT` failed. `way` is a hint that names another way to it.
pub(crate) fn reason(error: &(dyn StdError + 'static), host: &str, address: &str, way: &str) -> Error {
    let endpoint = Endpoint { address: address.to_owned(), host: host.to_owned(), ..Endpoint::default() };
    // The hints of these errors are about the API server.
    let plain = |error: &Error| error.causes().iter().fold(Error::cluster(error.message()), Error::caused_by);
    match endpoint.classify(error) {
        Failure::Unreachable(error) | Failure::Broken(error) => plain(&error).hint(way),
        Failure::Tls(error) => plain(&error).hint("use --ca-file FILE, or --insecure"),
        _ => Error::cluster(format!("the server {address} does not speak HTTP")).hint("use --url URL"),
    }
}
