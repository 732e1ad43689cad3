//! What is around the Canaries, indexed: thousands of them may be checked at once.

use std::{collections::HashMap, iter};

use serde_json::Value;

use super::{
    Finding, RULES,
    subject::{Known, Subject},
};
use crate::{
    model::{Cookie, FieldValue, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, ObjectKind, ObjectRef, view},
    observed::Observed,
    traefik::{
        entry::Routing,
        router::{CLASS, Router, routers},
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
    pub(super) path: Vec<String>,
    /// Position of its route.
    pub(super) route: usize,
    /// How many backends the route has.
    pub(super) backends: usize,
    pub(super) is_traefik_service: bool,
    /// The namespace that it names, else that of the object.
    pub(super) namespace: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Returns the routers of its route.
    pub(super) fn routers(&self) -> Vec<Router> {
        let mut routers = routers(self.object.kind, self.value);
        if self.object.kind != ObjectKind::Ingress {
            routers.retain(|router| router.index == self.route);
        }
        routers
    }

    /// Returns whether Traefik serves the object: an Ingress may be for another controller.
    pub(super) fn is_for_traefik(&self) -> bool {
        let class = view::text(self.value, &["spec", "ingressClassName"])
            .or_else(|| view::text(self.value, &["metadata", "annotations", CLASS]));
        self.object.kind != ObjectKind::Ingress || class.is_none_or(|class| class.contains("traefik"))
    }

    /// Returns the keys that lead to the reference.
    pub(super) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Returns the name that it gives.
    pub(super) fn name(&self) -> &'a str {
        view::text(self.item, &["name"]).unwrap_or_default()
    }

    /// Returns the only hosts of its route, in lower case; `None` if others can be served, too.
    pub(super) fn only_hosts(&self) -> Option<Vec<String>> {
        let hosts = self.routers().into_iter().map(|router| router.rule.as_ref().and_then(Rule::only_hosts));
        hosts.collect::<Option<Vec<_>>>().map(|all| all.into_iter().flatten().collect())
    }

    /// Formats the object: ``IngressRoute `shop/cart` ``.
    pub(super) fn holder(&self) -> String {
        format!("{} `{}`", self.object.kind.kind(), self.object.target)
    }
}

/// Where browsers keep a cookie: two that agree in this overwrite each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Jar {
    name: String,
    path: String,
    /// The host; with a dot before it, a domain.
    scope: String,
}

/// What is around the Canaries.
#[derive(Debug, Default)]
pub struct Scene<'a> {
    pub(super) known: Option<&'a Known>,
    pub(super) canaries: &'a [Observed],
    /// The references of routes and TraefikServices, by the name that they give.
    references: HashMap<&'a str, Vec<Reference<'a>>>,
    jars: HashMap<Jar, Vec<usize>>,
    /// The TraefikServices that exist or are going to, by their names.
    services: HashMap<String, Vec<NamespacedName>>,
    /// The same by their names in Traefik.
    in_traefik: HashMap<String, Vec<NamespacedName>>,
}

impl<'a> Scene<'a> {
    /// Indexes what is known around these Canaries.
    pub fn new(canaries: &'a [Observed], known: &'a Known) -> Self {
        let mut scene = Self { known: Some(known), canaries, ..Self::default() };
        let routing = known.routing.as_deref();
        for (object, value) in routing.into_iter().flat_map(Routing::objects) {
            if view::text(value, &["metadata", "labels", MANAGED_BY_LABEL]) == Some(MANAGED_BY) {
                continue;
            }
            for reference in references(object, value) {
                scene.references.entry(reference.name()).or_default().push(reference);
            }
        }
        let existing = routing.into_iter().flat_map(Routing::of_traefik_services).cloned();
        for service in existing.chain(canaries.iter().filter_map(|observed| observed.canary.service_target())) {
            scene.in_traefik.entry(name_in_traefik(&service)).or_default().push(service.clone());
            scene.services.entry(service.name.clone()).or_default().push(service);
        }
        for (number, observed) in canaries.iter().enumerate() {
            let jars = Subject { observed, scene: &scene }.jars();
            for jar in jars {
                scene.jars.entry(jar).or_default().push(number);
            }
        }
        scene
    }

    /// Checks one Canary against every rule.
    pub fn check(&self, observed: &Observed) -> Vec<Finding> {
        let subject = Subject { observed, scene: self };
        let mut findings = Vec::new();
        for rule in RULES {
            for problem in (rule.check)(subject) {
                findings.push(Finding {
                    code: rule.code,
                    severity: problem.severity.unwrap_or(rule.severity),
                    target: observed.canary.target.clone(),
                    message: problem.message,
                    help: problem.help,
                    place: problem.place,
                    manifest: observed.manifest.clone(),
                });
            }
        }
        findings
    }

