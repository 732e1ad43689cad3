//! Tests of the entry's objects.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    model::entry::{ENTRY_ANNOTATION, tests::entries},
    traefik::{
        router::{Router, routers},
        rule::{Answer, Request},
    },
};

fn holder() -> Holder {
    let named = |name: &str| NamespacedName { namespace: Some("shop".into()), name: name.into() };
    Holder { canary: named("checkout"), uid: Some("u1".into()), service: named("checkout") }
}

fn ingress_route(name: &str, to_canary: bool, routes: &[(&str, i64)]) -> (ObjectKind, Value) {
    (INGRESS_ROUTE, ground::ingress_route(name, to_canary, routes))
}

const INGRESS_ROUTE: ObjectKind = ObjectKind::IngressRoute(Group::TraefikIo);

const ROUTES: [ObjectKind; 2] = [INGRESS_ROUTE, ObjectKind::HttpRoute];

fn routing(objects: Vec<(ObjectKind, Value)>) -> Routing {
    objects.into_iter().collect()
}

fn made(entry: &str, routing: &Routing) -> EntryObjects {
    objects(&Entry::parse(entry).unwrap(), &holder(), routing)
}

/// Returns each rule with its priority.
fn rules(made: &EntryObjects) -> Vec<(String, i64)> {
    let routes =
        made.wanted.iter().flat_map(|(_, value)| value["spec"]["routes"].as_array().cloned().unwrap_or_default());
    routes.map(|route| (route["match"].as_str().unwrap().to_owned(), route["priority"].as_i64().unwrap())).collect()
}

#[test]
fn a_route_of_our_own_has_what_its_model_has_and_takes_the_cookie_header_off_last() {
    let (group, mut route) = ingress_route("web", true, &[("Host(`shop.test`)", 0)]);
    route["metadata"]["annotations"] = json!({CLASS: "edge"});
    route["spec"]["tls"] = json!({"certResolver": "le"});
    route["spec"]["routes"][0]["middlewares"] = json!([{"name": "auth", "namespace": "edge"}]);
    let made = made("/login, /sso/start", &routing(vec![(group, route)]));
    let common = |name: &str| {
        json!({"name": name, "namespace": "shop", "labels": {MANAGED_BY_LABEL: MANAGED_BY},
            "annotations": {ENTRY_ANNOTATION: "/login, /sso/start", "kubectl-canary-traefik/canary": "checkout"},
            "ownerReferences": [{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "checkout", "uid": "u1"}]})
    };
    let mut metadata = common("checkout-entry");
    metadata["annotations"][CLASS] = json!("edge");
    let expected = json!([
        {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": common("checkout-entry"),
            "spec": {"headers": {"customRequestHeaders": {"Cookie": ""}}}},
        {"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": metadata,
            "spec": {"entryPoints": ["web"], "tls": {"certResolver": "le"}, "routes": [{
                "match": "(Host(`shop.test`)) && (Path(`/login`) || Path(`/sso/start`))", "kind": "Rule", "priority": 18,
                "middlewares": [{"name": "auth", "namespace": "edge"}, {"name": "checkout-entry"}],
                "services": [{"kind": "TraefikService", "name": "checkout"}]}]}},
    ]);
    let values: Vec<_> = made.wanted.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(Value::from(values), expected);
    assert_eq!((made.problems, made.notes), (vec![], vec![]));
}

#[test]
fn a_manifest_without_a_namespace_is_next_to_its_canary() {
    let (group, mut route) = ingress_route("web", true, &[("Host(`shop.test`)", 0)]);
    route["metadata"].as_object_mut().unwrap().remove("namespace");
    let made = made("/login", &routing(vec![(group, route)]));
    assert_eq!(rules(&made), [("(Host(`shop.test`)) && (Path(`/login`))".to_owned(), 18)]);
    assert_eq!(made.problems, Vec::<String>::new());
}

#[test]
fn a_line_break_at_the_end_of_a_rule_and_a_negated_host_are_no_obstacle() {
    let own = ingress_route("web", true, &[("PathPrefix(`/`) && !Host(`admin.test`)\n", 0)]);
    let made = made("/login", &routing(vec![own]));
    assert_eq!(rules(&made), [("(PathPrefix(`/`) && !Host(`admin.test`)) && (Path(`/login`))".to_owned(), 40)]);
    assert_eq!(made.problems, Vec::<String>::new());
}

