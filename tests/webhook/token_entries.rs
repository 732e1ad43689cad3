//! What the token of the guard's account is worth beside that where the guard keeps entries.

use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};
use testbed::{bed, namespace::Namespace, server::Server, wait::until};

use super::token::Stolen;

/// Somebody's route to the TraefikService.
fn web() -> Value {
    json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": { "name": "web" },
        "spec": { "entryPoints": ["web"], "routes": [{ "kind": "Rule", "match": "Host(`shop.example.com`)",
            "services": [{ "kind": "TraefikService", "name": "shop" }] }] } })
}

/// Somebody's route of the Gateway API to the TraefikService.
fn gate() -> Value {
    json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "gate" },
        "spec": { "parentRefs": [{ "name": "edge" }], "hostnames": ["gate.example.com"], "rules": [{
            "backendRefs": [{ "group": "traefik.io", "kind": "TraefikService", "name": "shop" }] }] } })
}

/// The object of an entry with one value replaced.
fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    *object.pointer_mut(pointer).expect("a place") = value;
    object
}

/// A new object like this one, for the entry of another Canary.
fn new(object: &Value, name: &str, canary: &str) -> Value {
    let mut object = object.clone();
    let labels = object["metadata"]["labels"].clone();
    object["metadata"] =
        json!({ "name": name, "labels": labels, "annotations": { "kubectl-canary-traefik/canary": canary } });
    let routes = object["spec"]["routes"].as_array_mut();
    for route in routes.into_iter().flatten() {
        route["middlewares"] = json!([{ "name": format!("{canary}-entry") }]);
    }
    object
}

