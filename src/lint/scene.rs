//! What is around the Canaries, indexed: thousands of them may be checked at once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::{
    ByFile, Environments, Origin,
    redirect::Middlewares,
    reference::{Redirect, Reference, references},
};
use crate::{
    model::{Cookie, FieldValue, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, ObjectKind, ObjectRef, view},
    observed::Observed,
    traefik::{
        Installation, Routing,
        cookie_value::normalized,
        reference::{Key, is_meant, keys_of, keys_to},
        router::Router,
        rule::Rule,
    },
};

/// What is known around the Canaries. What could not be read is missing, and decides nothing.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The routes and TraefikServices.
    pub routing: Option<Arc<Routing>>,
    /// The manifests of these; several of one name in the same order.
    pub origins: HashMap<ObjectRef, Vec<Origin>>,
    /// Which manifests are of different environments.
    pub environments: Environments,
    /// Whether these are all routes of the cluster, so that one that is missing does not exist.
    pub has_all_routes: bool,
    /// The Traefiks that run; empty if none was found.
    pub installations: Vec<Seen<Installation>>,
    /// The fields of a cookie in the definition of TraefikServices; of several manifests, in each.
    pub fields: Vec<Seen<Vec<String>>>,
    /// The Services.
    pub services: Option<Vec<Seen<TrackService>>>,
}

/// What was seen in a cluster, or in a file.
#[derive(Debug, Clone)]
pub struct Seen<T> {
    /// What was seen.
    pub what: T,
    /// The file.
    pub file: Option<String>,
}

impl<T> From<T> for Seen<T> {
    fn from(what: T) -> Self {
        Self { what, file: None }
    }
}

/// A Service that a track may lead to.
#[derive(Debug, Clone)]
pub struct TrackService {
    pub(super) target: NamespacedName,
    /// Its ports as they can be referred to: by number or by name.
    pub(super) ports: Vec<String>,
}

impl TrackService {
    /// Reads a Service.
    pub fn read(object: &Value) -> Self {
        let ports = view::at(object, &["spec", "ports"]).and_then(Value::as_array);
        let names = |port: &Value| [port["port"].as_i64().map(|port| port.to_string()), view::owned(port, &["name"])];
        let ports = ports.into_iter().flatten().flat_map(names).flatten().collect();
        Self { target: NamespacedName::of(object), ports }
    }
}

/// Where browsers keep a cookie: two that agree in this overwrite each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Jar {
    pub(super) name: String,
    pub(super) path: String,
    /// The host; with a dot before it, a domain.
    pub(super) scope: String,
}

/// What is around the Canaries.
#[derive(Debug, Default)]
pub struct Scene<'a> {
    pub(super) known: Option<&'a Known>,
    pub(super) canaries: &'a [Observed],
    /// The references of routes and TraefikServices.
    references: Vec<Reference<'a>>,
    /// The same by the name and the namespace that they give.
    by_name: HashMap<&'a str, BTreeMap<Option<&'a str>, ByFile<'a, usize>>>,
    /// Those that give Traefik's own name, by the keys of the TraefikServices that they may mean.
    by_key: HashMap<Key, Vec<usize>>,
    pub(super) middlewares: Middlewares<'a>,
    /// The routers of http that only redirect, by their hosts; `None` for any.
    redirecting: HashMap<Option<String>, Vec<(&'a Router, Option<&'a Origin>)>>,
    pub(super) jars: HashMap<Jar, Vec<usize>>,
    /// The Canaries by the TraefikServices that Flagger generates for them.
    pub(super) generating: HashMap<NamespacedName, Vec<usize>>,
    /// The namespaces of the TraefikServices that exist or are going to, by their names.
    services: HashMap<String, BTreeSet<Option<String>>>,
    /// The same by their names in Traefik.
    in_traefik: HashMap<String, BTreeSet<NamespacedName>>,
    track_services: HashMap<&'a str, ByFile<'a, &'a TrackService>>,
}

