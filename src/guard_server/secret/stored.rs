//! What the Secret contains: the certificate that is served, and the one that follows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::CertificateSpec;
use crate::{
    error::Result,
    guard::{GuardObject, policy::labels},
    guard_server::{
        certificate::{Identity, Pair, Signed},
        term::{LONGEST_OVERLAP, overlap},
    },
};

/// The contents of the Secret.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::guard_server) struct StoredCertificates {
    pub(super) names: String,
    pub(super) authorities: String,
    pub(super) now: Pair,
    /// The next certificate, and the time from which it is served.
    pub(super) next: Option<(Pair, SystemTime)>,
}

impl StoredCertificates {
    pub(super) fn first(terms: &CertificateSpec, signed: Signed) -> Self {
        Self { names: terms.names.join(","), authorities: signed.authority, now: signed.pair, next: None }
    }

    pub(super) fn shown(&self, at: SystemTime) -> &Pair {
        self.next.as_ref().filter(|(_, from)| *from <= at).map_or(&self.now, |(pair, _)| pair)
    }

    /// Has the current certificate served, and the next one in its place when its time comes.
    ///
    /// # Errors
    ///
    /// The certificate to serve cannot be read.
    pub(super) fn serve(&self, identity: &Identity, terms: &CertificateSpec, is_trusted: bool) -> Result<()> {
        let next = match (&self.next, self.replaced_at(terms, is_trusted)) {
            (Some((pair, _)), Some(at)) => Some((pair.certificate()?, at)),
            _ => None,
        };
        match (self.now.certificate(), next) {
            (Ok(now), next) => identity.show_until(now, next),
            (Err(_), Some((next, _))) => identity.show(next),
            (Err(error), None) => return Err(error),
        }
        Ok(())
    }

    /// Returns when the next certificate is served: at its start time if API servers trust its authority, else shortly
    /// before the current one expires.
    pub(super) fn replaced_at(&self, terms: &CertificateSpec, is_trusted: bool) -> Option<SystemTime> {
        let (_, from) = self.next.as_ref()?;
        let Ok(now) = self.now.certificate() else { return Some(*from) };
        let last = now.until() - (terms.life / 12).min(LONGEST_OVERLAP);
        Some(if is_trusted { *from } else { last.max(now.until().min(*from)) })
    }

    /// Returns whether the next certificate waits only for API servers to trust its authority.
    pub(super) fn awaits_trust(&self, terms: &CertificateSpec, at: SystemTime) -> bool {
        let [from, last] = [true, false].map(|is_trusted| self.replaced_at(terms, is_trusted));
        from.is_some_and(|from| from <= at) && last.is_some_and(|last| at < last)
    }

    /// Adds a new certificate; the current one is served until the new one's start time.
    pub(super) fn renewed(&self, terms: &CertificateSpec, signed: Signed, at: SystemTime) -> Self {
        Self {
            names: terms.names.join(","),
            authorities: overlap(&self.authorities, &signed.authority),
            now: self.shown(at).clone(),
            next: Some((signed.pair, whole(at + (terms.life / 6).min(LONGEST_OVERLAP)))),
        }
    }

    /// Returns whether API servers would accept both the current certificate and the next one. Anyone may have changed
    /// the Secret.
    pub(super) fn is_sound(&self, at: SystemTime) -> bool {
        let holds = |pair: &Pair, at| pair.holds(&self.authorities, self.names.split(','), at);
        let is_next_sound = self.next.as_ref().is_none_or(|(pair, from)| holds(pair, *from));
        holds(self.shown(at), at) && is_next_sound
    }

    /// Returns when to serve the next certificate or to create another one.
    pub(super) fn due(&self, terms: &CertificateSpec, at: SystemTime) -> Due {
        if let Some((_, from)) = self.next.as_ref().filter(|(_, from)| *from > at) {
            return Due::Show(*from);
        }
        let until = self.shown(at).certificate().map(|certificate| certificate.until());
        match until {
            Ok(until) if self.names == terms.names.join(",") => Due::Renew(until - terms.life / 3),
            _ => Due::Renew(at),
        }
    }

    pub(super) fn read(secret: &Value) -> Option<Self> {
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

    pub(super) fn write(&self, terms: &CertificateSpec, version: Option<&str>) -> GuardObject {
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
        let secret = terms.object().with("type", json!("Opaque")).with("data", data);
        let mut secret = secret.labelled(labels());
        if let Some(version) = version {
            secret.value["metadata"]["resourceVersion"] = json!(version);
        }
        secret
    }
}

/// Truncates a time to whole seconds, as stored in the Secret.
pub(super) fn whole(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// The next action and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Show(SystemTime),
    Renew(SystemTime),
}
