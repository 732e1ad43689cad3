//! `show --watch` and `describe --watch` on a real API server.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use testbed::{
    namespace::Namespace,
    proxy::{Moment, Proxy},
    run::Run,
    running::{Running, Stream},
};

use crate::rollout::{declare, rollout};

/// Sets the weights as a step of Flagger does.
pub(super) fn step(namespace: &Namespace, weight: u64) {
    let child = |track: &str, weight: u64| json!({"name": format!("podinfo-{track}"), "port": 80, "weight": weight});
    let services = json!([child("primary", 100 - weight), child("canary", weight)]);
    namespace.patch("TraefikService", "podinfo", &json!({"spec": {"weighted": {"services": services}}}));
}

/// The columns of a line that do not depend on the time.
fn lasting(stdout: &str) -> Vec<Vec<&str>> {
    stdout.lines().map(|line| line.split_whitespace().take(6).collect()).collect()
}

#[test]
fn changes_of_either_object_are_lines() {
    let namespace = rollout("watch-lines");
    let mut run = Running::start(namespace.run(["show", "-w", "--no-headers"]));
    run.wait_for(Stream::Stdout, "90/10");
    step(&namespace, 20);
    run.wait_for(Stream::Stdout, "80/20");
    declare(&namespace, "podinfo", "login; Max-Age=300");
    run.wait_for(Stream::Stdout, "missing");
    let status = json!({"phase": "Progressing", "canaryWeight": 20, "failedChecks": 0, "iterations": 0,
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    namespace.patch_status("Canary", "podinfo", &status);
    run.wait_for(Stream::Stdout, "Progressing");
    namespace.delete("Canary", "podinfo");
    run.wait_for(Stream::Stdout, "<deleted>");
    run.signal("INT");
    let output = run.ends();
    assert_eq!(output.code, Some(130), "{output}");
    let row = |phase, weight, step, cookie, state| vec!["podinfo", phase, weight, step, cookie, state];
    let steps = lasting(&output.stdout)[3][3].to_owned();
    assert_eq!(
        lasting(&output.stdout),
        [
            row("<none>", "90/10", "-", "<none>", "none"),
            row("<none>", "80/20", "-", "<none>", "none"),
            row("<none>", "80/20", "-", "login", "missing"),
            row("Progressing", "80/20", &steps, "login", "missing"),
            row("<deleted>", "80/20", "-", "login", "missing"),
        ]
    );
}

#[test]
fn a_connection_that_is_cut_in_a_watch_is_made_again_and_nothing_is_missed() {
    let namespace = rollout("watch-cut");
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = Arc::clone(&cut);
    let proxy = Proxy::start(namespace.server().admin(), move |_, moment| {
        moment != Moment::Before || !is_cut.load(Ordering::Relaxed)
    });
    let run = Run::new(["show", "-w"]).kubeconfig(proxy.kubeconfig(namespace.name()));
    let mut run = Running::start(run);
    run.wait_for(Stream::Stdout, "90/10");
    cut.store(true, Ordering::Relaxed);
    run.wait_for(Stream::Stderr, "retrying");
    step(&namespace, 20);
    step(&namespace, 30);
    cut.store(false, Ordering::Relaxed);
    run.wait_for(Stream::Stdout, "70/30");
    run.wait_for(Stream::Stderr, "up to date again");
    run.signal("TERM");
    assert_eq!(run.ends().code, Some(143));
}

#[test]
fn a_description_is_printed_again_with_each_change() {
    let namespace = rollout("watch-describe");
    let mut run = Running::start(namespace.run(["describe", "podinfo", "-w", "-o", "json"]));
    run.wait_for(Stream::Stdout, "\n}");
    step(&namespace, 20);
    run.wait_for(Stream::Stdout, "\"canary\": 20");
    namespace.delete("Canary", "podinfo");
    let output = run.ends();
    let documents: Vec<Value> =
        serde_json::Deserializer::from_str(&output.stdout).into_iter().collect::<Result<_, _>>().expect("JSON");
    let mut weights: Vec<_> = documents.iter().map(|document| document["weights"]["canary"].clone()).collect();
    // What comes and goes in other namespaces is a change, too: a route there can be a near miss.
    weights.dedup();
    assert_eq!((output.code, &weights[..]), (Some(4), &[json!(10), json!(20)][..]), "{output}");
}

#[test]
fn the_rights_that_rbac_prints_for_watching_are_enough_and_needed() {
    let namespace = rollout("watch-rights");
    let rules = |verbs: &str| {
        format!(
            "- {{apiGroups: [flagger.app], resources: [canaries], verbs: [{verbs}]}}\n- {{apiGroups: [traefik.io], resources: [traefikservices], verbs: [get, list, watch]}}\n"
        )
    };
    for (verbs, code) in [("get, list, watch", 0), ("get, list", 6)] {
        let user = namespace.user_with(&rules(verbs));
        let watched = namespace.run_as(&user, ["show", "-w", "--request-timeout", "3s"]).run();
        assert_eq!(watched.code, Some(code), "{verbs}: {watched}");
        let checked = namespace.run_as(&user, ["rbac", "show", "--watch", "--check"]).run();
        assert_eq!(checked.code, Some(i32::from(code != 0)), "{verbs}: {checked}");
    }
}
