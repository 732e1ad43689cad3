//! The references to Services and TraefikServices in the objects that route, and what is known of their routes.

use std::cell::OnceCell;

use serde_json::Value;

use super::{Origin, Place};
use crate::{
    model::{ObjectKind, ObjectRef, view},
    traefik::{
        router::{Router, class},
        rule::Rule,
    },
};

/// Whether a route redirects what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Redirect {
    /// It does not.
    No,
    /// It may: a middleware is not known, or it redirects http and may serve https, too.
    Perhaps,
    /// It has one that is not known, but called after a redirect.
    Likely,
    /// It does.
    Yes,
}

/// A reference to a Service or a TraefikService in an object.
#[derive(Debug, Clone)]
pub(super) struct Reference<'a> {
    pub(super) object: &'a ObjectRef,
    /// The whole object.
    pub(super) value: &'a Value,
    /// The reference itself.
    pub(super) item: &'a Value,
    /// Where it is in the object.
    path: Vec<String>,
    /// Position of its route.
    pub(super) route: usize,
    /// How many backends the route has.
    pub(super) backends: usize,
    pub(super) is_traefik_service: bool,
    /// The namespace that it names, else that of the object.
    pub(super) namespace: Option<&'a str>,
    /// The routers of its route; none if Traefik makes none of it.
    pub(super) routers: Vec<&'a Router>,
    /// The manifest of the object.
    pub(super) origin: Option<&'a Origin>,
    hosts: OnceCell<Option<Vec<String>>>,
    pub(super) redirect: OnceCell<Redirect>,
}

impl<'a> Reference<'a> {
    /// Returns whether it is in an IngressRoute or an HTTPRoute.
    pub(super) fn is_in_route(&self) -> bool {
        matches!(self.object.kind, ObjectKind::IngressRoute(_) | ObjectKind::HttpRoute)
    }

    /// Returns whether Traefik serves the object: an Ingress may be for another controller. `None` if an Ingress does not
    /// say.
    pub(super) fn is_for_traefik(&self) -> Option<bool> {
        match self.object.kind {
            ObjectKind::Ingress => class(self.value).map(|class| class.contains("traefik")),
            _ => Some(true),
        }
    }

    /// Returns whether the object has no TLS of its own.
    pub(super) fn is_plain(&self) -> bool {
        view::at(self.value, &["spec", "tls"]).is_none_or(Value::is_null)
    }

    /// Returns whether its routes serve http alone, as far as the names of their entry points tell.
    pub(super) fn is_http(&self) -> bool {
        let is_https = |name: &String| ["secure", "https", "tls"].iter().any(|word| name.to_lowercase().contains(word));
        self.is_plain() && !self.routers.iter().any(|router| router.entry_points.iter().any(is_https))
    }

