//! Certificates that someone spoils: in the Secret, in the folder, in the registration.

use std::time::{Duration, Instant, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use testbed::{
    namespace::Namespace,
    wait::{PATIENCE, until},
};

use super::{
    certificates::{authorities, folder},
    client::Client,
    guard::{self, Guard, Turn, declared_sticky, live, own_writes, registrations, sticky},
};

const LABEL: &str = "app.kubernetes.io/managed-by";

/// A pair that nobody signed but itself, for these days from now.
fn pair(name: &str, days: (i64, i64)) -> (String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
    let day = |days: i64| {
        let span = Duration::from_hours(24 * days.unsigned_abs());
        if days < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
    };
    (params.not_before, params.not_after) = (day(days.0).into(), day(days.1).into());
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

/// What may stand in the Secret instead.
fn spoilt() -> Vec<(&'static str, Value)> {
    let text = |text: &str| json!(STANDARD.encode(text));
    let (foreign, foreign_key) = pair("127.0.0.1", (-1, 10));
    let (old, old_key) = pair("127.0.0.1", (-10, -1));
    let (early, early_key) = pair("127.0.0.1", (1, 10));
    let (named, named_key) = pair("other.name", (-1, 10));
    let whole = |pair: &str, key: &str| json!({ "ca.crt": text(pair), "tls.crt": text(pair), "tls.key": text(key) });
    vec![
        ("nothing at all", json!({ "ca.crt": null, "tls.crt": null, "tls.key": null, "names": null })),
        ("no certificate", json!({ "tls.crt": text("none") })),
        ("no text", json!({ "tls.crt": STANDARD.encode([0xff, 0xfe]) })),
        ("no authority", json!({ "ca.crt": text("") })),
        ("the key of another", json!({ "tls.key": text(&foreign_key) })),
        (
            "a pair that the authority has not signed",
            json!({ "tls.crt": text(&foreign), "tls.key": text(&foreign_key) }),
        ),
        ("a pair that has run out", whole(&old, &old_key)),
        ("a pair that does not hold yet", whole(&early, &early_key)),
        ("a pair for another name", whole(&named, &named_key)),
        (
            "a next pair that is none",
            json!({ "next.crt": text("a"), "next.key": text("b"), "next.from": text("9999999999") }),
        ),
        (
            "a time that is none",
            json!({ "next.crt": text("a"), "next.key": text("b"), "next.from": text(&u64::MAX.to_string()) }),
        ),
    ]
}

fn works(guard: &Guard, namespace: &Namespace) {
    let stored = guard::writes(namespace, "shop", |number| number < 5);
    assert!(stored.iter().all(|service| sticky(service) == declared_sticky()));
    Client::connect(guard.port, &authorities(namespace), "127.0.0.1").expect("trust");
}

#[test]
fn whatever_stands_in_the_secret_no_call_fails_and_it_is_put_right() {
    let turn = Turn::take();
    let namespace = turn.shops("secret", &["shop"]);
    let secret = format!("{}/certificates", namespace.name());
    let flags = ["--cert-secret", secret.as_str()];
    let mut guard = Guard::start(&namespace, "shop", &flags);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let failed = turn.server().failed_calls();
    let data = || namespace.get("Secret", "certificates")["data"].clone();
    let right = data();
    for (what, spoilt) in spoilt() {
        namespace.patch("Secret", "certificates", &json!({ "data": spoilt }));
        until(what, || (data() == right).then_some(()));
        works(&guard, &namespace);
    }
    // Gone as a whole, it comes back as it was.
    namespace.delete("Secret", "certificates");
    until("the Secret to be back", || (namespace.find("Secret", "certificates")?["data"] == right).then_some(()));
    works(&guard, &namespace);
    // One that is somebody else's by its label is left to them, told once, and what is shown goes on.
    let label = |value: Value| json!({ "metadata": { "labels": { LABEL: value } } });
    namespace.patch("Secret", "certificates", &label(json!("someone")));
    namespace.patch("Secret", "certificates", &json!({ "data": { "tls.crt": "" } }));
    guard.says("cannot store the certificates");
    works(&guard, &namespace);
    namespace.patch("Secret", "certificates", &label(json!("kubectl-canary-traefik")));
    until("the Secret to be right", || (data() == right).then_some(()));
    assert_eq!(turn.server().failed_calls() - failed, 0);
    let ended = guard.ends("TERM");
    assert_eq!(ended.0.code, Some(0), "{}", ended.0);
    let reason = json!(format!("Secret `{secret}` exists and does not belong to this program"));
    assert_eq!(ended.logged("cannot store the certificates", "reason"), [reason]);

    // The same at the start of a process, that has nothing better in its memory.
    for (what, spoilt) in spoilt() {
        namespace.patch("Secret", "certificates", &json!({ "data": right }));
        namespace.patch("Secret", "certificates", &json!({ "data": spoilt }));
        let guard = Guard::start(&namespace, "shop", &flags);
        works(&guard, &namespace);
        assert_eq!(guard.ends("TERM").0.code, Some(0), "{what}");
    }
}

#[test]
fn a_quarrel_is_carried_on_slowly() {
    const TIME: Duration = Duration::from_secs(8);
    let turn = Turn::take();
    let namespace = turn.shops("quarrel", &["shop"]);
    let secret = format!("{}/certificates", namespace.name());
    let guard = Guard::start(&namespace, "shop", &["--cert-secret", &secret]);
    let of = |name: &'static str| {
        let server = turn.server();
        move || own_writes(server, |request| request["objectRef"]["name"] == name)
    };
    let (secrets, bundles) = (of("certificates"), of("kubectl-canary-traefik"));
    let before = (secrets(), bundles());
    let began = Instant::now();
    let path = namespace.path("MutatingWebhookConfiguration", "kubectl-canary-traefik");
    let bundle = json!([{ "op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": "" }]).to_string();
    let mut spoilt = 0;
    let written = || (secrets() - before.0, bundles() - before.1);
    let mut passed = Duration::ZERO;
    // On a slow machine until both are seen to go on.
    while passed < TIME || spoilt <= 40 || written().0 < 2 || written().1 < 2 {
        passed = began.elapsed();
        assert!(passed < PATIENCE, "{:?} of {spoilt}", written());
        let admin = namespace.server().admin();
        admin.ask(&http::Method::PATCH, &path, "application/json-patch+json", bundle.clone()).expect("a patch");
        namespace.patch("Secret", "certificates", &json!({ "data": { "tls.crt": null } }));
        spoilt += 1;
    }
    let written = written();
    // Pauses double from 0.1 s on; with one of 5 s at their end they take 11 s.
    let most = 9 + 8 * usize::try_from(began.elapsed().as_secs() / 11).expect("a few");
    assert!(written.0 <= most && written.1 <= most, "{written:?} of {spoilt}, at most {most}");
    // Then it is over.
    until("the authority to be back", || {
        registrations(&namespace)[0]["webhooks"][0]["clientConfig"]["caBundle"].as_str().map(drop)
    });
    guard.acts(&namespace, "shop");
    let ended = guard.ends("TERM");
    assert_eq!(ended.0.code, Some(0), "{}", ended.0);
    // A line for each of them, and some of the beginning and the end.
    assert!(ended.0.stderr.lines().count() < written.0 + written.1 + 20, "{}", ended.0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "takes a file out of a folder of its own")]
fn what_is_wrong_in_the_folder_is_told_once_and_the_last_good_pair_is_shown() {
    let turn = Turn::take();
    let namespace = turn.shops("folder", &["shop"]);
    let folder = folder(&["127.0.0.1"]);
    let mut guard = Guard::start(&namespace, "shop", &["--cert-dir", &folder.path().display().to_string()]);
    let good = ["tls.crt", "tls.key"].map(|name| folder.read(name));
    let other = pair("127.0.0.1", (-1, 10));
    let half = good[0][..good[0].len() / 2].to_owned();
    for (files, reason) in [
        ([half.as_str(), &good[1]], "the serving certificate cannot be read"),
        ([&good[0], &other.1], "the serving certificate cannot be used"),
        ([&good[0], "none"], "its key cannot be read"),
    ] {
        folder.replace("tls.crt", files[0]);
        folder.replace("tls.key", files[1]);
        guard.says(reason);
        works(&guard, &namespace);
        folder.replace("tls.crt", &good[0]);
        folder.replace("tls.key", &good[1]);
    }
    std::fs::remove_file(folder.path().join("tls.key")).expect("it is there");
    guard.says("cannot read");
    works(&guard, &namespace);
    folder.replace("tls.crt", &other.0);
    folder.replace("ca.crt", &other.0);
    folder.replace("tls.key", &other.1);
    guard.says("certificate reloaded");
    until("the new certificate, trusted", || {
        Client::connect(guard.port, &authorities(&namespace), "127.0.0.1").ok().map(drop)
    });
    guard.acts(&namespace, "shop");
    let ended = guard.ends("TERM");
    assert_eq!((ended.0.code, ended.warnings()), (Some(0), 4), "{}", ended.0);
}