impl<'a> Scene<'a> {
    /// Indexes what is known around these Canaries.
    pub fn new(canaries: &'a [Observed], known: &'a Known) -> Self {
        let mut scene = Self { known: Some(known), canaries, ..Self::default() };
        scene.middlewares.environments = known.environments.clone();
        if let Some(routing) = known.routing.as_deref() {
            scene.add_routes(routing, known);
        }
        let existing = known.routing.iter().flat_map(|it| it.of_traefik_services()).cloned();
        for service in existing.chain(canaries.iter().filter_map(|observed| observed.canary.service_target())) {
            scene.in_traefik.entry(normalized(&service.to_string())).or_default().insert(service.clone());
            scene.services.entry(service.name).or_default().insert(service.namespace);
        }
        for service in known.services.iter().flatten() {
            let all = scene.track_services.entry(service.what.target.name.as_str()).or_default();
            all.push(service.file.as_deref(), &service.what);
        }
        for (number, observed) in canaries.iter().enumerate() {
            if let Some(service) = observed.canary.service_target() {
                scene.generating.entry(service).or_default().push(number);
            }
            let jars = scene.jars_of(observed, &scene.leading_to(observed));
            for jar in jars {
                scene.jars.entry(jar).or_default().push(number);
            }
        }
        scene
    }

    fn add_routes(&mut self, routing: &'a Routing, known: &'a Known) {
        let mut last = None;
        let mut number = 0;
        for ((object, value), routers) in routing.objects().zip(routing.routers_of_each()) {
            number = if last == Some(object) { number + 1 } else { 0 };
            last = Some(object);
            let origin = known.origins.get(object).and_then(|all| all.get(number));
            self.middlewares.add(object, value, origin);
            if view::text(value, &["metadata", "labels", MANAGED_BY_LABEL]) == Some(MANAGED_BY) {
                continue;
            }
            self.references.extend(references(object, value, &routers, origin));
        }
        for (number, reference) in self.references.iter().enumerate() {
            let name = reference.name();
            let file = reference.origin.map(|origin| origin.file.as_str());
            self.by_name.entry(name).or_default().entry(reference.namespace).or_default().push(file, number);
            if reference.is_traefik_service && name.contains('@') {
                for key in keys_of(name, view::text(reference.item, &["namespace"])) {
                    self.by_key.entry(key).or_default().push(number);
                }
            }
            let may_redirect = matches!(reference.object.kind, ObjectKind::IngressRoute(_)) && reference.is_http();
            if may_redirect && self.middlewares.redirect(reference) == Redirect::Yes {
                for router in &reference.routers {
                    let hosts = router.rule.as_ref().and_then(Rule::only_hosts);
                    let hosts = hosts.map_or_else(|| vec![None], |hosts| hosts.into_iter().map(Some).collect());
                    for host in hosts {
                        self.redirecting.entry(host).or_default().push((*router, reference.origin));
                    }
                }
            }
        }
    }

