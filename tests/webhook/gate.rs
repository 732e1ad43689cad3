//! What Flagger is told when it asks whether it may promote.

use std::{
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::json;
use snapbox::str;
use testbed::{flagger, namespace::Namespace, objects, run::exactly, wait::until};

use super::{
    certificates::authorities,
    client::{Client, plain},
    guard::{self, Guard, Turn, declare, free_port, live},
};

/// Seconds that the declared cookie holds, where the gate is to be seen opening.
const MAX_AGE: u64 = 4;
/// What the gate waits longer: whole seconds in the server's times, and Traefik's throttle.
const SLACK: u64 = 3;

/// A guard whose gate can be asked.
pub(super) struct Gate {
    guard: Guard,
    pub(super) port: u16,
}

impl Gate {
    fn start(namespace: &Namespace, name: &str) -> Self {
        Self::with(namespace, name, &[])
    }

    /// Starts it with further flags.
    pub(super) fn with(namespace: &Namespace, name: &str, flags: &[&str]) -> Self {
        let port = free_port();
        let listen = ["--gate-listen", &format!("127.0.0.1:{port}")];
        Self { guard: Guard::start(namespace, name, &[&listen, flags].concat()), port }
    }

    /// One request by HTTP without TLS: the status and the answer.
    pub(super) fn asks(&self, head: &str, body: &str) -> (u16, String) {
        ask(self.port, head, body)
    }

    /// Asks as Flagger does.
    fn says(&self, namespace: &Namespace, name: &str) -> (u16, String) {
        self.asks("POST /gate/drained", &posted(namespace, name))
    }
}

/// One request by HTTP without TLS: the status and the answer.
pub(super) fn ask(port: u16, head: &str, body: &str) -> (u16, String) {
    let mut stream = plain(port);
    let length = body.len();
    let request = format!("{head} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(request.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").expect("a head").1.to_owned())
}

/// What Flagger posts.
pub(super) fn posted(namespace: &Namespace, name: &str) -> String {
    let space = namespace.name();
    json!({ "name": name, "namespace": space, "phase": "Progressing", "checksum": "1", "metadata": {} }).to_string()
}

#[test]
fn the_gate_opens_max_age_after_the_last_step_whatever_else_is_written_and_whichever_process_is_asked() {
    let turn = Turn::take();
    let namespace = turn.shops("gate", &["shop"]);
    declare(&namespace, "shop", &format!("login; Max-Age={MAX_AGE}"));
    let expected = json!({ "cookie": { "name": "login", "maxAge": MAX_AGE } });
    let port = free_port();
    let flags = ["--gate-listen".to_owned(), format!("127.0.0.1:{port}")];
    let begin = || Guard::begin(&namespace, free_port(), &flags.each_ref().map(String::as_str));
    let gate = Gate { guard: begin(), port };
    until("the declared cookie", || (live(&namespace, "shop") == expected).then_some(()));

    // On a machine that stands still in between it is open again when it is asked.
    let (drained, reason) = until("the gate to be asked while it is closed", || {
        flagger::writes(&namespace, "shop", 50, 50).expect("nobody else wrote");
        assert_eq!(gate.says(&namespace, "shop").0, 200);
        let before = Instant::now();
        flagger::writes(&namespace, "shop", 0, 100).expect("nobody else wrote");
        let drained = Instant::now();
        let (status, reason) = gate.says(&namespace, "shop");
        (status == 403).then_some((drained, (before.elapsed(), reason)))
    });
    let (passed, reason) = reason;
    let left = reason.strip_prefix("closed for another ").and_then(|rest| rest.split_once(' ')).expect("a number");
    assert_eq!(left.1, format!("s: the primary's cookies are valid for {MAX_AGE} s\n"));
    let left: u64 = left.0.parse().expect("a number");
    // The server's times have whole seconds.
    let least = (MAX_AGE + SLACK).saturating_sub(passed.as_secs() + 2);
    assert!((least..=MAX_AGE + SLACK).contains(&left), "{left} s after {passed:?}");

    // Another process, which has seen nothing of this.
    gate.guard.dies();
    let gate = Gate { guard: begin(), port };
    let mut writes = 0;
    let open = until("the gate to open", || {
        // What Flagger does each time it finds the gate closed, what it does in an A/B test, and what the guard does.
        let status = json!({ "status": { "phase": "WaitingPromotion", "iterations": -1, "canaryWeight": writes } });
        namespace.patch_status("Canary", "shop", &status);
        flagger::writes(&namespace, "shop", 0, 100).expect("nobody else wrote");
        declare(&namespace, "shop", &format!("login; Max-Age={MAX_AGE}; Path=/{writes}"));
        until("the guard's own write", || {
            (live(&namespace, "shop")["cookie"]["path"] == format!("/{writes}")).then_some(())
        });
        writes += 1;
        let (status, reason) = gate.says(&namespace, "shop");
        (status == 200).then_some(reason)
    });

    // It opens at all only because none of those writes begins the wait anew.
    let after = drained.elapsed();
    assert!(after >= Duration::from_secs(MAX_AGE), "open after {after:?} and {writes} writes");
    let (begin, rest) = open.split_once(" for ").expect("it says for how long");
    let (seconds, rest) = rest.split_once(' ').expect("a number");
    assert!(seconds.parse::<u64>().is_ok_and(|seconds| seconds >= MAX_AGE + SLACK), "{open}");
    assert_eq!(begin, "open: the primary's share has been at most 1 in 101");
    assert_eq!(rest, format!("s, and its cookies are valid for {MAX_AGE} s\n"));
    let logged = gate.guard.ends("TERM");
    assert_eq!(logged.logged("promotion may start", "reason"), [json!(open.trim_end())]);
}

