//! Two Canaries for which Flagger generates one TraefikService (CT063), and manifests of different clusters, which share nothing.

use serde_json::Value;

use crate::manifests::{folder, run};

/// A Canary whose TraefikService is called `cart`.
fn canary(name: &str) -> String {
    format!(
        "apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: {name}
  namespace: shop
spec:
  provider: traefik
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  service: {{name: cart, port: 80}}
  analysis: {{interval: 1m, threshold: 2, stepWeight: 10, maxWeight: 50}}
"
    )
}

/// The same object in two clusters.
const ROUTE: &str = "---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: web
  namespace: shop
spec:
  routes:
  - match: Host(`shop.example`)
    services: [{kind: TraefikService, name: cart}]
";

/// The Canaries of these files that are found.
fn found(files: &[(&str, String); 2]) -> Vec<String> {
    let folder = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let output = run(&folder, "lint -f . -R -o json --fail-on never");
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
    let items = report["items"].as_array().unwrap_or_else(|| panic!("{output}")).iter();
    let shared = items.filter(|item| item["code"] == "CT063");
    shared.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn canaries_of_one_cluster_overwrite_each_others_traefik_service() {
    assert_eq!(found(&[("eu.yaml", canary("cart-eu")), ("us.yaml", canary("cart-us"))]), ["cart-eu", "cart-us"]);
}

#[test]
fn canaries_of_different_clusters_do_not() {
    let with_route = |name| canary(name) + ROUTE;
    assert_eq!(found(&[("eu/a.yaml", canary("cart-eu")), ("us/a.yaml", canary("cart-us"))]), [""; 0]);
    assert_eq!(found(&[("eu.yaml", with_route("cart-eu")), ("us.yaml", with_route("cart-us"))]), [""; 0]);
}
