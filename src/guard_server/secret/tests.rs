//! Tests of the certificates in a Secret.

use std::time::UNIX_EPOCH;

use super::{stored::*, *};
use crate::{
    apiserver::testing::Server,
    cluster::Cluster,
    guard::{Coverage, webhook::Address},
    guard_server::{
        Certificates, Log, LogFormat, Options,
        certificate::{Identity, Signed},
    },
    web::TraefikAddress,
};

fn terms() -> CertificateSpec {
    let secret = NamespacedName { namespace: Some("web".into()), name: "certificates".into() };
    CertificateSpec { secret, names: vec!["a.web.svc".into()], life: Duration::from_mins(1) }
}

fn signed() -> Signed {
    sign(&terms().names, terms().life).unwrap()
}

#[test]
fn what_is_written_is_what_is_read() {
    let (terms, now) = (terms(), UNIX_EPOCH + Duration::from_secs(1_000_000));
    let first = StoredCertificates::first(&terms, signed());
    let renewed = first.renewed(&terms, signed(), now);
    for kept in [first, renewed] {
        let secret = kept.write(&terms, Some("7")).value;
        assert_eq!(secret["metadata"]["resourceVersion"], "7");
        assert!(StoredCertificates::read(&secret) == Some(kept));
    }
    assert!(StoredCertificates::read(&json!({"data": {"tls.crt": "%"}})).is_none());
}

#[test]
fn a_new_certificate_waits_until_its_authority_is_trusted_or_the_present_one_expires() {
    let (terms, now) = (terms(), whole(SystemTime::now()));
    let first = StoredCertificates::first(&terms, signed());
    let signed_by = SystemTime::now();
    let Due::Renew(then) = first.due(&terms, now) else { panic!("nothing waits to be shown") };
    let two_thirds = Duration::from_secs(40);
    assert!((now + two_thirds - Duration::from_secs(1)..=signed_by + two_thirds).contains(&then));
    let renewed = first.renewed(&terms, signed(), now);
    assert_eq!(renewed.due(&terms, now), Due::Show(now + Duration::from_secs(10)));
    assert!(renewed.shown(now) == &first.now && renewed.shown(now + Duration::from_secs(10)) != &first.now);
    // Trusted, it is served from its start on; else five seconds before the present one expires.
    let (from, last) =
        (now + Duration::from_secs(10), first.now.certificate().unwrap().until() - Duration::from_secs(5));
    assert_eq!([true, false].map(|is_trusted| renewed.replaced_at(&terms, is_trusted)), [Some(from), Some(last)]);
    let moments = [from - Duration::from_secs(1), from, last - Duration::from_secs(1), last];
    assert_eq!(moments.map(|at| renewed.awaits_trust(&terms, at)), [false, true, true, false]);
    assert_eq!(renewed.authorities.matches("BEGIN").count(), 2);
    let again = renewed.renewed(&terms, signed(), now + Duration::from_secs(40));
    assert!(again.shown(now) == renewed.shown(now + Duration::from_secs(10)));
    assert_eq!(again.authorities.matches("BEGIN").count(), 2);
}

#[test]
fn the_next_certificate_is_served_from_its_time_on_without_anything_else_to_happen() {
    let of = |life| sign(&terms().names, Duration::from_secs(life)).unwrap();
    let (expiring, present, next) = (of(4), of(60), of(600));
    let now = SystemTime::now();
    let (past, future) = (now - Duration::from_secs(1), now + Duration::from_secs(30));
    for (current, from, is_trusted, served) in [
        (&present, future, true, &present),
        (&present, past, true, &next),
        (&present, past, false, &present),
        (&expiring, past, false, &next),
        (&expiring, future, false, &expiring),
    ] {
        let kept =
            StoredCertificates { next: Some((next.pair.clone(), from)), ..StoredCertificates::first(&terms(), of(60)) };
        let kept = StoredCertificates { now: current.pair.clone(), ..kept };
        let identity = Identity::default();
        kept.serve(&identity, &terms(), is_trusted).unwrap();
        let until = served.certificate.until().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(identity.until(), Some(until), "from {from:?}, {is_trusted}");
    }
}

