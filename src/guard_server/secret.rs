//! Certificates that several replicas share through a Secret. Whichever replica is first renews them. A new certificate
//! is served only some time after its CA was added to the Secret, when every replica and every registration has that
//! CA. Also those that `guard install` makes for replicas that may store none.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    apiserver::{Event, Failure, backoff::Backoff},
    cluster::collections,
    error::{Error, Kind, Result},
    guard::{deployment, policy::VERSION_LABEL},
    guard_server::{
        certificate::{Pair, Signed, sign},
        following::{Requirement, follow},
        shared::Shared,
        term::{LONGEST_OVERLAP, overlap, sleep_until},
    },
    model::{MANAGED_BY, MANAGED_BY_LABEL, NamespacedName},
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
) -> Result<(String, Option<Value>)> {
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
    let kept = StoredCertificates { names: terms.names.join(","), authorities, now: signed.pair, next: None };
    Ok((kept.authorities.clone(), Some(kept.write(&terms, None))))
}

/// The contents of the Secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct StoredCertificates {
    names: String,
    authorities: String,
    now: Pair,
    /// The next certificate, and the time from which it is served.
    next: Option<(Pair, SystemTime)>,
}

impl StoredCertificates {
    fn first(terms: &CertificateSpec, signed: Signed) -> Self {
        Self { names: terms.names.join(","), authorities: signed.authority, now: signed.pair, next: None }
    }

    fn shown(&self, at: SystemTime) -> &Pair {
        self.next.as_ref().filter(|(_, from)| *from <= at).map_or(&self.now, |(pair, _)| pair)
    }

    /// Returns the certificate to serve at this time: the next one only if API servers trust its authority, as long as the
    /// present one is valid.
    fn served(&self, at: SystemTime, is_trusted: bool) -> &Pair {
        if !is_trusted && self.present_until().is_some_and(|until| at < until) { &self.now } else { self.shown(at) }
    }

    fn present_until(&self) -> Option<SystemTime> {
        self.now.certificate().ok().map(|certificate| certificate.until())
    }

    /// Adds a new certificate; the current one is served until the new one's start time.
    fn renewed(&self, terms: &CertificateSpec, signed: Signed, at: SystemTime) -> Self {
        Self {
            names: terms.names.join(","),
            authorities: overlap(&self.authorities, &signed.authority),
            now: self.shown(at).clone(),
            next: Some((signed.pair, whole(at + (terms.life / 6).min(LONGEST_OVERLAP)))),
        }
    }

    /// Returns whether API servers would accept both the current certificate and the next one. Anyone may have changed
    /// the Secret.
    fn is_sound(&self, at: SystemTime) -> bool {
        let holds = |pair: &Pair, at| pair.holds(&self.authorities, self.names.split(','), at);
        let is_next_sound = self.next.as_ref().is_none_or(|(pair, from)| holds(pair, *from));
        holds(self.shown(at), at) && is_next_sound
    }

    /// Returns when to serve the next certificate or to create another one.
    fn due(&self, terms: &CertificateSpec, at: SystemTime) -> Due {
        if let Some((_, from)) = self.next.as_ref().filter(|(_, from)| *from > at) {
            return Due::Show(*from);
        }
        let until = self.shown(at).certificate().map(|certificate| certificate.until());
        match until {
            Ok(until) if self.names == terms.names.join(",") => Due::Renew(until - terms.life / 3),
            _ => Due::Renew(at),
        }
    }

    fn read(secret: &Value) -> Option<Self> {
        let text = |key: &str| -> Option<String> {
            String::from_utf8(STANDARD.decode(secret.get("data")?.get(key)?.as_str()?).ok()?).ok()
        };
        let pair = |chain: &str, key: &str| Some(Pair { chain: text(chain)?, key: text(key)? });
        let next = || {
            let from = UNIX_EPOCH.checked_add(Duration::from_secs(text("next.from")?.parse().ok()?))?;
            Some((pair("next.crt", "next.key")?, from))
        };
        Some(Self {
            names: text("names")?,
            authorities: text("ca.crt")?,
            now: pair("tls.crt", "tls.key")?,
            next: if text("next.from").is_some() { Some(next()?) } else { None },
        })
    }

    fn write(&self, terms: &CertificateSpec, version: Option<&str>) -> Value {
        let mut data = json!({});
        let mut set = |key: &str, text: &str| data[key] = json!(STANDARD.encode(text));
        set("names", &self.names);
        set("ca.crt", &self.authorities);
        set("tls.crt", &self.now.chain);
        set("tls.key", &self.now.key);
        if let Some((pair, from)) = &self.next {
            let from = from.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            set("next.crt", &pair.chain);
            set("next.key", &pair.key);
            set("next.from", &from.to_string());
        }
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": data, "metadata": {
            "name": terms.secret.name, "namespace": terms.secret.namespace,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION")}}});
        if let Some(version) = version {
            secret["metadata"]["resourceVersion"] = json!(version);
        }
        secret
    }
}

/// Truncates a time to whole seconds, as stored in the Secret.
fn whole(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// The next action and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Show(SystemTime),
    Renew(SystemTime),
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
    let collection = collections::secret(&terms.secret);
    let told = |event| {
        if matches!(event, Event::InitApply(_) | Event::Apply(_) | Event::Delete(_)) {
            changed.notify_one();
        }
    };
    let work = async {
        let (mut told, mut pause) = (String::new(), Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
        loop {
            let now = SystemTime::now();
            let (Due::Show(then) | Due::Renew(then)) = kept.due(&terms, now);
            let awaits_trust = kept.shown(now) != kept.served(now, shared.registration.is_trusted(&kept.authorities));
            let then = kept.present_until().filter(|_| awaits_trust).map_or(then, |until| until.min(then));
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
        error = follow(&shared, &collection, Requirement::Required, told) => error,
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
    let found = shared.cluster.find_secret(&terms.secret).await.map_err(Wrong::Failure)?;
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
    let served = wanted.served(now, shared.registration.is_trusted(&wanted.authorities));
    shared.identity.show(served.certificate().map_err(Wrong::Permanent)?);
    shared.registration.authorities.send_if_modified(|authorities| {
        let is_news = *authorities != wanted.authorities;
        wanted.authorities.clone_into(authorities);
        is_news
    });
    Ok(wanted)
}

fn refuse_foreign(terms: &CertificateSpec, found: Option<&Value>) -> Result<()> {
    let manager = found.map(|found| found.pointer("/metadata/labels/app.kubernetes.io~1managed-by"));
    if manager.is_none_or(|manager| manager.is_some_and(|manager| manager == MANAGED_BY)) {
        return Ok(());
    }
    let error =
        Error::new(Kind::Conflict, format!("Secret `{}` exists and does not belong to this program", terms.secret));
    Err(error.hint("--cert-secret NAMESPACE/NAME"))
}

#[cfg(test)]
mod tests;
