//! The objects of an entry while they are made: which routes are covered, and what would take a path.

use serde_json::{Map, Value, json};

use super::{
    EntryObjects, Holder, Routing, entered, is_of,
    references::{has_backend, leading},
};
use crate::{
    model::{
        Entry, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, ObjectKind, ObjectRef,
        entry::{CANARY_ANNOTATION, ENTRY_ANNOTATION},
        name::{CANARY_API_VERSION, Group},
        view,
    },
    traefik::{
        route::{anywhere, names, texts},
        router::{CLASS, MAX_PRIORITY, Router, http_rule, matches, routers},
        rule::{Answer, Request},
    },
};

/// The most matches that a rule of an HTTPRoute may have (`sigs.k8s.io/gateway-api` `apis/v1/httproute_types.go`).
const MAX_MATCHES: usize = 64;

/// Routes of an IngressRoute of our own, and what they share.
struct Shared {
    group: Group,
    /// Everything but the routes.
    spec: Map<String, Value>,
    class: Option<String>,
    routes: Vec<Value>,
}

/// The objects while they are made.
pub(super) struct Work<'a> {
    entry: &'a Entry,
    holder: &'a Holder,
    routing: &'a Routing,
    /// All routers but those of this entry.
    others: Vec<(Router, bool)>,
    /// Paths that a route serves, by position.
    served: Vec<bool>,
    result: EntryObjects,
}

impl<'a> Work<'a> {
    pub(super) fn new(entry: &'a Entry, holder: &'a Holder, routing: &'a Routing) -> Self {
        let of = |kind: &'static str, objects: Vec<&'a Value>| {
            objects.into_iter().filter(|object| !is_of(object, &holder.canary)).flat_map(move |object| {
                // A route elsewhere that leads here is not covered, and counts like any other.
                let is_here = holder.canary.may_be_in(NamespacedName::of(object).namespace.as_deref());
                let leads = if is_here { leading(kind, object, &holder.service) } else { Vec::new() };
                routers(kind, object).into_iter().map(move |router| {
                    let is_own = leads.contains(&router.index);
                    (router, is_own)
                })
            })
        };
        let others = of("IngressRoute", routing.ingress_routes.iter().map(|(_, object)| object).collect())
            .chain(of("HTTPRoute", routing.http_routes.iter().collect()))
            .chain(of("Ingress", routing.ingresses.iter().collect()))
            .collect();
        Self {
            entry,
            holder,
            routing,
            others,
            served: vec![false; entry.paths().len()],
            result: EntryObjects::default(),
        }
    }

    /// Makes everything.
    pub(super) fn done(mut self) -> EntryObjects {
        self.ingress_routes();
        self.http_routes();
        self.name_others();
        self.find_unserved();
        if let Some(reason) = &self.routing.unread_elsewhere {
            self.result
                .notes
                .push(format!("cannot tell whether a route in another namespace serves a path of the entry: {reason}"));
        }
        self.result
    }

    /// Makes an IngressRoute for each set of routes that share what an IngressRoute has once, and the Middlewares.
    fn ingress_routes(&mut self) {
        let mut sources: Vec<_> = self.routing.ingress_routes.iter().collect();
        sources.sort_by_key(|(group, object)| (*group, NamespacedName::of(object)));
        let mut made: Vec<Shared> = Vec::new();
        for (group, object) in sources {
            let target = NamespacedName::of(object);
            let leads = leading("IngressRoute", object, &self.holder.service);
            // Those of another Canary's entry are no models, whatever they lead to.
            if entered(object).is_some() || leads.is_empty() || !self.is_here(&target, "IngressRoute") {
                continue;
            }
            let mut spec = object["spec"].as_object().cloned().unwrap_or_default();
            spec.remove("routes");
            let class = view::owned(object, &["metadata", "annotations", CLASS]);
            for router in routers("IngressRoute", object).into_iter().filter(|it| leads.contains(&it.index)) {
                let route = &object["spec"]["routes"][router.index];
                let Some(route) = self.ingress_route_rule(route, &router) else { continue };
                let known = made.iter_mut().find(|it| (&it.group, &it.spec, &it.class) == (group, &spec, &class));
                match known {
                    // Traefik names a router by its rule, and the higher one is the one that counts.
                    Some(it) => match it.routes.iter_mut().find(|other| other["match"] == route["match"]) {
                        Some(other) if other["priority"].as_i64() < route["priority"].as_i64() => *other = route,
                        Some(_) => {}
                        None => it.routes.push(route),
                    },
                    None => made.push(Shared {
                        group: *group,
                        spec: spec.clone(),
                        class: class.clone(),
                        routes: vec![route],
                    }),
                }
            }
        }
        for group in Group::ALL {
            if made.iter().any(|it| it.group == group) {
                let spec = json!({"headers": {"customRequestHeaders": {"Cookie": ""}}});
                self.add(ObjectKind::Middleware(group), 0, &[], &spec);
            }
        }
        for group in Group::ALL {
            let of_group = made.iter().filter(|it| it.group == group);
            for (number, it) in of_group.enumerate() {
                let mut spec = it.spec.clone();
                spec.insert("routes".into(), it.routes.clone().into());
                let class: Vec<_> = it.class.iter().map(|class| (CLASS, class.as_str())).collect();
                self.add(ObjectKind::IngressRoute(group), number, &class, &spec.into());
            }
        }
    }

