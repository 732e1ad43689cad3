//! Flagger and several people write the same TraefikService at the same time.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    },
};

use serde_json::{Value, json};
use testbed::{api::Change, flagger, namespace::Namespace, run::Output, wait::PATIENCE};

use crate::rollout::{declared, live};

const WEIGHTS: usize = 200;
const RUNS: usize = 200;
const AT_ONCE: usize = 6;

/// How run `number` ended; each sets another Max-Age.
fn set(namespace: &Namespace, number: usize) -> Output {
    namespace.run(["sticky", "set", "podinfo", "--yes", "--max-age", &max_age(number).to_string()]).run()
}

fn max_age(number: usize) -> usize {
    1000 + number
}

/// Lets these runs go, so many at once, and calls `begins` at the begin of each.
fn all_of(namespace: &Namespace, numbers: std::ops::Range<usize>, begins: impl Fn() + Sync) -> Vec<(usize, Output)> {
    let next = AtomicUsize::new(numbers.start);
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        return;
                    }
                    begins();
                    let output = set(namespace, number);
                    ended.lock().expect("no other run has panicked").push((number, output));
                }
            });
        }
    });
    ended.into_inner().expect("no run has panicked")
}

/// What is told of the TraefikService from this version on. To be asked for before anything is written: a server forgets.
fn follow(namespace: &Namespace, since: &Value) -> Receiver<Change> {
    let since = since["metadata"]["resourceVersion"].as_str().expect("a version");
    namespace.server().admin().watch(&namespace.path("TraefikService", ""), since)
}

/// Every version that was told, oldest first, to the one that there is now.
fn history(namespace: &Namespace, told: &Receiver<Change>) -> Vec<Value> {
    let now = namespace.get("TraefikService", "podinfo");
    let mut versions = Vec::new();
    while versions.last() != Some(&now) {
        match told.recv_timeout(PATIENCE) {
            Ok(Change::Is(version)) => versions.push(version),
            other => panic!("{other:?} after {} versions", versions.len()),
        }
    }
    versions
}

fn changes<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().collect();
    all.dedup();
    all
}

#[test]
fn no_weight_is_lost_and_the_last_cookie_that_was_set_stands() {
    let namespace = Namespace::new("race");
    let (_, first) = namespace.create_rollout("podinfo", 100, 0);
    let weights: Vec<u64> = (0..WEIGHTS as u64).map(|step| 1 + step * 7 % 99).collect();
    assert_eq!(changes(weights.clone()).len(), WEIGHTS, "each step is seen");

    let told = follow(&namespace, &first);
    let (begins, steps) = channel();
    let (ended, conflicts) = std::thread::scope(|scope| {
        let (namespace, weights) = (&namespace, &weights);
        let flagger = scope.spawn(move || {
            let mut conflicts = 0;
            for &weight in weights {
                steps.recv().expect("the runs outlast the rollout");
                while flagger::writes(namespace, "podinfo", 100 - weight, weight).is_err() {
                    conflicts += 1;
                }
            }
            conflicts
        });
        // A step of Flagger at the begin of each run, until the rollout is over.
        let mut ended = all_of(namespace, 0..RUNS - AT_ONCE, || begins.send(()).expect("Flagger waits for it"));
        for _ in 0..AT_ONCE {
            begins.send(()).expect("Flagger waits for it");
        }
        let conflicts = flagger.join().expect("Flagger has not crashed");
        // The last runs have nobody but each other.
        ended.extend(all_of(namespace, RUNS - AT_ONCE..RUNS, || {}));
        (ended, conflicts)
    });
    let versions = history(&namespace, &told);

    let seen = changes(versions.iter().map(|version| {
        let services = &version["spec"]["weighted"]["services"];
        (services[0]["weight"].as_u64().unwrap_or(0), services[1]["weight"].as_u64().unwrap_or(0))
    }));
    let written: Vec<_> = weights.iter().map(|weight| (100 - weight, *weight)).collect();
    assert_eq!(seen, written, "weights that Flagger wrote, one by one");

    for (number, output) in &ended {
        assert!(matches!(output.code, Some(0 | 5)), "run {number}\n{output}");
    }
    let cookies = changes(versions.iter().map(|version| version["spec"]["weighted"]["sticky"].clone()));
    let was_live: BTreeSet<_> = cookies.iter().filter_map(|sticky| sticky["cookie"]["maxAge"].as_u64()).collect();
    let successes: Vec<_> = ended.iter().filter(|(_, output)| output.code == Some(0)).map(|(run, _)| *run).collect();
    for run in &successes {
        assert!(
            was_live.contains(&(max_age(*run) as u64)),
            "run {run} reported a success that the server never stored"
        );
    }
    let last = cookies.last().expect("there were cookies");
    assert_eq!(&live(&namespace, "podinfo"), last);
    let last_run = successes.iter().find(|run| json!({ "cookie": { "maxAge": max_age(**run) } }) == *last);
    let last_run = last_run.unwrap_or_else(|| panic!("the cookie {last} is of no run that reported a success"));
    assert_eq!(declared(&namespace, "podinfo"), json!(format!("; Max-Age={}", max_age(*last_run))));
    eprintln!("{} successes of {RUNS}, {conflicts} conflicts of Flagger, {} versions", successes.len(), versions.len());
}
