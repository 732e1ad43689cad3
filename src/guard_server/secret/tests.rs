//! Tests of the certificates in a Secret.

use super::*;

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
        let secret = kept.write(&terms, Some("7"));
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
    let due = now + Duration::from_secs(10);
    assert!(renewed.served(due, true) == renewed.shown(due) && renewed.served(due, false) == &first.now);
    let expired = first.present_until().unwrap();
    assert!(renewed.served(expired, false) == renewed.shown(expired));
    assert_eq!(renewed.authorities.matches("BEGIN").count(), 2);
    let again = renewed.renewed(&terms, signed(), now + Duration::from_secs(40));
    assert!(again.shown(now) == renewed.shown(now + Duration::from_secs(10)));
    assert_eq!(again.authorities.matches("BEGIN").count(), 2);
}

#[test]
fn what_install_makes_holds_until_two_thirds_of_its_life_are_gone_and_is_trusted_beside_what_was() {
    let (secret, service) = (terms().secret, NamespacedName { namespace: Some("web".into()), name: "a".into() });
    let now = SystemTime::now();
    let (authorities, written) = installed(&secret, &service, None, "").unwrap();
    let written = written.unwrap();
    assert_eq!(installed(&secret, &service, Some(&written), "other").unwrap(), (authorities.clone(), None));

    // The replicas of another version stored a shorter-lived one, or its Secret is gone.
    let kept = StoredCertificates::first(&terms(), signed());
    let there = kept.write(&terms(), None);
    for (found, registered) in [(Some(&there), ""), (None, kept.authorities.as_str())] {
        let (both, written) = installed(&secret, &service, found, registered).unwrap();
        let written = StoredCertificates::read(&written.unwrap()).unwrap();
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
