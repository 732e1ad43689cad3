//! The objects of an entry while they are made: which routes are covered, and what would take a path.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::{EntryObjects, Holder, is_of, name};
use crate::{
    model::{
        Entry, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, ObjectKind, ObjectRef,
        entry::{CANARY_ANNOTATION, ENTRY_ANNOTATION},
        name::CANARY_API_VERSION,
    },
    traefik::{
        near_miss,
        reference::{has_backend, leading},
        route,
        router::Router,
        routing::{Destination, NO_OBJECT, PlacedRouter, Routing},
        rule::{Answer, Request, Rule},
    },
};

/// The most that asking other routers may cost for one entry.
const MAX_ASKED: usize = 500_000;

/// The most paths of routes that are named.
const MOST_NAMED: usize = 5;

/// The objects while they are made.
pub(super) struct Work<'a> {
    pub(super) entry: &'a Entry,
    pub(super) holder: &'a Holder,
    pub(super) routing: &'a Routing,
    /// The Canary's own routes that lead to its TraefikService: each object's position, and the route's in it.
    own: HashSet<(usize, usize)>,
    /// Paths that a route serves, by position.
    served: Vec<bool>,
    /// What asking other routers has cost so far.
    asked: usize,
    /// All problems and notes.
    said: HashSet<String>,
    result: EntryObjects,
}

impl<'a> Work<'a> {
    pub(super) fn new(entry: &'a Entry, holder: &'a Holder, routing: &'a Routing) -> Self {
        let mut work = Self {
            entry,
            holder,
            routing,
            own: HashSet::new(),
            served: vec![false; entry.paths().len()],
            asked: 0,
            said: HashSet::new(),
            result: EntryObjects::default(),
        };
        for place in work.leading_to_it() {
            let (object, value) = routing.object(place);
            // The entry does not apply to a route elsewhere that leads here; it counts like any other.
            if holder.canary.may_be_in(object.target.namespace.as_deref()) && !is_of(value, &holder.canary) {
                work.own.extend(work.leading(place).into_iter().map(|index| (place, index)));
            }
        }
        work
    }

    /// Makes everything.
    pub(super) fn done(mut self) -> EntryObjects {
        self.ingress_routes();
        self.http_routes();
        self.name_others();
        self.find_unserved();
        if self.asked > MAX_ASKED {
            self.result.problems.push("there are too many routes to tell what serves its paths".into());
        }
        if let Some(reason) = &self.routing.unread_elsewhere {
            self.result.notes.push(format!("cannot tell whether another route serves a path of the entry: {reason}"));
        }
        self.result
    }

    /// Returns the positions of the objects that lead to the TraefikService.
    pub(super) fn leading_to_it(&self) -> Vec<usize> {
        let places = self.routing.leading_to(&self.holder.service).into_iter();
        places.filter(|place| !self.leading(*place).is_empty()).collect()
    }

    /// Returns the positions of the routes of an object that lead to the TraefikService.
    pub(super) fn leading(&self, place: usize) -> Vec<usize> {
        let (object, value) = self.routing.object(place);
        leading(object, value, &self.holder.service).into_iter().map(|(index, _)| index).collect()
    }

    /// Returns whether a router leads from the Canary's namespace to its TraefikService.
    pub(super) fn is_own(&self, router: &PlacedRouter) -> bool {
        self.own.contains(&(router.object, router.router.index))
    }

    /// Returns the paths that a route can serve, and reports those that something else serves; `None` if there are none.
    /// `priority` is that of our own route for a path.
    pub(super) fn paths(&mut self, own: &Router, priority: impl Fn(&str) -> i64) -> Option<Vec<String>> {
        let Some(rule) = &own.rule else {
            return self.leave_out(&own.holder, "its rule cannot be read");
        };
        let mut paths = Vec::new();
        for (at, path) in self.entry.paths().iter().enumerate() {
            let asked = rule
                .hosts(path)
                .into_iter()
                .filter(|host| rule.answers(Request { host: host.as_deref(), path }) != Answer::No);
            let asked: Vec<_> = asked.collect();
            if asked.is_empty() {
                continue;
            }
            self.served[at] = true;
            paths.push(path.clone());
            for host in asked {
                let request = Request { host: host.as_deref(), path };
                let Some(other) = self.server_instead(own, request, priority(path)) else { continue };
                let host = host.as_ref().map_or_else(String::new, |host| format!(" on host `{host}`"));
                let is = if other.priority > own.priority { "is" } else { "may be" };
                let (server, instead) = if other.holder == own.holder {
                    (format!("route {} of {}", other.index + 1, other.holder), format!("route {}", own.index + 1))
                } else {
                    (other.holder.clone(), own.holder.clone())
                };
                let problem = format!(
                    "`{path}`{host} {is} served by {server} (priority {}) instead of {instead} (priority {})",
                    other.priority, own.priority
                );
                if self.said.insert(problem.clone()) {
                    self.result.problems.push(problem);
                }
            }
        }
        (!paths.is_empty()).then_some(paths)
    }

