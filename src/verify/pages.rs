//! Which pages to open: of the routes to the TraefikService, and where its flows begin.

use std::collections::BTreeSet;

use super::Page;
use crate::traefik::{
    Route, Serving,
    router::Router,
    rule::{Answer, Request},
    serving::Server,
};

/// The most pages that are taken from routes.
const MOST: usize = 16;

/// Returns the hosts that these routes name.
pub fn hosts(routes: &[Route]) -> BTreeSet<String> {
    let rules = routes.iter().flat_map(|route| &route.routers).filter_map(|router| router.rule.as_ref());
    rules.flat_map(|rule| rule.hosts("/")).flatten().collect()
}

/// Returns a page on each host of these routes, after those of the entry: pages that the TraefikService serves; without any,
/// those that it may serve; without any, those that something else serves instead.
pub fn of_routes(routes: &[Route], serving: &Serving, entry: &[String]) -> Vec<Page> {
    let mut ranks = [Vec::new(), Vec::new(), Vec::new()];
    for route in routes {
        // An entry point can have TLS for all of its routers.
        let is_secure = route.tls || route.entry_points.iter().any(|point| point.contains("secure"));
        let scheme = if is_secure { "https" } else { "http" };
        for (host, path) in route.routers.iter().flat_map(|router| places(router, serving, entry)) {
            let Ok(url) = format!("{scheme}://{host}{path}").parse() else { continue };
            let pages = &mut ranks[rank(serving, &host, &path)];
            pages.extend(Page::of(&url).filter(|page| !pages.contains(page)));
        }
    }
    let mut pages = ranks.into_iter().find(|pages| !pages.is_empty()).unwrap_or_default();
    pages.truncate(MOST);
    pages
}

/// Returns how well a page fits, from 0: the TraefikService serves it, it may or should, or something else does.
fn rank(serving: &Serving, host: &str, path: &str) -> usize {
    match serving.server(Request { host: Some(host), path }) {
        Server::TraefikService => 0,
        Server::Around(_) | Server::Unknown => 1,
        Server::Other(_) => 2,
    }
}

/// Returns the hosts of a router with the paths to open: those of the entry, and the best other one.
fn places(router: &Router, serving: &Serving, entry: &[String]) -> Vec<(String, String)> {
    let Some(rule) = &router.rule else { return Vec::new() };
    let mut places = Vec::new();
    for host in rule.hosts("/").into_iter().flatten() {
        let may_match = |path: &&str| rule.answers(Request { host: Some(&host), path }) != Answer::No;
        let others = std::iter::once("/").chain(rule.paths()).filter(may_match);
        let other =
            others.filter(|path| !entry.iter().any(|of| of == path)).min_by_key(|path| rank(serving, &host, path));
        let paths = entry.iter().map(String::as_str).filter(may_match).chain(other);
        places.extend(paths.map(|path| (host.clone(), path.to_owned())));
    }
    places
}

