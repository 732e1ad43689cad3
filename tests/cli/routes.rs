//! Routes that lead to the TraefikService, those that need something of Traefik, and those that miss it.

use snapbox::str;
use testbed::{directory::Directory, run::exactly};

use crate::manifests::{canary, folder, in_namespace, run, service};

/// A Canary `cart` in the namespace `shop` with its TraefikService, and these routes.
fn place(routes: &str) -> Directory {
    let own = in_namespace("shop", &(canary("cart", Some("login; Max-Age=60")) + &service("cart", None)));
    folder(&[("canary.yaml", &own), ("routes.yaml", routes)])
}

/// An IngressRoute for this host, in this namespace, with this item.
fn route(name: &str, namespace: &str, item: &str) -> String {
    format!(
        "---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  entryPoints: [websecure]
  routes:
  - {{kind: Rule, match: Host(`{name}.example`), services: [{item}]}}
  tls: {{}}
"
    )
}

/// The part of a description that is about routes.
fn told(folder: &Directory) -> String {
    let output = run(folder, "describe cart -f .");
    let lines = output.stdout.lines().skip_while(|line| !line.starts_with("Routes"));
    lines.take_while(|line| !line.starts_with("Findings")).map(|line| format!("{line}\n")).collect()
}

const TRAEFIK_SERVICE: &str = "{kind: TraefikService, name: cart}";

