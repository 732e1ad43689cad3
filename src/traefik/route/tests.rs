//! Tests of the routes to a TraefikService, and of near misses.

use serde_json::{Value, json};

use super::*;

fn named(namespace: &str, name: &str) -> NamespacedName {
    NamespacedName { namespace: Some(namespace.to_owned()), name: name.to_owned() }
}

fn object(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    let version = if kind == "HTTPRoute" { "gateway.networking.k8s.io/v1" } else { "traefik.io/v1alpha1" };
    let version = if kind == "Ingress" { "networking.k8s.io/v1" } else { version };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

/// An IngressRoute with one route to this item.
fn ingress_route(namespace: &str, item: &Value) -> Value {
    object("IngressRoute", namespace, "web", &json!({"routes": [{"match": "Host(`a`)", "services": [item]}]}))
}

fn http_route(namespace: &str, item: &Value) -> Value {
    object("HTTPRoute", namespace, "web", &json!({"hostnames": ["a"], "rules": [{"backendRefs": [item]}]}))
}

fn traefik_service(namespace: &str, name: &str, spec: &Value) -> Value {
    object("TraefikService", namespace, name, spec)
}

/// The Canary's own TraefikService, as Flagger writes it.
fn own() -> Value {
    let child = |name: &str| json!({"name": name, "namespace": "shop", "port": 80});
    traefik_service("shop", "cart", &json!({"weighted": {"services": [child("cart-primary"), child("cart-canary")]}}))
}

fn found(objects: &[Value]) -> Routes {
    let kind = |object: &Value| ObjectKind::of_routing(object).expect("it is of a kind that routes");
    let routing: Routing = objects.iter().map(|object| (kind(object), object.clone())).collect();
    let service = named("shop", "cart");
    let (group, others) = (Some(Group::TraefikIo), BTreeSet::from([named("stage", "cart")]));
    routes(&routing, Destination { service: &service, group, aliases: &["basket"], others: &others })
}

/// Each route in one line: its rules, what is between, and what it needs.
fn lines(objects: &[Value]) -> Vec<String> {
    let line = |route: &Route| {
        let through = route.through.iter().map(|it| format!(" through {it}")).collect::<String>();
        let needs = route.requirements.iter().map(|it| format!("; {it}")).collect::<String>();
        let mirror = if route.is_mirror { " (mirror)" } else { "" };
        format!("{} {} {}{through}{mirror}{needs}", route.kind.kind(), route.target, route.rules.join(", "))
    };
    found(objects).seen.iter().map(line).collect()
}

fn one(objects: &[Value]) -> String {
    lines(objects).join("\n")
}

#[test]
fn an_ingress_route_leads_to_the_traefik_service_that_it_names() {
    let item = |more: &Value| {
        let mut item = json!({"kind": "TraefikService", "name": "cart"});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let here = item(&json!({}));
    assert_eq!(one(&[ingress_route("shop", &here)]), "IngressRoute shop/web Host(`a`)");
    assert_eq!(one(&[ingress_route("edge", &here)]), "");
    let across = item(&json!({"namespace": "shop"}));
    assert_eq!(one(&[ingress_route("shop", &across)]), "IngressRoute shop/web Host(`a`)");
    assert_eq!(
        one(&[ingress_route("edge", &across)]),
        "IngressRoute edge/web Host(`a`); needs providers.kubernetesCRD.allowCrossNamespace in Traefik"
    );
    // The Service of the same name always selects the primary.
    assert_eq!(one(&[ingress_route("shop", &json!({"name": "cart", "port": 80}))]), "");
}

#[test]
fn a_reference_with_the_provider_leads_where_traefik_takes_it_in_each_version() {
    let item = |name: &str| json!({"kind": "TraefikService", "name": name});
    let newer = "needs Traefik 3.7.9 or later with providers.kubernetesCRD.allowCrossNamespace";
    let older = "needs Traefik before 3.7.9";
    for (namespace, name, expected) in [
        ("shop", "shop-cart@kubernetescrd", newer),
        ("edge", "shop-cart@kubernetescrd", newer),
        ("shop", "cart@kubernetescrd", older),
    ] {
        let expected = format!("IngressRoute {namespace}/web Host(`a`); `{name}` {expected}");
        assert_eq!(one(&[ingress_route(namespace, &item(name))]), expected);
    }
    for (namespace, name) in [
        ("edge", "cart@kubernetescrd"),
        ("shop", "edge-cart@kubernetescrd"),
        ("shop", "shop-cart@file"),
        ("shop", "shop-cart"),
    ] {
        assert_eq!(one(&[ingress_route(namespace, &item(name))]), "", "{name} in {namespace}");
    }
    let with_namespace = json!({"kind": "TraefikService", "name": "cart@kubernetescrd", "namespace": "shop"});
    assert_eq!(
        one(&[ingress_route("edge", &with_namespace)]),
        format!("IngressRoute edge/web Host(`a`); `cart@kubernetescrd` {newer}")
    );
    // An HTTPRoute names it so in every version, without a group, and in whatever namespace it is.
    assert_eq!(one(&[http_route("edge", &item("shop-cart@kubernetescrd"))]), "HTTPRoute edge/web a/");
    assert_eq!(one(&[http_route("edge", &item("cart@kubernetescrd"))]), "");
}

#[test]
fn an_http_route_names_the_group_and_needs_a_grant_from_another_namespace() {
    let item = |group: &str| json!({"group": group, "kind": "TraefikService", "name": "cart", "namespace": "shop"});
    assert_eq!(one(&[http_route("shop", &item("traefik.io"))]), "HTTPRoute shop/web a/");
    assert_eq!(
        one(&[http_route("edge", &item("traefik.io"))]),
        "HTTPRoute edge/web a/; needs a ReferenceGrant in namespace `shop`"
    );
    assert_eq!(one(&[http_route("shop", &item("apps"))]), "");
    assert_eq!(
        one(&[http_route("shop", &item("traefik.containo.us"))]),
        "HTTPRoute shop/web a/; needs Traefik 2: Traefik 3 does not read traefik.containo.us"
    );
    let rules = json!({"hostnames": ["a", "b"], "rules": [
        {"matches": [{"path": {"value": "/x"}}, {"method": "GET"}], "backendRefs": [item("traefik.io")]},
        {"backendRefs": [{"name": "other", "port": 80}]}]});
    assert_eq!(one(&[object("HTTPRoute", "shop", "web", &rules)]), "HTTPRoute shop/web a,b/x, a,b/");
}

#[test]
fn routes_lead_through_other_traefik_services_down_to_their_hosts() {
    let to = |name: &str| json!({"kind": "TraefikService", "name": name});
    let routed = |name: &str, service: &str| {
        let rule = format!("Host(`{name}`)");
        object("IngressRoute", "shop", name, &json!({"routes": [{"match": rule, "services": [to(service)]}]}))
    };
    assert_eq!(
        lines(&[
            own(),
            traefik_service("shop", "inner", &json!({"weighted": {"services": [to("cart"), {"name": "old"}]}})),
            traefik_service("shop", "outer", &json!({"mirroring": {"kind": "TraefikService", "name": "inner"}})),
            // A circle has no end.
            traefik_service("shop", "inner", &json!({"weighted": {"services": [to("cart"), to("outer")]}})),
            traefik_service("shop", "spare", &json!({"failover": {"service": to("old"), "fallback": to("cart")}})),
            traefik_service("shop", "copy", &json!({"mirroring": {"name": "old", "mirrors": [to("cart")]}})),
            routed("direct", "cart"),
            routed("deep", "outer"),
            routed("mirrored", "copy"),
            routed("spare", "spare"),
        ]),
        [
            "IngressRoute shop/direct Host(`direct`)",
            "TraefikService shop/copy  (mirror)",
            "TraefikService shop/inner ",
            "TraefikService shop/spare ",
            "TraefikService shop/outer  through shop/inner",
            "IngressRoute shop/spare Host(`spare`) through shop/spare",
            "IngressRoute shop/deep Host(`deep`) through shop/outer through shop/inner",
        ]
    );
}

#[test]
fn a_mirror_hides_no_other_way() {
    let to = |service: &str| json!({"name": service, "kind": "TraefikService"});
    let route = json!({"routes": [{"match": "Host(`a`)", "services": [to("outer")]}]});
    let copying =
        json!({"mirroring": {"name": "else", "mirrors": [to("cart")]}, "weighted": {"services": [to("inner")]}});
    let lines = lines(&[
        own(),
        traefik_service("shop", "inner", &json!({"weighted": {"services": [to("cart")]}})),
        traefik_service("shop", "outer", &copying),
        object("IngressRoute", "shop", "web", &route),
    ]);
    assert_eq!(
        lines,
        [
            "TraefikService shop/inner ",
            "TraefikService shop/outer  (mirror)",
            "TraefikService shop/outer  through shop/inner",
            "IngressRoute shop/web Host(`a`) through shop/outer through shop/inner",
        ]
    );
}

#[test]
fn endless_chains_are_followed_for_sixteen_traefik_services() {
    let to = |service: &str| json!({"weighted": {"services": [{"name": service, "kind": "TraefikService"}]}});
    let name = |number: usize| if number == 0 { "cart".to_owned() } else { format!("more-{number}") };
    let chain = (1..1000).map(|number| traefik_service("shop", &name(number), &to(&name(number - 1))));
    let found = lines(&chain.collect::<Vec<_>>());
    assert_eq!(found.len(), 17);
}

#[test]
fn of_the_other_api_group_it_is_said_which_traefik_reads_both() {
    let mut old = ingress_route("shop", &json!({"kind": "TraefikService", "name": "cart"}));
    old["apiVersion"] = "traefik.containo.us/v1alpha1".into();
    assert_eq!(
        one(&[own(), old.clone()]),
        "IngressRoute shop/web Host(`a`); needs Traefik 2.10 or 2.11, which read both API groups: Traefik 3 reads traefik.io alone"
    );
    let routing: Routing = [(ObjectKind::IngressRoute(Group::TraefikContainoUs), old)].into_iter().collect();
    let service = named("shop", "cart");
    let needed = |group| {
        let destination = Destination { service: &service, group, aliases: &[], others: &BTreeSet::new() };
        routes(&routing, destination).seen.remove(0).requirements
    };
    assert_eq!(needed(Some(Group::TraefikContainoUs)), BTreeSet::new());
    assert_eq!(needed(None), BTreeSet::from([Requirement::OlderGroup]));
}

/// Each near miss in one line.
fn misses(objects: &[Value]) -> String {
    let line = |miss: &NearMiss| {
        format!("{} {} {}: {}; {}", miss.kind.kind(), miss.target, miss.rules.join(", "), miss.problem, miss.fix)
    };
    found(objects).near_misses.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_route_to_a_service_of_the_canary_is_named_with_the_change() {
    let use_it = "use `kind: TraefikService`, `name: cart`, without `port`";
    assert_eq!(
        misses(&[own(), ingress_route("shop", &json!({"name": "cart", "port": 80}))]),
        format!(
            "IngressRoute shop/web Host(`a`): it leads to Service `cart`, which always selects the primary, not to the TraefikService; {use_it}"
        )
    );
    assert_eq!(
        misses(&[ingress_route("edge", &json!({"name": "cart-canary", "port": 80, "namespace": "shop"}))]),
        format!(
            "IngressRoute edge/web Host(`a`): it leads to Service `cart-canary`, not to the TraefikService; {use_it}"
        )
    );
    assert_eq!(
        misses(&[http_route("shop", &json!({"name": "cart-primary", "port": 80}))]),
        "HTTPRoute shop/web a/: it leads to Service `cart-primary`, not to the TraefikService; use `group: traefik.io`, `kind: TraefikService`, `name: cart`, without `port`"
    );
    let backend = json!({"service": {"name": "cart", "port": {"number": 80}}});
    let rule = json!({"host": "a.test", "http": {"paths": [{"path": "/", "backend": backend}]}});
    assert_eq!(
        misses(&[object("Ingress", "shop", "web", &json!({"rules": [rule.clone()]}))]),
        "Ingress shop/web a.test: it leads to Service `cart`, which always selects the primary, not to the TraefikService; replace it with an IngressRoute to TraefikService `cart`"
    );
    for (class, is_found) in [("traefik-internal", true), ("nginx", false)] {
        let spec = json!({"ingressClassName": class, "rules": [rule]});
        assert_eq!(!misses(&[object("Ingress", "shop", "web", &spec)]).is_empty(), is_found, "{class}");
    }
    let outer =
        traefik_service("shop", "all", &json!({"weighted": {"services": [{"name": "cart-primary", "port": 80}]}}));
    assert_eq!(
        misses(&[outer]),
        format!("TraefikService shop/all : it leads to Service `cart-primary`, not to the TraefikService; {use_it}")
    );
    // A route may have the name of the TraefikService, too.
    let mut route = ingress_route("shop", &json!({"name": "cart-canary", "port": 80}));
    route["metadata"]["name"] = json!("cart");
    assert_eq!(found(&[own(), route]).near_misses.len(), 1);
    // Services of another namespace, and those that merely begin alike, are others'.
    for item in [json!({"name": "cart", "port": 80, "namespace": "edge"}), json!({"name": "cart-db", "port": 80})] {
        assert_eq!(misses(&[ingress_route("shop", &item)]), "", "{item}");
    }
}

#[test]
fn a_reference_that_misses_its_traefik_service_is_named_with_the_change() {
    let item = |name: &str| json!({"kind": "TraefikService", "name": name});
    let said =
        |problem: &str, fix: &str| format!("it leads to TraefikService `{problem}`, which does not exist; {fix}");
    let miss = |namespace: &str, item: &Value| misses(&[own(), ingress_route(namespace, item)]);
    let of = |namespace: &str, said: String| format!("IngressRoute {namespace}/web Host(`a`): {said}");
    assert_eq!(miss("edge", &item("cart")), of("edge", said("edge/cart", "use `namespace: shop`")));
    assert_eq!(miss("shop", &item("basket")), of("shop", said("shop/basket", "use `name: cart`")));
    assert_eq!(miss("shop", &item("carts")), of("shop", said("shop/carts", "use `name: cart`")));
    let of_file = "it leads to service `shop-cart@file` of another Traefik provider; use `name: cart`";
    assert_eq!(miss("shop", &item("shop-cart@file")), of("shop", of_file.to_owned()));
    assert_eq!(
        miss("edge", &item("cart@kubernetescrd")),
        of("edge", said("edge/cart@kubernetescrd", "use `name: cart`, `namespace: shop`"))
    );
    // Each of these is somebody else's, or meant as it is.
    assert_eq!(miss("stage", &item("cart")), "", "the TraefikService of another Canary");
    assert_eq!(miss("shop", &item("search")), "");
    let there = traefik_service("edge", "cart", &json!({}));
    assert_eq!(misses(&[own(), there, ingress_route("edge", &item("cart"))]), "");
    assert_eq!(
        misses(&[own(), http_route("shop", &item("cart"))]),
        "HTTPRoute shop/web a/: it names the TraefikService without its API group; use `group: traefik.io`"
    );
}

#[test]
fn what_exists_is_not_guessed_where_it_cannot_be_seen() {
    let route = ingress_route("edge", &json!({"kind": "TraefikService", "name": "cart"}));
    let mut routing: Routing = [(ObjectKind::IngressRoute(Group::TraefikIo), route)].into_iter().collect();
    let service = named("shop", "cart");
    let destination = Destination { service: &service, group: None, aliases: &[], others: &BTreeSet::new() };
    assert_eq!(routes(&routing, destination).near_misses.len(), 1);
    let kind = ObjectKind::TraefikService(Group::TraefikIo);
    routing.unread_kinds.push(super::super::routing::Unread {
        kind,
        only_elsewhere: true,
        reason: "no".into(),
        permission: None,
    });
    let blind = routes(&routing, destination);
    assert_eq!((blind.near_misses, blind.unknown, blind.elsewhere_unknown), (vec![], vec![], Some("no".into())));
}

#[test]
fn odd_objects_lead_nowhere() {
    let kinds = ["IngressRoute", "HTTPRoute", "TraefikService", "Ingress"];
    for kind in kinds {
        for odd in [
            json!(null),
            json!("x"),
            json!({"routes": 1, "rules": [{"backendRefs": "x"}, 3]}),
            json!({"weighted": {"services": [{"name": 3}, null]}}),
            json!({"routes": [{"services": [{"kind": "TraefikService", "name": "@kubernetescrd"}]}]}),
        ] {
            assert_eq!(found(&[object(kind, "shop", "x", &odd)]), Routes::default(), "{kind}: {odd}");
        }
    }
}