#[test]
fn routes_that_share_entry_points_and_tls_share_an_object_and_paths_go_where_they_can_be_served() {
    let (group, mut secure) = ingress_route("secure", true, &[("Host(`shop.test`)", 7)]);
    secure["spec"]["tls"] = json!({});
    let plain = ingress_route("plain", true, &[("Host(`shop.test`) && PathPrefix(`/sso`)", 0), ("Host(`b.test`)", -1)]);
    let made = made("/login, /sso/start", &routing(vec![(group, secure), plain]));
    assert_eq!(
        rules(&made),
        [
            ("(Host(`shop.test`) && PathPrefix(`/sso`)) && (Path(`/sso/start`))".to_owned(), 40),
            ("(Host(`b.test`)) && (Path(`/login`) || Path(`/sso/start`))".to_owned(), 1),
            ("(Host(`shop.test`)) && (Path(`/login`) || Path(`/sso/start`))".to_owned(), 8),
        ]
    );
    let names: Vec<_> = made.wanted.iter().map(|(object, _)| object.to_string()).collect();
    assert_eq!(
        names,
        [
            "middleware.traefik.io/checkout-entry",
            "ingressroute.traefik.io/checkout-entry",
            "ingressroute.traefik.io/checkout-entry-2"
        ]
    );
}

#[test]
fn of_two_routes_with_one_rule_in_an_object_the_last_one_is_the_model() {
    let rule = "Host(`shop.test`)";
    let own = ingress_route("web", true, &[(rule, 90), (rule, 7)]);
    let other = ingress_route("api", false, &[("Host(`shop.test`) && PathPrefix(`/log`)", 50)]);
    assert_eq!(rules(&made("/login", &routing(vec![own.clone()]))), [(format!("({rule}) && (Path(`/login`))"), 8)]);
    assert_eq!(
        made("/login", &routing(vec![own, other])).problems,
        [
            "`/login` on host `shop.test` is served by IngressRoute `shop/api` (priority 50) instead of IngressRoute `shop/web` (priority 7)"
        ]
    );
}

#[test]
fn an_http_route_gets_exact_paths_and_a_filter() {
    let mut route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"parentRefs": [{"name": "edge"}], "hostnames": ["shop.test"], "rules": [
            {"name": "api", "matches": [{"path": {"type": "PathPrefix", "value": "/api"}}],
                "backendRefs": [{"name": "api", "port": 80}]},
            {"name": "all", "matches": [{"method": "GET"}, {"method": "GET"}, {"path": {"type": "PathPrefix", "value": "/api"}}],
                "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["X-A"]}}],
                "backendRefs": [{"group": "traefik.io", "kind": "TraefikService", "name": "checkout"}]}]}});
    let of = |route: &Value| made("/login", &routing(vec![(ObjectKind::HttpRoute, route.clone())]));
    let expected = json!({"parentRefs": [{"name": "edge"}], "hostnames": ["shop.test"], "rules": [
        {"matches": [{"method": "GET", "path": {"type": "Exact", "value": "/login"}}],
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["X-A", "Cookie"]}}],
            "backendRefs": [{"group": "traefik.io", "kind": "TraefikService", "name": "checkout"}]}]});
    assert_eq!(of(&route).wanted.len(), 1);
    assert_eq!(of(&route).wanted[0].1["spec"], expected);
    // Among HTTPRoutes, an exact path wins; where another has it, that one keeps it.
    route["spec"]["rules"][0]["matches"] = json!([{"path": {"type": "Exact", "value": "/login"}}]);
    assert_eq!(
        of(&route).problems,
        [
            "`/login` on host `shop.test` is served by route 1 of HTTPRoute `shop/web` (priority 100011) instead of route 2 (priority 1011)"
        ]
    );
}

