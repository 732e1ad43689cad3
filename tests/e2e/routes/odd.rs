//! Routes at random, of all kinds: what Traefik's own API says of the entry's.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use canary_traefik::{
    model::{Entry, NamespacedName, ObjectKind, name::Group},
    traefik::{
        Routing,
        entry::{Holder, objects},
        router::routers,
    },
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use testbed::wait::PATIENCE;

use super::{CLUSTER, ODD_SITE, gateway, service};
use crate::{application::PORT, isolate::HOST, traefik::Traefik};

#[path = "../../../src/traefik/entry/ground.rs"]
mod ground;

/// How many sets of routes Traefik is asked about.
const SETS: usize = 30;

/// Sets of routes at random, the same in each run, that lead to the TraefikService; with the entry's objects.
fn sets() -> Vec<(Vec<Value>, Vec<Value>)> {
    let paths = ["/login", "/a/login", "/a", "/login, /a/start"];
    let mut runner = TestRunner::deterministic();
    let mut sets = Vec::new();
    while sets.len() < SETS {
        let entry = Entry::parse(paths[sets.len() % paths.len()]).expect("an entry");
        let mut routes = ground::routes().new_tree(&mut runner).expect("routes").current();
        // Of HTTPRoutes that match the same, Traefik has the first one alone: each set has hosts of its own.
        let host = format!("s{}.test", sets.len());
        for route in &mut routes {
            *route = route.to_string().replace(".test", &format!(".{host}")).parse().expect("JSON");
            if route["kind"] == "HTTPRoute" && route["spec"]["hostnames"].is_null() {
                route["spec"]["hostnames"] = json!([host]);
            }
        }
        let routing: Routing = routes.iter().map(|route| (kind(route), route.clone())).collect();
        let named = |name: &str| NamespacedName { namespace: Some(ground::NAMESPACE.into()), name: name.into() };
        let holder = Holder { canary: named("checkout"), uid: None, service: named(ground::SERVICE) };
        let made = objects(&entry, &holder, &routing);
        if made.problems.is_empty() && !made.wanted.is_empty() {
            sets.push((routes, made.wanted.into_iter().map(|(_, object)| object).collect()));
        }
    }
    sets
}

fn kind(object: &Value) -> ObjectKind {
    ObjectKind::of_routing(object).unwrap_or(ObjectKind::Middleware(Group::TraefikIo))
}

/// What Traefik shall say of the routers that it makes of these objects.
fn expected(objects: &[Value]) -> Vec<String> {
    let (mut lines, mut rules) = (Vec::new(), BTreeSet::new());
    for object in objects {
        let kind = kind(object);
        for router in routers(kind, object) {
            // Of HTTPRoutes that match the same, it has the first one alone.
            if kind != ObjectKind::HttpRoute || rules.insert(format!("{:?}", router.rule)) {
                lines.push(format!("{} \"enabled\" null", router.priority));
            }
        }
    }
    lines.sort();
    lines
}

/// What Traefik says of its routers of a namespace: priority, status, errors.
fn found(traefik: &Traefik, namespace: &str) -> Vec<String> {
    let all = traefik.routers(namespace);
    let mut lines: Vec<_> =
        all.iter().map(|router| format!("{} {} {}", router["priority"], router["status"], router["error"])).collect();
    lines.sort();
    lines
}

/// What has to be among the entry's objects, so that the kinds of routes are covered.
const COVERED: [&str; 8] = [
    r#""kind":"IngressRoute""#,
    r#""kind":"HTTPRoute""#,
    r#""syntax":"v2""#,
    r#""tls":{"#,
    r#""name":"auth""#,
    r#""method":"GET""#,
    "PathRegexp",
    "checkout-entry-2",
];

pub(crate) fn whatever_the_routes_are_like_traefik_has_those_of_the_entry_enabled_and_with_the_priorities_computed() {
    let sets: Vec<_> =
        sets().into_iter().map(|(routes, made)| (CLUSTER.namespace("odd", false), routes, made)).collect();
    let all: String = sets.iter().flat_map(|(.., made)| made).map(Value::to_string).collect();
    let missing: Vec<_> = COVERED.into_iter().filter(|part| !all.contains(part)).collect();
    assert_eq!(missing, [""; 0]);
    for (namespace, routes, made) in &sets {
        for name in ["api", "checkout-primary", "checkout-canary"] {
            service(namespace, name);
            // Without endpoints, Traefik leaves out what leads to a Service.
            namespace.create_value(&json!({
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": { "name": name, "labels": { "kubernetes.io/service-name": name } },
                "addressType": "IPv4",
                "ports": [{ "name": "http", "port": PORT, "protocol": "TCP" }],
                "endpoints": [{ "addresses": [HOST.to_string()], "conditions": { "ready": true } }],
            }));
        }
        namespace.create_rollout(ground::SERVICE, 50, 50);
        gateway(namespace, "edge");
        namespace.create_value(&json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": { "name": "auth" },
            "spec": { "headers": { "customRequestHeaders": { "X-Auth": "1" } } },
        }));
        for object in routes.iter().chain(made) {
            let mut object = object.clone();
            object["metadata"]["namespace"] = namespace.name().into();
            namespace.create_value(&object);
        }
    }
    let secure = format!("--entrypoints.websecure.address={ODD_SITE}:8443");
    // Of all namespaces: a watch for each kind in each of these would be too much for the API server.
    let traefik = Traefik::start(&CLUSTER.server, ODD_SITE, &["--providers.kubernetesgateway=true", &secure]);
    let deadline = Instant::now() + PATIENCE;
    for (namespace, routes, made) in &sets {
        let all = [routes.as_slice(), made].concat();
        let expected = expected(&all);
        let mut found = found(&traefik, namespace.name());
        while found != expected && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
            found = self::found(&traefik, namespace.name());
        }
        assert_eq!(found, expected, "{}", serde_json::to_string_pretty(&all).expect("they are JSON"));
    }
}
