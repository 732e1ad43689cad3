//! Each rule finds its bad example, and not its good one.

mod around;

use testbed::examples;

use super::*;
use crate::{
    files,
    lint::{RULES, Rule},
};

/// Returns the codes that are found in an example, each once.
fn codes(example: &str) -> Vec<&'static str> {
    codes_in(example, |_| {})
}

/// Returns the same, if it is a cluster of which this is known, too.
fn codes_in_cluster(example: &str, more: impl Fn(&mut Known)) -> Vec<&'static str> {
    codes_in(example, |linted| {
        linted.canaries.iter_mut().for_each(|observed| observed.manifest = None);
        linted.known.has_all_routes = true;
        more(&mut linted.known);
    })
}

fn codes_in(example: &str, change: impl Fn(&mut Linted)) -> Vec<&'static str> {
    let manifests = files::parse(None, examples::completed(example)).expect("an example is made of objects");
    let mut linted = of_files(&manifests).expect("manifests can be read");
    linted.checked = (0..linted.canaries.len()).collect();
    change(&mut linted);
    let mut codes: Vec<_> = linted.findings().iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The rules that only a cluster can show; tests/cluster/lint.rs does.
const WITHOUT_EXAMPLE: [&str; 2] = ["CT035", "CT059"];

#[test]
fn each_rule_finds_its_bad_example_and_not_its_good_one() {
    let finds = |rule: &Rule, example: &str| codes(example).contains(&rule.code);
    let wrong: Vec<_> = RULES
        .iter()
        .filter(|rule| !WITHOUT_EXAMPLE.contains(&rule.code))
        .flat_map(|rule| {
            let missed = (!finds(rule, rule.bad)).then(|| format!("{} misses its bad example", rule.code));
            let false_alarm = finds(rule, &rule.good()).then(|| format!("{} finds its good example", rule.code));
            [missed, false_alarm]
        })
        .flatten()
        .collect();
    assert_eq!(wrong, [""; 0]);
}

/// Other rules that a good example is still found by, because it is about one thing at a time.
const BESIDE: [&str; 5] = ["CT016", "CT020", "CT023", "CT025", "CT055"];

#[test]
fn a_good_example_is_not_found_by_other_rules() {
    let wrong: Vec<_> = RULES
        .iter()
        .filter(|rule| !WITHOUT_EXAMPLE.contains(&rule.code))
        .map(|rule| (rule.code, codes(&rule.good())))
        .flat_map(|(code, found)| {
            found.into_iter().filter(|it| !BESIDE.contains(it)).map(move |it| format!("{code}: {it}"))
        })
        .collect();
    assert_eq!(wrong, [""; 0]);
}
