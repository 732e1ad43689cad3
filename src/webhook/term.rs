//! How certificates follow one another: own ones are renewed at two thirds of their life, those of a folder are
//! taken up when they change.
#![expect(clippy::disallowed_methods, reason = "reads the certificate that --cert-dir names")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;

use super::{
    Shared,
    certificate::{Pair, sign},
};
use crate::error::{Error, Result};

/// No sleep is longer than this: the clock of the machine may be set meanwhile.
const NAP: Duration = Duration::from_secs(30);
/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// API servers need a moment to take a new `caBundle` up before they meet a certificate by its authority.
pub(super) const LONGEST_OVERLAP: Duration = Duration::from_mins(1);

/// Makes the first certificate of the process.
///
/// # Errors
///
/// No certificate can be made for these names.
pub(super) fn begin(shared: &Shared, names: &[String], life: Duration) -> Result<()> {
    let signed = sign(names, life)?;
    shared.authorities.send_replace(signed.authority);
    shared.identity.show(signed.certificate);
    Ok(())
}

/// Renews the certificate for as long as the process lives. First the new authority stands beside the old one in
/// every registration, then the new certificate is shown.
pub(super) async fn renew(shared: Arc<Shared>, names: Vec<String>, life: Duration) -> Error {
    let mut published = shared.published.subscribe();
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
        let both = overlap(&shared.authorities.borrow(), &signed.authority);
        shared.authorities.send_replace(both.clone());
        // Whoever registers nothing has nobody to wait for.
        let _ = tokio::time::timeout(life / 6, published.wait_for(|published| *published == both)).await;
        tokio::time::sleep((life / 12).min(LONGEST_OVERLAP)).await;
        shared.identity.show(signed.certificate);
        shared.log.info("certificate renewed", &[("until", json!(shared.identity.until()))]);
    }
}

/// The newest authority of the old ones, and the new one.
pub(super) fn overlap(old: &str, new: &str) -> String {
    const BEGIN: &str = "-----BEGIN";
    format!("{}{new}", old.rfind(BEGIN).map_or("", |at| &old[at..]))
}

pub(super) async fn sleep_until(then: SystemTime) {
    while let Ok(left) = then.duration_since(SystemTime::now()) {
        tokio::time::sleep(left.min(NAP)).await;
    }
}

/// Reads `tls.crt` and `tls.key` of a folder, and `ca.crt` where there is one.
///
/// # Errors
///
/// They cannot be read, or are no certificate and its key.
pub(super) fn read_folder(shared: &Shared, folder: &Path) -> Result<Contents> {
    let contents = Contents::read(folder)?;
    shared.identity.show(contents.pair.certificate()?);
    shared.authorities.send_replace(contents.authorities.clone());
    Ok(contents)
}

/// Takes up what changes in the folder. What cannot be used is told once, and the last good certificate is shown
/// on.
pub(super) async fn watch_folder(shared: Arc<Shared>, folder: &Path, mut seen: Contents) -> Error {
    let mut told = String::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let result = Contents::read(folder).and_then(|contents| {
            if contents == seen {
                return Ok(false);
            }
            shared.identity.show(contents.pair.certificate()?);
            shared.authorities.send_replace(contents.authorities.clone());
            seen = contents;
            Ok(true)
        });
        match result {
            Ok(is_news) => {
                told.clear();
                if is_news {
                    shared.log.info("certificate read anew", &[("until", json!(shared.identity.until()))]);
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

/// The files of a folder.
#[derive(PartialEq, Eq)]
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
