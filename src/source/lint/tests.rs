//! Each rule finds its bad example, and not its good one: manifests with what matters, completed here.

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
    let documents = example.split("---\n").filter(|text| !text.is_empty());
    let objects =
        documents.map(|text| completed(yaml::parse(text).unwrap_or_else(|error| panic!("{}\n{text}", error.reason))));
    let text: String = objects.map(|object| format!("---\n{}", yaml::print(&object))).collect();
    let manifests = files::parse(None, text).expect("an example is made of objects");
    let mut linted = of_files(&manifests).expect("manifests can be read");
    linted.checked = (0..linted.canaries.len()).collect();
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
            (
                secure(
                    "public",
                    &(headers.clone() + &traefik("traefik", "traefik:v3.7.9", "'--configfile=/etc/t.yml'")),
                ),
                false,
            ),
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