#[test]
fn where_there_is_nothing_to_wait_for_the_gate_is_open_and_says_why() {
    let turn = Turn::take();
    let namespace = turn.shops("open", &["half", "session", "none"]);
    declare(&namespace, "session", "login");
    namespace.patch("Canary", "none", &json!({ "metadata": { "annotations": { ANNOTATION: null } } }));
    let mut without = objects::canary("without");
    without["metadata"]["annotations"] = json!({ ANNOTATION: guard::DECLARED });
    namespace.create_value(&without);
    let gate = Gate::start(&namespace, "half");
    for (name, primary) in [("half", 50), ("session", 0), ("none", 0)] {
        until("a write of Flagger's", || flagger::writes(&namespace, name, primary, 100 - primary).ok());
    }
    let answers = ["half", "session", "none", "without"].map(|name| gate.says(&namespace, name));
    let said: String = answers.iter().map(|(status, reason)| format!("{status} {reason}")).collect();
    let expected = str![[r#"
200 open at once: the primary's weight is 50 of 100; its cookies expire only after a last step of 100
200 open at once: the declared cookie has no Max-Age, so it never expires while a browser is open
200 open at once: the Canary declares no cookie
200 open at once: there is no weighted TraefikService with the Canary's two services

"#]];
    exactly(&said, expected);

    let mut client = Client::connect(gate.guard.port, &authorities(&namespace), "127.0.0.1").expect("trust");
    let over_tls = client.posts("/gate/drained", posted(&namespace, "half").as_bytes());
    assert_eq!(over_tls, answers[0]);
    let metrics = client.gets("/metrics").1;
    let counted: String =
        metrics.lines().filter(|line| line.contains("gate_answers_total{")).map(|l| l.to_owned() + "\n").collect();
    exactly(
        &counted,
        str![[r#"
canary_traefik_guard_gate_answers_total{answer="draining"} 0
canary_traefik_guard_gate_answers_total{answer="drained"} 0
canary_traefik_guard_gate_answers_total{answer="session_cookie"} 1
canary_traefik_guard_gate_answers_total{answer="no_cookie"} 1
canary_traefik_guard_gate_answers_total{answer="step_below_100"} 2
canary_traefik_guard_gate_answers_total{answer="no_weights"} 1
canary_traefik_guard_gate_answers_total{answer="no_time"} 0
canary_traefik_guard_gate_answers_total{answer="no_canary"} 0
canary_traefik_guard_gate_answers_total{answer="unavailable"} 0
canary_traefik_guard_gate_answers_total{answer="bad_request"} 0

"#]],
    );
    let mut logged = gate.guard.ends("TERM").logged("promotion may start", "reason");
    logged.dedup();
    assert_eq!(logged.len(), 4);
}

#[test]
fn what_flagger_does_not_ask_is_answered_with_a_reason_and_opens_nothing() {
    let turn = Turn::take();
    let namespace = turn.shops("asked", &["shop"]);
    let gate = Gate::start(&namespace, "shop");
    let (mut silent, mut encrypted) = (plain(gate.port), plain(gate.port));
    encrypted.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, b'\r', b'\n', b'\r', b'\n']).expect("it is taken");
    let question = "POST /gate/drained";
    let large = format!("{{\"name\":\"{}\"", "a".repeat(70_000));
    let said: String = [
        (question, posted(&namespace, "nobody").as_str()),
        (question, r#"{"name":"../../x","namespace":"web"}"#),
        (question, "{}"),
        (question, &large),
        ("GET /gate/drained", ""),
        ("POST /mutate", "{}"),
        ("GET /metrics", ""),
        ("GET /healthz", ""),
        ("GET /readyz", ""),
    ]
    .map(|(head, body)| {
        let (status, reason) = gate.asks(head, body);
        format!("{head}\n  {status} {}\n", reason.trim_end().replace(namespace.name(), "NS"))
    })
    .concat();
    exactly(
        &said,
        str![[r#"
POST /gate/drained
  404 closed: Canary `NS/nobody` does not exist
POST /gate/drained
  400 closed: `name` and `namespace` are not those of a Canary
POST /gate/drained
  400 closed: this is not what Flagger posts to a webhook: missing field `name` at line 1 column 2
POST /gate/drained
  413 closed: a body has at most 32768 bytes
GET /gate/drained
  405 method not allowed
POST /mutate
  404 no such path
GET /metrics
  404 no such path
GET /healthz
  200 ok
GET /readyz
  200 [+] canaries-listed
[+] watches-current
[+] certificate-valid
[+] webhook-registered
[+] not-shutting-down

"#]],
    );
    turn.server().stop();
    let (status, _) = gate.says(&namespace, "shop");
    turn.server().restart();
    assert_eq!(status, 503);
    until("the gate to judge again", || (gate.says(&namespace, "shop").0 == 200).then_some(()));
    // Whoever says nothing gives way to others, and whoever speaks something else is told so.
    let others: Vec<_> = (0..100).map(|_| plain(gate.port)).collect();
    assert_eq!(gate.says(&namespace, "shop").0, 200);
    drop(others);
    let mut said = String::new();
    assert_eq!(silent.read_to_string(&mut said).map_err(|error| error.kind()), Ok(0));
    encrypted.read_to_string(&mut said).expect("an answer");
    assert_eq!(said.lines().next(), Some("HTTP/1.1 400 Bad Request"));
    let _ = gate.guard.ends("TERM");
}
