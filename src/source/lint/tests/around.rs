//! What is around a Canary decides: where a rule finds something, and where it would be a false alarm.

use super::{codes, codes_in_cluster};
use crate::{
    lint::{Known, Rule},
    model::{ObjectKind, name::Group},
    traefik::routing::Unread,
};

/// A Canary with this cookie beside its name.
fn declared(cookie: &str) -> String {
    format!("kind: Canary\nmetadata: {{annotations: {{kubectl-canary-traefik/sticky-cookie: login; {cookie}}}}}\n---\n")
}

/// An IngressRoute of this name on an entry point without TLS, with these middlewares, to this backend.
fn plain(name: &str, entry_point: &str, rule: &str, middlewares: &str, service: &str) -> String {
    format!(
        "kind: IngressRoute\nmetadata: {{name: {name}}}\nspec:\n  entryPoints: [{entry_point}]\n  tls: null\n  routes:\n    - match: \
         {rule}\n      middlewares: [{middlewares}]\n      services: [{service}]\n---\n"
    )
}

/// A Canary with a Secure cookie, and a route to it on this entry point with a middleware `https`, and more.
fn secure(entry_point: &str, more: &str) -> String {
    let route = plain("web", entry_point, "Host(`a.example`)", "{name: https}", TO_CART);
    declared("Max-Age=60; Secure") + &route + more
}

const TO_CART: &str = "{kind: TraefikService, name: cart}";

/// A Middleware `https`.
fn middleware(spec: &str) -> String {
    format!("apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {{name: https}}\nspec: {spec}\n---\n")
}

/// A Traefik with this image and these arguments.
fn traefik(name: &str, image: &str, arguments: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{name: {name}}}\nspec: {{template: {{spec: {{containers: [{{image: '{image}', args: \
         [{arguments}]}}]}}}}}}\n---\n"
    )
}

/// A Canary and an object with this Service as its backend.
fn around(name: &str, class: &str) -> String {
    format!(
        "kind: Canary\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nspec:\n  ingressClassName: {class}\n  rules:\n    \
         - host: a.example\n      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}]}}\n"
    )
}

/// Asserts whether each example is found by a rule.
#[track_caller]
fn finds<const N: usize>(code: &str, examples: [(String, bool); N]) {
    for (example, is_found) in examples {
        assert_eq!(codes(&example).contains(&code), is_found, "{code}\n{example}");
    }
}