#[test]
fn a_path_that_something_else_serves_is_refused_with_its_name() {
    let own = ingress_route("web", true, &[("Host(`shop.test`)", 0)]);
    let problems = |other: &[(&str, i64)]| {
        made("/login", &routing(vec![own.clone(), ingress_route("api", false, other)])).problems
    };
    let served =
        |by: &str| vec![format!("`/login` on host `shop.test` {by} instead of IngressRoute `shop/web` (priority 17)")];
    assert_eq!(
        problems(&[("Host(`shop.test`) && PathPrefix(`/log`)", 0)]),
        served("is served by IngressRoute `shop/api` (priority 39)")
    );
    assert_eq!(problems(&[("PathPrefix(`/`)", 100)]), served("is served by IngressRoute `shop/api` (priority 100)"));
    assert_eq!(problems(&[("Path(`/login`)  ", 0)]), Vec::<String>::new(), "shorter");
    assert_eq!(problems(&[("Path(`/login`)", 17)]), served("may be served by IngressRoute `shop/api` (priority 17)"));
    assert_eq!(problems(&[("Host(`b.test`) && PathPrefix(`/log`)", 0)]), Vec::<String>::new(), "another host");
    assert_eq!(problems(&[("Host(`shop.test`) && PathPrefix(`/api`)", 0)]), Vec::<String>::new(), "another path");
    // Another class is another Traefik.
    let (group, mut internal) = ingress_route("api", false, &[("PathPrefix(`/`)", 100)]);
    internal["metadata"]["annotations"] = json!({CLASS: "internal"});
    let (_, mut external) = own.clone();
    external["metadata"]["annotations"] = json!({CLASS: "external"});
    let both = routing(vec![(group, external), (group, internal)]);
    assert_eq!(made("/login", &both).problems, Vec::<String>::new());
    // The entry does not apply to what leads here from another namespace, which takes the path like any other.
    let (group, mut edge) = ingress_route("edge", true, &[("PathPrefix(`/login`) && Host(`shop.test`)", 0)]);
    edge["metadata"]["namespace"] = json!("edge");
    edge["spec"]["routes"][0]["services"][0]["namespace"] = json!("shop");
    assert_eq!(
        made("/login", &routing(vec![own.clone(), (group, edge)])).problems,
        served("is served by IngressRoute `edge/edge` (priority 41)")
    );
    // Ours is below that one, and takes nothing from it.
    assert_eq!(problems(&[("Host(`shop.test`) && Method(`POST`)", 0)]), Vec::<String>::new());
    assert_eq!(
        problems(&[("Path(`/login`) && Method(`POST`)", 18)]),
        served("is served by IngressRoute `shop/api` (priority 18)")
    );
    // Other entry points are another world.
    let (group, mut elsewhere) = ingress_route("api", false, &[("PathPrefix(`/`)", 100)]);
    elsewhere["spec"]["entryPoints"] = json!(["admin"]);
    assert_eq!(made("/login", &routing(vec![own.clone(), (group, elsewhere)])).problems, Vec::<String>::new());
    let ingress = json!({"kind": "Ingress", "metadata": {"name": "old", "namespace": "other"}, "spec": {"rules": [
        {"host": "shop.test", "http": {"paths": [{"path": "/login", "pathType": "Prefix", "backend": {}}]}}]}});
    let with_ingress = routing(vec![own, (ObjectKind::Ingress, ingress)]);
    assert_eq!(made("/login", &with_ingress).problems, served("is served by Ingress `other/old` (priority 41)"));
}

#[test]
fn a_router_of_another_provider_takes_a_path_like_any_other() {
    let own = ingress_route("web", true, &[("Host(`shop.test`)", 0)]);
    let problems = |rule: &str, priority: i64| {
        let item =
            json!({"name": "sso@file", "provider": "file", "rule": rule, "priority": priority, "entryPoints": ["web"]});
        let mut routing =
            routing(vec![own.clone()]).with_other_routers(crate::traefik::router::of_api(&item).into_iter().collect());
        let before = made("/login", &routing);
        // A change of the cluster's objects does not change it.
        let (object, value) = routing.objects().next().map(|(object, value)| (object.clone(), value.clone())).unwrap();
        routing.replace(&object, &value);
        assert_eq!(made("/login", &routing), before);
        before.problems
    };
    assert_eq!(
        problems("PathPrefix(`/login`)", 300),
        [
            "`/login` on host `shop.test` is served by router `sso@file` (priority 300) instead of IngressRoute `shop/web` (priority 17)"
        ]
    );
    assert_eq!(problems("PathPrefix(`/login`)", 5), Vec::<String>::new());
    assert_eq!(problems("Host(`other.test`)", 300), Vec::<String>::new());
}

