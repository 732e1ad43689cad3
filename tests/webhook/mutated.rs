//! Reviews as an API server sends them, spoilt in every way.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use canary_traefik::{guard::refusal, model::entry::ENTRY_ANNOTATION};
use serde_json::{Value, json};

use super::{
    certificates::authorities,
    client::Client,
    guard::{Guard, Turn, memory},
};

/// Recorded from kube-apiserver 1.37.2: a Canary and its TraefikService, `podinfo` in the namespace `record`, are
/// created, then written by kubectl and by Flagger.
const REVIEWS: &str = include_str!("reviews.jsonl");
const NUMBER: usize = 100_000;
/// Each on a connection of its own.
const CLIENTS: usize = 4;
/// Requests that are sent before their answers are read.
const AT_A_TIME: usize = 25;

/// Numbers that look random and are the same in each run (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end.max(1)).expect("small")).expect("small")
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A value of any type, or of a size that nobody expects.
fn odd(numbers: &mut Numbers) -> String {
    match numbers.below(14) {
        0 => "null".into(),
        1 => "true".into(),
        2 => "[]".into(),
        3 => "{}".into(),
        4 => r#""""#.into(),
        5 => numbers.below(1 << 40).to_string(),
        6 => "-9223372036854775809".into(),
        7 => "1e400".into(),
        8 => "9".repeat(400),
        9 => {
            let depth = numbers.below(200);
            format!("{}{}", "[".repeat(depth), "]".repeat(depth))
        }
        10 => format!("{}0{}", r#"{"a":"#.repeat(100), "}".repeat(100)),
        11 => format!("{:?}", "x".repeat(numbers.below(20_000))),
        12 => r#""\u0000\ud83d\ude00 ../../secrets""#.into(),
        _ => r#"[{"a":null},"",0]"#.into(),
    }
}

/// Every place in the value.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// The review with other values, or none, in some places.
fn with_odd_values(review: &Value, places: &[String], numbers: &mut Numbers) -> Vec<u8> {
    const MARK: &str = "here is something odd";
    let mut review = review.clone();
    for _ in 0..=numbers.below(2) {
        let place = numbers.one_of(places);
        if numbers.below(4) > 0 {
            if let Some(value) = review.pointer_mut(place) {
                *value = json!(MARK);
            }
        } else if let Some((parent, key)) = place.rsplit_once('/')
            && let Some(Value::Object(fields)) = review.pointer_mut(parent)
        {
            fields.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
    }
    let mark = json!(MARK).to_string();
    let mut text = review.to_string();
    while text.contains(&mark) {
        text = text.replacen(&mark, &odd(numbers), 1);
    }
    text.into_bytes()
}

/// The review with some bytes changed, gone, put between, or there twice.
fn with_odd_bytes(review: &str, numbers: &mut Numbers) -> Vec<u8> {
    const BYTES: [&[u8]; 6] = [b"\xff\xfe", b"\0", b"\"", b"{", b"]", b"\\u"];
    let mut body = review.as_bytes().to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(body.len());
        match numbers.below(7) {
            _ if body.is_empty() => {}
            0 => body[at] = u8::try_from(numbers.below(256)).expect("a byte"),
            1 => body[at] ^= 1 << numbers.below(8),
            2 => drop(body.remove(at)),
            3 => drop(body.splice(at..at, numbers.one_of(&BYTES).iter().copied())),
            4 => drop(body.splice(at..at, odd(numbers).into_bytes())),
            5 => {
                let end = (at + numbers.below(200)).min(body.len());
                let part = body[at..end].to_vec();
                drop(body.splice(end..end, part));
            }
            _ => body.truncate(at),
        }
    }
    body
}

/// The review with keys that are there twice: the last one counts.
fn with_keys_twice(review: &str, numbers: &mut Numbers) -> Vec<u8> {
    const KEYS: [&str; 10] =
        ["uid", "object", "oldObject", "kind", "metadata", "spec", "weighted", "sticky", "annotations", "name"];
    let mut text = review.to_owned();
    for _ in 0..=numbers.below(3) {
        let key = format!("{:?}:", numbers.one_of(&KEYS));
        let value = odd(numbers);
        text = text.replacen(&key, &format!("{key}{value},{key}"), 1 + numbers.below(2));
    }
    text.into_bytes()
}

/// Holds an answer against what has to be answered, worked out from the body alone; in a word.
fn check(path: &str, body: &[u8], status: u16, answer: &str) -> &'static str {
    let shown = || format!("{status} {answer} to {path} {}", String::from_utf8_lossy(body));
    let review: serde_json::Result<Value> = serde_json::from_slice(body);
    let Ok(review) = review else {
        // JSON that is only too deep for this test can be read by who reads a part of it.
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        assert!(status == 400 || is_json && status == 200, "{}", shown());
        return "no review";
    };
    let request = &review["request"];
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let is_review = review["kind"] == "AdmissionReview"
        && review["apiVersion"] == "admission.k8s.io/v1"
        && is_text(&request["uid"])
        && is_text(&request["resource"]["resource"])
        && request["object"].is_object();
    assert_eq!(status, if is_review { 200 } else { 400 }, "{}", shown());
    if !is_review {
        return "no review";
    }
    let answer: Value = serde_json::from_str(answer).expect("JSON");
    let response = &answer["response"];
    assert_eq!((&answer["apiVersion"], &answer["kind"]), (&review["apiVersion"], &review["kind"]), "{}", shown());
    assert_eq!(response["uid"], request["uid"], "{}", shown());
    let is_canary = request["resource"]["group"] == "flagger.app" && request["resource"]["resource"] == "canaries";
    let refusal = refusal(Some(&request["oldObject"]), &request["object"]);
    let is_refused = path == "/validate" && is_canary && refusal.is_some();
    assert_eq!(response["allowed"], !is_refused, "{}", shown());
    assert!(!is_refused || response["status"]["message"].as_str() == refusal.as_deref(), "{}", shown());
    let Some(patch) = response.get("patch") else { return if is_refused { "refused" } else { "left" } };
    let patch = STANDARD.decode(patch.as_str().expect("text")).expect("base64");
    let patch: Vec<Value> = serde_json::from_slice(&patch).expect("a list");
    // A patch that cannot be applied would fail the write, whatever the failure policy.
    let weighted = &request["object"]["spec"]["weighted"];
    assert!(path == "/mutate" && response["patchType"] == "JSONPatch" && weighted.is_object(), "{}", shown());
    let is_there = |operation: &Value| operation["op"] == "remove" && weighted.get("sticky").is_some();
    let is_fit = |operation: &Value| operation["op"] == "add" || is_there(operation);
    assert!(patch.len() == 1 && patch[0]["path"] == "/spec/weighted/sticky" && is_fit(&patch[0]), "{}", shown());
    "patched"
}