#[test]
fn what_install_makes_holds_until_two_thirds_of_its_life_are_gone_and_is_trusted_beside_what_was() {
    let (secret, service) = (terms().secret, NamespacedName { namespace: Some("web".into()), name: "a".into() });
    let now = SystemTime::now();
    let (authorities, written) = installed(&secret, &service, None, "").unwrap();
    let written = written.unwrap().value;
    assert_eq!(installed(&secret, &service, Some(&written), "other").unwrap(), (authorities.clone(), None));

    // The replicas of another version stored a shorter-lived one, or its Secret is gone.
    let kept = StoredCertificates::first(&terms(), signed());
    let there = kept.write(&terms(), None).value;
    for (found, registered) in [(Some(&there), ""), (None, kept.authorities.as_str())] {
        let (both, written) = installed(&secret, &service, found, registered).unwrap();
        let written = StoredCertificates::read(&written.unwrap().value).unwrap();
        assert_eq!((both.matches("BEGIN").count(), &both), (2, &written.authorities));
        assert!(kept.now.holds(&both, ["a.web.svc"].into_iter(), now) && written.is_sound(now));
        let long = CertificateSpec { names: deployment::names(&service), life: INSTALLED, ..terms() };
        assert_eq!(written.names, long.names.join(","));
        let Due::Renew(then) = written.due(&long, now) else { panic!("nothing waits to be shown") };
        assert!(then > now + INSTALLED / 2);
    }

    // Another program's Secret is left alone.
    let foreign = json!({"metadata": {"name": "certificates"}});
    assert!(installed(&secret, &service, Some(&foreign), "").is_err());
}

#[test]
fn certificates_for_other_names_are_renewed_at_once() {
    let (terms, now) = (terms(), SystemTime::now());
    let kept = StoredCertificates::first(&terms, signed());
    let other = CertificateSpec { names: vec!["b.web.svc".into()], ..terms };
    assert_eq!(kept.due(&other, now), Due::Renew(now));
}

/// A process that registers itself, and whose API server answers nothing.
async fn alone() -> Arc<Shared> {
    let (server, nowhere) = (Server::start([]).await, "127.0.0.1:0".parse().unwrap());
    let options = Options {
        listen: nowhere,
        gate: None,
        traefik: TraefikAddress::default(),
        address: Some(Address::Url("https://127.0.0.1".into())),
        names: terms().names,
        certificates: Certificates::Secret(terms().secret),
        life: terms().life,
        namespace: None,
        coverage: Coverage::default(),
        repairs: false,
        entries: false,
    };
    let log = Log::new(LogFormat::Text, |_| {});
    Arc::new(Shared::new(&options, Box::new(Cluster::of(server.connect().await)), log))
}

#[tokio::test]
async fn the_next_certificate_is_served_once_it_is_trusted_although_no_request_succeeds() {
    let (shared, next) = (alone().await, sign(&terms().names, Duration::from_mins(10)).unwrap());
    let until = next.certificate.until().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let past = SystemTime::now() - Duration::from_secs(1);
    let kept = StoredCertificates { next: Some((next.pair, past)), ..StoredCertificates::first(&terms(), signed()) };
    kept.serve(&shared.identity, &terms(), false).unwrap();
    assert_ne!(shared.identity.until(), Some(until));
    shared.registration.has_published(kept.authorities.clone());
    let served = async {
        let mut moments = tokio::time::interval(Duration::from_millis(10));
        while shared.identity.until() != Some(until) {
            moments.tick().await;
        }
    };
    tokio::select! {
        error = keep(Arc::clone(&shared), terms(), kept) => panic!("{error:?}"),
        served = tokio::time::timeout(Duration::from_secs(30), served) => assert_eq!(served, Ok(()), "it is not served"),
    }
}
