//! Which servers are trusted: those that the cluster's authorities sign for, and a certificate that is itself among the
//! authorities, as for kubectl (Go's `crypto/x509` `verify.go:Verify`). rustls rejects the latter.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

/// Verifies a server's certificate against the certificates of `certificate-authority`.
#[derive(Debug)]
pub(crate) struct Trust {
    authorities: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Trusts these certificates. `None` if none of them can be read; others that cannot are skipped, as kubectl does
    /// (Go's `CertPool.AppendCertsFromPEM`).
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        // Fails if there are no roots.
        let authorities = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider)).build();
        Some(Self { authorities: authorities.ok()?, certificates })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match self.authorities.verify_server_cert(certificate, intermediates, name, ocsp_response, now) {
            Err(error) if is_about_the_issuer(&error) && self.certificates.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.authorities.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.authorities.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Returns whether the error is about who signed the certificate, or that it is an authority itself. These are found
/// after its validity period was checked (webpki `verify_cert.rs:check_issuer_independent_properties`), and do not
/// matter for a certificate that is trusted itself.
fn is_about_the_issuer(error: &TlsError) -> bool {
    let TlsError::InvalidCertificate(problem) = error else { return false };
    match problem {
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => true,
        other => is_of_an_authority(other),
    }
}

/// Returns whether a server shows the certificate of an authority, which rustls rejects as a server's.
pub(crate) fn is_of_an_authority(problem: &CertificateError) -> bool {
    let CertificateError::Other(other) = problem else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
