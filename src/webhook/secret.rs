//! Certificates that several processes share through a Secret. Whoever is first renews; a certificate is shown only
//! some time after its authority stood in the Secret, so that by then every process and every registration has it.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    Shared,
    certificate::{Pair, Signed, sign},
    following::{Need, follow},
    term::{LONGEST_OVERLAP, overlap, sleep_until},
};
use crate::{
    cluster::{Collection, Event, Failure},
    error::{Error, Kind, Result},
    guard::{
        deployment,
        policy::{MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL},
    },
    model::Target,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Which Secret, for which names, and how long its certificates hold.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) secret: Target,
    pub(super) names: Vec<String>,
    pub(super) life: Duration,
}

/// How long the certificate holds that `guard install` makes, and nobody renews but it.
pub const INSTALLED: Duration = Duration::from_hours(24 * 365 * 10);

/// The certificates of processes that have no right to keep any: the authorities that the configurations are to name, and
/// the Secret when it is not yet as it shall be. A certificate that has lost two thirds of its life is made anew; the
/// authority that is registered stays beside the new one until the next time, for pods are handed what is new some time later.
///
/// # Errors
///
/// The Secret is somebody else's.
pub fn installed(
    secret: &Target,
    service: &Target,
    found: Option<&Value>,
    registered: &str,
) -> Result<(String, Option<Value>)> {
    let terms = Terms { secret: secret.clone(), names: deployment::names(service), life: INSTALLED };
    refuse_foreign(&terms, found)?;
    let now = SystemTime::now();
    let before = found.and_then(Kept::read).filter(|kept| kept.is_sound(now));
    let is_due = |kept: &Kept| !matches!(kept.due(&terms, now), Due::Renew(then) if then > now);
    if let Some(kept) = before.as_ref().filter(|kept| !is_due(kept)) {
        return Ok((kept.authorities.clone(), None));
    }
    let signed = sign(&terms.names, terms.life)?;
    let former = before.as_ref().map_or(registered, |before| &before.authorities);
    let authorities = overlap(former, &signed.authority);
    let kept = Kept { names: terms.names.join(","), authorities, now: signed.pair, next: None };
    Ok((kept.authorities.clone(), Some(kept.write(&terms, None))))
}

/// What the Secret holds.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Kept {
    names: String,
    authorities: String,
    now: Pair,
    /// Shown instead from this time on.
    next: Option<(Pair, SystemTime)>,
}

impl Kept {
    fn first(terms: &Terms, signed: Signed) -> Self {
        Self { names: terms.names.join(","), authorities: signed.authority, now: signed.pair, next: None }
    }

    fn shown(&self, at: SystemTime) -> &Pair {
        self.next.as_ref().filter(|(_, from)| *from <= at).map_or(&self.now, |(pair, _)| pair)
    }

    /// What is shown goes on until the new one's time comes.
    fn renewed(&self, terms: &Terms, signed: Signed, at: SystemTime) -> Self {
        Self {
            names: terms.names.join(","),
            authorities: overlap(&self.authorities, &signed.authority),
            now: self.shown(at).clone(),
            next: Some((signed.pair, whole(at + (terms.life / 6).min(LONGEST_OVERLAP)))),
        }
    }

    /// Whether an API server would take what is shown, and can be told to take what comes next: someone may have put
    /// anything there.
    fn is_sound(&self, at: SystemTime) -> bool {
        let holds = |pair: &Pair, at| pair.holds(&self.authorities, self.names.split(','), at);
        let is_next_sound = self.next.as_ref().is_none_or(|(pair, from)| holds(pair, *from));
        holds(self.shown(at), at) && is_next_sound
    }

