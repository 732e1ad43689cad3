//! Certificates that several replicas share through a Secret. Whichever replica is first renews them. A new certificate
//! is served only some time after its CA was added to the Secret, when every replica and every registration has that
//! CA, or shortly before the present one expires. Also those that `guard install` makes for replicas that may store none.

mod stored;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};
use tokio::sync::Notify;

use self::stored::{Due, StoredCertificates};
use crate::{
    apiserver::{Failure, backoff::Backoff},
    cluster::collections,
    error::{Error, Kind, Result},
    guard::{GuardKind, GuardObject, deployment, is_ours},
    guard_server::{
        certificate::sign,
        following::notify,
        shared::Shared,
        term::{overlap, sleep_until},
    },
    model::NamespacedName,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The Secret, and the names and validity of its certificates.
#[derive(Debug, Clone)]
pub(super) struct CertificateSpec {
    pub(super) secret: NamespacedName,
    pub(super) names: Vec<String>,
    pub(super) life: Duration,
}

impl CertificateSpec {
    /// Returns the Secret with nothing but its name.
    fn object(&self) -> GuardObject {
        GuardKind::Secret.named(self.secret.namespace.as_deref(), &self.secret.name)
    }
}

/// Validity of certificates created by `guard install`, which alone renews them.
pub(crate) const INSTALLED: Duration = Duration::from_hours(24 * 365 * 10);

/// Prepares certificates for replicas that have no permission to store any. Returns the CA bundle for the webhook
/// configurations, and the Secret if it must be written. A certificate past two thirds of its validity is replaced. The
/// previous CA stays in the bundle until the next renewal, because pods receive the new certificate some time later.
///
/// # Errors
///
/// The Secret belongs to something else.
pub(crate) fn installed(
    secret: &NamespacedName,
    service: &NamespacedName,
    found: Option<&Value>,
    registered: &str,
) -> Result<(String, Option<GuardObject>)> {
    let terms = CertificateSpec { secret: secret.clone(), names: deployment::names(service), life: INSTALLED };
    refuse_foreign(&terms, found)?;
    let now = SystemTime::now();
    let before = found.and_then(StoredCertificates::read).filter(|kept| kept.is_sound(now));
    let is_due = |kept: &StoredCertificates| !matches!(kept.due(&terms, now), Due::Renew(then) if then > now);
    if let Some(kept) = before.as_ref().filter(|kept| !is_due(kept)) {
        return Ok((kept.authorities.clone(), None));
    }
    let signed = sign(&terms.names, terms.life)?;
    let former = before.as_ref().map_or(registered, |before| &before.authorities);
    let authorities = overlap(former, &signed.authority);
    let kept = StoredCertificates { authorities, ..StoredCertificates::first(&terms, signed) };
    Ok((kept.authorities.clone(), Some(kept.write(&terms, None))))
}

/// Loads the certificates from the Secret, or creates it.
///
/// # Errors
///
/// The Secret belongs to something else, or the user lacks permission to read or write it.
pub(super) async fn begin(shared: &Shared, terms: &CertificateSpec) -> Result<StoredCertificates> {
    loop {
        match reconcile(shared, terms, None).await {
            Ok(kept) => return Ok(kept),
            // Another replica was first.
            Err(Wrong::Failure(failure)) if failure.is_conflict() => {}
            Err(Wrong::Failure(failure)) => return Err(Error::from(failure)),
            Err(Wrong::Permanent(error)) => return Err(error),
        }
    }
}

/// Renews the certificates and loads those that other replicas renewed; returns only the error that ends this for good.
pub(super) async fn keep(shared: Arc<Shared>, terms: CertificateSpec, mut kept: StoredCertificates) -> Error {
    let changed = Notify::new();
    let collection = collections::guard_object(&terms.object());
    let work = async {
        let (mut told, mut pause) = (String::new(), Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
        loop {
            let now = SystemTime::now();
            let is_trusted = shared.registration.is_trusted(&kept.authorities);
            // Also after a request that failed; what is wrong with a certificate is reported where it is read.
            let _ = kept.serve(&shared.identity, &terms, is_trusted);
            let (Due::Show(then) | Due::Renew(then)) = kept.due(&terms, now);
            let awaits_trust = !is_trusted && kept.awaits_trust(&terms, now);
            let began = Instant::now();
            tokio::select! {
                () = changed.notified() => {}
                () = sleep_until(then) => {}
                () = shared.registration.trusts(&kept.authorities), if awaits_trust => {}
            }
            if began.elapsed() > LONGEST_PAUSE {
                pause.reset();
            }
            let error = match reconcile(&shared, &terms, Some(&kept)).await {
                Ok(now) => {
                    kept = now;
                    told.clear();
                    None
                }
                Err(Wrong::Failure(failure)) if failure.is_conflict() => None,
                Err(Wrong::Failure(failure)) => Some(Error::from(failure)),
                // The current certificate is still served, so ending the process would help nobody.
                Err(Wrong::Permanent(error)) => Some(error),
            };
            if let Some(error) = error.filter(|error| error.message() != told) {
                let reason = [("reason", json!(error.message())), ("hint", json!(error.hints().first()))];
                shared.log.warning("cannot store the certificates", &reason);
                error.message().clone_into(&mut told);
            }
            // The pause grows on failure, and while another writer keeps changing the Secret.
            pause.wait().await;
        }
    };
    tokio::select! {
        error = work => error,
        error = notify(&shared, &collection, &changed) => error,
    }
}

enum Wrong {
    Failure(Failure),
    Permanent(Error),
}

/// Reconciles the Secret and the served certificate. A sound Secret is loaded, and renewed when due. One that is
/// missing, damaged or expired is restored from `before` if possible, otherwise created.
async fn reconcile(
    shared: &Shared,
    terms: &CertificateSpec,
    before: Option<&StoredCertificates>,
) -> std::result::Result<StoredCertificates, Wrong> {
    let now = SystemTime::now();
    let found = shared.cluster.find_guard(&terms.object()).await.map_err(Wrong::Failure)?;
    let text = |pointer: &str| found.as_ref()?.pointer(pointer)?.as_str();
    refuse_foreign(terms, found.as_ref()).map_err(Wrong::Permanent)?;
    let sign = || sign(&terms.names, terms.life).map_err(Wrong::Permanent);
    let there = found.as_ref().and_then(StoredCertificates::read);
    let is_due = |kept: &StoredCertificates| matches!(kept.due(terms, now), Due::Renew(then) if then <= now);
    let is_sound = |kept: &&StoredCertificates| kept.is_sound(now);
    let wanted = match there.as_ref().filter(is_sound).or(before.filter(is_sound)) {
        None => StoredCertificates::first(terms, sign()?),
        Some(kept) if is_due(kept) => kept.renewed(terms, sign()?, now),
        Some(kept) => kept.clone(),
    };
    if there.as_ref() != Some(&wanted) {
        let secret = wanted.write(terms, text("/metadata/resourceVersion"));
        shared.cluster.write_secret(&secret).await.map_err(Wrong::Failure)?;
        shared.log.info("certificates written", &[("secret", json!(terms.secret.to_string()))]);
    }
    let is_trusted = shared.registration.is_trusted(&wanted.authorities);
    wanted.serve(&shared.identity, terms, is_trusted).map_err(Wrong::Permanent)?;
    shared.registration.authorities.send_if_modified(|authorities| {
        let is_news = *authorities != wanted.authorities;
        wanted.authorities.clone_into(authorities);
        is_news
    });
    Ok(wanted)
}

fn refuse_foreign(terms: &CertificateSpec, found: Option<&Value>) -> Result<()> {
    if found.is_none_or(is_ours) {
        return Ok(());
    }
    let error =
        Error::new(Kind::Conflict, format!("Secret `{}` exists and does not belong to this program", terms.secret));
    Err(error.hint("use --cert-secret NAMESPACE/NAME"))
}

#[cfg(test)]
mod tests;