#[test]
fn a_secure_cookie_is_well_wherever_http_is_redirected_or_may_be_https() {
    let crd = "'--providers.kubernetescrd'";
    let option = |option: &str| traefik("traefik", "traefik:v3.7.9", &format!("{crd}, '{option}'"));
    let file = traefik("traefik", "traefik:v3.7.9", "'--configfile=/etc/t.yml'");
    let https = "{redirectScheme: {scheme: https}}";
    let headers = middleware("{headers: {}}");
    let elsewhere = "{kind: TraefikService, name: cart, namespace: shop}";
    let of_edge = |text: String| text.replace("metadata: {name: https}", "metadata: {name: https, namespace: edge}");
    let in_edge =
        |text: String| of_edge(text.replace("metadata: {name: web}", "metadata: {name: web, namespace: edge}"));
    let chain = "{chain: {middlewares: [{name: compress}, {name: to-https}]}}";
    let to_https = middleware(https).replace("name: https", "name: to-https");
    let all = |priority: &str| {
        plain("redirect", "web", "HostRegexp(`^.+$`)", "{name: to-https}", "{name: other, port: 80}")
            .replace("      middlewares", &format!("      priority: {priority}\n      middlewares"))
            + &to_https
    };
    let regex =
        |regex: &str| middleware(&format!("{{redirectRegex: {{regex: '{regex}', replacement: 'https://${{1}}'}}}}"));
    finds(
        "CT005",
        [
            (secure("web", &headers), true),
            (secure("http", &headers), true),
            // What is not known decides nothing: the middleware, and the entry point.
            (secure("web", ""), false),
            (secure("public", &headers), false),
            (secure("websecure", &headers), false),
            (secure("public", &(headers.clone() + &option("--log.level=INFO"))), true),
            (secure("public", &(headers.clone() + &file)), false),
            (secure("web", &(headers.clone() + &option("--entryPoints.web.http.tls=true"))), false),
            (
                secure(
                    "web",
                    &(headers.clone() + &option("--entrypoints.web.http.redirections.entrypoint.to=websecure")),
                ),
                false,
            ),
            (
                secure(
                    "web",
                    &(headers.clone() + &option("--entrypoints.web.http.middlewares=edge-https@kubernetescrd")),
                ),
                false,
            ),
            (secure("web", &(headers.clone() + &option("--entrypoints.other.http.tls=true"))), true),
            (secure("web", &middleware(https)), false),
            (secure("web, websecure", &(middleware(https) + &option("--log.level=INFO"))), false),
            (secure("web, websecure", &(headers.clone() + &option("--log.level=INFO"))), true),
            (secure("web", &(middleware(chain) + &to_https)), false),
            (secure("web", &regex("^http://(.*)")), false),
            (secure("web", &regex("^http://[^/]+/old/(.*)")), true),
            // A middleware is in the namespace of the route, whatever that of the service.
            (in_edge(secure("web", &middleware(https)).replace(TO_CART, elsewhere)), false),
            (of_edge(secure("web", &middleware(https))), false),
            // Another route may redirect, with a higher priority.
            (secure("web", &(headers.clone() + &all("1000"))), false),
            (secure("web", &(headers.clone() + &all("1"))), true),
        ],
    );
}

#[test]
fn a_route_that_only_redirects_is_no_way_around_and_no_evidence_of_what_is_served() {
    let https = middleware("{redirectScheme: {scheme: https}}");
    let served = format!(
        "kind: IngressRoute\nspec: {{routes: [{{match: Host(`a.example`) && PathPrefix(`/cart`), services: [{TO_CART}]}}]}}\n---\n"
    );
    let redirect = |to: &str| plain("http", "web", "Host(`a.example`)", "{name: https}", to);
    let (service, track) = ("{name: cart, port: 80}", "Max-Age=60; Path=/cart");
    let canary = declared(track);
    finds(
        "CT011",
        [
            (format!("{canary}{served}{}{https}", redirect(service)), false),
            // Not known, but called so.
            (format!("{canary}{served}{}", redirect(service)), false),
            (format!("{canary}{served}{}", redirect(service).replace("name: https", "name: auth")), true),
            (format!("{canary}{served}{}{}", redirect(service), middleware("{headers: {}}")), true),
            (format!("{canary}{served}{}{https}", redirect(service).replace("[web]", "[web, websecure]")), true),
            // With TLS, it serves.
            (format!("{canary}{served}{}{https}", redirect(service).replace("tls: null", "tls: {}")), true),
        ],
    );
    finds(
        "CT018",
        [
            (format!("{canary}{served}{}{https}", redirect(TO_CART)), false),
            (format!("{canary}{served}{}{}", redirect(TO_CART), middleware("{headers: {}}")), true),
        ],
    );
}

