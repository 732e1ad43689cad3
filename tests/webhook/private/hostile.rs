//! What may come to the port from anywhere in a network.
#![expect(clippy::disallowed_methods, reason = "reads what the system knows of a process")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::json;

use super::{
    certificates::authorities,
    client::{Client, plain},
    guard::{Guard, Turn, live, stanza},
};
use crate::support::{flagger, objects, wait::until};

/// Memory that the process has had at most, in KiB.
fn most_memory(guard: &Guard) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", guard.id())).expect("a process has a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a high-water mark");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Numbers that look random and are the same in each run (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).expect("small")).expect("small")
    }
}

fn review() -> Vec<u8> {
    let owner = json!({ "metadata": { "name": "shop", "namespace": "web", "uid": "u" } });
    let mut service = objects::owned_by(objects::traefik_service("shop", 90, 10), &owner);
    let old = service.clone();
    service["spec"]["weighted"]["sticky"] = stanza();
    let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "namespace": "web", "operation": "UPDATE", "options": {},
        "resource": { "group": "traefik.io", "version": "v1alpha1", "resource": "traefikservices" },
        "oldObject": service, "object": old } });
    review.to_string().into_bytes()
}

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

    // Reviews with some bytes changed: each has an answer.
    let (review, mut numbers, mut seen) = (review(), Numbers(0x9e37_79b9_7f4a_7c15), [0; 2]);
    for number in 0..10_000 {
        let mut body = review.clone();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(body.len().max(1));
            match numbers.below(3) {
                _ if body.is_empty() => {}
                0 => body[at] = u8::try_from(numbers.below(256)).expect("a byte"),
                1 => drop(body.remove(at)),
                _ => body.truncate(at.max(1)),
            }
        }
        let (status, answer) = one.posts(if number % 2 == 0 { "/mutate" } else { "/validate" }, &body);
        match status {
            200 => seen[0] += 1,
            400 => seen[1] += 1,
            _ => panic!("{status} {answer} to {}", String::from_utf8_lossy(&body)),
        }
    }
    assert!(seen.iter().all(|seen| *seen > 500), "{seen:?}");

    // More silent connections than there are places: an API server still gets in.
    let silent: Vec<TcpStream> = (0..600).map(|_| plain(guard.port)).collect();
    for (primary, canary) in [(90, 10), (80, 20), (70, 30)] {
        let stored = flagger::writes(&namespace, "shop", primary, canary).expect("nobody else wrote");
        assert_eq!(stored["spec"]["weighted"]["sticky"], stanza());
    }
    drop(silent);

    assert_eq!(client().gets("/healthz"), (200, "ok\n".to_owned()));
    let ready = "[+] the Canaries are known\n[+] the certificate holds\n[+] the API server is told to ask\n[+] it is not ending\n";
    assert_eq!(client().gets("/readyz"), (200, ready.to_owned()));
    // Built without optimisation; nothing grows with what was sent.
    assert!(most_memory(&guard) < 64 << 10, "{} KiB", most_memory(&guard));
    assert_eq!(guard.ends("TERM").0.code, Some(0));
}

#[test]
fn its_figures_are_there_to_be_read() {
    let turn = Turn::take();
    let namespace = turn.shops("metrics", &["shop"]);
    let guard = Guard::start(&namespace, "shop", &["-n", namespace.name()]);
    until("the repair of what was written before", || (live(&namespace, "shop") == stanza()).then_some(()));
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
    assert_eq!(figure("answers_total{outcome=\"set\"}"), set + 3);
    assert_eq!((figure("repairs_total"), figure("losses_total"), figure("ready")), (1, 1, 1));
    let _ = guard.ends("TERM");
}
