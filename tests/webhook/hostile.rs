//! What may come to the port from anywhere in a network.

use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use serde_json::json;
use snapbox::str;
use testbed::{flagger, objects, run::exactly, wait::until};

use super::{
    certificates::authorities,
    client::{Client, plain},
    guard::{self, Guard, Turn, declared_sticky, live, memory},
};

#[test]
fn nothing_that_is_sent_to_the_port_ends_it_or_costs_it_memory() {
    let turn = Turn::take();
    let namespace = turn.shops("hostile", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    let authorities = authorities(&namespace);
    let client = || Client::connect(guard.port, &authorities, "127.0.0.1").expect("trust");

    // Bodies that are too large, said so or not.
    let mut large = client();
    assert_eq!(large.posts("/mutate", &vec![b' '; 10 << 20]).0, 413);
    let mut large = client();
    large.sends(b"POST /mutate HTTP/1.1\r\nhost: guard\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = [b"100000\r\n".to_vec(), vec![b' '; 0x0010_0000], b"\r\n".to_vec()].concat();
    for _ in 0..10 {
        large.sends(&chunk);
    }
    assert_eq!(large.answer().0, 413);

    // Other protocols, other words.
    let mut http = plain(guard.port);
    http.write_all(b"GET /healthz HTTP/1.1\r\nhost: guard\r\n\r\n").expect("sent");
    let mut answer = String::new();
    http.read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer.lines().next(), Some("HTTP/1.1 400 Bad Request"));
    let mut noise = plain(guard.port);
    noise.write_all(&[0x16, 3, 1, 0xff, 0xff, 0, 0, 0, 0, 0]).expect("sent");
    assert!(Client::connect(guard.port, &authorities, "another.name").is_err());
    let mut one = client();
    assert_eq!(one.gets("/mutate").0, 405);
    assert_eq!(one.gets("/etc/passwd").0, 404);
    assert_eq!(one.posts("/mutate", b"{").0, 400);
    assert_eq!(one.posts("/validate", b"").0, 400);
    assert_eq!(one.posts("/mutate", "[".repeat(100_000).as_bytes()).0, 400);
    let mut broken = client();
    broken.sends(b"NONSENSE\r\n\r\n");
    assert_eq!(broken.answer().0, 400);

    // Little text that takes a hundred times as much when it is read whole, and a name that nobody can have.
    let many = format!("[{}0]", r#"{"":0},"#.repeat(8 * 1024 * 1024 / 7 - 1));
    let reason = "not an AdmissionReview of admission.k8s.io/v1: another kind or version\n";
    assert_eq!(one.posts("/mutate", many.as_bytes()), (400, reason.to_owned()));
    let long = json!({ "metadata": { "name": "a".repeat(70_000), "namespace": "web", "uid": "u" } });
    let service = objects::owned_by(objects::traefik_service("unknown", 90, 10), &long);
    let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "namespace": "web", "operation": "CREATE", "options": {}, "object": service,
        "resource": { "group": "traefik.io", "version": "v1alpha1", "resource": "traefikservices" } } });
    assert_eq!(one.posts("/mutate", review.to_string().as_bytes()).0, 200);

    // More silent connections than there are places: an API server still gets in.
    let silent: Vec<TcpStream> = (0..600).map(|_| plain(guard.port)).collect();
    for (primary, canary) in [(90, 10), (80, 20), (70, 30)] {
        let stored = flagger::writes(&namespace, "shop", primary, canary).expect("nobody else wrote");
        assert_eq!(stored["spec"]["weighted"]["sticky"], declared_sticky());
    }
    drop(silent);

    assert_eq!(client().gets("/healthz"), (200, "ok\n".to_owned()));
    let ready = "[+] canaries-listed\n[+] watches-current\n[+] certificate-valid\n[+] webhook-registered\n[+] not-shutting-down\n";
    assert_eq!(client().gets("/readyz"), (200, ready.to_owned()));
    // Built without optimisation; nothing grows with what was sent.
    assert!(memory(&guard, "VmHWM") < 64 << 10, "{} KiB", memory(&guard, "VmHWM"));
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn a_flood_of_other_requests_loses_no_review() {
    let turn = Turn::take();
    let namespace = turn.shops("flood", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let authorities = authorities(&namespace);
    let (answered, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let flood = |paths: &[&str]| {
        // More connections than there are places, each of which has asked for something and stays.
        let mut open = VecDeque::new();
        for path in paths.iter().cycle().take_while(|_| !is_over.load(Relaxed)) {
            let Ok(mut client) = Client::connect(guard.port, &authorities, "127.0.0.1") else { continue };
            if client.gets(path).0 == 200 {
                answered.fetch_add(1, Relaxed);
            }
            open.push_back(client);
            if open.len() > 400 {
                open.pop_front();
            }
        }
    };
    let stored = std::thread::scope(|scope| {
        scope.spawn(|| flood(&["/healthz", "/readyz", "/metrics"]));
        scope.spawn(|| flood(&["/healthz"]));
        let stored = guard::writes(&namespace, "shop", |_| answered.load(Relaxed) < 1200);
        is_over.store(true, Relaxed);
        stored
    });
    let without = stored.iter().filter(|service| guard::sticky(service) != declared_sticky()).count();
    assert_eq!(without, 0, "of {}", stored.len());
    // The one that stood there before the guard was started.
    assert_eq!(guard.ends("TERM").logged("repaired", "lost_by").len(), 1);
}

#[test]
fn requests_that_can_be_understood_in_two_ways_are_understood_in_one_or_refused() {
    let turn = Turn::take();
    let namespace = turn.shops("smuggle", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    let authorities = authorities(&namespace);
    let post = |headers: &str, body: &str| format!("POST /mutate HTTP/1.1\r\nhost: guard\r\n{headers}\r\n\r\n{body}");
    let get = |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\nhost: guard\r\n{headers}\r\n");
    let hidden = get("/metrics", "");
    let length = format!("content-length: {}", hidden.len());
    let chunked = "transfer-encoding: chunked";
    let end = format!("0\r\n\r\n{hidden}");
    let long = "a".repeat(64 << 10);
    let cases = [
        ("nothing odd", post(&length, &hidden)),
        ("a length and chunks", post(&format!("{length}\r\n{chunked}"), &end)),
        ("chunks and a length", post(&format!("{chunked}\r\ncontent-length: 4"), &end)),
        ("two lengths", post(&format!("content-length: 0\r\n{length}"), &hidden)),
        ("a list of lengths", post("content-length: 0, 5", &hidden)),
        ("a length with a sign", post("content-length: +5", &hidden)),
        ("a length below nothing", post("content-length: -1", &hidden)),
        ("a length beyond numbers", post("content-length: 99999999999999999999", &hidden)),
        ("a name with a blank", post("content-length : 5", &hidden)),
        ("another coding", post("transfer-encoding: identity", &hidden)),
        ("chunks and another coding", post(&format!("{chunked}\r\ntransfer-encoding: gzip"), &end)),
        ("a chunk of an odd size", post(chunked, &format!("0x1\r\na\r\n{end}"))),
        ("a chunk beyond numbers", post(chunked, &format!("fffffffffffffffff\r\na\r\n{end}"))),
        ("a chunk with a long note", post(chunked, &format!("1;{long}\r\na\r\n{end}"))),
        ("many trailers", post(chunked, &format!("0\r\n{}\r\n", "x: y\r\n".repeat(5000)))),
        ("chunks in HTTP/1.0", format!("POST /mutate HTTP/1.0\r\n{chunked}\r\n\r\n{end}")),
        ("a folded header", post(&format!("x: a\r\n {length}"), &hidden)),
        ("a header with a zero byte", post("x: \0", &hidden)),
        ("a long head", post(&format!("x: {long}"), "")),
        ("many headers", post(&"x: y\r\n".repeat(500), "")),
        ("lines that end early", format!("GET /healthz HTTP/1.1\nhost: guard\n\n{hidden}")),
        ("another address", get("http://other/healthz", "")),
        ("another authority", "CONNECT other:443 HTTP/1.1\r\nhost: other:443\r\n\r\n".to_owned()),
        ("another protocol", get("/healthz", "connection: upgrade\r\nupgrade: h2c\r\n")),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_owned()),
        ("a path with dots", get("/../healthz", "")),
    ];
    let mut table = String::new();
    for (name, text) in cases {
        let mut client = Client::connect(guard.port, &authorities, "127.0.0.1").expect("trust");
        client.sends(format!("{text}{}", get("/healthz", "connection: close\r\n")).as_bytes());
        let statuses = client.statuses();
        // Who closes with bytes unread resets the connection, and the answer may be lost with it.
        let is_refused = text.len() > 16 << 10 && statuses.iter().all(|status| (400..500).contains(status));
        let statuses = if is_refused { "refused".to_owned() } else { format!("{statuses:?}") };
        table.push_str(&format!("{name}: {statuses}\n"));
    }
    exactly(
        &table,
        str![[r#"
nothing odd: [400, 200]
a length and chunks: [400]
chunks and a length: [400]
two lengths: [400]
a list of lengths: [400]
a length with a sign: [400]
a length below nothing: [400]
a length beyond numbers: [400]
a name with a blank: [400]
another coding: [400]
chunks and another coding: [400]
a chunk of an odd size: [400]
a chunk beyond numbers: [400]
a chunk with a long note: refused
many trailers: refused
chunks in HTTP/1.0: [400]
a folded header: [400]
a header with a zero byte: [400]
a long head: refused
many headers: [431]
lines that end early: [200, 200, 200]
another address: [200, 200]
another authority: [404, 200]
another protocol: [200, 200]
HTTP/2: []
a path with dots: [404, 200]

"#]],
    );
    let ended = guard.ends("TERM");
    assert_eq!((ended.0.code, ended.logged("ending", "level").len()), (Some(0), 1));
}

#[test]
fn it_speaks_both_versions_of_tls_and_no_other_protocol() {
    let turn = Turn::take();
    let namespace = turn.shops("tls", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    let authorities = authorities(&namespace);
    let asks = |name: &str, version: &'static rustls::SupportedProtocolVersion, protocols: &[&str]| {
        let client = Client::speaks(guard.port, &authorities, name, &[version], protocols);
        client.map(|mut client| client.gets("/healthz").0).map_err(|error| error.to_string())
    };
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        // A certificate for an address is asked for without a name.
        assert_eq!(asks("127.0.0.1", version, &[]), Ok(200));
        assert_eq!(asks("127.0.0.1", version, &["h2", "http/1.1"]), Ok(200));
        assert_eq!(asks("127.0.0.1", version, &["h2"]), Err("received fatal alert: NoApplicationProtocol".to_owned()));
        let error = asks("other.name", version, &[]).expect_err("a certificate of another name");
        assert!(error.starts_with("invalid peer certificate: certificate not valid for name"), "{error}");
    }
    // A first word of TLS 1.0, and one of another kind than the first may be: an alert (21) is the answer.
    for hello in [&b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01"[..], b"\x16\x03\x01\x00\x2d\x02\x00\x00\x29"] {
        let mut stream = plain(guard.port);
        stream.write_all(&[hello, &[0; 41]].concat()).expect("sent");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer.first(), Some(&21), "{answer:?}");
    }
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn who_is_slow_is_sent_away_and_keeps_nobody_waiting() {
    let turn = Turn::take();
    let namespace = turn.shops("slow", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &[]);
    let authorities = authorities(&namespace);
    let client = || Client::connect(guard.port, &authorities, "127.0.0.1").expect("trust");

    // Heads that never end, of as many bytes as are taken, on more connections than there are places.
    let head = format!("POST /mutate HTTP/1.1\r\nhost: guard\r\nx: {}", "a".repeat(31 << 10));
    let begin = |text: &str| {
        let mut client = client();
        client.sends(text.as_bytes());
        client
    };
    let begun: Vec<_> = (0..600).map(|_| begin(&head)).collect();
    for (primary, canary) in [(90, 10), (80, 20), (70, 30)] {
        let stored = flagger::writes(&namespace, "shop", primary, canary).expect("nobody else wrote");
        assert_eq!(stored["spec"]["weighted"]["sticky"], declared_sticky());
    }
    drop(begun);
    // Large bodies that do not come: only some at a time are waited for.
    let half = format!("content-length: {}\r\n\r\n{}", 2 << 20, " ".repeat(1 << 20));
    let half = format!("POST /mutate HTTP/1.1\r\nhost: guard\r\n{half}");
    until("bodies that come while there is no room", || {
        let mut begun: Vec<_> = (0..60).map(|_| begin(&half)).collect();
        let statuses: Vec<_> = begun.iter_mut().map(|client| client.answer().0).collect();
        assert!(statuses.iter().all(|status| matches!(status, 408 | 503)), "{statuses:?}");
        // There is room for 24 MiB, and each sends one; whoever is late has the room of one that was sent away.
        (statuses.contains(&408) && statuses.contains(&503)).then_some(())
    });
    assert!(memory(&guard, "VmHWM") < 128 << 10, "{} KiB", memory(&guard, "VmHWM"));

    // A byte at a time, of a head and of a body. The bytes are counted, and not the time: each comes 200 ms after the one
    // before, and later where the machine has other work.
    let trickle = |text: &str, then: u8| {
        let (mut client, mut taken) = (begin(text), 0);
        while client.is_open() && taken < 100 {
            client.sends(&[then]);
            taken += 1;
        }
        (client.statuses(), taken)
    };
    // Opened before the others, and not used until they are sent away.
    let mut unused = client();
    std::thread::scope(|scope| {
        let head = scope.spawn(|| trickle("GET /healthz HTTP/1.1\r\nx: ", b'a'));
        let body = "POST /mutate HTTP/1.1\r\nhost: guard\r\ncontent-length: 9999\r\n\r\n";
        let (answers, taken) = trickle(body, b' ');
        assert!(answers == [408] && taken < 50, "{answers:?} {taken}");
        let (answers, taken) = head.join().expect("a head");
        assert!(answers.is_empty() && taken < 75, "{answers:?} {taken}");
    });
    assert_eq!(unused.gets("/healthz").0, 200);
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn its_figures_are_there_to_be_read() {
    let turn = Turn::take();
    let namespace = turn.shops("metrics", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &["-n", namespace.name()]);
    until("the repair of what was written before", || (live(&namespace, "shop") == declared_sticky()).then_some(()));
    let authorities = authorities(&namespace);
    let figures = || Client::connect(guard.port, &authorities, "127.0.0.1").expect("trust").gets("/metrics").1;
    let figure = |name: &str| -> u64 {
        let text = figures();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("canary_traefik_guard_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
    };
    let set = figure("answers_total{outcome=\"set\"}");
    for (primary, canary) in [(90, 10), (80, 20), (70, 30)] {
        flagger::writes(&namespace, "shop", primary, canary).expect("nobody else wrote");
    }
    until("the answers to be counted", || (figure("answers_total{outcome=\"set\"}") == set + 3).then_some(()));
    // It is counted some time after it can be seen.
    until("the repair to be counted", || (figure("repairs_total") == 1).then_some(()));
    assert_eq!((figure("losses_total"), figure("ready")), (1, 1));
    let _ = guard.ends("TERM");
}
