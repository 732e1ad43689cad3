//! Routes that were probably meant to lead to a TraefikService, and what to change about them. Pure.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    matches::rules,
    reference::{self, children, has_backend, is_idle, requirements},
    routing::{Destination, Routing},
};
use crate::{
    model::{NamespacedName, ObjectKind, ObjectRef, view},
    text::is_near,
};

/// A route that leads past the TraefikService, or to one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace and name.
    pub target: NamespacedName,
    /// What requests must match, one entry each; empty if the object does not say.
    pub rules: Vec<String>,
    /// Where it leads instead.
    pub problem: String,
    /// What to change.
    pub fix: String,
}

/// Finds the routes that were probably meant to lead to this TraefikService.
pub(super) fn near_misses(routing: &Routing, destination: Destination<'_>) -> Vec<NearMiss> {
    let own = destination.service;
    let mut existing = HashMap::<&str, Vec<&NamespacedName>>::new();
    for other in routing.of_traefik_services().chain(destination.others).filter(|other| *other != own) {
        existing.entry(&other.name).or_default().push(other);
    }
    let search = Search { routing, destination, existing };
    let mut found: Vec<NearMiss> = Vec::new();
    let is_own = |holder: &ObjectRef| {
        matches!(holder.kind, ObjectKind::TraefikService(_)) && holder.target == *destination.service
    };
    for (holder, object) in routing.objects().filter(|(holder, _)| !is_own(holder)) {
        let first = found.len();
        for (rules, (problem, fix)) in search.of(holder, object) {
            match found[first..].iter_mut().find(|miss| miss.problem == problem) {
                Some(miss) => miss.rules.extend(rules),
                None => {
                    found.push(NearMiss { kind: holder.kind, target: holder.target.clone(), rules, problem, fix });
                }
            }
        }
    }
    found
}

struct Search<'a> {
    routing: &'a Routing,
    destination: Destination<'a>,
    /// All other TraefikServices, by name.
    existing: HashMap<&'a str, Vec<&'a NamespacedName>>,
}

/// What is wrong with a reference, and what to change.
type Miss = (String, String);