fn attempts(stolen: &mut Stolen<'_>) {
    let namespace = stolen.namespace;
    let [route, middleware, http] =
        ["IngressRoute", "Middleware", "HTTPRoute"].map(|kind| namespace.get(kind, "shop-entry"));
    let first = "/spec/routes/0";
    let in_route = |key: &str, value: Value| with(&route, &format!("{first}/{key}"), value);
    let service = |value: Value| in_route("services", json!([value]));
    let in_rule = |key: &str, value: Value| with(&http, &format!("/spec/rules/0/{key}"), value);
    let headers = |value: Value| with(&middleware, "/spec/headers", value);
    for (what, object) in [
        ("an entry's route: as it is", route.clone()),
        ("an entry's route: other paths", in_route("match", json!("(Host(`a`)) && (Path(`/a`) || Path(`/b`))"))),
        ("an entry's route: every path", in_route("match", json!("Host(`shop.example.com`)"))),
        ("an entry's route: every path, too", in_route("match", json!("(Host(`a`)) && (Path(`/a`)) || Host(`b`)"))),
        ("an entry's route: every path before", in_route("match", json!("Host(`b`) || (Host(`a`)) && (Path(`/a`))"))),
        (
            "an entry's route: every path in parentheses",
            in_route("match", json!("(Host(`b`)) || (Host(`a`)) && (Path(`/a`))")),
        ),
        (
            "an entry's route: every path in comments",
            in_route("match", json!("(Host(`a`) /*\"*/) || (PathPrefix(`/`) /*\"*/) && (Path(`/x`))")),
        ),
        ("an entry's route: a pattern", in_route("match", json!("(Host(`a`)) && (Path(`/{p:.*}`))"))),
        (
            "an entry's route: every path in quotes",
            in_route("match", json!("(Host(`(`)) || (Host(`)`)) && (Path(`/a`))")),
        ),
        (
            "an entry's route: a nested rule",
            in_route("match", json!("(Host(`)`) || (Host(\")\") && !(Path(`/x`)))) && (Path(`/a`))")),
        ),
        ("an entry's route: to a Service", service(json!({ "name": "mine", "port": 80 }))),
        ("an entry's route: to another provider", service(json!({ "kind": "TraefikService", "name": "api@internal" }))),
        ("an entry's route: to nothing", in_route("services", json!([]))),
        (
            "an entry's route: to another namespace",
            service(json!({ "kind": "TraefikService", "name": "shop", "namespace": "default" })),
        ),
        ("an entry's route: without the Middleware", in_route("middlewares", json!([]))),
        ("an entry's route: with another last", in_route("middlewares", json!([{ "name": "mine" }]))),
        ("an entry's route: without its label", with(&route, "/metadata/labels", json!(null))),
        (
            "an entry's route: for another Canary",
            with(&route, "/metadata/annotations", json!({ "kubectl-canary-traefik/canary": "b" })),
        ),
        ("an entry's HTTPRoute: as it is", http.clone()),
        (
            "an entry's HTTPRoute: every path",
            in_rule("matches", json!([{ "path": { "type": "PathPrefix", "value": "/" } }])),
        ),
        ("an entry's HTTPRoute: without the filter", in_rule("filters", json!([]))),
        ("an entry's HTTPRoute: no match", in_rule("matches", json!([]))),
        ("an entry's HTTPRoute: to nothing", in_rule("backendRefs", json!([]))),
        (
            "an entry's HTTPRoute: a mirror",
            in_rule(
                "filters",
                json!([
                    { "type": "RequestHeaderModifier", "requestHeaderModifier": { "remove": ["Cookie"] } },
                    { "type": "RequestMirror", "requestMirror": { "backendRef": { "name": "mine", "port": 80 } } },
                ]),
            ),
        ),
        ("an entry's HTTPRoute: to a Service", in_rule("backendRefs", json!([{ "name": "mine", "port": 80 }]))),
        ("an entry's Middleware: as it is", middleware.clone()),
        ("an entry's Middleware: another header", headers(json!({ "customRequestHeaders": { "Host": "a" } }))),
        ("an entry's Middleware: a cookie instead", headers(json!({ "customRequestHeaders": { "Cookie": "a" } }))),
        (
            "an entry's Middleware: an answer's header",
            headers(json!({ "customRequestHeaders": { "Cookie": "" }, "customResponseHeaders": { "a": "b" } })),
        ),
        ("an entry's Middleware: another one", with(&middleware, "/spec", json!({ "chain": { "middlewares": [] } }))),
    ] {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let path = namespace.path(object["kind"].as_str().expect("a kind"), name) + "?dryRun=All";
        let version = json!({ "metadata": { "managedFields": null } });
        let mut patch = object.clone();
        patch["metadata"]["managedFields"] = version["metadata"]["managedFields"].clone();
        // A merge patch replaces lists, but joins mappings.
        if let Some(old) = [&route, &middleware, &http].into_iter().find(|old| old["kind"] == object["kind"]) {
            for key in old["spec"].as_object().expect("a specification").keys() {
                if object["spec"].get(key).is_none() {
                    patch["spec"][key] = Value::Null;
                }
            }
        }
        let answer = stolen.api.merge(&path, &patch);
        stolen.tried(what, &answer);
    }
    let of = |object: &Value| namespace.path(object["kind"].as_str().expect("a kind"), "") + "?dryRun=All";
    for (what, object) in [
        ("a new route: of an entry", new(&route, "other-entry", "other")),
        ("a new route: of another name", new(&route, "mine", "other")),
        ("a new route: without a label", web()),
        ("a new Middleware: of an entry", new(&middleware, "other-entry", "other")),
        ("a new Middleware: of another name", new(&middleware, "mine", "other")),
    ] {
        let answer = stolen.api.post(&of(&object), &object);
        stolen.tried(what, &answer);
    }
    let metadata = json!({ "labels": route["metadata"]["labels"], "annotations": route["metadata"]["annotations"] });
    for (what, patch) in [
        ("somebody's route: nothing", json!({})),
        ("somebody's route: another rule", json!({ "spec": { "routes": [] } })),
        ("somebody's route: an entry's marks", json!({ "metadata": metadata })),
    ] {
        let answer = stolen.api.merge(&(namespace.path("IngressRoute", "web") + "?dryRun=All"), &patch);
        stolen.tried(what, &answer);
    }
    for (what, kind, name) in [
        ("an entry's route: its end", "IngressRoute", "shop-entry"),
        ("an entry's Middleware: its end", "Middleware", "shop-entry"),
        ("an entry's HTTPRoute: its end", "HTTPRoute", "shop-entry"),
        ("somebody's HTTPRoute: its end", "HTTPRoute", "gate"),
        ("somebody's route: its end", "IngressRoute", "web"),
    ] {
        let answer = stolen.api.delete(&(namespace.path(kind, name) + "?dryRun=All"));
        stolen.tried(what, &answer);
    }
}