    /// Returns the router that serves a request instead of `own`, or from which a route of this priority would take it.
    fn server_instead(&mut self, own: &Router, request: Request<'_>, priority: i64) -> Option<&'a Router> {
        let mut found: Option<&'a PlacedRouter> = None;
        for other in self.routing.routers_at(request.host) {
            // Which of two with one priority serves a request is left to chance.
            let is_above = found.is_none_or(|found| other.router.priority >= found.router.priority);
            if other.router.priority < own.priority || !is_above || self.is_own(other) {
                continue;
            }
            self.asked += other.cost;
            if self.asked > MAX_ASKED {
                return None;
            }
            let takes = match other.router.answers(request, own) {
                Answer::No => false,
                Answer::Maybe => other.router.priority <= priority,
                Answer::Yes => true,
            };
            let is_entry =
                || other.object != NO_OBJECT && is_of(self.routing.object(other.object).1, &self.holder.canary);
            if takes && !is_entry() {
                found = found.filter(|found| found.key() > other.key()).or(Some(other));
            }
        }
        found.map(|found| &found.router)
    }

    /// Returns whether an object is in the Canary's namespace, and reports it if not.
    pub(super) fn is_here(&mut self, object: &ObjectRef) -> bool {
        let is_here = self.holder.canary.may_be_in(object.target.namespace.as_deref());
        if !is_here {
            let route = format!("{} `{}`", object.kind.kind(), object.target);
            self.leave_out::<()>(&route, "it is in another namespace");
        }
        is_here
    }

    pub(super) fn leave_out<T>(&mut self, route: &str, reason: &str) -> Option<T> {
        let text = format!("the entry does not apply to {route}: {reason}");
        if self.said.insert(text.clone()) {
            self.result.notes.push(text);
        }
        None
    }

    /// Reports what leads to the TraefikService, or to its Services, in another way.
    fn name_others(&mut self) {
        let (service, routing) = (&self.holder.service, self.routing);
        let destination = Destination { service, group: None, aliases: &[], others: &BTreeSet::new() };
        let nested = route::leading_to(routing, destination).into_iter();
        for route in nested.filter(|route| !matches!(route.kind, ObjectKind::TraefikService(_))) {
            let Some(outer) = route.through.first() else { continue };
            self.leave_out::<()>(
                &format!("{} `{}`", route.kind.kind(), route.target),
                &format!("it leads to the Canary through TraefikService `{outer}`"),
            );
        }
        for object in routing.of_kind(ObjectKind::Ingress, service.namespace.as_deref()) {
            let spec = object.get("spec").unwrap_or(&Value::Null);
            if near_miss::services(&service.name).iter().any(|name| has_backend(spec, name)) {
                let target = NamespacedName::of(object);
                self.leave_out::<()>(&format!("Ingress `{target}`"), "an Ingress cannot lead to a TraefikService");
            }
        }
    }

    /// Reports paths that no route to the TraefikService serves.
    fn find_unserved(&mut self) {
        let has_routes = !self.result.wanted.is_empty() || !self.own.is_empty();
        let unserved = self.entry.paths().iter().zip(&self.served).filter(|(_, served)| has_routes && !**served);
        let rules = self.own.iter().flat_map(|(place, index)| {
            let own = self.routing.routers_of(*place).iter().filter(move |it| it.router.index == *index);
            own.filter_map(|it| it.router.rule.as_ref())
        });
        let others: BTreeSet<_> = rules.flat_map(Rule::paths).collect();
        let others: Vec<_> = others.iter().take(MOST_NAMED).map(|path| format!("`{path}`")).collect();
        let others =
            if others.is_empty() { String::new() } else { format!("; its routes serve {}", others.join(", ")) };
        let problems: Vec<_> =
            unserved.map(|(path, _)| format!("no route that the entry applies to serves `{path}`{others}")).collect();
        self.result.problems.extend(problems);
    }

    /// Adds an object with everything that ours have.
    pub(super) fn add(&mut self, kind: ObjectKind, number: usize, annotations: &[(&str, &str)], spec: &Value) {
        let Holder { canary, uid, .. } = self.holder;
        let name = name(canary, number);
        let mut metadata = json!({
            "name": name,
            "labels": {MANAGED_BY_LABEL: MANAGED_BY},
            "annotations": {ENTRY_ANNOTATION: self.entry.to_string(), CANARY_ANNOTATION: canary.name},
        });
        for (key, value) in annotations {
            metadata["annotations"][key] = (*value).into();
        }
        if let Some(namespace) = &canary.namespace {
            metadata["namespace"] = namespace.clone().into();
        }
        // Deleted with the Canary, by the garbage collector.
        if let Some(uid) = uid {
            metadata["ownerReferences"] =
                json!([{"apiVersion": CANARY_API_VERSION, "kind": "Canary", "name": canary.name, "uid": uid}]);
        }
        let value = json!({"apiVersion": kind.api_version(), "kind": kind.kind(), "metadata": metadata, "spec": spec});
        let target = NamespacedName { namespace: canary.namespace.clone(), name };
        self.result.wanted.push((ObjectRef { kind, target }, value));
    }
}