#[test]
fn a_route_around_is_for_traefik_on_the_hosts_of_the_canary_and_for_everybody() {
    let served =
        format!("kind: IngressRoute\nspec: {{routes: [{{match: Host(`a.example`), services: [{TO_CART}]}}]}}\n---\n");
    let also = |rule: &str, service: &str| {
        let more = format!(
            "kind: IngressRoute\nmetadata: {{name: more}}\nspec: {{routes: [{{match: '{rule}', services: [{{name: {service}, port: 80}}]}}]}}\n"
        );
        declared("Max-Age=60") + &served + &more
    };
    let two_hosts = |one: &str, other: &str| {
        let rule = |host: &str, service: &str| {
            format!(
                "    - host: {host}\n      http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}]}}\n"
            )
        };
        let head = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec:\n  ingressClassName: traefik\n  rules:\n";
        declared("Max-Age=60") + &served + head + &rule("a.example", one) + &rule("b.example", other)
    };
    finds(
        "CT011",
        [
            (around("cart", "traefik"), true),
            (around("cart-primary", "traefik-internal"), true),
            (around("cart", "nginx"), false),
            (around("cart-canary", "traefik"), false),
            (around("cart-admin", "traefik"), false),
            (also("Host(`a.example`) && Path(`/x`)", "cart-canary"), true),
            (also("Host(`a.example`) && Header(`X-Preview`, `1`)", "cart-canary"), false),
            (also("Host(`a.example`) && Header(`X-Preview`, `1`)", "cart"), true),
            // Each path of an Ingress has its own host.
            (two_hosts("cart", "other"), true),
            (two_hosts("other", "cart"), false),
        ],
    );
}

#[test]
fn a_version_that_is_not_known_or_differs_decides_nothing() {
    let crd = "'--providers.kubernetescrd', '--providers.kubernetescrd.allowEmptyServices=true'";
    let capitals = |images: &[&str]| {
        let service = "kind: TraefikService\nspec: {weighted: {sticky: {cookie: {name: login, sameSite: Lax}}}}\n---\n";
        let all = images.iter().enumerate().map(|(at, image)| traefik(&format!("traefik-{at}"), image, crd));
        declared("Path=/cart; SameSite=Lax") + service + &all.collect::<String>()
    };
    finds(
        "CT007",
        [
            (capitals(&["traefik:v3.6.13"]), true),
            (capitals(&["traefik:v3.5"]), true),
            (capitals(&["traefik:v3.6"]), false),
            (capitals(&["traefik:v3"]), false),
            (capitals(&["traefik:latest"]), false),
            (capitals(&[]), false),
            (capitals(&["traefik:v3.6.13", "traefik:v3.6.14"]), false),
            (capitals(&["example.test/our-traefik:1.2.3"]), false),
        ],
    );
    finds("CT008", [(capitals(&["traefik:v2"]), true), (capitals(&["traefik:v2.11", "traefik:v3.0"]), false)]);
    finds("CT010", [(capitals(&["traefik:v3.2"]), true), (capitals(&["traefik:v3.2.1", "traefik"]), false)]);
    let off = |image: &str| traefik("off", image, "'--providers.kubernetescrd'");
    finds(
        "CT037",
        [
            (capitals(&["traefik:v2.9.1"]), true),
            (capitals(&["traefik:v2.9"]), false),
            (capitals(&["traefik:v3.1.0"]) + &off("traefik:v2.9.1"), false),
        ],
    );
}

#[test]
fn of_several_traefiks_those_that_do_not_take_the_route_do_not_count() {
    let route = format!(
        "kind: IngressRoute\nmetadata: {{annotations: {{kubernetes.io/ingress.class: public}}}}\nspec: {{routes: [{{match: Host(`a.example`), services: [{TO_CART}]}}]}}\n---\n"
    );
    let of = |name: &str, image: &str, option: &str| {
        traefik(name, image, &format!("'--providers.kubernetescrd', '--providers.kubernetescrd.{option}'"))
    };
    let two = |one: &str, other: &str| {
        declared("Path=/") + &route + &of("one", "traefik:v3.2.0", one) + &of("other", "traefik:v3.7.9", other)
    };
    finds(
        "CT010",
        [
            (two("ingressclass=public", "ingressclass=private"), true),
            (two("ingressclass=private", "ingressclass=public"), false),
            (two("namespaces=shop,edge", "namespaces=edge").replace("kubernetes.io/ingress.class: public", ""), true),
            (two("namespaces=edge", "namespaces=shop").replace("kubernetes.io/ingress.class: public", ""), false),
        ],
    );
}

