//! The client certificate of a kubeconfig's user. kube leaves the checks to rustls, which rejects certificates of X.509
//! version 1 that API servers accept (microk8s made them), and says of every other problem only that there is one.
#![expect(clippy::disallowed_methods, reason = "reads the certificate and the key that a kubeconfig names")]

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::config::AuthInfo;
use rustls::{
    Error as TlsError,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::ExposeSecret;

use crate::error::{Error, Result, reason};

/// What to type for another certificate.
const FLAGS: &str = "use --client-certificate FILE --client-key FILE";

/// Returns the client certificate with its key; `None` if the user has neither.
///
/// # Errors
///
/// Only one of the two is there, or they cannot be read or used, or do not belong together.
pub(crate) fn load(user: &AuthInfo, provider: &CryptoProvider) -> Result<Option<CertifiedKey>> {
    let key_data = user.client_key_data.as_ref().map(ExposeSecret::expose_secret);
    let certificate = read(CERTIFICATE, user.client_certificate_data.as_deref(), user.client_certificate.as_deref())?;
    let key = read(KEY, key_data, user.client_key.as_deref())?;
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (None, Some(_)) => return Err(Error::usage(format!("a {KEY} is set, but no {CERTIFICATE}")).hint(FLAGS)),
        (Some(_), None) => return Err(Error::usage(format!("a {CERTIFICATE} is set, but no {KEY}")).hint(FLAGS)),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&certificate).collect();
    let chain = chain.map_err(|_| unusable(CERTIFICATE, "it is not PEM"))?;
    if chain.is_empty() {
        return Err(unusable(CERTIFICATE, "it holds no certificate in PEM format"));
    }
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| unusable(KEY, unreadable_key(&key)))?;
    let why = unsupported_key(&key);
    let key = provider.key_provider.load_private_key(key).map_err(|_| unusable(KEY, why))?;
    let identity = CertifiedKey::new(chain, key);
    match identity.keys_match() {
        Err(TlsError::InconsistentKeys(_)) => Err(unusable(CERTIFICATE, "it does not match the client key")),
        // What else rustls dislikes about the certificate, such as its version, is for the server to decide.
        _ => Ok(Some(identity)),
    }
}

const CERTIFICATE: &str = "client certificate";
const KEY: &str = "client key";

/// Returns the decoded data, or else the file's content (client-go `rest/config.go:dataFromSliceOrFile`).
fn read(what: &str, data: Option<&str>, file: Option<&str>) -> Result<Option<Vec<u8>>> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let data: String = data.split_whitespace().collect();
        let bytes = STANDARD.decode(data);
        return bytes.map(Some).map_err(|_| Error::usage(format!("the {what} in the kubeconfig is not valid base64")));
    }
    let Some(file) = file.filter(|file| !file.is_empty()) else { return Ok(None) };
    std::fs::read(file)
        .map(Some)
        .map_err(|error| Error::usage(format!("cannot read the {what} `{file}`")).caused_by(reason(&error)))
}

fn unusable(what: &str, why: &str) -> Error {
    Error::usage(format!("the {what} cannot be used")).caused_by(why).hint(FLAGS)
}

/// Says why this is not a private key in PEM.
fn unreadable_key(pem: &[u8]) -> &'static str {
    // `ENCRYPTED PRIVATE KEY` (RFC 5958), or the older `Proc-Type: 4,ENCRYPTED` (RFC 1421).
    if pem.windows(9).any(|text| text == b"ENCRYPTED") {
        "it is encrypted; to decrypt it: openssl pkey -in FILE -out DECRYPTED"
    } else {
        "it holds no private key in PEM format"
    }
}