#[test]
fn what_traefik_needs_to_follow_a_route_is_told_with_it() {
    let old = route("old", "shop", TRAEFIK_SERVICE).replace("traefik.io", "traefik.containo.us");
    let nested = "---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: all, namespace: shop}
spec: {weighted: {services: [{kind: TraefikService, name: cart}, {name: other, port: 80}]}}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: copy, namespace: shop}
spec: {mirroring: {name: other, port: 80, mirrors: [{kind: TraefikService, name: cart}]}}
";
    let routes = [
        route("plain", "shop", TRAEFIK_SERVICE),
        route("edge", "edge", "{kind: TraefikService, name: cart, namespace: shop}"),
        route("qualified", "shop", "{kind: TraefikService, name: shop-cart@kubernetescrd}"),
        route("relative", "shop", "{kind: TraefikService, name: cart@kubernetescrd}"),
        old,
        route("nested", "shop", "{kind: TraefikService, name: all}"),
        nested.to_owned(),
    ];
    exactly(
        &told(&place(&routes.concat())),
        str![[r#"
Routes:
  IngressRoute/edge/edge on websecure with TLS
    Host(`edge.example`)
    needs providers.kubernetesCRD.allowCrossNamespace in Traefik
  IngressRoute/plain on websecure with TLS
    Host(`plain.example`)
  IngressRoute/qualified on websecure with TLS
    Host(`qualified.example`)
    `shop-cart@kubernetescrd` needs Traefik 3.7.9 or later with
      providers.kubernetesCRD.allowCrossNamespace
  IngressRoute/relative on websecure with TLS
    Host(`relative.example`)
    `cart@kubernetescrd` needs Traefik before 3.7.9
  IngressRoute/old on websecure with TLS
    Host(`old.example`)
    needs Traefik 2.10 or 2.11, which read both API groups: Traefik 3 reads
      traefik.io alone
  TraefikService/all
  TraefikService/copy, as a mirror: its responses are discarded
  IngressRoute/nested on websecure with TLS, through TraefikService/all
    Host(`nested.example`)

"#]],
    );
}

#[test]
fn routes_that_miss_the_traefik_service_are_named_with_the_change() {
    let ingress = "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart, namespace: shop}
spec:
  rules:
  - {host: cart.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}}
";
    let routes = [
        route("service", "shop", "{name: cart, port: 80}"),
        route("canary", "shop", "{name: cart-canary, port: 80}"),
        route("forgotten", "edge", TRAEFIK_SERVICE),
        route("other", "search", "{kind: TraefikService, name: search}"),
        ingress.to_owned(),
    ];
    let folder = place(&routes.concat());
    exactly(
        &told(&folder),
        str![[r#"
Routes:          <none>: nothing leads to the TraefikService
Routes that do not reach the TraefikService:
  IngressRoute/edge/forgotten
    Host(`forgotten.example`)
    it leads to TraefikService `edge/cart`, which does not exist
    fix: use `namespace: shop`
  IngressRoute/canary
    Host(`canary.example`)
    it leads to Service `cart-canary`, not to the TraefikService
    fix: use `kind: TraefikService`, `name: cart`, without `port`
  IngressRoute/service
    Host(`service.example`)
    it leads to Service `cart`, which always selects the primary, not to the
      TraefikService
    fix: use `kind: TraefikService`, `name: cart`, without `port`
  Ingress/cart
    cart.example
    it leads to Service `cart`, which always selects the primary, not to the
      TraefikService
    fix: replace it with an IngressRoute to TraefikService `cart`

"#]],
    );
    let described = run(&folder, "describe cart -f . -o json");
    let described: serde_json::Value = serde_json::from_str(&described.stdout).expect("it is JSON");
    let misses = described["routes"]["nearMisses"].as_array().expect("a list");
    assert_eq!((misses.len(), &misses[0]["name"]), (4, &"forgotten".into()));
    // With another Canary of that name there, the route is its own.
    folder.write("edge.yaml", in_namespace("edge", &canary("cart", None)));
    let described = run(&folder, "describe cart -n shop -f . -o json");
    let described: serde_json::Value = serde_json::from_str(&described.stdout).expect("it is JSON");
    let misses = described["routes"]["nearMisses"].as_array().expect("a list").iter();
    let names: Vec<_> = misses.map(|miss| miss["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["canary", "service", "cart"]);
}

#[test]
fn a_reference_with_a_weight_of_0_is_no_way_to_the_traefik_service() {
    let services = "{kind: TraefikService, name: cart, weight: 0}, {name: legacy, port: 80, weight: 1}";
    let folder = place(&route("idle", "shop", services));
    exactly(
        &told(&folder),
        str![[r#"
Routes:          <none>: nothing leads to the TraefikService
Routes that do not reach the TraefikService:
  IngressRoute/idle
    Host(`idle.example`)
    it gives TraefikService `cart` a weight of 0
    fix: raise the weight

"#]],
    );
}

#[test]
fn the_objects_of_a_refused_entry_are_not_printed() {
    let folder = place(
        &(route("own", "shop", "{kind: TraefikService, name: cart}")
            + &route("own", "shop", "{name: sso, port: 80}")
                .replace("name: own", "name: sso")
                .replace("Host(`own.example`)", "Host(`own.example`) && Path(`/login`)")),
    );
    let declared = run(&folder, "sticky set cart --entry /login -f . --yes");
    assert_eq!(declared.code, Some(2), "{declared}");
    let declared = canary("cart", Some("login; Max-Age=60\n    kubectl-canary-traefik/entry: /login"));
    folder.write("canary.yaml", in_namespace("shop", &(declared + &service("cart", None))));
    run(&folder, "render cart --entry -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `shop/cart` would have no effect
caused by: `/login` on host `own.example` is served by IngressRoute `shop/sso` (priority 37) instead of IngressRoute `shop/own` (priority 19)
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
    run(&folder, "render cart -f .").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  annotations:
    helm.toolkit.fluxcd.io/driftDetection: disabled
    kustomize.toolkit.fluxcd.io/reconcile: disabled
  name: cart
  namespace: shop
spec:
  weighted:
    services:
    - name: cart-primary
      namespace: shop
      port: 80
      weight: 70
    - name: cart-canary
      namespace: shop
      port: 80
      weight: 30
    sticky:
      cookie:
        maxAge: 60
        name: login
--- stderr
warning: the entry is refused, and its objects are not printed: `/login` on host `own.example` is served by IngressRoute `shop/sso` (priority 37) instead of IngressRoute `shop/own` (priority 19)

"#]]);
    folder.write(
        "routes.yaml",
        route("own", "shop", "{kind: TraefikService, name: cart}")
            .replace("Host(`own.example`)", "PathPrefix(`/shop`)"),
    );
    run(&folder, "render cart --entry -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `shop/cart` would have no effect
caused by: no route that the entry applies to serves `/login`; its routes serve `/shop`
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
}

#[test]
fn an_entry_covers_a_reference_with_the_provider_and_names_a_route_through_another_traefik_service() {
    let folder = place(&route("qualified", "shop", "{kind: TraefikService, name: shop-cart@kubernetescrd}"));
    let output = run(&folder, "sticky set cart --entry /login -f . --yes");
    assert_eq!(output.code, Some(0), "{output}");
    folder.write(
        "routes.yaml",
        &(route("nested", "shop", "{kind: TraefikService, name: all}")
            + "---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: all, namespace: shop}
spec: {weighted: {services: [{kind: TraefikService, name: cart}]}}
"),
    );
    run(&folder, "render cart --entry -f .").shows(str![[r#"
exit: 4
--- stdout
--- stderr
warning: the entry does not apply to IngressRoute `shop/nested`: it leads to the Canary through TraefikService `shop/all`
error: there is no route to the TraefikService that the entry applies to
hint: name the files of its routes with -f too

"#]]);
}

/// An IngressRoute with these rules, each on a line of its own, as YAML.
fn rules(rules: &[&str]) -> String {
    let mut text = "---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web, namespace: shop}
spec:
  entryPoints: [websecure]
  tls: {}
  routes:
"
    .to_owned();
    for rule in rules {
        text.push_str(&format!("  - {{kind: Rule, match: {rule}, services: [{TRAEFIK_SERVICE}]}}\n"));
    }
    text
}

#[test]
fn a_rule_that_traefik_refuses_is_told_with_the_reason_and_no_other() {
    let folder = place(&rules(&[
        "'Host(`a.example`)'",
        "\"Host('b.example')\"",
        r#""Host(`c.example`)\n&& PathPrefix(`/cart`)""#,
        "'Host(`d.example`, `e.example`)'",
        "'Host(`f.example`, `g.example`)', syntax: v2",
        "'Host(`${HOST}`) && PathPrefix(`${PREFIX}`)'",
    ]));
    exactly(
        &told(&folder),
        str![[r#"
Routes:
  IngressRoute/web on websecure with TLS
    Host(`a.example`)
    Host('b.example')
      Traefik rejects this rule: "'b.example')" is not in backticks
    Host(`c.example`)\n&& PathPrefix(`/cart`)
      Traefik rejects this rule: it ends at the line break before "&&
        PathPrefix(`/cart…"
    Host(`d.example`, `e.example`)
      Traefik 3 accepts this rule only with `syntax: v2`: Host takes 1 value,
        not 2
    Host(`f.example`, `g.example`)
    Host(`${HOST}`) && PathPrefix(`${PREFIX}`)

"#]],
    );
    run(&folder, "lint cart -f . --ignore CT048,CT055").shows(str![[r#"
exit: 1
--- stdout
shop/cart
  info CT025: the cookie has no HttpOnly, so scripts can read it
    at ./canary.yaml:8:5
    fix: kubectl canary-traefik sticky set cart -n shop -f ./canary.yaml --http-only
  warning CT052: Flagger overwrites the weights and the cookie of TraefikService
    `shop/cart`, which is among the manifests
    at ./canary.yaml:18:1
    fix: remove it from the manifests
  error CT061: Traefik rejects the rule of route 2 of IngressRoute `shop/web`:
    "'b.example')" is not in backticks
    at ./routes.yaml:10:18
    fix: correct its match
  error CT061: Traefik rejects the rule of route 3 of IngressRoute `shop/web`:
    it ends at the line break before "&& PathPrefix(`/cart…"
    at ./routes.yaml:11:18
    fix: correct its match
  warning CT061: Traefik 3 rejects the rule of route 4 of IngressRoute
    `shop/web`: Host takes 1 value, not 2
    at ./routes.yaml:12:18
    fix: rewrite match in the rule syntax of Traefik 3, or add syntax: v2 next
      to it
--- stderr
2 errors, 2 warnings, 1 info in 1 Canary

"#]]);
    let described = run(&folder, "describe cart -f . -o json").stdout;
    let described: serde_json::Value = serde_json::from_str(&described).expect("JSON");
    assert_eq!(
        described["routes"]["seen"][0]["refused"][0],
        serde_json::json!({
            "rule": "Host('b.example')",
            "reason": "Traefik rejects this rule: \"'b.example')\" is not in backticks",
        })
    );
}

#[test]
fn which_traefik_refuses_a_rule_depends_on_its_version_and_its_default_syntax() {
    let traefik = |image: &str, more: &str| {
        format!(
            "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: traefik, namespace: edge}}
spec: {{template: {{spec: {{containers: [{{image: \"traefik:{image}\", args: [{more}]}}]}}}}}}
"
        )
    };
    let crd = "\"--providers.kubernetescrd\"";
    let by_default = format!("{crd}, \"--core.defaultRuleSyntax=v2\"");
    let (older, newer) = ("'Host(`a.example`, `b.example`)'", "'PathRegexp(`^/cart`)'");
    let mut found = String::new();
    for (rule, traefik) in [
        (older, String::new()),
        (older, traefik("v3.7.9", crd)),
        (older, traefik("v3.7.9", "\"--configfile=/traefik.yml\"")),
        (older, traefik("v3.7.9", &by_default)),
        (older, traefik("v2.11.3", crd)),
        (newer, String::new()),
        (newer, traefik("v3.7.9", crd)),
        (newer, traefik("v2.11.3", crd)),
    ] {
        let output = run(&place(&(rules(&[rule]) + &traefik)), "lint cart -f . -o json");
        let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
        let items = report["items"].as_array().expect("findings").iter();
        for item in items.filter(|item| item["code"] == "CT061") {
            let text = |key: &str| item[key].as_str().expect("a text").to_owned();
            found.push_str(&format!("{}: {}; {}\n", text("severity"), text("message"), text("help")));
        }
        found.push_str("--\n");
    }
    exactly(
        &found,
        str![[r#"
warning: Traefik 3 rejects the rule of route 1 of IngressRoute `shop/web`: Host takes 1 value, not 2; rewrite match in the rule syntax of Traefik 3, or add syntax: v2 next to it
--
error: Traefik 3.7.9 (edge/traefik) rejects the rule of route 1 of IngressRoute `shop/web`: Host takes 1 value, not 2; rewrite match in the rule syntax of Traefik 3, or add syntax: v2 next to it
--
warning: Traefik 3 rejects the rule of route 1 of IngressRoute `shop/web`: Host takes 1 value, not 2; rewrite match in the rule syntax of Traefik 3, or add syntax: v2 next to it
--
--
--
--
--
error: Traefik 2.11.3 (edge/traefik) rejects the rule of route 1 of IngressRoute `shop/web`: it has no matcher PathRegexp; rewrite match in the rule syntax of Traefik 2
--

"#]],
    );
}

#[test]
fn an_entry_leaves_out_a_route_that_traefik_refuses_and_says_so() {
    let bad = place(&rules(&["\"Host('a.example')\""]));
    run(&bad, "sticky set cart --entry /login -f . --yes").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: the entry of Canary `shop/cart` would have no effect
caused by: no route that the entry applies to serves `/login`
caused by: the entry does not apply to route 1 of IngressRoute `shop/web`: Traefik rejects its rule: "'a.example')" is not in backticks
hint: name paths with --entry that a route to the TraefikService serves, or give that route a higher priority

"#]]);
    let some = place(&rules(&["\"Host('a.example')\"", "'Host(`b.example`)'"]));
    run(&some, "sticky set cart --entry /login -f . --yes").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/cart configured
--- stderr
--- ./canary.yaml (before)
+++ ./canary.yaml (after)
@@ -6,6 +6,7 @@
   name: cart
   annotations:
     kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
+    kubectl-canary-traefik/entry: /login
 spec:
   provider: traefik
   targetRef:

"#]]);
    run(&some, "render cart --entry -f canary.yaml -f routes.yaml").shows(str![[r#"
exit: 0
--- stdout
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  annotations:
    kubectl-canary-traefik/canary: cart
    kubectl-canary-traefik/entry: /login
  labels:
    app.kubernetes.io/managed-by: kubectl-canary-traefik
  name: cart-entry
  namespace: shop
spec:
  headers:
    customRequestHeaders:
      Cookie: ""
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  annotations:
    kubectl-canary-traefik/canary: cart
    kubectl-canary-traefik/entry: /login
  labels:
    app.kubernetes.io/managed-by: kubectl-canary-traefik
  name: cart-entry
  namespace: shop
spec:
  entryPoints:
  - websecure
  routes:
  - kind: Rule
    match: (Host(`b.example`)) && (Path(`/login`))
    middlewares:
    - name: cart-entry
    priority: 18
    services:
    - kind: TraefikService
      name: cart
  tls: {}
--- stderr
warning: the entry does not apply to route 1 of IngressRoute `shop/web`: Traefik rejects its rule: "'a.example')" is not in backticks

"#]]);
}

#[test]
fn a_service_of_another_provider_is_told_as_such() {
    let folder = place(&route("web", "shop", "{kind: TraefikService, name: cart@file}"));
    exactly(
        &told(&folder),
        str![[r#"
Routes:          <none>: nothing leads to the TraefikService
Routes that do not reach the TraefikService:
  IngressRoute/web
    Host(`web.example`)
    it leads to service `cart@file` of another Traefik provider
    fix: use `name: cart`

"#]],
    );
}
