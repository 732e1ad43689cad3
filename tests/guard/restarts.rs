//! Restarts of the API server beside a living etcd: from the moment it says that it is ready, Flagger's write is
//! replayed without a pause. No write that is stored lacks the cookie; some are refused, for a few seconds.

use std::time::{Duration, Instant};

use canary_traefik::{
    guard::policy,
    model::{declaration::ANNOTATION, name::Group},
};
use http::Method;
use serde_json::{Value, json};
use testbed::{
    flagger,
    namespace::Namespace,
    server::Server,
    wait::{PATIENCE, until},
};

use super::cluster::{Probe, each, install};

const SERVERS: usize = 3;
const RESTARTS_EACH: usize = 4;
const COOKIE: &str = "login; Max-Age=300";

/// How long the write is replayed after each restart. `CANARY_TRAEFIK_REPLAY` has other seconds: the params' kind is
/// unknown for half a minute in some of the starts, and 40 see the end of it.
fn replay() -> Duration {
    let seconds = std::env::var("CANARY_TRAEFIK_REPLAY").unwrap_or_else(|_| "6".to_owned());
    Duration::from_secs(seconds.parse().expect("CANARY_TRAEFIK_REPLAY is a number of seconds"))
}

/// For how long after it serves their schema the API server may refuse writes: it polls for schemas this often
/// (`k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch/typeconverter.go:Run`).
const REFUSING: Duration = Duration::from_secs(5);

/// What came of the writes after one restart.
#[derive(Debug, Default)]
struct Tally {
    kept: usize,
    lost: usize,
    refused: usize,
    /// When the schema was seen to be served, and when the last of them was refused after that.
    served: Option<Duration>,
    refused_until: Duration,
    /// How long the longest took: what the machine does besides takes its time.
    longest: Duration,
}

/// A server on which the guard acts, without the policies that are left out, and a declared Canary.
fn guarded<'a>(server: &'a Server, without: &str) -> Namespace<'a> {
    let namespace = Namespace::on(server, "restarts");
    let declared = json!({ "metadata": { "annotations": { ANNOTATION: COOKIE } } });
    namespace.create_rollout("podinfo", 100, 0);
    namespace.patch("Canary", "podinfo", &declared);
    install(server, |name| name != without);
    until("the guard to act", || has_sticky(&write(&namespace)?).then_some(()));
    namespace
}

/// A write of Flagger's as the server stored it; `None` when it was refused with 503.
fn write(namespace: &Namespace) -> Option<Value> {
    let path = namespace.path("TraefikService", "podinfo");
    let object = namespace.get("TraefikService", "podinfo");
    // Another weight each time, so that each write makes a generation.
    let weight = object["spec"]["weighted"]["services"][0]["weight"].as_u64().expect("a weight") % 90 + 5;
    let wanted = flagger::puts(object, weight, 100 - weight);
    let answer = flagger::ask(namespace.server().admin(), Method::PUT, &path, wanted.to_string().into_bytes());
    (answer.code != 503).then(|| answer.expect("Flagger's write"))
}

fn has_sticky(stored: &Value) -> bool {
    match stored["spec"]["weighted"].get("sticky") {
        Some(sticky) => {
            assert_eq!(sticky, &json!({ "cookie": { "maxAge": 300, "name": "login" } }));
            true
        }
        None => false,
    }
}

/// Whether the API server tells what a TraefikService is.
fn serves_schema(namespace: &Namespace) -> bool {
    let schemas = namespace.server().admin().get("/openapi/v3");
    schemas.code == 200 && schemas.json()["paths"]["apis/traefik.io/v1alpha1"].is_object()
}

/// Replays the write until this is over and one was stored.
fn writes_of_flagger(namespace: &Namespace, time: Duration) -> Tally {
    let began = Instant::now();
    let mut tally = Tally::default();
    let generation = |object: &Value| object["metadata"]["generation"].as_u64().expect("a generation");
    let before = generation(&namespace.get("TraefikService", "podinfo"));
    while began.elapsed() < time || tally.kept + tally.lost == 0 {
        assert!(began.elapsed() < time + PATIENCE, "{tally:?}");
        let begun = Instant::now();
        match write(namespace) {
            Some(stored) if has_sticky(&stored) => tally.kept += 1,
            Some(_) => tally.lost += 1,
            None => {
                tally.refused += 1;
                if tally.served.is_none() && serves_schema(namespace) {
                    tally.served = Some(began.elapsed());
                }
                tally.refused_until = began.elapsed();
            }
        }
        tally.longest = tally.longest.max(begun.elapsed());
    }
    let after = generation(&namespace.get("TraefikService", "podinfo"));
    assert_eq!(after - before, (tally.kept + tally.lost) as u64, "every generation was seen");
    tally
}

/// Ends the API server, by `SIGTERM` every other time, and starts it again.
fn restart(server: &Server, number: usize) {
    if number.is_multiple_of(2) {
        server.stop();
    } else {
        server.terminate();
    }
    server.restart();
}

#[test]
fn no_write_that_is_stored_after_a_restart_of_the_api_server_lacks_the_cookie() {
    each(0..SERVERS, |number| {
        let server = Server::dedicated(&[]);
        let namespace = guarded(&server, "");
        for round in 0..RESTARTS_EACH {
            restart(&server, number + round);
            let tally = writes_of_flagger(&namespace, replay());
            eprintln!("server {number}, restart {round}: {tally:?}");
            assert_eq!(tally.lost, 0, "{tally:?}");
            let served = tally.served.unwrap_or_default();
            assert!(tally.refused_until <= served + REFUSING + tally.longest, "{tally:?}");
        }
    });
}

/// After some restarts *keep* has no params for half a minute. Whether it has, is chance; without the Canary it has none
/// either.
#[test]
fn the_cookie_is_lost_without_carry_where_keep_has_no_params_and_with_carry_it_is_not() {
    each([policy::NAMES[1], ""], |without| {
        let server = Server::dedicated(&[]);
        let namespace = guarded(&server, without);
        let probe = Probe::new(&server, Group::TraefikIo);
        namespace.delete("Canary", "podinfo");
        probe.settle();
        let stored = write(&namespace).expect("it is not refused");
        assert_eq!(has_sticky(&stored), without.is_empty(), "{stored}");
    });
}
