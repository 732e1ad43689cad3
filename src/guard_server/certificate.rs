//! Certificates: either a self-generated CA and a serving certificate signed by it, both replaced at each renewal, or
//! files that something else maintains. The listener asks [`Identity`] at each handshake, so no connection is dropped
//! when they change.

use std::{
    sync::{Arc, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use p521::pkcs8::der::{
    self, Reader as _, SliceReader, Tag, TagMode, TagNumber, Tagged as _,
    asn1::{AnyRef, GeneralizedTime, UtcTime},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::error::{Error, Kind, Result};

/// Backdating of certificates, so that a client whose clock is an hour slow still accepts them.
const BACKDATED: Duration = Duration::from_hours(2);

/// The serving certificate with its key and expiry. Of a key, `Debug` prints the algorithm alone.
#[derive(Debug)]
pub(super) struct Certificate {
    key: Arc<CertifiedKey>,
    until: SystemTime,
}

impl Certificate {
    /// Builds a serving certificate from a chain and its key.
    ///
    /// # Errors
    ///
    /// The chain and key do not match, or cannot be read.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self> {
        let unusable = |why: String| Error::usage("the serving certificate cannot be used").caused_by(why);
        let until = chain.first().and_then(|leaf| not_after(leaf).ok());
        let until = until.ok_or_else(|| unusable("there is none, or it does not say until when it holds".into()))?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { key: Arc::new(key), until })
    }

    /// Returns the expiry.
    pub(super) fn until(&self) -> SystemTime {
        self.until
    }
}

/// A certificate and the CA that signed it.
pub(super) struct Signed {
    /// The CA certificate, as PEM.
    pub(super) authority: String,
    /// The serving certificate.
    pub(super) certificate: Certificate,
    /// The serving certificate and its key as PEM, to be stored.
    pub(super) pair: Pair,
}

/// A certificate chain and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// The chain, leaf first.
    pub(super) chain: String,
    /// The private key. The type has no `Debug`, so it is never printed.
    pub(super) key: String,
}

impl Pair {
    /// Parses the pair.
    ///
    /// # Errors
    ///
    /// The PEM is not a certificate with its key.
    pub(super) fn certificate(&self) -> Result<Certificate> {
        let unreadable = |what: &str, why: String| Error::usage(format!("{what} cannot be read")).caused_by(why);
        let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect();
        let chain = chain.map_err(|error| unreadable("the serving certificate", error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        Certificate::new(chain, key.map_err(|error| unreadable("its key", error.to_string()))?)
    }

    /// Returns whether a client that trusts these CAs (PEM) accepts the certificate at time `at` for all these names.
    pub(super) fn holds<'a>(
        &self,
        authorities: &str,
        mut names: impl Iterator<Item = &'a str>,
        at: SystemTime,
    ) -> bool {
        let mut roots = rustls::RootCertStore::empty();
        for authority in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
            if !authority.is_ok_and(|authority| roots.add(authority).is_ok()) {
                return false;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
        let (Ok(verifier), Ok(shown)) = (verifier, self.certificate()) else { return false };
        let Some((leaf, rest)) = shown.key.cert.split_first() else { return false };
        let at = UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap_or_default());
        names.all(|name| {
            let name = ServerName::try_from(name);
            name.is_ok_and(|name| verifier.verify_server_cert(leaf, rest, &name, &[], at).is_ok())
        })
    }
}

/// Creates a CA and a certificate for these host names and addresses, both valid for `life`.
///
/// # Errors
///
/// A name cannot be put into a certificate.
pub(super) fn sign(names: &[String], life: Duration) -> Result<Signed> {
    make(names, life).map_err(|error| {
        Error::new(Kind::Usage, "no certificate can be made for these names").caused_by(error.to_string())
    })?
}

fn make(names: &[String], life: Duration) -> std::result::Result<Result<Signed>, rcgen::Error> {
    let now = SystemTime::now();
    let (from, until) = (now - BACKDATED, now + life);
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (from.into(), until.into());
    params.distinguished_name.push(DnType::CommonName, "kubectl-canary-traefik authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let mut params = CertificateParams::new(names)?;
    (params.not_before, params.not_after) = (from.into(), until.into());
    params.distinguished_name.push(DnType::CommonName, "kubectl-canary-traefik");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &authority)?;
    let pair = Pair { chain: leaf.pem(), key: key.serialize_pem() };
    Ok(pair.certificate().map(|certificate| Signed { authority: authority.pem(), certificate, pair }))
}

/// The certificate that the listener currently serves, and the one that takes its place.
#[derive(Debug, Default)]
pub(super) struct Identity(RwLock<Option<Shown>>);

#[derive(Debug)]
struct Shown {
    now: Certificate,
    next: Option<(Certificate, SystemTime)>,
}

impl Shown {
    fn at(&self, time: SystemTime) -> &Certificate {
        self.next.as_ref().filter(|(_, from)| *from <= time).map_or(&self.now, |(next, _)| next)
    }
}

impl Identity {
    /// Replaces the certificate.
    pub(super) fn show(&self, certificate: Certificate) {
        self.show_until(certificate, None);
    }

