//! Routes without TLS that redirect in every way, asked of the real Traefik, and of `lint`.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde_json::{Value, json};

use super::site::Site;
use crate::{
    application::PAGE,
    shop::NAME,
    traefik::{Traefik, WEB},
    web::{Connection, block_on},
};

/// Where users come in.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 12);

/// Creates a Middleware.
fn middleware(site: &Site, name: &str, spec: &Value) {
    site.namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": { "name": name },
        "spec": spec,
    }));
}

/// Creates an IngressRoute for the host of this name, and returns its rule.
fn route(site: &Site, (name, host, middlewares, priority): (&str, &str, &[&str], u32)) -> String {
    let rule = format!("Host(`{host}.{}`)", site.host);
    let middlewares: Vec<_> = middlewares.iter().map(|name| json!({ "name": name })).collect();
    site.namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": name },
        "spec": { "entryPoints": ["web"], "routes": [{
            "kind": "Rule",
            "match": rule,
            "priority": priority,
            "middlewares": middlewares,
            "services": [{ "kind": "TraefikService", "name": NAME }],
        }] },
    }));
    rule
}

/// Returns whether Traefik serves a page of this host, and does not redirect.
fn serves(host: String) -> bool {
    block_on(async move {
        let mut connection = Connection::open((ADDRESS, WEB)).await.expect("a connection");
        let answer = connection.get(&host, PAGE, "").await.expect("an answer");
        assert!(answer.status == 200 || (300..400).contains(&answer.status), "{host}: {}", answer.status);
        answer.status == 200
    })
}

pub(crate) fn lint_finds_http_exactly_on_the_routes_that_traefik_serves_over_it() {
    let site = Site::new("redirects");
    let set = site.run(["sticky", "set", NAME, "--name", "login", "--max-age", "60", "--secure", "--yes"]);
    assert_eq!(set.code, Some(0), "{set}");
    for (name, spec) in [
        ("headers", json!({ "headers": { "customRequestHeaders": { "X-Odd": "1" } } })),
        ("https", json!({ "redirectScheme": { "scheme": "https" } })),
        ("chain", json!({ "chain": { "middlewares": [{ "name": "headers" }, { "name": "https" }] } })),
        ("regex", json!({ "redirectRegex": { "regex": "^http://(.*)", "replacement": "https://${1}" } })),
        (
            "old",
            json!({ "redirectRegex": { "regex": "^http://[^/]+/old/(.*)", "replacement": "https://new.example/${1}" } }),
        ),
    ] {
        middleware(&site, name, &spec);
    }
    // The name of the IngressRoute and of its host, its middlewares, and its priority. Of two on one host the higher counts.
    let routes: [(&str, &str, &[&str], u32); 10] = [
        ("plain", "plain", &[], 50),
        ("headers", "headers", &["headers"], 50),
        ("https", "https", &["headers", "https"], 50),
        ("chain", "chain", &["chain"], 50),
        ("regex", "regex", &["regex"], 50),
        ("old", "old", &["old"], 50),
        ("below", "below", &[], 50),
        ("below-redirect", "below", &["https"], 60),
        ("above", "above", &[], 60),
        ("above-redirect", "above", &["https"], 50),
    ];
    let rules = routes.map(|it| route(&site, it));
    let traefik: Traefik = super::start(ADDRESS, &[site.namespace.name()], &[]);
    site.waits(&traefik, rules.to_vec());
    let is_taken_first = |name: &str| !["below", "above-redirect"].contains(&name);
    let served: BTreeSet<_> = routes
        .iter()
        .filter(|(name, host, ..)| is_taken_first(name) && serves(format!("{host}.{}", site.host)))
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(served.iter().map(String::as_str).collect::<Vec<_>>(), ["above", "headers", "old", "plain"]);
    let linted = site.run(["lint", NAME, "-o", "json", "--fail-on", "never"]);
    let linted: Value = serde_json::from_str(&linted.stdout).expect("it is JSON");
    let items = linted["items"].as_array().expect("findings");
    let of_http = items.iter().filter(|item| item["code"] == "CT005");
    let found: BTreeSet<_> = of_http.map(|item| item["object"]["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(found, served);
}