    /// Returns its route.
    pub(super) fn rule(&self) -> &'a Value {
        let list = if self.object.kind == ObjectKind::HttpRoute { "rules" } else { "routes" };
        view::at(self.value, &["spec", list]).and_then(|list| list.get(self.route)).unwrap_or(&Value::Null)
    }

    /// Returns the filters of its route, of an HTTPRoute.
    pub(super) fn filters(&self) -> &'a [Value] {
        match self.object.kind {
            ObjectKind::HttpRoute => view::list(self.rule(), &["filters"]),
            _ => &[],
        }
    }

    /// Returns the name that it gives.
    pub(super) fn name(&self) -> &'a str {
        view::text(self.item, &["name"]).unwrap_or_default()
    }

    /// Returns the only hosts of its route, in lower case; `None` if others can be served, too.
    pub(super) fn only_hosts(&self) -> Option<Vec<String>> {
        let of = |router: &&Router| router.rule.as_ref().and_then(Rule::only_hosts);
        let hosts = || {
            let all = self.routers.iter().map(of).collect::<Option<Vec<_>>>();
            all.map(|all| all.into_iter().flatten().collect())
        };
        self.hosts.get_or_init(hosts).clone()
    }

    /// Formats the object: ``IngressRoute `shop/cart` ``.
    pub(super) fn holder(&self) -> String {
        format!("{} `{}`", self.object.kind.kind(), self.object.target)
    }

    /// Returns the place of a field of the object.
    pub(super) fn place(&self, path: &[&str]) -> Place {
        Place { origin: self.origin.cloned(), ..Place::of_object(self.object, path) }
    }

    /// Returns its own place.
    pub(super) fn own_place(&self) -> Place {
        self.place(&self.path.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Returns the references in an object, which these routers are made of.
pub(super) fn references<'a>(
    object: &'a ObjectRef,
    value: &'a Value,
    routers: &[&'a Router],
    origin: Option<&'a Origin>,
) -> Vec<Reference<'a>> {
    let holder = value.pointer("/metadata/namespace").and_then(Value::as_str);
    let reference = |Found { item, path, route, backends }: Found<'a>| Reference {
        object,
        value,
        item,
        path,
        route,
        backends,
        is_traefik_service: view::text(item, &["kind"]) == Some("TraefikService"),
        namespace: view::text(item, &["namespace"]).or(holder),
        routers: routers.iter().copied().filter(|router| router.index == route).collect(),
        origin,
        hosts: OnceCell::new(),
        redirect: OnceCell::new(),
    };
    found(object.kind, value).into_iter().map(reference).collect()
}

/// A reference as it is in the object: its value and path, the position of its route, and how many backends that has.
struct Found<'a> {
    item: &'a Value,
    path: Vec<String>,
    route: usize,
    backends: usize,
}

fn found(kind: ObjectKind, value: &Value) -> Vec<Found<'_>> {
    const WEIGHTED: [&str; 3] = ["spec", "weighted", "services"];
    match kind {
        ObjectKind::IngressRoute(_) => in_routes(value, "routes", "services"),
        ObjectKind::HttpRoute => in_routes(value, "rules", "backendRefs"),
        ObjectKind::TraefikService(_) => in_list(view::list(value, &WEIGHTED), &WEIGHTED, 0),
        ObjectKind::Ingress => in_ingress(value),
        _ => Vec::new(),
    }
}

fn in_routes<'a>(value: &'a Value, routes: &str, items: &str) -> Vec<Found<'a>> {
    let all = view::list(value, &["spec", routes]).iter().enumerate();
    all.flat_map(|(route, rule)| {
        in_list(view::list(rule, &[items]), &["spec", routes, &route.to_string(), items], route)
    })
    .collect()
}

fn in_list<'a>(items: &'a [Value], path: &[&str], route: usize) -> Vec<Found<'a>> {
    let found = |(at, item): (usize, _)| {
        let path = path.iter().map(|key| (*key).to_owned()).chain([at.to_string()]).collect();
        Found { item, path, route, backends: items.len() }
    };
    items.iter().enumerate().map(found).collect()
}

fn in_ingress(value: &Value) -> Vec<Found<'_>> {
    let rules = view::list(value, &["spec", "rules"]);
    let service = |item, path, route| Found { item, path, route, backends: 1 };
    // Beside rules, Traefik makes no router of it.
    if rules.is_empty() {
        let path = ["spec", "defaultBackend", "service"];
        let item = view::at(value, &path);
        return item.map(|item| service(item, path.map(str::to_owned).into(), 0)).into_iter().collect();
    }
    let paths = rules.iter().enumerate().flat_map(|(rule, it)| {
        let of_rule = view::list(it, &["http", "paths"]).iter().enumerate();
        of_rule.map(move |(at, path)| (rule.to_string(), at.to_string(), path))
    });
    let found = paths.enumerate().filter_map(|(number, (rule, at, path))| {
        let item = view::at(path, &["backend", "service"])?;
        let path = ["spec", "rules", &rule, "http", "paths", &at, "backend", "service"];
        Some(service(item, path.map(str::to_owned).into(), number))
    });
    found.collect()
}