#[test]
fn what_cannot_be_covered_is_named_with_the_reason() {
    let (group, mut elsewhere) = ingress_route("edge", true, &[("Host(`shop.test`)", 0)]);
    elsewhere["metadata"]["namespace"] = json!("edge");
    elsewhere["spec"]["routes"][0]["services"][0]["namespace"] = json!("shop");
    let odd = ingress_route("odd", true, &[("Host(", 0), ("Host(`a`)", MAX)]);
    let ingress = json!({"metadata": {"name": "old", "namespace": "shop"},
        "spec": {"defaultBackend": {"service": {"name": "checkout-primary"}}}});
    let outer = json!({"metadata": {"name": "outer", "namespace": "shop"},
        "spec": {"weighted": {"services": [{"kind": "TraefikService", "name": "checkout"}]}}});
    let (_, mut nested) = ingress_route("nested", true, &[("Host(`b`)", 0)]);
    nested["spec"]["routes"][0]["services"][0]["name"] = json!("outer");
    let routing = routing(vec![
        (group, elsewhere),
        odd,
        (ObjectKind::Ingress, ingress),
        (ObjectKind::TraefikService(Group::TraefikIo), outer),
        (group, nested),
    ]);
    let made = made("/login", &routing);
    assert_eq!(made.wanted, []);
    assert_eq!(
        made.notes,
        [
            "the entry does not apply to IngressRoute `edge/edge`: it is in another namespace",
            "the entry does not apply to route 1 of IngressRoute `shop/odd`: Traefik rejects its rule: its end is missing",
            "the entry does not apply to IngressRoute `shop/odd`: its priority is the highest that can be set",
            "the entry does not apply to IngressRoute `shop/nested`: it leads to the Canary through TraefikService `shop/outer`",
            "the entry does not apply to Ingress `shop/old`: an Ingress cannot lead to a TraefikService",
        ]
    );
}

/// In the parentheses of an entry, Traefik would take this rule, and give the entry all of a host.
#[test]
fn no_rule_that_traefik_rejects_comes_right_in_the_parentheses_of_an_entry() {
    let made = made("/login", &routing(vec![ingress_route("odd", true, &[("Host(`a`)) || (Host(`b`)", 0)])]));
    assert_eq!(made.wanted, []);
    assert_eq!(
        made.notes,
        [
            "the entry does not apply to route 1 of IngressRoute `shop/odd`: Traefik rejects its rule: it has a wrong \") || (Host(`b`)\""
        ]
    );
}

#[test]
fn a_route_that_names_the_traefik_service_with_its_provider_gets_an_entry_that_names_it_so_too() {
    for name in ["shop-checkout@kubernetescrd", "checkout@kubernetescrd"] {
        let (group, mut route) = ingress_route("web", true, &[("Host(`shop.test`)", 0)]);
        route["spec"]["routes"][0]["services"][0]["name"] = json!(name);
        let made = made("/login", &routing(vec![(group, route)]));
        let services: Vec<_> =
            made.wanted.iter().filter_map(|(_, value)| value.pointer("/spec/routes/0/services")).collect();
        assert_eq!(services, [&json!([{"kind": "TraefikService", "name": name}])]);
        assert_eq!((made.problems, made.notes), (vec![], vec![]));
    }
}

#[test]
fn more_routes_than_can_be_compared_refuse_the_entry_instead_of_taking_a_path() {
    let own = ingress_route("web", true, &[("PathPrefix(`/`)", 1)]);
    let regexps: Vec<_> = (0..200).map(|number| format!("HostRegexp(`^{number}$`) && PathPrefix(`/`)")).collect();
    let other = |count: usize| {
        let routes: Vec<_> = regexps.iter().take(count).map(|rule| (rule.as_str(), 1)).collect();
        (0..60).map(|number| ingress_route(&format!("r{number}"), false, &routes)).collect::<Vec<_>>()
    };
    let problems = |count: usize| made("/a", &routing([vec![own.clone()], other(count)].concat())).problems;
    assert!(problems(1).iter().all(|problem| problem.starts_with("`/a` may be served by")), "{:?}", problems(1));
    assert_eq!(
        problems(200).last().map(String::as_str),
        Some("there are too many routes to tell what serves its paths")
    );
}

