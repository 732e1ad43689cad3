//! Which pages to open: of the routes to the TraefikService, and where its flows begin.

use crate::{
    model::ObjectKind,
    traefik::{
        Route,
        rule::{Answer, Matcher, Request, Rule},
    },
    verify::Page,
};

/// The most pages that are taken from routes.
const MOST: usize = 16;

/// Returns the rules of a route that can be read.
pub(super) fn rules(route: &Route) -> Vec<Rule> {
    let read = |text: &String| match route.kind {
        ObjectKind::HttpRoute => Some(http_rule(text)),
        _ => Rule::parse(text),
    };
    route.rules.iter().filter_map(read).collect()
}

/// Reads the hosts with a path of an HTTPRoute: `a.example,b.example/path`.
fn http_rule(text: &str) -> Rule {
    let (hosts, path) = text.split_at(text.find('/').unwrap_or(text.len()));
    let is_plain = |host: &&str| !host.is_empty() && !host.starts_with('*');
    let hosts: Vec<_> = hosts.split(',').filter(is_plain).map(str::to_owned).collect();
    let path = Rule::Matcher(Matcher::PathPrefix, vec![path.to_owned()]);
    if hosts.is_empty() { path } else { Rule::All(vec![Rule::Matcher(Matcher::Host, hosts), path]) }
}

/// Returns a page on each host of these routes, after those of the entry.
pub(super) fn of_routes(routes: &[Route], entry: &[String]) -> Vec<Page> {
    let mut pages = Vec::new();
    for route in routes {
        // An entry point can have TLS for all of its routers.
        let is_secure = route.tls || route.entry_points.iter().any(|point| point.contains("secure"));
        for rule in rules(route) {
            for host in rule.hosts("/").into_iter().flatten() {
                let mut paths: Vec<_> = entry.iter().map(String::as_str).chain(["/"]).collect();
                paths.retain(|path| answers(&rule, &host, path) != Answer::No);
                if paths.iter().all(|path| entry.iter().any(|of_entry| of_entry == path)) {
                    paths.extend(path_of(&rule).filter(|path| answers(&rule, &host, path) != Answer::No));
                }
                let scheme = if is_secure { "https" } else { "http" };
                let url = |path: &str| Page::of(&format!("{scheme}://{host}{path}").parse().ok()?);
                pages.extend(paths.into_iter().filter_map(url));
            }
        }
    }
    let mut seen = Vec::new();
    pages.retain(|page| {
        !seen.contains(page) && seen.len() < MOST && {
            seen.push(page.clone());
            true
        }
    });
    pages
}

/// Returns these pages, after those of the entry on the same hosts, as far as a route may lead there.
pub(super) fn with_entry(pages: &[Page], entry: &[String], rules: &[Rule]) -> Vec<Page> {
    let mut all: Vec<Page> = Vec::new();
    for page in pages {
        for path in entry {
            let begin = page.at(path);
            let is_routed = rules.is_empty() || rules.iter().any(|rule| answers(rule, &page.host, path) != Answer::No);
            if is_routed && !all.contains(&begin) && !pages.iter().any(|page| page.without_query() == begin) {
                all.push(begin);
            }
        }
    }
    all.extend(pages.iter().cloned());
    all
}

fn answers(rule: &Rule, host: &str, path: &str) -> Answer {
    rule.answers(Request { host: Some(host), path })
}

/// Returns a path that a rule names.
fn path_of(rule: &Rule) -> Option<&str> {
    match rule {
        Rule::All(rules) | Rule::Any(rules) => rules.iter().find_map(path_of),
        Rule::Matcher(Matcher::Path | Matcher::PathPrefix, paths) => paths.first().map(String::as_str),
        Rule::Not(_) | Rule::Matcher(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{NamespacedName, name::Group};

    fn route(kind: ObjectKind, rule: &str, tls: bool) -> Route {
        let target = NamespacedName { namespace: None, name: "web".into() };
        Route {
            kind,
            target,
            rules: vec![rule.to_owned()],
            entry_points: Vec::new(),
            tls,
            through: Vec::new(),
            requirements: BTreeSet::new(),
            is_mirror: false,
        }
    }

    fn urls(routes: &[Route], entry: &[&str]) -> Vec<String> {
        let entry: Vec<_> = entry.iter().map(|path| (*path).to_owned()).collect();
        of_routes(routes, &entry).iter().map(ToString::to_string).collect()
    }

    const CRD: ObjectKind = ObjectKind::IngressRoute(Group::TraefikIo);

    #[test]
    fn each_host_of_a_route_has_its_page_and_the_entry() {
        let hosts = "Host(`shop.example`) || Host(`www.shop.example`)";
        let expected = ["http://shop.example/", "http://www.shop.example/"];
        assert_eq!(urls(&[route(CRD, hosts, false)], &[]), expected);
        assert_eq!(
            urls(&[route(CRD, "Host(`shop.example`)", true)], &["/login"]),
            ["https://shop.example/login", "https://shop.example/"]
        );
        let below = "Host(`a`) && PathPrefix(`/shop`)";
        assert_eq!(urls(&[route(CRD, below, false)], &["/login", "/shop/in"]), ["http://a/shop/in", "http://a/shop"]);
        let secure = Route { entry_points: vec!["websecure".into()], ..route(CRD, "Host(`a`)", false) };
        assert_eq!(urls(&[secure.clone(), secure], &[]), ["https://a/"]);
        assert_eq!(urls(&[route(ObjectKind::HttpRoute, "a,*.b/x", false)], &[]), ["http://a/x"]);
        for nowhere in ["HostRegexp(`.*`)", "PathPrefix(`/`)", "(", "Host(`a b`)"] {
            assert_eq!(urls(&[route(CRD, nowhere, false)], &[]), [""; 0], "{nowhere}");
        }
    }

    #[test]
    fn where_flows_begin_on_the_hosts_of_given_pages_comes_first() {
        let page = |url: &str| Page::of(&url.parse().unwrap()).unwrap();
        let entry = ["/login".to_owned()];
        let given = [page("https://a/home"), page("https://a/login?next=x"), page("http://b:8080/home")];
        let found = |rules: &[Rule]| {
            with_entry(&given, &entry, rules).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(&[]), "http://b:8080/login https://a/home https://a/login http://b:8080/home");
        let elsewhere = Rule::parse("Host(`a`)").unwrap();
        assert_eq!(found(&[elsewhere]), "https://a/home https://a/login http://b:8080/home");
    }
}