impl Search<'_> {
    /// Returns what is wrong with the references of an object, with the rules of its routes.
    fn of(&self, holder: &ObjectRef, object: &Value) -> Vec<(Vec<String>, Miss)> {
        match holder.kind {
            ObjectKind::TraefikService(_) => {
                let items = children(object).into_iter().filter(|(_, is_mirror)| !is_mirror);
                items.filter_map(|(item, _)| Some((Vec::new(), self.item(item, holder)?))).collect()
            }
            ObjectKind::Ingress => self.ingress(holder, object).into_iter().collect(),
            kind => {
                let routes = reference::routes(kind, object).enumerate();
                let misses = routes.flat_map(|(index, items)| {
                    let found = items
                        .iter()
                        .filter_map(|item| self.item(item, holder).or_else(|| self.idle(item, holder, items.len())));
                    found.map(move |miss| (rules(kind, object, index), miss))
                });
                misses.collect()
            }
        }
    }

    /// Returns what is wrong with an item, if it was probably meant to name the TraefikService.
    fn item(&self, item: &Value, holder: &ObjectRef) -> Option<Miss> {
        let name = view::text(item, &["name"])?;
        match view::text(item, &["kind"]).unwrap_or("Service") {
            "Service" => self.service(name, item, holder),
            "TraefikService" if requirements(item, holder, self.destination.service).is_none() => {
                self.traefik_service(name, item, holder)
            }
            _ => None,
        }
    }

    /// Returns what is wrong with a reference that gets no requests.
    fn idle(&self, item: &Value, holder: &ObjectRef, count: usize) -> Option<Miss> {
        let own = self.destination.service;
        requirements(item, holder, own).filter(|_| is_idle(item, holder.kind, count))?;
        Some((format!("it gives TraefikService `{}` a weight of 0", own.name), "raise the weight".to_owned()))
    }

    /// Returns what is wrong with a reference to one of the Canary's Services.
    fn service(&self, name: &str, item: &Value, holder: &ObjectRef) -> Option<Miss> {
        let own = self.destination.service;
        let namespace = view::text(item, &["namespace"]).or(holder.target.namespace.as_deref());
        let problem = bypass(name, &own.name).filter(|_| own.may_be_in(namespace))?;
        let mut fields = match holder.kind {
            ObjectKind::HttpRoute => vec!["group: traefik.io".to_owned()],
            _ => Vec::new(),
        };
        fields.extend(["kind: TraefikService".to_owned(), format!("name: {}", own.name)]);
        Some((problem, format!("{}, without `port`", use_fields(&fields))))
    }

    /// Returns what is wrong with a reference to a TraefikService that does not exist.
    fn traefik_service(&self, name: &str, item: &Value, holder: &ObjectRef) -> Option<Miss> {
        let Destination { service: own, aliases, .. } = self.destination;
        let written = view::text(item, &["namespace"]);
        let namespace = written.or(holder.target.namespace.as_deref());
        let (short, provider) = name.rsplit_once('@').map_or((name, None), |(short, other)| (short, Some(other)));
        let named = NamespacedName { namespace: namespace.map(str::to_owned), name: name.to_owned() };
        let is_here = own.may_be_in(namespace);
        let is_meant = match provider {
            Some(_) => {
                short == own.name || own.namespace.as_ref().is_some_and(|it| short == format!("{it}-{}", own.name))
            }
            None if short == own.name => true,
            None => is_here && (aliases.contains(&short) || is_near(short, &own.name)),
        };
        if !is_meant || self.may_exist(&named) {
            return None;
        }
        let mut fields = Vec::new();
        if short != own.name || provider.is_some() {
            fields.push(format!("name: {}", own.name));
        }
        if let Some(namespace) = own.namespace.as_ref().filter(|_| !is_here) {
            fields.push(format!("namespace: {namespace}"));
        }
        if holder.kind == ObjectKind::HttpRoute
            && provider.is_none()
            && view::text(item, &["group"]) != Some("traefik.io")
        {
            fields.push("group: traefik.io".to_owned());
        }
        let problem = if is_here && short == own.name && provider.is_none() {
            "it names the TraefikService without its API group".to_owned()
        } else if provider.is_some_and(|provider| provider != "kubernetescrd") {
            format!("it leads to service `{name}` of another Traefik provider")
        } else {
            format!("it leads to TraefikService `{named}`, which does not exist")
        };
        Some((problem, use_fields(&fields)))
    }

    /// Returns whether a TraefikService exists, as far as can be seen; the own one does not count.
    fn may_exist(&self, named: &NamespacedName) -> bool {
        let own = self.destination.service;
        if named == own {
            return false;
        }
        let is_kind = |kind: ObjectKind| matches!(kind, ObjectKind::TraefikService(_));
        let is_unread =
            |here: bool| self.routing.unread_kinds.iter().any(|it| is_kind(it.kind) && !(here && it.only_elsewhere));
        let mut of_name = self.existing.get(&*named.name).into_iter().flatten();
        is_unread(named.namespace == own.namespace) || of_name.any(|it| it.may_be_in(named.namespace.as_deref()))
    }

    /// Returns what is wrong with an Ingress to one of the Canary's Services.
    fn ingress(&self, holder: &ObjectRef, object: &Value) -> Option<(Vec<String>, Miss)> {
        let own = self.destination.service;
        let spec = object.get("spec").filter(|_| own.may_be_in(holder.target.namespace.as_deref()))?;
        // What another ingress controller serves was not meant for Traefik.
        let class = view::text(spec, &["ingressClassName"])
            .or_else(|| view::text(object, &["metadata", "annotations", "kubernetes.io/ingress.class"]));
        if class.is_some_and(|class| !class.to_ascii_lowercase().contains("traefik")) {
            return None;
        }
        let service = services(&own.name).into_iter().find(|name| has_backend(spec, name))?;
        let problem = bypass(&service, &own.name)?;
        let rules = view::list(object, &["spec", "rules"]).iter();
        let hosts = rules.filter_map(|rule| view::owned(rule, &["host"])).collect();
        Some((hosts, (problem, format!("replace it with an IngressRoute to TraefikService `{}`", own.name))))
    }
}

/// Returns the names of the Services that Flagger creates beside a TraefikService of this name.
pub(super) fn services(name: &str) -> [String; 3] {
    [name.to_owned(), format!("{name}-primary"), format!("{name}-canary")]
}

/// Returns what is wrong with a reference to this Service; `None` if it is none of the Canary's.
fn bypass(name: &str, own: &str) -> Option<String> {
    let at = services(own).iter().position(|service| service == name)?;
    // fluxcd/flagger pkg/router/kubernetes_default.go:reconcileService
    let always = if at == 0 { ", which always selects the primary" } else { "" };
    Some(format!("it leads to Service `{name}`{always}, not to the TraefikService"))
}

/// Returns which fields of an item to set.
fn use_fields(fields: &[String]) -> String {
    format!("use {}", fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", "))
}