    /// Returns the route of our own for one of an IngressRoute.
    fn ingress_route_rule(&mut self, route: &Value, router: &Router) -> Option<Value> {
        // Zero means the rule's length.
        let priority = match router.priority.saturating_add(1) {
            0 => 1,
            priority => priority,
        };
        if priority > MAX_PRIORITY {
            return self.leave_out(&router.holder, "its priority is the highest that can be set");
        }
        let paths = self.paths(router, |_| priority)?;
        let rules: Vec<_> = paths.iter().map(|path| format!("Path(`{path}`)")).collect();
        // A line break before the parenthesis would end the expression (`go/scanner`).
        let text = view::text(route, &["match"])?.trim();
        let mut route = route.clone();
        route["match"] = format!("({text}) && ({})", rules.join(" || ")).into();
        route["priority"] = priority.into();
        let mut middlewares = route["middlewares"].as_array().cloned().unwrap_or_default();
        middlewares.push(json!({"name": name(&self.holder.canary, 0)}));
        route["middlewares"] = middlewares.into();
        Some(route)
    }

    /// Makes an HTTPRoute for each that leads to the TraefikService.
    fn http_routes(&mut self) {
        let mut sources: Vec<_> = self.routing.http_routes.iter().collect();
        sources.sort_by_key(|object| NamespacedName::of(object));
        let mut number = 0;
        for object in sources {
            let leads = leading("HTTPRoute", object, &self.holder.service);
            let is_here = |work: &mut Self| work.is_here(&NamespacedName::of(object), "HTTPRoute");
            if entered(object).is_some() || leads.is_empty() || !is_here(self) {
                continue;
            }
            let rules: Vec<Value> = leads.iter().filter_map(|index| self.http_route_rule(object, *index)).collect();
            if rules.is_empty() {
                continue;
            }
            let mut spec = object["spec"].clone();
            spec["rules"] = rules.into();
            self.add(ObjectKind::HttpRoute, number, &[], &spec);
            number += 1;
        }
    }