    /// When something is to be done: the next one shown, or another one made.
    fn due(&self, terms: &Terms, at: SystemTime) -> Due {
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
            let from = UNIX_EPOCH + Duration::from_secs(text("next.from")?.parse().ok()?);
            Some((pair("next.crt", "next.key")?, from))
        };
        Some(Self {
            names: text("names")?,
            authorities: text("ca.crt")?,
            now: pair("tls.crt", "tls.key")?,
            next: next(),
        })
    }

    fn write(&self, terms: &Terms, version: Option<&str>) -> Value {
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

/// To the second, as the Secret has it.
fn whole(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// What is to be done next, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Show(SystemTime),
    Renew(SystemTime),
}

/// Takes up what the Secret holds, and makes it when it is not there.
///
/// # Errors
///
/// The Secret is somebody else's, or the server does not let this user read and write it.
pub(super) async fn begin(shared: &Shared, terms: &Terms) -> Result<Kept> {
    loop {
        match settle(shared, terms, None).await {
            Ok(kept) => return Ok(kept),
            // Another process was first.
            Err(Wrong::Failure(failure)) if failure.is_conflict() => {}
            Err(Wrong::Failure(failure)) => return Err(shared.cluster.secret_error(failure, &terms.secret)),
            Err(Wrong::Final(error)) => return Err(error),
        }
    }
}

/// Renews and takes up what others renewed; returns only with the reason why that cannot go on.
pub(super) async fn keep(shared: Arc<Shared>, terms: Terms, mut kept: Kept) -> Error {
    let changed = Notify::new();
    let collection = Collection::secret(&terms.secret);
    let told = |event| {
        if matches!(event, Event::Is(..) | Event::Was(_)) {
            changed.notify_one();
        }
    };
    let work = async {
        let (mut told, mut pause) = (String::new(), FIRST_PAUSE);
        loop {
            let (Due::Show(then) | Due::Renew(then)) = kept.due(&terms, SystemTime::now());
            let began = Instant::now();
            tokio::select! {
                () = changed.notified() => {}
                () = sleep_until(then) => {}
            }
            if began.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            let error = match settle(&shared, &terms, Some(&kept)).await {
                Ok(now) => {
                    kept = now;
                    told.clear();
                    None
                }
                Err(Wrong::Failure(failure)) if failure.is_conflict() => None,
                Err(Wrong::Failure(failure)) => Some(shared.cluster.secret_error(failure, &terms.secret)),
                // What is shown goes on to be shown: as long as it holds, ending would help nobody.
                Err(Wrong::Final(error)) => Some(error),
            };
            if let Some(error) = error.filter(|error| error.message() != told) {
                let reason = [("reason", json!(error.message())), ("hint", json!(error.hints().first()))];
                shared.log.warning("cannot keep the certificates", &reason);
                error.message().clone_into(&mut told);
            }
            // Slower and slower when it fails, and in a quarrel about what the Secret is to hold.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    tokio::select! {
        error = work => error,
        error = follow(&shared, &collection, Need::Must, told) => error,
    }
}

enum Wrong {
    Failure(Failure),
    Final(Error),
}

/// Makes the Secret and what this process shows one: what is there is taken up, renewed when it is time for that;
/// what is gone, spoilt or run out is written again as `before` had it, else anew.
async fn settle(shared: &Shared, terms: &Terms, before: Option<&Kept>) -> std::result::Result<Kept, Wrong> {
    let now = SystemTime::now();
    let found = shared.cluster.find_secret(&terms.secret).await.map_err(Wrong::Failure)?;
    let text = |pointer: &str| found.as_ref()?.pointer(pointer)?.as_str();
    refuse_foreign(terms, found.as_ref()).map_err(Wrong::Final)?;
    let sign = || sign(&terms.names, terms.life).map_err(Wrong::Final);
    let there = found.as_ref().and_then(Kept::read);
    let is_due = |kept: &Kept| matches!(kept.due(terms, now), Due::Renew(then) if then <= now);
    let is_sound = |kept: &&Kept| kept.is_sound(now);
    let wanted = match there.as_ref().filter(is_sound).or(before.filter(is_sound)) {
        None => Kept::first(terms, sign()?),
        Some(kept) if is_due(kept) => kept.renewed(terms, sign()?, now),
        Some(kept) => kept.clone(),
    };
    if there.as_ref() != Some(&wanted) {
        let secret = wanted.write(terms, text("/metadata/resourceVersion"));
        shared.cluster.write_secret(&secret).await.map_err(Wrong::Failure)?;
        shared.log.info("certificates written", &[("secret", json!(terms.secret.to_string()))]);
    }
    let shown = wanted.shown(now).certificate().map_err(Wrong::Final)?;
    shared.identity.show(shown);
    shared.authorities.send_if_modified(|authorities| {
        let is_news = *authorities != wanted.authorities;
        wanted.authorities.clone_into(authorities);
        is_news
    });
    Ok(wanted)
}

fn refuse_foreign(terms: &Terms, found: Option<&Value>) -> Result<()> {
    let manager = found.map(|found| found.pointer("/metadata/labels/app.kubernetes.io~1managed-by"));
    if manager.is_none_or(|manager| manager.is_some_and(|manager| manager == MANAGED_BY)) {
        return Ok(());
    }
    let error = Error::new(Kind::Conflict, format!("Secret `{}` is there and is not this program's", terms.secret));
    Err(error.hint("name another one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let secret = Target { namespace: Some("web".into()), name: "certificates".into() };
        Terms { secret, names: vec!["a.web.svc".into()], life: Duration::from_mins(1) }
    }

    fn signed() -> Signed {
        sign(&terms().names, terms().life).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let (terms, now) = (terms(), UNIX_EPOCH + Duration::from_secs(1_000_000));
        let first = Kept::first(&terms, signed());
        let renewed = first.renewed(&terms, signed(), now);
        for kept in [first, renewed] {
            let secret = kept.write(&terms, Some("7"));
            assert_eq!(secret["metadata"]["resourceVersion"], "7");
            assert!(Kept::read(&secret) == Some(kept));
        }
        assert!(Kept::read(&json!({"data": {"tls.crt": "%"}})).is_none());
    }

    #[test]
    fn a_new_certificate_waits_until_its_authority_is_known() {
        let (terms, now) = (terms(), whole(SystemTime::now()));
        let first = Kept::first(&terms, signed());
        let signed_by = SystemTime::now();
        let Due::Renew(then) = first.due(&terms, now) else { panic!("nothing waits to be shown") };
        let two_thirds = Duration::from_secs(40);
        assert!((now + two_thirds - Duration::from_secs(1)..=signed_by + two_thirds).contains(&then));
        let renewed = first.renewed(&terms, signed(), now);
        assert_eq!(renewed.due(&terms, now), Due::Show(now + Duration::from_secs(10)));
        assert!(renewed.shown(now) == &first.now && renewed.shown(now + Duration::from_secs(10)) != &first.now);
        assert_eq!(renewed.authorities.matches("BEGIN").count(), 2);
        let again = renewed.renewed(&terms, signed(), now + Duration::from_secs(40));
        assert!(again.shown(now) == renewed.shown(now + Duration::from_secs(10)));
        assert_eq!(again.authorities.matches("BEGIN").count(), 2);
    }

    #[test]
    fn what_install_makes_holds_until_two_thirds_of_its_life_are_gone_and_is_trusted_beside_what_was() {
        let (secret, service) = (terms().secret, Target { namespace: Some("web".into()), name: "a".into() });
        let now = SystemTime::now();
        let (authorities, written) = installed(&secret, &service, None, "").unwrap();
        let written = written.unwrap();
        assert_eq!(installed(&secret, &service, Some(&written), "other").unwrap(), (authorities.clone(), None));

        // The processes of another version kept a shorter one; or its Secret is gone.
        let kept = Kept::first(&terms(), signed());
        let there = kept.write(&terms(), None);
        for (found, registered) in [(Some(&there), ""), (None, kept.authorities.as_str())] {
            let (both, written) = installed(&secret, &service, found, registered).unwrap();
            let written = Kept::read(&written.unwrap()).unwrap();
            assert_eq!((both.matches("BEGIN").count(), &both), (2, &written.authorities));
            assert!(kept.now.holds(&both, ["a.web.svc"].into_iter(), now) && written.is_sound(now));
            let long = Terms { names: deployment::names(&service), life: INSTALLED, ..terms() };
            assert_eq!(written.names, long.names.join(","));
            let Due::Renew(then) = written.due(&long, now) else { panic!("nothing waits to be shown") };
            assert!(then > now + INSTALLED / 2);
        }

        // Somebody else's stays.
        let foreign = json!({"metadata": {"name": "certificates"}});
        assert!(installed(&secret, &service, Some(&foreign), "").is_err());
    }

    #[test]
    fn certificates_for_other_names_are_renewed_at_once() {
        let (terms, now) = (terms(), SystemTime::now());
        let kept = Kept::first(&terms, signed());
        let other = Terms { names: vec!["b.web.svc".into()], ..terms };
        assert_eq!(kept.due(&other, now), Due::Renew(now));
    }
}
