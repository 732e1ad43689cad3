//! The cryptography of TLS connections: ring's, and ECDSA on the curve P-521, which ring does not have but kubectl (Go's
//! `crypto/tls`) uses for client certificates, servers and authorities.

use std::sync::{Arc, LazyLock};

use p521::{
    ecdsa::{
        Signature, SigningKey, VerifyingKey,
        signature::{Signer as _, hazmat::PrehashVerifier},
    },
    pkcs8::DecodePrivateKey,
};
use ring::digest;
use rustls::{
    Error as TlsError, SignatureAlgorithm, SignatureScheme,
    crypto::{CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms, ring as by_ring},
    pki_types::{
        AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer,
        alg_id,
    },
    sign::{self, Signer},
};

/// Returns ring's provider, extended with P-521.
pub(crate) fn provider() -> CryptoProvider {
    static KEYS: Keys = Keys;
    CryptoProvider {
        key_provider: &KEYS,
        signature_verification_algorithms: WebPkiSupportedAlgorithms { all: &ALL, mapping: &BY_SCHEME },
        ..by_ring::default_provider()
    }
}

type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

static SHA256: Verification = Verification { digest: &digest::SHA256, id: alg_id::ECDSA_SHA256 };
static SHA384: Verification = Verification { digest: &digest::SHA384, id: alg_id::ECDSA_SHA384 };
static SHA512: Verification = Verification { digest: &digest::SHA512, id: alg_id::ECDSA_SHA512 };

static ALL: LazyLock<Vec<&dyn SignatureVerificationAlgorithm>> = LazyLock::new(|| {
    const OWN: Algorithms = &[&SHA256, &SHA384, &SHA512];
    [by_ring::default_provider().signature_verification_algorithms.all, OWN].concat()
});

static BY_SCHEME: LazyLock<Vec<(SignatureScheme, Algorithms)>> = LazyLock::new(|| {
    const OWN: Algorithms = &[&SHA512];
    let mapping = by_ring::default_provider().signature_verification_algorithms.mapping;
    [mapping, &[(SignatureScheme::ECDSA_NISTP521_SHA512, OWN)]].concat()
});

/// Verifies signatures of P-521 keys over one digest.
#[derive(Debug)]
struct Verification {
    digest: &'static digest::Algorithm,
    id: AlgorithmIdentifier,
}

/// Size of a P-521 field element in bytes.
const FIELD: usize = 66;

impl SignatureVerificationAlgorithm for Verification {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        // A digest is a number (FIPS 186-5 section 6.4.2), which leading zeros do not change. The crate refuses digests
        // shorter than half a field element, as of SHA-256.
        let digest = digest::digest(self.digest, message);
        let mut number = [0; FIELD];
        number[FIELD - digest.as_ref().len()..].copy_from_slice(digest.as_ref());
        key.verify_prehash(&number, &signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.id
    }
}

/// Loads the private keys that ring accepts, and P-521.
#[derive(Debug)]
struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn sign::SigningKey>, TlsError> {
        match p521_key(&key) {
            Some(key) => Ok(Arc::new(key)),
            None => by_ring::default_provider().key_provider.load_private_key(key),
        }
    }
}

fn p521_key(key: &PrivateKeyDer<'_>) -> Option<P521> {
    let key = match key {
        PrivateKeyDer::Pkcs8(der) => p521::SecretKey::from_pkcs8_der(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Sec1(der) => p521::SecretKey::from_sec1_der(der.secret_sec1_der()).ok(),
        _ => None,
    };
    key.map(|key| P521(Arc::new(SigningKey::from(key))))
}

/// A P-521 key.
#[derive(Debug, Clone)]
struct P521(Arc<SigningKey>);

impl sign::SigningKey for P521 {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&self.scheme()).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(sign::public_key_to_spki(&alg_id::ECDSA_P521, self.0.verifying_key().to_sec1_point(false)))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521 {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TlsError> {
        let signature: Signature = self.0.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

#[cfg(test)]
mod tests {
    use rustls::{
        CertificateError,
        client::danger::ServerCertVerifier as _,
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    };

    use super::*;
    use crate::apiserver::{testing::testdata, trust::Trust};

    /// The certificate and the signature in it were made by OpenSSL.
    #[test]
    fn a_signature_on_p521_is_checked_in_each_bit() {
        let read = |name| CertificateDer::from_pem_file(testdata(name)).unwrap();
        let trust = Trust::new(vec![read("p521-authority.pem")], &Arc::new(provider())).unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        for file in ["p521-sha256.pem", "p521-sha384.pem", "p521-sha512.pem"] {
            let whole = read(file).to_vec();
            let verify = |der: &[u8]| {
                trust.verify_server_cert(&CertificateDer::from(der), &[], &name, &[], UnixTime::now()).map(drop)
            };
            assert_eq!(verify(&whole), Ok(()));
            // The signature comes last.
            for place in [whole.len() - 1, whole.len() - 40, whole.len() - 100] {
                let mut bent = whole.clone();
                bent[place] ^= 1;
                assert_eq!(verify(&bent), Err(CertificateError::BadSignature.into()), "{file}");
            }
        }
    }
}