#[test]
fn a_gate_before_the_promotion_can_wait_until_the_primary_is_drained() {
    let bad = Rule::of("CT049").expect("a rule").bad;
    let gate = "    webhooks: [{name: gate, type: confirm-promotion, url: 'http://gate.test'}]";
    let other = gate.replace("promotion", "rollout");
    finds("CT049", [(format!("{bad}\n{gate}"), false), (format!("{bad}\n{other}"), true)]);
}

#[test]
fn a_traefik_service_is_reached_by_every_name_and_through_others() {
    let canary = "kind: Canary\n---\nkind: TraefikService\n---\n";
    let route = |service: &str| {
        format!("kind: IngressRoute\nspec: {{routes: [{{match: Host(`a.example`), services: [{service}]}}]}}\n---\n")
    };
    let upper = |spec: &str| format!("kind: TraefikService\nmetadata: {{name: upper}}\nspec: {spec}\n");
    let to_upper = route("{kind: TraefikService, name: upper}");
    for (around, is_found) in [
        (String::new(), true),
        (route(TO_CART), false),
        (route("{kind: TraefikService, name: shop-cart@kubernetescrd}"), false),
        (route("{kind: TraefikService, name: cart@kubernetescrd, namespace: shop}"), false),
        (route("{kind: TraefikService, name: cart@file}"), true),
        (to_upper.clone() + &upper("{failover: {service: {name: cart, kind: TraefikService}}}"), false),
        (to_upper.clone() + &upper("{mirroring: {name: cart, kind: TraefikService}}"), false),
        // Nobody gets the answers of a mirror, and nothing leads to an upper one.
        (to_upper + &upper("{mirroring: {name: x, port: 80, mirrors: [{name: cart, kind: TraefikService}]}}"), true),
        (upper("{weighted: {services: [{name: cart, kind: TraefikService}]}}"), true),
    ] {
        let codes = codes_in_cluster(&format!("{canary}{around}"), |_| {});
        assert_eq!(codes.contains(&"CT035"), is_found, "{around}");
    }
}

#[test]
fn what_cannot_be_read_or_means_several_canaries_is_not_missing() {
    let route = |name: &str, namespace: &str| {
        format!(
            "kind: IngressRoute\nmetadata: {{namespace: {namespace}}}\nspec: {{routes: [{{match: Host(`a.example`), services: [{{kind: TraefikService, name: {name}}}]}}]}}\n---\n"
        )
    };
    let canary = |namespace: &str| {
        format!("kind: Canary\nmetadata: {{namespace: {namespace}}}\nspec: {{service: {{name: web}}}}\n---\n")
    };
    let unread = |only_elsewhere: bool| {
        move |known: &mut Known| {
            let mut routing = known.routing.as_deref().cloned().expect("routes");
            let kind = ObjectKind::TraefikService(Group::TraefikIo);
            routing.unread_kinds.push(Unread { kind, only_elsewhere, reason: "no".to_owned(), permission: None });
            known.routing = Some(routing.into());
        }
    };
    let is_found = |example: &str, more: &dyn Fn(&mut Known)| codes_in_cluster(example, more).contains(&"CT060");
    // The target's name in place of the Service's, and the right one in another namespace.
    let (near, elsewhere) = (canary("shop") + &route("cart", "shop"), canary("shop") + &route("web", "edge"));
    assert!(is_found(&near, &|_| {}) && is_found(&elsewhere, &|_| {}));
    assert!(!is_found(&near, &unread(false)) && !is_found(&elsewhere, &unread(false)));
    assert!(is_found(&near, &unread(true)) && !is_found(&elsewhere, &unread(true)));
    // Of two Canaries, which one is meant is not known.
    assert!(!is_found(&(canary("stage") + &elsewhere), &|_| {}));
}