    /// Returns the references to the TraefikService of a Canary.
    pub(super) fn leading_to<'s>(&'s self, observed: &Observed) -> Vec<&'s Reference<'a>> {
        let Some(service) = observed.canary.service_target() else { return Vec::new() };
        let by_key = keys_to(&service).into_iter().filter_map(|key| self.by_key.get(&key)).flatten();
        let by_key = by_key.collect::<BTreeSet<_>>().into_iter().map(|number| &self.references[*number]);
        let by_key = by_key.filter(|it| self.is_for(observed, it.origin.map(|origin| origin.file.as_str())));
        let all = self.named(&service.name, service.namespace.as_deref(), observed).into_iter().chain(by_key);
        all.filter(|it| is_meant(it.item, it.object, &service)).collect()
    }

    /// Returns the references to Services and TraefikServices of this name, in this namespace if one is given, that are for
    /// a Canary.
    pub(super) fn named<'s>(
        &'s self,
        name: &str,
        namespace: Option<&str>,
        observed: &Observed,
    ) -> Vec<&'s Reference<'a>> {
        let (Some(all), Some(known)) = (self.by_name.get(name), self.known) else { return Vec::new() };
        let of_name: Vec<_> = match namespace {
            Some(_) => [all.get(&namespace), all.get(&None)].into_iter().flatten().collect(),
            None => all.values().collect(),
        };
        let file = observed.manifest.as_ref().map(|manifest| manifest.file.as_str());
        let seen = of_name.into_iter().flat_map(|it| it.seen_from(file, &known.environments));
        seen.map(|(_, number)| &self.references[*number]).collect()
    }

    /// Returns whether what is in this file can be for a Canary: other environments are not.
    pub(super) fn is_for(&self, observed: &Observed, file: Option<&str>) -> bool {
        let files = observed.manifest.as_ref().zip(file).zip(self.known);
        files.is_none_or(|((own, file), known)| !known.environments.are_apart(&own.file, file))
    }

    /// Returns whether the route of a reference serves people: it is one, and does not only redirect.
    pub(super) fn serves(&self, route: &Reference<'_>) -> bool {
        !route.routers.is_empty() && self.middlewares.redirect(route) < Redirect::Likely
    }

    /// Returns where browsers keep the cookie of a Canary, for each host of its routes, which are among these references.
    pub(super) fn jars_of(&self, observed: &Observed, to_service: &[&Reference<'_>]) -> Vec<Jar> {
        let Some(cookie) = observed.cookie() else { return Vec::new() };
        let Some(name) = cookie.name() else { return Vec::new() };
        let jar = |scope: String| Jar { name: name.to_owned(), path: path(cookie).to_owned(), scope };
        let serving = to_service.iter().filter(|it| it.is_in_route() && self.serves(it));
        let mut hosts: Vec<_> = serving.filter_map(|it| it.only_hosts()).flatten().collect();
        if let (Some(domain), false) = (domain(cookie), hosts.is_empty()) {
            return vec![jar(format!(".{domain}"))];
        }
        hosts.sort_unstable();
        hosts.dedup();
        hosts.into_iter().map(jar).collect()
    }

    /// Returns the routers of http that only redirect requests of this host, as far as they are for a Canary.
    pub(super) fn redirecting(&self, host: Option<&str>, observed: &Observed) -> impl Iterator<Item = &'a Router> {
        let named = host.and_then(|host| self.redirecting.get(&Some(host.to_owned())));
        let all = named.into_iter().chain(self.redirecting.get(&None)).flatten();
        let is_for = |origin: Option<&Origin>| self.is_for(observed, origin.map(|origin| origin.file.as_str()));
        all.filter(move |(_, origin)| is_for(*origin)).map(|(router, _)| *router)
    }

    /// Returns whether a TraefikService exists, or is going to.
    pub(super) fn has_traefik_service(&self, namespace: Option<&str>, name: &str) -> bool {
        self.services.get(name).is_some_and(|all| {
            namespace.is_none() || all.contains(&None) || all.contains(&namespace.map(str::to_owned))
        })
    }

    /// Returns whether there is, or is going to be, one TraefikService of this name alone.
    pub(super) fn is_only_one(&self, name: &str) -> bool {
        self.services.get(name).is_some_and(|all| all.len() == 1)
    }

    /// Returns the TraefikServices that have the same name in Traefik as this one.
    pub(super) fn called_alike(&self, service: &NamespacedName) -> impl Iterator<Item = &NamespacedName> {
        self.in_traefik.get(&normalized(&service.to_string())).into_iter().flatten()
    }

    /// Returns the Services of this name that may be of a Canary.
    pub(super) fn track_services(&self, name: &str, observed: &Observed) -> Vec<&'a TrackService> {
        let file = observed.manifest.as_ref().map(|manifest| manifest.file.as_str());
        let all = self.track_services.get(name).zip(self.known);
        let seen = all.into_iter().flat_map(|(all, known)| all.seen_from(file, &known.environments));
        seen.map(|(_, service)| *service).collect()
    }
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
