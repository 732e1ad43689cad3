//! Each rule finds its bad example, and not its good one: manifests with what matters, completed here.

mod around;

use serde_json::{Map, Value, json};

use super::*;
use crate::{
    files,
    lint::{RULES, Rule},
    yaml,
};

/// Adds the fields of `more` that are missing; null removes one.
fn complete(value: &mut Value, more: &Value) {
    if let (Value::Object(fields), Value::Object(more)) = (value, more) {
        for (key, default) in more {
            match fields.get_mut(key) {
                Some(Value::Null) => drop(fields.remove(key)),
                Some(own) => complete(own, default),
                None => drop(fields.insert(key.clone(), default.clone())),
            }
        }
    }
}

/// Completes an object of an example: all are called `cart`, in the namespace `shop`, on TLS.
fn completed(mut object: Value) -> Value {
    let api = |version: &str| json!({"apiVersion": version, "metadata": {"name": "cart", "namespace": "shop"}});
    let kind = object["kind"].as_str().expect("an example names its kinds").to_owned();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("cart").to_owned();
    let services =
        json!([{"name": "cart-primary", "port": 80, "weight": 90}, {"name": "cart-canary", "port": 80, "weight": 10}]);
    let owner = json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "cart", "controller": true}]);
    let mut more = match kind.as_str() {
        "Canary" => json!({"apiVersion": "flagger.app/v1beta1", "spec": {"provider": "traefik",
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "service": {"port": 80}}}),
        "TraefikService" => json!({"apiVersion": "traefik.io/v1alpha1", "spec": {"weighted": {"services": services}}}),
        "IngressRoute" => {
            json!({"apiVersion": "traefik.io/v1alpha1", "spec": {"entryPoints": ["websecure"], "tls": {}}})
        }
        "HTTPRoute" => json!({"apiVersion": "gateway.networking.k8s.io/v1"}),
        "Deployment" => json!({"apiVersion": "apps/v1"}),
        "CustomResourceDefinition" => json!({"apiVersion": "apiextensions.k8s.io/v1"}),
        _ => Value::Object(Map::new()),
    };
    let services = object.pointer("/spec/weighted/services").and_then(Value::as_array);
    let is_of_flagger = |service: &Value| service["name"].as_str().is_some_and(|name| name.starts_with("cart-"));
    if kind == "TraefikService" && name == "cart" && services.is_none_or(|all| all.iter().all(is_of_flagger)) {
        more["metadata"] = json!({"ownerReferences": owner});
    }
    complete(&mut object, &more);
    complete(&mut object, &api("v1"));
    object
}

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
    let documents = example.split("---\n").filter(|text| !text.is_empty());
    let objects =
        documents.map(|text| completed(yaml::parse(text).unwrap_or_else(|error| panic!("{}\n{text}", error.reason))));
    let text: String = objects.map(|object| format!("---\n{}", yaml::print(&object))).collect();
    let manifests = files::parse(None, text).expect("an example is made of objects");
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
            let false_alarm = finds(rule, rule.good).then(|| format!("{} finds its good example", rule.code));
            [missed, false_alarm]
        })
        .flatten()
        .collect();
    assert_eq!(wrong, [""; 0]);
}

/// Other rules that a good example is still found by, because it is about one thing at a time.
const BESIDE: [&str; 5] = ["CT016", "CT020", "CT023", "CT025", "CT055"];

#[test]
fn a_good_example_is_not_found_by_other_errors() {
    let wrong: Vec<_> = RULES
        .iter()
        .filter(|rule| !WITHOUT_EXAMPLE.contains(&rule.code))
        .map(|rule| (rule.code, codes(rule.good)))
        .flat_map(|(code, found)| {
            found.into_iter().filter(|it| !BESIDE.contains(it)).map(move |it| format!("{code}: {it}"))
        })
        .collect();
    assert_eq!(wrong, [""; 0]);
}