#[test]
fn every_review_that_was_tampered_with_has_the_answer_it_deserves() {
    let turn = Turn::take();
    let namespace = turn.shops("spoilt", &["podinfo"]);
    let guard = Guard::start(&namespace, "podinfo", &[]);
    let reviews = REVIEWS.replace(r#""record""#, &format!("{:?}", namespace.name()));
    // Those of the Canary once more, with an entry.
    let with_entry =
        reviews.replace(r#""annotations":{"#, &format!(r#""annotations":{{"{ENTRY_ANNOTATION}":"/login","#));
    let with_entry = with_entry.lines().filter(|line| line.contains("\"resource\":\"canaries\""));
    let reviews = reviews.lines().chain(with_entry).map(|line| {
        let review: Value = serde_json::from_str(line).expect("JSON");
        let mut places = Vec::new();
        pointers(&review, "", &mut places);
        // Nobody reads managed fields, and they are most of it.
        places.retain(|place| !place.contains("managedFields/") && !place.is_empty());
        (line, review, places)
    });
    let reviews: Vec<_> = reviews.collect();

    let authorities = authorities(&namespace);
    let sends = &|seed: u64, number: usize| {
        let mut one = Client::connect(guard.port, &authorities, "127.0.0.1").expect("trust");
        let mut numbers = Numbers(seed);
        let mut spoil = || {
            let (text, review, places) = numbers.one_of(&reviews);
            let is_canary = review["request"]["kind"]["kind"] == "Canary";
            let path = if is_canary == (numbers.below(10) > 0) { "/validate" } else { "/mutate" };
            let body = match numbers.below(4) {
                0 => with_odd_bytes(text, &mut numbers),
                1 => with_keys_twice(text, &mut numbers),
                _ => with_odd_values(review, places, &mut numbers),
            };
            (path, body)
        };
        let mut seen = Vec::new();
        while seen.len() < number {
            let spoilt: Vec<_> = std::iter::repeat_with(&mut spoil).take(AT_A_TIME).collect();
            for (path, body) in &spoilt {
                one.begins(path, body);
            }
            for (path, body) in &spoilt {
                let (status, answer) = one.answer();
                seen.push(check(path, body, status, &answer));
            }
        }
        seen
    };
    sends(1, NUMBER / 10);
    let before = memory(&guard, "VmRSS");
    let mut seen = BTreeMap::<_, usize>::new();
    std::thread::scope(|scope| {
        let begun = (0..CLIENTS).map(|client| {
            let seed = 0x9e37_79b9_7f4a_7c15 + u64::try_from(client).expect("few");
            scope.spawn(move || sends(seed, NUMBER / CLIENTS))
        });
        let begun: Vec<_> = begun.collect();
        for what in begun.into_iter().flat_map(|client| client.join().expect("its answers")) {
            *seen.entry(what).or_default() += 1;
        }
    });
    for what in ["no review", "left", "patched", "refused"] {
        assert!(seen.get(what).is_some_and(|count| *count > 1000), "{seen:?}");
    }
    let grown = memory(&guard, "VmRSS").saturating_sub(before);
    assert!(grown < 4 << 10, "{grown} KiB more than after the first");
    assert_eq!(seen.values().sum::<usize>(), NUMBER);
    let ended = guard.ends("TERM");
    assert_eq!((ended.0.code, ended.logged("ending", "level").len()), (Some(0), 1));
}
