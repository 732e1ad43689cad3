//! The references to Services and TraefikServices in the objects that route, and what is known of their routes.

use std::cell::OnceCell;

use serde_json::Value;

use super::{Origin, Place, redirect::Redirect};
use crate::{
    model::{ObjectKind, ObjectRef, view},
    traefik::{
        router::{CLASS, Router},
        rule::Rule,
    },
};

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
    /// Returns whether Traefik serves the object: an Ingress may be for another controller. `None` if an Ingress does not
    /// say.
    pub(super) fn is_for_traefik(&self) -> Option<bool> {
        match self.object.kind {
            ObjectKind::Ingress => self.class().map(|class| class.contains("traefik")),
            _ => Some(true),
        }
    }

    /// Returns the class that the object names.
    pub(super) fn class(&self) -> Option<&'a str> {
        view::text(self.value, &["spec", "ingressClassName"])
            .or_else(|| view::text(self.value, &["metadata", "annotations", CLASS]))
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
    let reference = |item: &'a Value, path: &[&str], route: usize, backends: usize| Reference {
        object,
        value,
        item,
        path: path.iter().map(|key| (*key).to_owned()).collect(),
        route,
        backends,
        is_traefik_service: view::text(item, &["kind"]) == Some("TraefikService"),
        namespace: view::text(item, &["namespace"]).or(holder),
        routers: routers.iter().copied().filter(|router| router.index == route).collect(),
        origin,
        hosts: OnceCell::new(),
        redirect: OnceCell::new(),
    };
    let nested = |routes: &str, items: &str| {
        let mut found = Vec::new();
        for (route, rule) in view::list(value, &["spec", routes]).iter().enumerate() {
            let backends = view::list(rule, &[items]);
            for (at, item) in backends.iter().enumerate() {
                let path = ["spec", routes, &route.to_string(), items, &at.to_string()];
                found.push(reference(item, &path, route, backends.len()));
            }
        }
        found
    };
    match object.kind {
        ObjectKind::IngressRoute(_) => nested("routes", "services"),
        ObjectKind::HttpRoute => nested("rules", "backendRefs"),
        ObjectKind::TraefikService(_) => {
            let items = view::list(value, &["spec", "weighted", "services"]);
            let place =
                |at: usize| ["spec", "weighted", "services"].map(str::to_owned).into_iter().chain([at.to_string()]);
            let of = |(at, item)| {
                let path: Vec<_> = place(at).collect();
                reference(item, &path.iter().map(String::as_str).collect::<Vec<_>>(), 0, items.len())
            };
            items.iter().enumerate().map(of).collect()
        }
        ObjectKind::Ingress => {
            let mut found = Vec::new();
            let rules = view::list(value, &["spec", "rules"]);
            // Beside rules, Traefik makes no router of it.
            if let Some(item) = view::at(value, &["spec", "defaultBackend", "service"]).filter(|_| rules.is_empty()) {
                found.push(reference(item, &["spec", "defaultBackend", "service"], 0, 1));
            }
            let mut number = 0;
            for (rule, it) in rules.iter().enumerate() {
                for (at, item) in view::list(it, &["http", "paths"]).iter().enumerate() {
                    if let Some(item) = view::at(item, &["backend", "service"]) {
                        let (rule, at) = (rule.to_string(), at.to_string());
                        let path = ["spec", "rules", &rule, "http", "paths", &at, "backend", "service"];
                        found.push(reference(item, &path, number, 1));
                    }
                    number += 1;
                }
            }
            found
        }
        _ => Vec::new(),
    }
}
