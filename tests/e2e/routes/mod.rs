//! The entry on routes of every kind, asked of the real Traefik: no rollout, and weights that stand still.

use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use serde_json::json;
use testbed::{bed, namespace::Namespace, wait::until};

use self::site::Site;
use crate::{
    application::{PAGE, STEPS},
    browser::{Answer, Browser},
    cluster::Cluster,
    shop::NAME,
    traefik::{Traefik, WEB},
    web::block_on,
};

pub(crate) mod cookies;
pub(crate) mod odd;
pub(crate) mod providers;
pub(crate) mod redirects;
pub(crate) mod rules;
pub(crate) mod site;

/// Where users of these routes come in: the Traefik of most, that whose syntax is the older one, and that of routes at
/// random, which would take each other's requests.
const SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 4);
const OLDER_SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 5);
const ODD_SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 6);
/// Where users of a Traefik come in that names its services as it always did, and of one with safeNaming.
const SITE_OF_COOKIES: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 8);
const SITE_OF_SAFE_NAMES: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 9);
/// The class of the Gateways.
const CLASS: &str = "traefik";
/// How many times somebody logs in.
const LOGINS: usize = 12;

/// A cluster without Flagger, whose weights are 50 to 50.
static CLUSTER: LazyLock<&Cluster> = LazyLock::new(|| {
    let cluster = Cluster::start(&bed::no_policies(), Duration::ZERO);
    cluster.server.define("gateway").unwrap_or_else(|error| panic!("{error}"));
    until("HTTPRoutes to be served", || {
        (cluster.server.admin().get("/apis/gateway.networking.k8s.io/v1/httproutes").code == 200).then_some(())
    });
    cluster
});

/// Sites that share a Traefik.
struct Sites {
    traefik: Traefik,
    gateway: Site,
    older: Site,
    changed: Site,
}

static SITES: LazyLock<Sites> = LazyLock::new(|| {
    let [gateway, older, changed] = ["gateway", "older", "changed"].map(Site::new);
    let names = [&gateway, &older, &changed].map(|site| site.namespace.name());
    let traefik = start(SITE, &names, &[]);
    Sites { traefik, gateway, older, changed }
});

/// Creates a Service.
fn service(namespace: &Namespace, name: &str) {
    namespace.create_value(&json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name },
        "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 9898 }], "selector": { "app": name } },
    }));
}

/// Creates a Gateway that lets routes of its namespace in at the entry point `web`.
fn gateway(namespace: &Namespace, name: &str) {
    static CREATED: OnceLock<()> = OnceLock::new();
    CREATED.get_or_init(|| {
        namespace.create_value(&json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": { "name": CLASS },
            "spec": { "controllerName": "traefik.io/gateway-controller" },
        }));
    });
    namespace.create_value(&json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": { "name": name },
        "spec": { "gatewayClassName": CLASS, "listeners": [{ "name": "web", "protocol": "HTTP", "port": WEB }] },
    }));
}

/// Starts a Traefik that reads IngressRoutes and HTTPRoutes of these namespaces alone.
pub(crate) fn start(address: Ipv4Addr, namespaces: &[&str], flags: &[&str]) -> Traefik {
    let only = namespaces.join(",");
    let only = ["crd", "gateway"].map(|provider| format!("--providers.kubernetes{provider}.namespaces={only}"));
    Traefik::start(&CLUSTER.server, address, &[&[&only[0], only[1].as_str()], flags].concat())
}

fn log_in(mut browser: Browser) -> Vec<Answer> {
    block_on(async move {
        let mut answers = Vec::new();
        browser.visit(STEPS[0], Duration::ZERO, &mut answers).await.expect("an answer");
        answers
    })
}