/// Returns these pages, after those of the entry on the same hosts, as far as a route may lead there.
pub fn with_entry(pages: &[Page], entry: &[String], serving: &Serving) -> Vec<Page> {
    let mut all: Vec<Page> = Vec::new();
    for page in pages {
        for path in entry {
            let begin = page.at(path);
            let is_others = matches!(serving.server(Request { host: Some(&begin.host), path }), Server::Other(_));
            if !is_others && !all.contains(&begin) && !pages.iter().any(|page| page.without_query() == begin) {
                all.push(begin);
            }
        }
    }
    all.extend(pages.iter().cloned());
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        model::{ObjectKind, name::Group},
        traefik::serving::testing::of_object,
    };

    const CRD: ObjectKind = ObjectKind::IngressRoute(Group::TraefikIo);

    fn own(rule: &str) -> Value {
        json!({"match": rule, "services": [{"kind": "TraefikService", "name": "web"}]})
    }

    fn other(rule: &str, priority: i64) -> Value {
        json!({"match": rule, "priority": priority, "services": [{"name": "api", "port": 80}]})
    }

    fn urls(kind: ObjectKind, spec: &Value, entry: &[&str]) -> Vec<String> {
        let (routes, serving) = of_object("web", kind, spec);
        let entry: Vec<_> = entry.iter().map(|path| (*path).to_owned()).collect();
        of_routes(&routes, &serving, &entry).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_host_of_a_route_has_its_page_and_the_entry() {
        let of = |rule: &str, entry| urls(CRD, &json!({"routes": [own(rule)]}), entry);
        let expected = ["http://shop.example/", "http://www.shop.example/"];
        assert_eq!(of("Host(`shop.example`) || Host(`www.shop.example`)", &[]), expected);
        assert_eq!(
            of("Host(`a`) && PathPrefix(`/shop`)", &["/login", "/shop/in"]),
            ["http://a/shop/in", "http://a/shop"]
        );
        let over_tls = json!({"routes": [own("Host(`shop.example`)")], "tls": {}});
        assert_eq!(urls(CRD, &over_tls, &["/login"]), ["https://shop.example/login", "https://shop.example/"]);
        let secure = json!({"entryPoints": ["websecure"], "routes": [own("Host(`a`)"), own("Host(`a`) && Path(`/`)")]});
        assert_eq!(urls(CRD, &secure, &[]), ["https://a/"]);
        for nowhere in ["HostRegexp(`.*`)", "PathPrefix(`/`)", "(", "Host(`a b`)"] {
            assert_eq!(of(nowhere, &[]), [""; 0], "{nowhere}");
        }
    }

    #[test]
    fn pages_of_other_servers_are_not_opened() {
        let routes = |all: &[Value]| urls(CRD, &json!({"routes": all}), &["/login", "/api/login"]);
        let shop = own("Host(`a`)");
        assert_eq!(
            routes(&[shop.clone(), other("Host(`a`) && PathPrefix(`/api`)", 9), other("Host(`a`) && Path(`/x`)", 1)]),
            ["http://a/login", "http://a/"]
        );
        // Unless there is nothing else.
        assert_eq!(
            routes(&[shop, other("PathPrefix(`/`)", 99)]),
            ["http://a/login", "http://a/api/login", "http://a/"]
        );
        // What depends on more than host and path is opened if there is nothing else.
        let maybe = own("Host(`a`) && Header(`X-Beta`, `1`)");
        assert_eq!(routes(std::slice::from_ref(&maybe)), ["http://a/login", "http://a/api/login", "http://a/"]);
        assert_eq!(routes(&[maybe, own("Host(`b`) && Path(`/home`)")]), ["http://b/home"]);
    }

    #[test]
    fn an_http_route_is_read_as_traefik_reads_it() {
        let backend = json!([{"group": "traefik.io", "kind": "TraefikService", "name": "web"}]);
        let rule = |kind: &str, path: &str| json!({"matches": [{"path": {"type": kind, "value": path}}], "backendRefs": backend});
        let others =
            json!({"matches": [{"path": {"type": "Exact", "value": "/shop"}}], "backendRefs": [{"name": "api"}]});
        let of = |rules: Value| urls(ObjectKind::HttpRoute, &json!({"hostnames": ["a", "*.b"], "rules": rules}), &[]);
        assert_eq!(of(json!([rule("PathPrefix", "/shop")])), ["http://a/shop"]);
        assert_eq!(of(json!([rule("Exact", "/x")])), ["http://a/x"]);
        assert_eq!(of(json!([rule("RegularExpression", "/s.*p")])), [""; 0]);
        assert_eq!(of(json!([rule("PathPrefix", "/shop"), others])), ["http://a/shop/"]);
    }

    #[test]
    fn where_flows_begin_on_the_hosts_of_given_pages_comes_first() {
        let page = |url: &str| Page::of(&url.parse().unwrap()).unwrap();
        let entry = ["/login".to_owned()];
        let given = [page("https://a/home"), page("https://a/login?next=x"), page("http://b:8080/home")];
        let found = |serving: &Serving| {
            with_entry(&given, &entry, serving).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(&Serving::default()), "http://b:8080/login https://a/home https://a/login http://b:8080/home");
        let (_, serving) =
            of_object("web", CRD, &json!({"routes": [own("Host(`b`)"), other("Host(`b`) && Path(`/login`)", 99)]}));
        assert_eq!(found(&serving), "https://a/home https://a/login http://b:8080/home");
    }
}