    /// Returns the references to a Service or TraefikService of this name, in whatever namespace.
    pub(super) fn named(&self, name: &str) -> &[Reference<'a>] {
        self.references.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns whether a TraefikService exists, or is going to.
    pub(super) fn has_traefik_service(&self, namespace: Option<&str>, name: &str) -> bool {
        self.services.get(name).is_some_and(|all| all.iter().any(|service| service.may_be_in(namespace)))
    }

    /// Returns the TraefikServices that have the same name in Traefik as this one.
    pub(super) fn called_alike(&self, service: &NamespacedName) -> impl Iterator<Item = &NamespacedName> {
        self.in_traefik.get(&name_in_traefik(service)).into_iter().flatten()
    }
}

/// Returns the name of a TraefikService in Traefik (`pkg/provider/configuration.go:Normalize`).
fn name_in_traefik(target: &NamespacedName) -> String {
    let text = target.to_string();
    text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

impl<'a> Subject<'a> {
    /// Returns where browsers keep the cookie of this Canary, for each host of its routes.
    fn jars(self) -> Vec<Jar> {
        let Some(cookie) = self.cookie() else { return Vec::new() };
        let Some(name) = cookie.name() else { return Vec::new() };
        let jar = |scope: String| Jar { name: name.to_owned(), path: path(cookie).to_owned(), scope };
        let mut hosts: Vec<_> = self.leading().filter_map(Reference::only_hosts).flatten().collect();
        if let (Some(domain), false) = (domain(cookie), hosts.is_empty()) {
            return vec![jar(format!(".{domain}"))];
        }
        hosts.sort_unstable();
        hosts.dedup();
        hosts.into_iter().map(jar).collect()
    }

    /// Returns another Canary whose cookie overwrites this one's, and the host or domain where it does.
    pub(super) fn overwriting(self) -> Option<(&'a Observed, String)> {
        let own = &self.observed.canary.target;
        for jar in self.jars() {
            let scopes = iter::once(jar.scope.clone()).chain(domains(&jar.scope));
            for scope in scopes {
                let other = Jar { scope, ..jar.clone() };
                for number in self.scene.jars.get(&other).into_iter().flatten() {
                    let observed = &self.scene.canaries[*number];
                    if observed.canary.target != *own && observed.canary.service_target() != self.service_target() {
                        return Some((observed, jar.scope.trim_start_matches('.').to_owned()));
                    }
                }
            }
        }
        None
    }
}

/// Returns the domains that a host is in: `.shop.test` and `.test` of `cart.shop.test`, and its own.
fn domains(host: &str) -> impl Iterator<Item = String> {
    let is_host = !host.starts_with('.');
    let own = is_host.then(|| format!(".{host}"));
    let above = host.match_indices('.').filter(move |_| is_host).map(|(at, _)| host[at..].to_owned());
    own.into_iter().chain(above)
}

/// Returns the cookie's path; Traefik's default is the root (`pkg/server/service/loadbalancer/sticky.go`).
pub(super) fn path(cookie: &Cookie) -> &str {
    match cookie.by_key("path") {
        Some(FieldValue::Text(path)) => path,
        _ => "/",
    }
}

/// Returns the cookie's domain, in lower case and without a leading dot.
pub(super) fn domain(cookie: &Cookie) -> Option<String> {
    match cookie.by_key("domain") {
        Some(FieldValue::Text(domain)) => Some(domain.trim_start_matches('.').to_ascii_lowercase()),
        _ => None,
    }
}

/// Returns the references in an object.
fn references<'a>(object: &'a ObjectRef, value: &'a Value) -> Vec<Reference<'a>> {
    let holder = value.pointer("/metadata/namespace").and_then(Value::as_str);
    let reference = |item: &'a Value, path: Vec<String>, route: usize, backends: usize| Reference {
        object,
        value,
        item,
        path,
        route,
        backends,
        is_traefik_service: view::text(item, &["kind"]) == Some("TraefikService"),
        namespace: view::text(item, &["namespace"]).or(holder),
    };
    let list = |value: &'a Value, keys: &[&str]| {
        view::at(value, keys).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    };
    let nested = |routes: &'static str, items: &'static str| {
        let mut found = Vec::new();
        for (route, rule) in list(value, &["spec", routes]).iter().enumerate() {
            let backends = list(rule, &[items]);
            for (at, item) in backends.iter().enumerate() {
                let path = ["spec", routes, &route.to_string(), items, &at.to_string()].map(str::to_owned);
                found.push(reference(item, path.to_vec(), route, backends.len()));
            }
        }
        found
    };
    match object.kind {
        ObjectKind::IngressRoute(_) => nested("routes", "services"),
        ObjectKind::HttpRoute => nested("rules", "backendRefs"),
        ObjectKind::TraefikService(_) => {
            let items = list(value, &["spec", "weighted", "services"]);
            let path = |at: usize| ["spec", "weighted", "services", &at.to_string()].map(str::to_owned).to_vec();
            items.iter().enumerate().map(|(at, item)| reference(item, path(at), 0, items.len())).collect()
        }
        ObjectKind::Ingress => {
            let mut found = Vec::new();
            if let Some(item) = view::at(value, &["spec", "defaultBackend", "service"]) {
                found.push(reference(item, ["spec", "defaultBackend", "service"].map(str::to_owned).to_vec(), 0, 1));
            }
            for (rule, it) in list(value, &["spec", "rules"]).iter().enumerate() {
                for (at, item) in list(it, &["http", "paths"]).iter().enumerate() {
                    if let Some(item) = view::at(item, &["backend", "service"]) {
                        let (rule, at) = (rule.to_string(), at.to_string());
                        let path = ["spec", "rules", &rule, "http", "paths", &at, "backend", "service"];
                        found.push(reference(item, path.map(str::to_owned).to_vec(), 0, 1));
                    }
                }
            }
            found
        }
        _ => Vec::new(),
    }
}