#[test]
fn with_entries_a_stolen_token_writes_no_other_route_and_no_other_middleware() {
    let server = Server::dedicated(&bed::no_policies());
    let namespace = Namespace::on(&server, "token");
    let mut stolen = Stolen::from(&server, &namespace, &["--entries"]);
    namespace.create_value(&web());
    server.define("gateway").expect("the definitions");
    until("HTTPRoutes to be served", || {
        let answer = server.admin().post(&namespace.path("HTTPRoute", ""), &gate());
        (answer.code == 201).then_some(())
    });
    let set = namespace.run(["sticky", "set", "shop", "--entry", "/login", "--yes"]).run();
    assert_eq!(set.code, Some(0), "{set}");
    until("the policy to be taken up", || {
        let path = namespace.path("IngressRoute", "web") + "?dryRun=All";
        (stolen.api.merge(&path, &json!({ "metadata": { "labels": { "a": "b" } } })).code != 200).then_some(())
    });
    attempts(&mut stolen);
    assert_data_eq!(
        stolen.lines,
        str![[r#"
an entry's route: as it is                       allowed
an entry's route: other paths                    allowed
an entry's route: every path                     refused by the policy
an entry's route: every path, too                refused by the policy
an entry's route: every path before              refused by the policy
an entry's route: every path in parentheses      refused by the policy
an entry's route: every path in comments         refused by the policy
an entry's route: a pattern                      refused by the policy
an entry's route: every path in quotes           refused by the policy
an entry's route: a nested rule                  allowed
an entry's route: to a Service                   refused by the policy
an entry's route: to another provider            refused by the policy
an entry's route: to nothing                     refused by the policy
an entry's route: to another namespace           refused by the policy
an entry's route: without the Middleware         refused by the policy
an entry's route: with another last              refused by the policy
an entry's route: without its label              refused by the policy
an entry's route: for another Canary             refused by the policy
an entry's HTTPRoute: as it is                   allowed
an entry's HTTPRoute: every path                 refused by the policy
an entry's HTTPRoute: without the filter         refused by the policy
an entry's HTTPRoute: no match                   refused by the policy
an entry's HTTPRoute: to nothing                 refused by the policy
an entry's HTTPRoute: a mirror                   refused by the policy
an entry's HTTPRoute: to a Service               refused by the policy
an entry's Middleware: as it is                  allowed
an entry's Middleware: another header            refused by the policy
an entry's Middleware: a cookie instead          refused by the policy
an entry's Middleware: an answer's header        refused by the policy
an entry's Middleware: another one               refused by the policy
a new route: of an entry                         allowed
a new route: of another name                     refused by the policy
a new route: without a label                     refused by the policy
a new Middleware: of an entry                    allowed
a new Middleware: of another name                refused by the policy
somebody's route: nothing                        refused by the policy
somebody's route: another rule                   refused by the policy
somebody's route: an entry's marks               refused by the policy
an entry's route: its end                        allowed
an entry's Middleware: its end                   allowed
an entry's HTTPRoute: its end                    allowed
somebody's HTTPRoute: its end                    refused by the policy
somebody's route: its end                        refused by the policy

"#]]
    );
}