const MAX: i64 = i64::MAX - 1000;

#[test]
fn a_path_that_no_route_serves_is_refused_and_without_any_route_there_is_nothing() {
    let own = ingress_route("web", true, &[("Host(`a`) && PathPrefix(`/shop`)", 0)]);
    let all = made("/login, /shop/login", &routing(vec![own]));
    assert_eq!(all.problems, ["no route that the entry applies to serves `/login`; its routes serve `/shop`"]);
    let none = made("/login", &routing(vec![ingress_route("api", false, &[("Host(`a`)", 0)])]));
    assert_eq!(none, EntryObjects::default());
}

fn grounds() -> impl Strategy<Value = Routing> {
    let kind = |route: &Value| ObjectKind::of_routing(route).expect("it is a route");
    ground::routes().prop_map(move |routes| routes.into_iter().map(|route| (kind(&route), route)).collect())
}

proptest! {
    #[test]
    fn entry_to_objects_to_entry_is_the_identity_and_what_is_made_is_as_wanted(entry in entries(), ground in grounds()) {
        let mut ground = ground;
        let made = objects(&entry, &holder(), &ground);
        for (object, value) in &made.wanted {
            ground.replace(object, value);
        }
        let live = ground.live_entry(&holder().canary);
        prop_assert_eq!(live, (!made.wanted.is_empty()).then(|| entry.clone()));
        // Its own objects change nothing about the entry.
        prop_assert_eq!(objects(&entry, &holder(), &ground), made.clone());
        for (object, value) in ground.own(&holder().canary) {
            prop_assert!(made.wanted.iter().any(|(other, wanted)| *other == object && is_as_wanted(value, wanted)));
        }
    }

    #[test]
    fn the_index_leaves_out_no_router_that_serves_a_host(ground in grounds(), path in "/[ax]?") {
        for host in [None, Some("a.test"), Some("b.a.test"), Some("c.test")] {
            let request = Request { host, path: &path };
            let serves = |router: &&Router| router.rule.as_ref().unwrap().answers(request) != Answer::No;
            let all: Vec<_> = ROUTES
                .into_iter()
                .flat_map(|kind| ground.of_kind(kind, None).flat_map(move |object| routers(kind, object)))
                .collect();
            let mut found: Vec<_> = ground.routers_at(host).map(|router| &router.router).filter(serves).collect();
            let order = |router: &&Router| (router.holder.clone(), router.index, router.priority, format!("{router:?}"));
            found.sort_by_key(order);
            let mut expected: Vec<_> = all.iter().filter(serves).collect();
            expected.sort_by_key(order);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_entry_takes_no_request_from_another_router(entry in entries(), ground in grounds()) {
        let made = objects(&entry, &holder(), &ground);
        prop_assume!(made.problems.is_empty());
        let leads = |object: &Value, index: usize| {
            let all = object.pointer("/spec/routes").or_else(|| object.pointer("/spec/rules")).unwrap();
            all[index].to_string().contains("TraefikService")
        };
        let others: Vec<_> = ROUTES.into_iter().flat_map(|kind| ground.of_kind(kind, None).flat_map(move |object| {
            routers(kind, object).into_iter().filter(move |router| !leads(object, router.index))
        })).collect();
        for (object, value) in &made.wanted {
            for own in routers(object.kind, value) {
                prop_assert!(own.rule.is_some(), "{}", value);
                for path in entry.paths() {
                    let request = Request { host: Some("a.test"), path };
                    if own.rule.as_ref().unwrap().answers(request) == Answer::No {
                        continue;
                    }
                    // Whoever could have it before ours is above ours still.
                    for other in &others {
                        let taken = other.answers(request, &own) != Answer::No && other.priority == own.priority;
                        prop_assert!(!taken, "{} of {} at {}", path, other.holder, own.priority);
                    }
                }
            }
        }
    }
}
