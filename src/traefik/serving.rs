//! Which router serves a page of a Canary's hosts: one that leads to its TraefikService, or another. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    near_miss, reference,
    route::Route,
    router::{Router, ingress_backends},
    routing::Routing,
    rule::{Answer, Request},
};
use crate::model::{NamespacedName, ObjectKind, ObjectRef, view};

/// What serves a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server<'a> {
    /// The TraefikService.
    TraefikService,
    /// One of the Canary's Services, past the TraefikService; with the object that leads there.
    Around(&'a str),
    /// Something else; likewise.
    Other(&'a str),
    /// It depends on more than host and path, or is not known.
    Unknown,
}

/// The routers that can serve the hosts of a Canary.
#[derive(Debug, Clone, Default)]
pub struct Serving {
    own: Vec<Own>,
    others: Vec<Other>,
    /// Whether all routers are known.
    is_complete: bool,
}

/// A router that leads to the TraefikService.
#[derive(Debug, Clone)]
struct Own {
    router: Router,
    /// Whether all its requests come there: not if TraefikServices are between them.
    is_direct: bool,
}

#[derive(Debug, Clone)]
struct Other {
    router: Router,
    /// Whether it leads to one of the Canary's Services.
    is_around: bool,
}

impl Serving {
    /// Puts together the routers that can serve these hosts. `routes` lead to the TraefikService.
    pub fn new(routing: &Routing, routes: &[Route], service: &NamespacedName, hosts: &BTreeSet<String>) -> Self {
        let own = routes.iter().flat_map(|route| {
            let is_direct = route.through.is_empty();
            route.routers.iter().map(move |router| Own { router: router.clone(), is_direct })
        });
        let own: Vec<_> = own.collect();
        let mut others: Vec<Other> = Vec::new();
        for (router, object) in routing.routers_of_hosts(hosts) {
            if !own.iter().any(|own| own.router == *router) {
                let is_around = object.is_some_and(|(kept, value)| is_around(kept, value, router.index, service));
                others.push(Other { router: router.clone(), is_around });
            }
        }
        // The first that matches serves a request.
        others.sort_by_key(|other| std::cmp::Reverse(other.router.priority));
        Self { own, others, is_complete: routing.unread_kinds.is_empty() }
    }

    /// Returns what serves a page.
    pub fn server(&self, request: Request<'_>) -> Server<'_> {
        let mut instead = Vec::new();
        for Own { router, is_direct } in &self.own {
            let answer = answer(router, request);
            if answer == Answer::No {
                continue;
            }
            let above = self.others.iter().take_while(|other| other.router.priority >= router.priority);
            let mut taking = above.filter(|other| other.router.answers(request, router) != Answer::No);
            match taking.next() {
                None if answer == Answer::Yes && *is_direct && self.is_complete => return Server::TraefikService,
                Some(other)
                    if other.router.priority > router.priority
                        && other.router.answers(request, router) == Answer::Yes =>
                {
                    instead.push(other);
                }
                _ => return Server::Unknown,
            }
        }
        if self.own.is_empty() {
            return Server::Unknown;
        }
        let first = || self.others.iter().find(|other| answer(&other.router, request) != Answer::No);
        match instead.first().copied().or_else(first) {
            Some(other) if answer(&other.router, request) != Answer::Yes => Server::Unknown,
            Some(Other { router, is_around: true }) => Server::Around(&router.holder),
            Some(Other { router, .. }) => Server::Other(&router.holder),
            None => Server::Unknown,
        }
    }
}

fn answer(router: &Router, request: Request<'_>) -> Answer {
    router.rule.as_ref().map_or(Answer::Maybe, |rule| rule.answers(request))
}

/// Returns whether the router at this position of an object leads to one of the Services of this TraefikService's Canary.
fn is_around(holder: &ObjectRef, object: &Value, index: usize, service: &NamespacedName) -> bool {
    let own = holder.target.namespace.as_deref();
    let is_one = |item: &Value| {
        let is_service = view::text(item, &["kind"]).is_none_or(|kind| kind == "Service");
        let name = view::text(item, &["name"]).unwrap_or_default();
        is_service
            && near_miss::services(&service.name).iter().any(|service| service == name)
            && service.may_be_in(view::text(item, &["namespace"]).or(own))
    };
    match holder.kind {
        ObjectKind::Ingress => ingress_backends(object).get(index).and_then(|it| it.get("service")).is_some_and(is_one),
        kind => reference::routes(kind, object).nth(index).is_some_and(|items| items.iter().any(is_one)),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use serde_json::json;

    use super::*;
    use crate::{
        model::name::Group,
        traefik::{route, routing::Destination},
    };

    /// Returns the routes of an object of this namespace to the TraefikService, and what serves the hosts that they name.
    pub(crate) fn of_object(service: &str, kind: ObjectKind, spec: &Value) -> (Vec<Route>, Serving) {
        let object = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
        let routing: Routing = [(kind, object)].into_iter().collect();
        let service = &NamespacedName { namespace: Some("shop".into()), name: service.into() };
        let destination = Destination { service, group: None, aliases: &[], others: &BTreeSet::new() };
        let routes = route::routes(&routing, destination).seen;
        let rules = routes.iter().flat_map(|route| &route.routers).filter_map(|router| router.rule.as_ref());
        let hosts = rules.flat_map(|rule| rule.hosts("/")).flatten().collect();
        let serving = Serving::new(&routing, &routes, service, &hosts);
        (routes, serving)
    }

    /// The same of an IngressRoute with these routes: what they match, their priorities, and the kind and name of what they
    /// lead to.
    pub(crate) fn of_ingress_routes(service: &str, routes: &[(&str, i64, &str, &str)]) -> (Vec<Route>, Serving) {
        let route = |(rule, priority, kind, name): &(&str, i64, &str, &str)| json!({"match": rule, "priority": priority, "services": [{"kind": kind, "name": name}]});
        let routes: Vec<_> = routes.iter().map(route).collect();
        of_object(service, ObjectKind::IngressRoute(Group::TraefikIo), &json!({ "routes": routes }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        testing::{of_ingress_routes, of_object},
        *,
    };
    use crate::model::name::Group;

    fn at<'a>(serving: &'a Serving, path: &str) -> (&'static str, &'a str) {
        match serving.server(Request { host: Some("a"), path }) {
            Server::TraefikService => ("own", ""),
            Server::Around(holder) => ("around", holder),
            Server::Other(holder) => ("other", holder),
            Server::Unknown => ("unknown", ""),
        }
    }

    #[test]
    fn the_router_that_wins_serves_a_page() {
        let own = ("Host(`a`)", 10, "TraefikService", "web");
        for (other, path, expected) in [
            (("Path(`/x`)", 11, "Service", "api"), "/x", "other"),
            (("Path(`/x`)", 11, "Service", "api"), "/y", "own"),
            (("Path(`/x`)", 9, "Service", "api"), "/x", "own"),
            (("Path(`/x`)", 10, "Service", "api"), "/x", "unknown"),
            (("Path(`/x`) && Method(`POST`)", 11, "Service", "api"), "/x", "unknown"),
            (("Path(`/x`) && Method(`POST`)", 9, "Service", "api"), "/x", "own"),
            (("Path(`/x`)", 11, "Service", "web"), "/x", "around"),
            (("Path(`/x`)", 11, "Service", "web-canary"), "/x", "around"),
            (("Path(`/x`)", 11, "TraefikService", "web-canary"), "/x", "other"),
            (("Path(`/x`)", 11, "TraefikService", "web"), "/x", "own"),
        ] {
            let (_, serving) = of_ingress_routes("web", &[own, other]);
            assert_eq!(at(&serving, path).0, expected, "{other:?} {path}");
        }
        let maybe = ("Host(`a`) && Method(`GET`)", 10, "TraefikService", "web");
        assert_eq!(at(&of_ingress_routes("web", &[maybe]).1, "/").0, "unknown");
        let beside = [("Host(`a`) && Path(`/shop`)", 10, "TraefikService", "web"), ("Host(`a`)", 5, "Service", "home")];
        let (_, serving) = of_ingress_routes("web", &beside);
        assert_eq!([at(&serving, "/shop"), at(&serving, "/")], [("own", ""), ("other", "IngressRoute `shop/web`")]);
        assert_eq!(at(&of_ingress_routes("web", &beside[..1]).1, "/").0, "unknown");
        assert_eq!(at(&Serving::default(), "/").0, "unknown");
    }

    #[test]
    fn routers_of_other_entry_points_do_not_count() {
        let kind = ObjectKind::IngressRoute(Group::TraefikIo);
        let own = json!([{"match": "Host(`a`)", "services": [{"kind": "TraefikService", "name": "web"}]}]);
        let redirect = json!({"match": "Host(`a`)", "priority": 99, "services": [{"name": "noop"}]});
        let object = |name: &str, point: &str, routes: &Value| {
            let metadata = json!({"name": name, "namespace": "shop"});
            (kind, json!({"metadata": metadata, "spec": {"entryPoints": [point], "routes": routes}}))
        };
        let (routes, _) = of_object("web", kind, &json!({"entryPoints": ["websecure"], "routes": own}));
        let service = NamespacedName { namespace: Some("shop".into()), name: "web".into() };
        for (point, expected) in [("web", "own"), ("websecure", "other")] {
            let objects = [object("web", "websecure", &own), object("redirect", point, &json!([redirect]))];
            let routing: Routing = objects.into_iter().collect();
            let serving = Serving::new(&routing, &routes, &service, &BTreeSet::from(["a".to_owned()]));
            assert_eq!(at(&serving, "/").0, expected, "{point}");
        }
    }

    #[test]
    fn of_an_ingress_each_path_is_looked_at() {
        let path =
            |path: &str, name: &str| json!({"path": path, "pathType": "Exact", "backend": {"service": {"name": name}}});
        let paths = [path("/x", "api"), path("/y", "web-primary")];
        let ingress = json!({"metadata": {"name": "old", "namespace": "shop"},
            "spec": {"rules": [{"host": "a", "http": {"paths": paths}}]}});
        let (routes, _) = of_ingress_routes("web", &[("Host(`a`)", 1, "TraefikService", "web")]);
        let service = NamespacedName { namespace: Some("shop".into()), name: "web".into() };
        let routing: Routing = [(ObjectKind::Ingress, ingress)].into_iter().collect();
        let serving = Serving::new(&routing, &routes, &service, &BTreeSet::from(["a".to_owned()]));
        assert_eq!([at(&serving, "/x").0, at(&serving, "/y").0, at(&serving, "/").0], ["other", "around", "own"]);
    }
}