/// Somebody looks at pages and logs in, again and again; asserts that each login begins anew, and nothing else does.
fn assert_each_login_begins_anew(mut browser: Browser) {
    let visits: Vec<Vec<Answer>> = block_on(async move {
        let mut visits = Vec::new();
        for number in 0..2 * LOGINS {
            let mut answers = Vec::new();
            let path = if number % 2 == 0 { PAGE } else { STEPS[0] };
            browser.visit(path, Duration::ZERO, &mut answers).await.expect("an answer");
            visits.push(answers);
        }
        visits
    });
    let (mut track, mut tracks) = (visits[0][0].track.clone(), BTreeSet::new());
    for pair in visits.chunks(2) {
        let [page, login] = pair else { unreachable!("pairs") };
        assert!(page[0].has_session(), "a page gets its cookies: {page:?}");
        assert_eq!(page[0].track, track, "a page is on the track of the last login");
        assert_eq!((login.len(), login[0].received.as_ref(), login[0].begins_pin), (STEPS.len(), None, true));
        track.clone_from(&login[0].track);
        for answer in &login[1..] {
            assert!(answer.has_session(), "behind the entry, all cookies are there: {answer:?}");
            assert_eq!((&answer.track, answer.begins_pin), (&track, false));
        }
        tracks.insert(track.clone());
    }
    assert_eq!(tracks.into_iter().collect::<Vec<_>>(), ["canary", "primary"]);
}

