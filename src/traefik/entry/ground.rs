//! Routes at random, of every kind that an entry can meet: for the property tests beside this file, and for the real
//! Traefik in `tests/e2e/routes/odd.rs`, which includes it. It therefore names nothing of the crate.

use proptest::prelude::*;
use serde_json::{Value, json};

/// The namespace of all of them.
pub(crate) const NAMESPACE: &str = "shop";
/// The TraefikService of the Canary.
pub(crate) const SERVICE: &str = "checkout";

/// Rules that Traefik takes, in its own syntax.
const RULES: &[&str] = &[
    "Host(`a.test`)",
    "Host(`b.test`) || Host(`a.test`)",
    "PathPrefix(`/`)",
    "Host(`a.test`) && PathPrefix(`/a`)",
    "HostRegexp(`^.+$`) && !Path(`/x`)",
    "Host(`a.test`) && Method(`GET`)",
    "host(\"a.test\") && PATHPREFIX(\"/\")",
    "Host(`a.test`) &&\n  (PathPrefix(`/a`) ||\n  PathRegexp(`^/log(in|out)$`))\n",
    "Host(`*.a.test`) && Header(`X-A`, `b`)",
    "!(Host(`c.test`) || ClientIP(`10.0.0.0/8`)) && Query(`a`, `b`)",
];
/// Rules in the older syntax.
const OLDER_RULES: &[&str] = &[
    "Host(`a.test`, `b.test`)",
    "HostRegexp(`{name:[a-z]+}.test`)",
    "HostHeader(`a.test`) && PathPrefix(`/a`, `/{kind:log.*}`)",
    "Host(`a.test`) && Headers(`X-A`, `b`)",
    "PathPrefix(`/`) && Method(`GET`, `POST`)",
];

/// Returns a backend in an IngressRoute: the TraefikService, or else the Service `api`.
fn service(to_canary: bool) -> Value {
    if to_canary { json!({"kind": "TraefikService", "name": SERVICE}) } else { json!({"name": "api", "port": 80}) }
}

/// Returns an IngressRoute with these rules and priorities to the TraefikService, or else to the Service `api`.
/// A priority of 0 is none.
pub(crate) fn ingress_route(name: &str, to_canary: bool, routes: &[(&str, i64)]) -> Value {
    let route = |(rule, priority): &(&str, i64)| {
        let mut route = json!({"match": rule, "kind": "Rule", "services": [service(to_canary)]});
        if *priority != 0 {
            route["priority"] = (*priority).into();
        }
        route
    };
    json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"entryPoints": ["web"], "routes": routes.iter().map(route).collect::<Vec<_>>()}})
}

/// Generates IngressRoutes, some of which lead to the TraefikService.
pub(crate) fn ingress_routes() -> impl Strategy<Value = Vec<Value>> {
    let rule = prop_oneof![
        4 => prop::sample::select(RULES).prop_map(|rule| (rule, false)),
        1 => prop::sample::select(OLDER_RULES).prop_map(|rule| (rule, true)),
    ];
    let priority = prop_oneof![Just(0), -3..60_i64];
    let route = (rule, priority, any::<bool>(), prop_oneof![4 => Just(false), 1 => Just(true)]).prop_map(
        |((rule, is_older), priority, to_canary, is_split)| {
            let mut route = ingress_route("", to_canary, &[(rule, priority)])["spec"]["routes"][0].take();
            if is_older {
                route["syntax"] = "v2".into();
            }
            if is_split {
                route["services"] = json!([service(to_canary), {"name": "api", "port": 80, "weight": 3}]);
            }
            route
        },
    );
    let spec = prop::sample::select(vec![
        json!({"entryPoints": ["web"]}),
        json!({"entryPoints": ["web", "websecure"]}),
        json!({}),
        json!({"entryPoints": ["websecure"], "tls": {}}),
        json!({"entryPoints": ["websecure"], "tls": {"domains": [{"main": "a.test"}]}}),
    ]);
    let routes = prop::collection::vec(route, 1..4);
    let repeated = prop_oneof![4 => Just(0), 1 => 1..60_i64];
    let object = (routes, spec, any::<bool>(), any::<bool>(), repeated).prop_map(
        |(mut routes, mut spec, has_auth, has_class, repeated)| {
            if has_auth {
                routes[0]["middlewares"] = json!([{"name": "auth"}]);
            }
            if repeated > 0 {
                routes.push(routes[0].clone());
                routes.last_mut().expect("it was pushed")["priority"] = repeated.into();
            }
            spec["routes"] = routes.into();
            let mut object = ingress_route("", false, &[]);
            object["spec"] = spec;
            if has_class {
                object["metadata"]["annotations"] = json!({"kubernetes.io/ingress.class": "traefik"});
            }
            object
        },
    );
    prop::collection::vec(object, 1..4).prop_map(|objects| named("r", objects))
}

/// Names these objects, each differently.
fn named(prefix: &str, mut objects: Vec<Value>) -> Vec<Value> {
    for (number, object) in objects.iter_mut().enumerate() {
        object["metadata"]["name"] = format!("{prefix}{number}").into();
    }
    objects
}

/// Generates HTTPRoutes, some of which lead to the TraefikService.
pub(crate) fn http_routes() -> impl Strategy<Value = Vec<Value>> {
    let hosts = prop::sample::select(vec![
        json!(["a.test"]),
        json!(["b.test", "a.test"]),
        json!(["*.a.test", "a.test"]),
        Value::Null,
    ]);
    let matches = prop::collection::vec(
        prop::sample::select(vec![
            json!({"path": {"type": "PathPrefix", "value": "/"}}),
            json!({"path": {"type": "PathPrefix", "value": "/a/"}}),
            json!({"path": {"type": "Exact", "value": "/a"}}),
            json!({"path": {"type": "RegularExpression", "value": "^/log(in|out)$"}}),
            json!({"method": "GET"}),
            json!({"method": "GET", "path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": "X-A", "value": "b"}]}),
            json!({"queryParams": [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}]}),
        ]),
        0..3,
    );
    let filters = prop::sample::select(vec![
        json!([]),
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["X-A"]}}]),
        json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-A", "value": "b"}]}},
            {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/b"}}}]),
        json!([{"type": "ExtensionRef", "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "auth"}}]),
    ]);
    let rule = (matches, filters, any::<bool>(), any::<bool>()).prop_map(|(matches, filters, to_canary, is_split)| {
        let api = json!({"name": "api", "port": 80});
        let service = json!({"group": "traefik.io", "kind": "TraefikService", "name": SERVICE});
        let refs =
            if to_canary && is_split { json!([service, api]) } else { json!([if to_canary { service } else { api }]) };
        let mut rule = json!({"backendRefs": refs});
        if !matches.is_empty() {
            rule["matches"] = matches.into();
        }
        if filters != json!([]) {
            rule["filters"] = filters;
        }
        rule
    });
    let object = (hosts, prop::collection::vec(rule, 1..4)).prop_map(|(hosts, rules)| {
        let mut spec = json!({"parentRefs": [{"name": "edge"}], "rules": rules});
        if !hosts.is_null() {
            spec["hostnames"] = hosts;
        }
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"namespace": NAMESPACE}, "spec": spec})
    });
    prop::collection::vec(object, 1..3).prop_map(|objects| named("h", objects))
}

/// Generates routes: of one kind, or of both.
pub(crate) fn routes() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        3 => ingress_routes(),
        2 => http_routes(),
        1 => (ingress_routes(), http_routes()).prop_map(|(ours, theirs)| [ours, theirs].concat()),
    ]
}
