//! Certificates that change while the guard runs.

use std::time::Instant;

use serde_json::Value;
use testbed::{
    directory::Directory,
    namespace::Namespace,
    wait::{PATIENCE, until},
};

use super::{
    client::Client,
    guard::{self, Guard, Turn, declared_sticky, live, registrations, sticky},
};

/// The authorities that the API server is told to trust, as PEM.
pub(super) fn authorities(namespace: &Namespace) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let registration = registrations(namespace).remove(0);
    let bundle = registration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default().to_owned();
    STANDARD.decode(bundle).expect("base64")
}

/// The certificate that it shows, which has to be signed by the authorities that the API server is told to trust.
pub(super) fn shown(guard: &Guard, namespace: &Namespace) -> Vec<u8> {
    loop {
        let trusted = authorities(namespace);
        match Client::connect(guard.port, &trusted, "127.0.0.1") {
            Ok(client) => return client.certificate(),
            // It was renewed since they were read.
            Err(_) if authorities(namespace) != trusted => {}
            Err(error) => panic!("the certificate is not trusted: {error}"),
        }
    }
}

/// A folder with `tls.crt`, `tls.key` and `ca.crt`, as cert-manager makes it.
pub(super) fn folder(names: &[&str]) -> Directory {
    let folder = Directory::new();
    fill(&folder, names);
    folder
}

fn fill(folder: &Directory, names: &[&str]) -> Vec<u8> {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(names).expect("names");
    let certificate = params.self_signed(&key).expect("a certificate");
    folder.write("tls.key", key.serialize_pem());
    folder.write("tls.crt", certificate.pem());
    folder.write("ca.crt", certificate.pem());
    certificate.der().to_vec()
}

#[test]
fn certificates_are_renewed_under_continuous_writes_without_a_loss() {
    let turn = Turn::take();
    let namespace = turn.shops("renew", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &["--cert-lifetime", "20s"]);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let failed = turn.server().failed_calls();
    let began = Instant::now();
    let mut certificates = vec![shown(&guard, &namespace)];

    // Twice the life of a certificate and more, and at every moment a new connection is accepted.
    let stored = guard::writes(&namespace, "shop", |number| {
        let now = if number % 10 == 0 { Some(shown(&guard, &namespace)) } else { None };
        certificates.extend(now.filter(|now| certificates.last() != Some(now)));
        certificates.len() < 4 && began.elapsed() < PATIENCE
    });

    let without = stored.iter().filter(|service| sticky(service) != declared_sticky()).count();
    assert_eq!((without, turn.server().failed_calls() - failed), (0, 0), "of {}", stored.len());
    assert_eq!(certificates.len(), 4);
    let renewed = guard.ends("TERM").logged("certificate renewed", "level").len();
    assert!(renewed >= 3, "{renewed} renewals");
}

#[test]
fn processes_that_share_a_secret_show_one_certificate_through_renewals_and_its_loss() {
    let turn = Turn::take();
    let namespace = turn.shops("secret", &["shop"]);
    let secret = format!("{}/certificates", namespace.name());
    // A renewed certificate has a quarter of this to become trusted, on a machine that is busy with other tests.
    let flags = ["--cert-lifetime", "40s", "--cert-secret", &secret];
    let first = Guard::start(&namespace, "shop", &flags);
    let second = Guard::stands_by(&namespace, guard::free_port(), first.port, &flags);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let failed = turn.server().failed_calls();
    let both = |other_than: &[u8]| {
        until("both to show another certificate", || {
            let stored = guard::writes(&namespace, "shop", |number| number < 10);
            assert!(stored.iter().all(|service| sticky(service) == declared_sticky()));
            let certificate = shown(&first, &namespace);
            (certificate != other_than && certificate == shown(&second, &namespace)).then_some(certificate)
        })
    };
    let one = both(&[]);
    let two = both(&one);
    namespace.delete("Secret", "certificates");
    let back = until("the Secret to be back", || namespace.find("Secret", "certificates"));
    assert_eq!(back["metadata"]["labels"]["app.kubernetes.io/managed-by"], "kubectl-canary-traefik");
    both(&two);
    assert_eq!(turn.server().failed_calls() - failed, 0);
    // The registration of the one that ends is put back by the other, until that ends too.
    let _ = second.ends("TERM");
    until("the registration to be back", || (registrations(&namespace).len() == 2).then_some(()));
    first.acts(&namespace, "shop");
    let _ = first.ends("TERM");
    assert_eq!(registrations(&namespace), [Value::Null; 0]);
}

#[test]
fn a_certificate_of_someone_elses_is_taken_up_when_it_changes() {
    let turn = Turn::take();
    let namespace = turn.shops("folder", &["shop"]);
    let folder = folder(&["127.0.0.1"]);
    let secrets = || {
        let asked = turn.server().audit_of_program();
        asked.iter().filter(|request| request["objectRef"]["resource"] == "secrets").count()
    };
    let asked_by_others = secrets();
    let guard = Guard::start(&namespace, "shop", &["--cert-dir", &folder.path().display().to_string()]);
    let shown = || Client::connect(guard.port, &authorities(&namespace), "127.0.0.1").ok().map(|c| c.certificate());
    let before = shown().expect("trust");

    // Half of a change is no change.
    let good = folder.read("tls.key");
    folder.write("tls.key", "none");
    folder.write("tls.key", good);
    let after = fill(&folder, &["127.0.0.1"]);

    until("the new certificate, trusted", || (shown()? == after).then_some(()));
    assert_ne!(before, after);
    guard.acts(&namespace, "shop");
    assert_eq!(secrets(), asked_by_others);
    let _ = guard.ends("TERM");
}