pub(crate) fn of_an_http_route_each_login_begins_anew_at_the_entry_and_only_there_the_cookies_are_taken_off() {
    let (sites, site) = (&*SITES, &SITES.gateway);
    gateway(&site.namespace, "edge");
    site.namespace.create_value(&json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": { "name": NAME },
        "spec": {
            "parentRefs": [{ "name": "edge" }],
            "hostnames": [site.host],
            "rules": [{ "backendRefs": [{ "group": "traefik.io", "kind": "TraefikService", "name": NAME }] }],
        },
    }));
    site.enter().shows(snapbox::str![[r#"
exit: 0
--- stdout
canary.flagger.app/shop configured
traefikservice.traefik.io/shop configured
httproute.gateway.networking.k8s.io/shop-entry created
--- stderr
--- canary.flagger.app/shop (live)
+++ canary.flagger.app/shop (after)
@@ -1,6 +1,9 @@
 apiVersion: flagger.app/v1beta1
 kind: Canary
 metadata:
+  annotations:
+    kubectl-canary-traefik/entry: /login
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=60
   creationTimestamp: "[TIME]"
   name: shop
   namespace: gateway-[NS]
--- traefikservice.traefik.io/shop (live)
+++ traefikservice.traefik.io/shop (after)
@@ -26,3 +26,7 @@
       namespace: gateway-[NS]
       port: 80
       weight: 50
+    sticky:
+      cookie:
+        maxAge: 60
+        name: login
--- httproute.gateway.networking.k8s.io/shop-entry (none)
+++ httproute.gateway.networking.k8s.io/shop-entry (after)
@@ -0,0 +1,37 @@
+apiVersion: gateway.networking.k8s.io/v1
+kind: HTTPRoute
+metadata:
+  annotations:
+    kubectl-canary-traefik/canary: shop
+    kubectl-canary-traefik/entry: /login
+  labels:
+    app.kubernetes.io/managed-by: kubectl-canary-traefik
+  name: shop-entry
+  namespace: gateway-[NS]
+  ownerReferences:
+  - apiVersion: flagger.app/v1beta1
+    kind: Canary
+    name: shop
+    uid: [UID]
+spec:
+  hostnames:
+  - gateway-[NS].example
+  parentRefs:
+  - group: gateway.networking.k8s.io
+    kind: Gateway
+    name: edge
+  rules:
+  - backendRefs:
+    - group: traefik.io
+      kind: TraefikService
+      name: shop
+      weight: 1
+    filters:
+    - requestHeaderModifier:
+        remove:
+        - Cookie
+      type: RequestHeaderModifier
+    matches:
+    - path:
+        type: Exact
+        value: /login
note: requests to /login reach the application without cookies: this must be where a login starts, not a page that needs a session
warning CT043: gateway-[NS]/shop: the last step is 50, so 50 % of the flows are on the primary when the promotion replaces it
  fix: end the Canary's stepWeights with 100, or replace stepWeight with such a list
not protected: Flagger removes this cookie at its next write (a weight step, promotion or rollback)
to protect it: kubectl canary-traefik guard install
to undo: kubectl canary-traefik sticky remove shop

"#]]);
    assert_eq!(site.run(["diff", NAME]).code, Some(0), "what the API server fills in is no difference");
    let rule = |path: &str| format!("Host(\"{}\") && {path}", site.host);
    site.waits(&sites.traefik, vec![rule("PathPrefix(\"/\")"), rule("Path(\"/login\")")]);
    assert_each_login_begins_anew(Browser::new(SITE, site.host.clone()));
}

pub(crate) fn of_a_route_in_the_older_syntax_each_login_begins_anew_at_the_entry_and_only_there() {
    let (sites, site) = (&*SITES, &SITES.older);
    let rule = format!("Host(`www.{0}`, `{0}`) && PathPrefix(`/{{any:.*}}`)", site.host);
    site.ingress_route(&rule, &json!({ "syntax": "v2" }));
    site.enters();
    let routers = site.waits(&sites.traefik, vec![rule.clone(), format!("({rule}) && (Path(`/login`))")]);
    assert!(routers.iter().all(|router| router["ruleSyntax"] == "v2"), "{routers:?}");
    assert_each_login_begins_anew(Browser::new(SITE, site.host.clone()));
}

pub(crate) fn where_the_older_syntax_is_traefiks_default_each_login_begins_anew_at_the_entry_and_only_there() {
    let site = Site::new("default");
    let traefik = start(OLDER_SITE, &[site.namespace.name()], &["--core.defaultrulesyntax=v2"]);
    let rule = format!("Host(`www.{0}`, `{0}`)", site.host);
    site.ingress_route(&rule, &json!({}));
    site.enters();
    site.waits(&traefik, vec![rule.clone(), format!("({rule}) && (Path(`/login`))")]);
    assert_each_login_begins_anew(Browser::new(OLDER_SITE, site.host.clone()));
}

pub(crate) fn after_a_change_of_its_route_diff_says_so_and_apply_has_logins_begin_anew_on_the_new_host_over_tls() {
    let (sites, site) = (&*SITES, &SITES.changed);
    let own = |rule: &str| format!("({rule}) && (Path(`/login`))");
    let rule = format!("Host(`{}`)", site.host);
    site.ingress_route(&rule, &json!({}));
    site.enters();
    site.waits(&sites.traefik, vec![rule.clone(), own(&rule)]);
    assert_each_login_begins_anew(Browser::new(SITE, site.host.clone()));

    let (www, changed) = (format!("www.{}", site.host), format!("{rule} || Host(`www.{}`)", site.host));
    let certificate = site.secret("www", &www);
    site.namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": { "name": "edge" },
        "spec": { "headers": { "customRequestHeaders": { "X-Edge": "1" } } },
    }));
    let route = json!({
        "kind": "Rule",
        "match": changed,
        "priority": 77,
        "middlewares": [{ "name": "edge" }],
        "services": [{ "kind": "TraefikService", "name": NAME }],
    });
    let spec = json!({ "entryPoints": ["web"], "routes": [route], "tls": { "secretName": "www" } });
    site.namespace.patch("IngressRoute", NAME, &json!({ "spec": spec }));
    site.waits(&sites.traefik, vec![changed.clone(), own(&rule)]);
    let browser = || Browser::over_tls(SITE, www.clone(), certificate.clone());
    let login = log_in(browser());
    assert!(login[0].has_session(), "the entry does not know of the new host yet: {login:?}");

    assert_eq!(site.run(["diff", NAME]).code, Some(1));
    assert_eq!(site.run(["sticky", "apply", NAME, "--yes"]).code, Some(0));
    assert_eq!(site.run(["diff", NAME]).code, Some(0));
    let routers = site.waits(&sites.traefik, vec![changed.clone(), own(&changed)]);
    assert_eq!([&routers[0]["priority"], &routers[1]["priority"]], [77, 78]);
    assert_eq!(routers[0]["tls"], routers[1]["tls"]);
    let middlewares = ["edge", "shop-entry"].map(|name| format!("{}-{name}@kubernetescrd", site.namespace.name()));
    assert_eq!(routers[1]["middlewares"], json!(middlewares));
    assert_each_login_begins_anew(browser());
}
