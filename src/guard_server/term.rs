//! Certificates of this process alone: generated ones are renewed at two thirds of their validity, those of `--cert-dir` are
//! reloaded when they change. Those of a Secret: `secret`.
#![expect(clippy::disallowed_methods, reason = "reads the certificate that --cert-dir names")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;

use crate::{
    error::{Error, Result},
    guard_server::{
        certificate::{Pair, sign},
        shared::Shared,
    },
};

/// Maximum sleep, since the system clock may be changed meanwhile.
const NAP: Duration = Duration::from_secs(30);
/// Polling interval of the folder.
const LOOK: Duration = Duration::from_secs(1);
/// Maximum delay between registering a new CA and serving a certificate signed by it: API servers need a moment to pick
/// up a new `caBundle`.
pub(super) const LONGEST_OVERLAP: Duration = Duration::from_mins(1);

/// Creates the first certificate.
///
/// # Errors
///
/// No certificate can be created for these names.
pub(super) fn begin(shared: &Shared, names: &[String], life: Duration) -> Result<()> {
    let signed = sign(names, life)?;
    shared.registration.authorities.send_replace(signed.authority);
    shared.identity.show(signed.certificate);
    Ok(())
}

/// Renews the certificate as long as the process runs. The new CA is first registered beside the old one, then the new
/// certificate is served.
pub(super) async fn renew(shared: Arc<Shared>, names: Vec<String>, life: Duration) -> Error {
    let mut published = shared.registration.published.subscribe();
    loop {
        let until = shared
            .identity
            .until()
            .map_or(SystemTime::now(), |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        sleep_until(until - life / 3).await;
        let signed = match sign(&names, life) {
            Ok(signed) => signed,
            Err(error) => return error,
        };
        let both = overlap(&shared.registration.authorities.borrow(), &signed.authority);
        shared.registration.authorities.send_replace(both.clone());
        // Times out if this process does not register itself.
        let _ = tokio::time::timeout(life / 6, published.wait_for(|published| published.authorities == both)).await;
        tokio::time::sleep((life / 12).min(LONGEST_OVERLAP)).await;
        shared.identity.show(signed.certificate);
        shared.log.info("certificate renewed", &[("until", json!(shared.identity.until()))]);
    }
}

/// Returns the newest of the old CAs together with the new one.
pub(super) fn overlap(old: &str, new: &str) -> String {
    const BEGIN: &str = "-----BEGIN";
    format!("{}{new}", old.rfind(BEGIN).map_or("", |at| &old[at..]))
}

pub(super) async fn sleep_until(then: SystemTime) {
    while let Ok(left) = then.duration_since(SystemTime::now()) {
        tokio::time::sleep(left.min(NAP)).await;
    }
}

/// Loads `tls.crt` and `tls.key` from a folder, and `ca.crt` if it exists.
///
/// # Errors
///
/// The files cannot be read, or are not a certificate with its key.
pub(super) fn read_folder(shared: &Shared, folder: &Path) -> Result<Contents> {
    let contents = Contents::read(folder)?;
    shared.identity.show(contents.pair.certificate()?);
    shared.registration.authorities.send_replace(contents.authorities.clone());
    Ok(contents)
}

/// Reloads the folder when it changes. An unusable certificate is logged once, and the last good one is still served.
pub(super) async fn watch_folder(shared: Arc<Shared>, folder: PathBuf, mut seen: Contents) -> Error {
    let mut told = String::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let result = Contents::read(&folder).and_then(|contents| {
            if contents == seen {
                return Ok(false);
            }
            shared.identity.show(contents.pair.certificate()?);
            shared.registration.authorities.send_replace(contents.authorities.clone());
            seen = contents;
            Ok(true)
        });
        match result {
            Ok(is_news) => {
                told.clear();
                if is_news {
                    shared.log.info("certificate reloaded", &[("until", json!(shared.identity.until()))]);
                }
            }
            Err(error) if error.message() == told => {}
            Err(error) => {
                shared.log.warning(error.message(), &[("reason", json!(error.causes().first()))]);
                error.message().clone_into(&mut told);
            }
        }
    }
}

/// The contents of the folder.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pair: Pair,
    authorities: String,
}

impl Contents {
    fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path)
                .map_err(|error| Error::usage(format!("cannot read `{}`", path.display())).caused_by(error.to_string()))
        };
        let authorities = std::fs::read_to_string(folder.join("ca.crt")).unwrap_or_default();
        Ok(Self { pair: Pair { chain: read("tls.crt")?, key: read("tls.key")? }, authorities })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_the_newest_authority_stands_beside_a_new_one() {
        let pem = |name: &str| format!("-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n");
        assert_eq!(overlap("", &pem("a")), pem("a"));
        assert_eq!(overlap(&pem("a"), &pem("b")), pem("a") + &pem("b"));
        assert_eq!(overlap(&(pem("a") + &pem("b")), &pem("c")), pem("b") + &pem("c"));
    }
}