    /// Replaces the certificate, and names the one that is served in its place from some time on, whatever else is late.
    pub(super) fn show_until(&self, now: Certificate, next: Option<(Certificate, SystemTime)>) {
        *self.0.write().expect("nothing panics while it is held") = Some(Shown { now, next });
    }

    /// Returns the expiry, in seconds since 1970; `None` before the first certificate.
    pub(super) fn until(&self) -> Option<u64> {
        let until = self.with(|certificate| certificate.until)?;
        until.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }

    /// Returns whether there is a certificate that has not expired.
    pub(super) fn is_valid(&self) -> bool {
        self.with(|certificate| certificate.until > SystemTime::now()).unwrap_or_default()
    }

    fn with<T>(&self, read: impl FnOnce(&Certificate) -> T) -> Option<T> {
        let shown = self.0.read().expect("nothing panics while it is held");
        shown.as_ref().map(|shown| read(shown.at(SystemTime::now())))
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.with(|certificate| Arc::clone(&certificate.key))
    }
}

/// Returns the expiry of the newest of these CA certificates (PEM, newest last).
pub(crate) fn ends(authorities: &[u8]) -> Option<SystemTime> {
    not_after(&CertificateDer::pem_slice_iter(authorities).last()?.ok()?).ok()
}

/// Returns the expiry of a certificate: the second time of `tbsCertificate.validity` (RFC 5280 section 4.1).
fn not_after(certificate: &[u8]) -> der::Result<SystemTime> {
    let certificate: AnyRef<'_> = SliceReader::new(certificate)?.decode()?;
    let signed: AnyRef<'_> = SliceReader::new(certificate.value())?.decode()?;
    let mut fields = SliceReader::new(signed.value())?;
    // version
    fields.context_specific::<u8>(TagNumber(0), TagMode::Explicit)?;
    // serialNumber, signature, issuer
    for _ in 0..3 {
        fields.decode::<AnyRef<'_>>()?;
    }
    let until = fields.sequence(|validity| {
        validity.decode::<AnyRef<'_>>()?;
        validity.decode::<AnyRef<'_>>()
    })?;
    let since_epoch = match until.tag() {
        Tag::UtcTime => until.decode_as::<UtcTime>()?.to_unix_duration(),
        _ => until.decode_as::<GeneralizedTime>()?.to_unix_duration(),
    };
    Ok(UNIX_EPOCH + since_epoch)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::PrivatePkcs8KeyDer;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_certificate_holds_as_long_as_it_was_made_for() {
        for life in [Duration::from_secs(20), Duration::from_hours(24 * 90), Duration::from_hours(24 * 365 * 40)] {
            let before = SystemTime::now();
            let signed = sign(&names(&["127.0.0.1", "guard.web.svc"]), life).unwrap();
            let until = signed.certificate.until();
            // Certificate times have whole seconds.
            let range = before + life - Duration::from_secs(1)..=SystemTime::now() + life;
            assert!(range.contains(&until), "{until:?}, not {range:?}");
        }
    }

    #[test]
    fn a_client_that_trusts_the_authority_accepts_the_certificate_for_its_names_alone() {
        let signed = sign(&names(&["127.0.0.1", "guard.web.svc"]), Duration::from_secs(20)).unwrap();
        let other = sign(&names(&["guard.web.svc"]), Duration::from_secs(20)).unwrap();
        let accepts = |authority: &str, name: &str, at| signed.pair.holds(authority, [name].into_iter(), at);
        let now = SystemTime::now();
        assert!(accepts(&signed.authority, "127.0.0.1", now) && accepts(&signed.authority, "guard.web.svc", now));
        assert!(!accepts(&signed.authority, "127.0.0.2", now) && !accepts(&other.authority, "guard.web.svc", now));
        assert!(!accepts("", "127.0.0.1", now) && !accepts("no certificate", "127.0.0.1", now));
        let hour = Duration::from_hours(1);
        assert!(accepts(&signed.authority, "127.0.0.1", now - hour), "to a clock that is behind");
        assert!(!accepts(&signed.authority, "127.0.0.1", now + hour), "when it has run out");
    }

    #[test]
    fn what_is_no_certificate_is_no_certificate() {
        let key = || PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KeyPair::generate().unwrap().serialize_der()));
        for der in [&[][..], &[0x30], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80], &[0x30, 2, 0x30, 0]] {
            assert!(Certificate::new(vec![der.to_vec().into()], key()).is_err(), "{der:?}");
        }
        let signed = sign(&names(&["a.b"]), Duration::from_secs(20)).unwrap();
        assert!(Certificate::new(signed.certificate.key.cert.clone(), key()).is_err(), "the key of another");
    }
}
