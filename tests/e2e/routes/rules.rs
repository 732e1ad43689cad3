//! Rules of every form, asked of the real Traefik: those that are said to be refused, and no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use canary_traefik::traefik::rule::Reading;
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use testbed::wait::until;

use super::{site::Site, start};
use crate::{shop::NAME, traefik::Traefik};

#[path = "../../../src/traefik/rule/ground.rs"]
mod ground;

/// Where users come in.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 13);
/// How many rules are made at random.
const GENERATED: usize = 400;
/// The syntaxes, as routes name them.
const SYNTAXES: [&str; 2] = ["v3", "v2"];

/// The rules, each once: a router is named by its rule.
fn rules() -> BTreeSet<String> {
    let mut runner = TestRunner::deterministic();
    let strategy = ground::rules();
    let generated = (0..GENERATED).map(|_| strategy.new_tree(&mut runner).expect("a rule").current());
    let known = [ground::TAKEN, ground::NEWER, ground::OLDER, ground::REFUSED].concat();
    let unknown = ground::REFUSED_UNKNOWN.iter().map(|(rule, _)| *rule);
    let all = known.into_iter().chain(unknown).map(str::to_owned).chain(generated);
    // Of an empty one, Traefik says nothing.
    all.filter(|rule| !rule.is_empty()).collect()
}

/// Creates an IngressRoute with all of these rules in this syntax.
fn create(site: &Site, syntax: &str, rules: &BTreeSet<String>) {
    let service = json!({ "kind": "TraefikService", "name": NAME });
    let route = |rule| json!({ "kind": "Rule", "match": rule, "syntax": syntax, "services": [service] });
    site.namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": syntax },
        "spec": { "entryPoints": ["web"], "routes": rules.iter().map(route).collect::<Vec<_>>() },
    }));
}

/// Which rules Traefik has refused, by syntax and rule.
fn answers(traefik: &Traefik, namespace: &str) -> BTreeMap<(String, String), bool> {
    let text = |router: &Value, key: &str| router[key].as_str().unwrap_or_default().to_owned();
    // A router's name begins with those of the namespace and the IngressRoute; a page of the API does not hold all.
    let all = SYNTAXES.iter().flat_map(|syntax| traefik.routers(&format!("{namespace}-{syntax}")));
    all.map(|router| ((text(&router, "ruleSyntax"), text(&router, "rule")), router["status"] == "disabled")).collect()
}

pub(crate) fn traefik_refuses_the_rules_that_are_said_to_be_refused_and_no_others() {
    let site = Site::new("rules");
    let rules = rules();
    for syntax in SYNTAXES {
        create(&site, syntax, &rules);
    }
    let traefik = start(ADDRESS, &[site.namespace.name()], &[]);
    // While there are no pods, it refuses every router for its service.
    let is_taken = |found: &BTreeMap<(String, String), bool>, syntax: &str| {
        found.get(&(syntax.to_owned(), ground::TAKEN[0].to_owned())) == Some(&false)
    };
    let found = until("Traefik to have all routers", || {
        let found = answers(&traefik, site.namespace.name());
        let is_ready = SYNTAXES.iter().all(|syntax| is_taken(&found, syntax));
        (is_ready && found.len() == SYNTAXES.len() * rules.len()).then_some(found)
    });
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::<_, usize>::new());
    for ((syntax, rule), is_refused) in &found {
        let reading = Reading::of(rule);
        let reason = if syntax == "v2" { reading.refused_as_older } else { reading.refused_as_newer };
        let is_known = ground::REFUSED_UNKNOWN.iter().all(|(unknown, _)| *unknown != rule);
        *counts.entry((syntax.as_str(), *is_refused)).or_default() += 1;
        if reason.is_some() != *is_refused && (is_known || reason.is_some()) {
            wrong.push(format!("{syntax} {rule:?}: refused by Traefik: {is_refused}, said here: {reason:?}"));
        }
    }
    assert_eq!(wrong, [""; 0], "{counts:?}");
    assert!(counts.len() == 4 && counts.values().all(|count| *count > 100), "each is covered: {counts:?}");
}
