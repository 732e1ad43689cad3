//! Errors of TLS handshakes. No I/O.

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use crate::{apiserver::trust, error::Error};

/// Returns the error for a failed handshake with this `HOST:PORT`; `look` adds the hint for checking the address.
pub(crate) fn sentence(error: &TlsError, address: &str, look: impl Fn(Error) -> Error) -> Error {
    let certificate = format!("the certificate of the server {address}");
    match error {
        TlsError::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Error::cluster(format!("{certificate} is signed by an unknown authority"))
                    .hint("name the certificate of its authority: --certificate-authority FILE")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Error::cluster(format!("{certificate} has expired"))
                    .hint("renew it, or set this machine's clock: `date`")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Error::cluster(format!("{certificate} is not valid yet")).hint("set this machine's clock: `date`")
            }
            // The verifiers of macOS and Windows (rustls-platform-verifier) do not say for which.
            CertificateError::NotValidForName => Error::cluster(format!("{certificate} is for another name"))
                .hint("say which name the certificate is for: --tls-server-name NAME"),
            CertificateError::NotValidForNameContext { presented, .. } => {
                // From `DnsName("kubernetes")` and `IpAddress(10.0.0.1)` only the name is shown.
                let names: Vec<String> = presented.iter().map(|name| inner(name)).collect();
                let error = Error::cluster(format!("{certificate} is for another name"));
                let error =
                    if names.is_empty() { error } else { error.caused_by(format!("it is for {}", names.join(", "))) };
                error.hint(format!("use --tls-server-name {}", names.first().map_or("NAME", String::as_str)))
            }
            other if trust::is_of_an_authority(other) => {
                Error::cluster(format!("{certificate} is a CA certificate that the kubeconfig does not trust"))
                    .hint("name the certificate of its authority: --certificate-authority FILE")
            }
            other => Error::cluster(format!("{certificate} is not accepted")).caused_by(other.to_string()),
        },
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown,
        ) => Error::cluster(format!("the server {address} does not accept the client certificate"))
            .caused_by(error.to_string())
            .hint("use --client-certificate FILE --client-key FILE"),
        // There is no fallback to plain HTTP: anyone on the way could read the traffic and impersonate the server.
        TlsError::InvalidMessage(_) => look(Error::cluster(format!("the server {address} does not speak TLS"))),
        other => Error::cluster(format!("no secure connection to the server {address}")).caused_by(other.to_string()),
    }
}

/// Returns the text inside the parentheses and quotes.
fn inner(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}
