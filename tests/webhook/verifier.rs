//! What Flagger is told when it asks whether the cookie sticks. What sticks is tried with the real Traefik in `tests/e2e`.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::mpsc,
};

use serde_json::{Value, json};
use snapbox::str;
use testbed::{namespace::Namespace, run::exactly, wait::until};

use super::{
    gate::{Gate, ask, posted},
    guard::{Turn, declare, live},
};

const PATH: &str = "POST /verify/sticky";

/// A server in Traefik's place, which answers every request with an empty page.
struct Site {
    port: u16,
    asked: mpsc::Receiver<String>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tell = tell.clone();
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    let mut head = Vec::new();
                    while let Some(Ok(line)) = (&mut reader).lines().next() {
                        if !line.is_empty() {
                            head.push(line);
                            continue;
                        }
                        let host = head.iter().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
                        let path = head[0].split(' ').nth(1).unwrap_or_default();
                        // Nobody listens any more when the test is over.
                        let _ = tell.send(format!("{host}{path}"));
                        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                        head.clear();
                    }
                });
            }
        });
        Self { port, asked }
    }
}

/// The Canary names these pages.
fn names(namespace: &Namespace, name: &str, urls: &Value) {
    let webhook = json!({ "name": "sticky", "type": "rollout", "url": "http://guard/verify/sticky", "metadata": { "url": urls } });
    namespace.patch("Canary", name, &json!({ "spec": { "analysis": { "webhooks": [webhook] } } }));
}

#[test]
fn only_pages_of_the_canary_are_opened_and_only_behind_traefik() {
    let turn = Turn::take();
    let namespace = turn.shops("verified", &["guarded", "shop"]);
    declare(&namespace, "shop", "login; Max-Age=60");
    names(&namespace, "shop", &json!("http://shop.example/login http://shop.example/home"));
    let site = Site::start();
    let gate = Gate::with(&namespace, "guarded", &["--traefik-url", &format!("http://127.0.0.1:{}", site.port)]);
    let expected = json!({ "cookie": { "name": "login", "maxAge": 60 } });
    until("the declared cookie", || (live(&namespace, "shop") == expected).then_some(()));
    let mut body: Value = serde_json::from_str(&posted(&namespace, "shop")).expect("JSON");
    body["metadata"] = json!({ "url": "http://evil.example/pay" });
    let (port, body) = (gate.port, body.to_string());
    let answers: BTreeSet<_> = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..20).map(|_| scope.spawn(|| ask(port, PATH, &body))).collect();
        askers.into_iter().map(|asker| asker.join().expect("an answer")).collect()
    });
    let [(status, reason)] = answers.into_iter().collect::<Vec<_>>().try_into().expect("all have the same answer");
    exactly(
        &format!("{status} {reason}"),
        str![[r#"
403 the cookie does not stick: no page sets the cookie `login`, although TraefikService `shop` has it: http://shop.example/login does not lead there (status 200)

"#]],
    );
    let asked: BTreeSet<_> = site.asked.try_iter().collect();
    assert_eq!(asked, ["shop.example/home", "shop.example/login"].map(str::to_owned).into());
}

#[test]
fn what_cannot_be_verified_fails_with_the_reason() {
    let turn = Turn::take();
    let namespace = turn.shops("unverified", &["guarded", "named", "unnamed", "secure", "malformed"]);
    for name in ["named", "secure", "malformed", "unnamed"] {
        declare(&namespace, name, "login; Max-Age=60");
    }
    names(&namespace, "named", &json!("http://shop.example/"));
    names(&namespace, "secure", &json!("https://shop.example/"));
    names(&namespace, "malformed", &json!("shop.example/login"));
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let gate = Gate::with(&namespace, "guarded", &["--traefik-url", &format!("http://{nobody}")]);
    let mut text = String::new();
    for name in ["named", "unnamed", "secure", "malformed", "missing"] {
        let (status, answer) = gate.asks(PATH, &posted(&namespace, name));
        text.push_str(&format!("{name}: {status} {answer}"));
    }
    for (head, body) in [("GET /verify/sticky", ""), (PATH, "{}")] {
        let (status, answer) = gate.asks(head, body);
        text.push_str(&format!("{head} {body}: {status} {answer}"));
    }
    let text = text.replace(&nobody.port().to_string(), "PORT").replace(namespace.name(), "NAMESPACE");
    exactly(
        &text,
        str![[r#"
named: 502 cannot verify the cookie: http://shop.example/: the connection to the server 127.0.0.1:PORT was refused
unnamed: 400 cannot verify the cookie: no webhook of the Canary with the path /verify/sticky names a page in metadata.url
secure: 400 cannot verify the cookie: this guard has no --traefik-url with https
malformed: 400 cannot verify the cookie: `shop.example/login` in metadata.url cannot be opened: it is not a URL
missing: 404 cannot verify the cookie: Canary `NAMESPACE/missing` does not exist
GET /verify/sticky : 405 method not allowed
POST /verify/sticky {}: 400 cannot verify the cookie: this is not what Flagger posts to a webhook: missing field `name` at line 1 column 2

"#]],
    );
    drop(gate);
    let gate = Gate::with(&namespace, "guarded", &[]);
    let (status, answer) = gate.asks(PATH, &posted(&namespace, "named"));
    exactly(
        &format!("{status} {answer}"),
        str![[r#"
400 cannot verify the cookie: this guard was started without --traefik-url

"#]],
    );
}