    /// Returns the rule of our own for one of an HTTPRoute.
    fn http_route_rule(&mut self, object: &Value, index: usize) -> Option<Value> {
        let hosts = texts(object, &["spec", "hostnames"]);
        let rule = &object["spec"]["rules"][index];
        // It needs a single match of a prefix (`apis/v1/httproute_types.go`).
        if rule["filters"].to_string().contains("ReplacePrefixMatch") {
            return self.leave_out(&format!("HTTPRoute `{}`", NamespacedName::of(object)), "it replaces a prefix");
        }
        let all = routers("HTTPRoute", object).into_iter().filter(|router| router.index == index);
        let mut wanted = Vec::new();
        for (item, router) in matches(rule).into_iter().zip(all) {
            let exactly = |path: &str| {
                let mut item = item.clone();
                item["path"] = json!({"type": "Exact", "value": path});
                item
            };
            // Traefik adds one for each further rule of a route: at least one.
            let paths = self.paths(&router, |path| http_rule(&hosts, &exactly(path)).1 + 1);
            wanted.extend(paths.into_iter().flatten().map(|path| exactly(&path)));
        }
        if wanted.len() > MAX_MATCHES {
            return self.leave_out(
                &format!("HTTPRoute `{}`", NamespacedName::of(object)),
                "it would need more than 64 matches",
            );
        }
        if wanted.is_empty() {
            return None;
        }
        let mut rule = rule.clone();
        rule["matches"] = wanted.into();
        let mut filters = rule["filters"].as_array().cloned().unwrap_or_default();
        // A rule may have this filter once.
        match filters.iter_mut().find(|filter| filter["type"] == "RequestHeaderModifier") {
            Some(filter) => {
                let mut removed = filter["requestHeaderModifier"]["remove"].as_array().cloned().unwrap_or_default();
                removed.push("Cookie".into());
                filter["requestHeaderModifier"]["remove"] = removed.into();
            }
            None => {
                filters.push(json!({"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["Cookie"]}}));
            }
        }
        rule["filters"] = filters.into();
        // A rule's name is unique in its route, and optional.
        rule.as_object_mut()?.remove("name");
        Some(rule)
    }

    /// Returns the paths that a route can serve, and reports those that something else serves; `None` if there are none.
    /// `priority` is that of our own route for a path.
    fn paths(&mut self, own: &Router, priority: impl Fn(&str) -> i64) -> Option<Vec<String>> {
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
                let takes = |(other, leads_here): &&(Router, bool)| {
                    let answer = if *leads_here { Answer::No } else { other.answers(request, own) };
                    // Which of two with one priority serves a request is left to chance.
                    other.priority >= own.priority
                        && (answer == Answer::Yes || (answer == Answer::Maybe && other.priority <= priority(path)))
                };
                if let Some((other, _)) = self.others.iter().filter(takes).max_by_key(|(other, _)| other.priority) {
                    let host = host.as_ref().map_or_else(String::new, |host| format!(" on host `{host}`"));
                    let is = if other.priority > own.priority { "is" } else { "may be" };
                    let problem = format!(
                        "`{path}`{host} {is} served by {} (priority {}) instead of {} (priority {})",
                        other.holder, other.priority, own.holder, own.priority
                    );
                    if !self.result.problems.contains(&problem) {
                        self.result.problems.push(problem);
                    }
                }
            }
        }
        (!paths.is_empty()).then_some(paths)
    }

    /// Returns whether a route is in the Canary's namespace, and reports it if not.
    fn is_here(&mut self, target: &NamespacedName, kind: &str) -> bool {
        let is_here = self.holder.canary.may_be_in(target.namespace.as_deref());
        if !is_here {
            self.leave_out::<()>(&format!("{kind} `{target}`"), "it is in another namespace");
        }
        is_here
    }

    fn leave_out<T>(&mut self, route: &str, reason: &str) -> Option<T> {
        let text = format!("{route} is not covered: {reason}");
        if !self.result.notes.contains(&text) {
            self.result.notes.push(text);
        }
        None
    }

    /// Reports what leads to the TraefikService or to its Services in another way.
    fn name_others(&mut self) {
        let service = &self.holder.service;
        for object in &self.routing.traefik_services {
            let target = NamespacedName::of(object);
            let leads = |spec| anywhere(spec, &|item| names(item, &target, service, None));
            if target != *service && object.get("spec").is_some_and(leads) {
                self.leave_out::<()>(
                    &format!("TraefikService `{target}`"),
                    "it leads to the Canary, and routes to it get no entry",
                );
            }
        }
        for object in &self.routing.ingresses {
            let target = NamespacedName::of(object);
            let own = [service.name.clone(), format!("{}-primary", service.name), format!("{}-canary", service.name)];
            let leads = service.may_be_in(target.namespace.as_deref())
                && own.iter().any(|name| has_backend(object.get("spec").unwrap_or(&Value::Null), name));
            if leads {
                self.leave_out::<()>(&format!("Ingress `{target}`"), "an Ingress cannot lead to a TraefikService");
            }
        }
    }

    /// Reports paths that no route to the TraefikService serves.
    fn find_unserved(&mut self) {
        let has_routes = !self.result.wanted.is_empty() || self.others.iter().any(|(_, leads_here)| *leads_here);
        let unserved = self.entry.paths().iter().zip(&self.served).filter(|(_, served)| has_routes && !**served);
        let problems: Vec<_> =
            unserved.map(|(path, _)| format!("no route that the entry can cover serves `{path}`")).collect();
        self.result.problems.extend(problems);
    }

    /// Adds an object with everything that ours have.
    fn add(&mut self, kind: ObjectKind, number: usize, annotations: &[(&str, &str)], spec: &Value) {
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

/// Returns the n-th name of objects of an entry, counted from 0.
fn name(canary: &NamespacedName, number: usize) -> String {
    if number == 0 { format!("{}-entry", canary.name) } else { format!("{}-entry-{}", canary.name, number + 1) }
}