/// Says why a key cannot be used, should it be rejected.
fn unsupported_key(key: &PrivateKeyDer<'_>) -> &'static str {
    let rsa = match key {
        PrivateKeyDer::Pkcs1(der) => ring::rsa::KeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => ring::rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return KEYS,
    };
    // ring tells its reasons by name only.
    match rsa.map_err(|rejected| rejected.to_string()) {
        Err(name) if name == "TooSmall" => "it is an RSA key of less than 2048 bits, which is no longer secure",
        Err(name) if name == "TooLarge" => "it is an RSA key of more than 4096 bits, which is not supported",
        _ => KEYS,
    }
}

const KEYS: &str = "supported keys: RSA of 2048 to 4096 bits, ECDSA on P-256, P-384 or P-521, or Ed25519";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apiserver::{
        crypto,
        testing::{Folder, testdata},
    };

    fn user(certificate: &str, key: &str) -> AuthInfo {
        let file = |name: &str| Some(testdata(name).display().to_string()).filter(|_| !name.is_empty());
        AuthInfo { client_certificate: file(certificate), client_key: file(key), ..AuthInfo::default() }
    }

    /// Returns the error and its cause.
    fn problem(user: &AuthInfo) -> Option<String> {
        let error = load(user, &crypto::provider()).err()?;
        assert_eq!(error.hints(), [FLAGS]);
        Some([&[error.message().to_owned()], error.causes()].concat().join(": "))
    }

    /// Certificates that kubectl sends, too.
    #[test]
    fn certificates_of_version_1_and_keys_on_p521_are_accepted() {
        let accepted = [
            ("server.pem", "server.key"),
            ("version-1.pem", "server.key"),
            ("p521.pem", "p521.key"),
            ("p521.pem", "p521.sec1.key"),
        ];
        for (certificate, key) in accepted {
            let loaded = load(&user(certificate, key), &crypto::provider());
            assert_eq!(loaded.map(|identity| identity.map(|identity| identity.cert.len())), Ok(Some(1)), "{key}");
        }
        assert!(load(&AuthInfo::default(), &crypto::provider()).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_said_of_each_certificate_and_key_that_cannot_be_used() {
        let cases = [
            (
                ("short.pem", "short.key"),
                "the client key cannot be used: it is an RSA key of less than 2048 bits, which is no longer secure",
            ),
            (
                ("server.pem", "encrypted.key"),
                "the client key cannot be used: it is encrypted; to decrypt it: openssl pkey -in FILE -out DECRYPTED",
            ),
            (("server.pem", "server.pem"), "the client key cannot be used: it holds no private key in PEM format"),
            (
                ("server.key", "server.key"),
                "the client certificate cannot be used: it holds no certificate in PEM format",
            ),
            (("server.pem", "p521.key"), "the client certificate cannot be used: it does not match the client key"),
            (("p521.pem", "server.key"), "the client certificate cannot be used: it does not match the client key"),
            (("server.pem", ""), "a client certificate is set, but no client key"),
            (("", "server.key"), "a client key is set, but no client certificate"),
        ];
        for ((certificate, key), expected) in cases {
            assert_eq!(problem(&user(certificate, key)).as_deref(), Some(expected), "{certificate} {key}");
        }
    }

    #[test]
    fn data_has_precedence_over_files_and_may_be_folded() {
        let folded = |name: &str| {
            let text = STANDARD.encode(std::fs::read(testdata(name)).unwrap());
            text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect::<String>()
        };
        let mut user = user("missing", "missing");
        user.client_certificate_data = Some(folded("server.pem"));
        user.client_key_data = Some(folded("server.key").into());
        assert!(load(&user, &crypto::provider()).unwrap().is_some());

        user.client_key_data = Some("s3cr3t!".to_owned().into());
        let error = load(&user, &crypto::provider()).unwrap_err();
        assert_eq!(error.message(), "the client key in the kubeconfig is not valid base64");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = Folder::new("identity");
        let file = folder.0.join("missing.pem").display().to_string();
        let user = AuthInfo { client_certificate: Some(file.clone()), ..AuthInfo::default() };
        let error = load(&user, &crypto::provider()).unwrap_err();
        assert_eq!(error.message(), format!("cannot read the client certificate `{file}`"));
        assert_eq!(error.causes(), ["no such file or directory"]);
    }
}
