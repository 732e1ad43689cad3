//! The IngressRoutes of an entry, and their Middlewares.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{entered, name, work::Work};
use crate::{
    model::{ObjectKind, name::Group, view},
    traefik::{
        refusal::{Refusal, refusal},
        router::{CLASS, MAX_PRIORITY, Router},
    },
};

/// An IngressRoute of our own.
struct Made {
    group: Group,
    class: Option<String>,
    /// Everything but the routes.
    spec: Map<String, Value>,
    routes: Vec<Value>,
    /// The positions of the routes, by their rules.
    places: HashMap<String, usize>,
}

impl Made {
    /// Adds a route. Traefik names a router by its rule, and the higher one is the one that counts.
    fn join(&mut self, route: Value) {
        let rule = route["match"].as_str().unwrap_or_default();
        match self.places.get(rule).and_then(|place| self.routes.get_mut(*place)) {
            Some(other) if other["priority"].as_i64() < route["priority"].as_i64() => *other = route,
            Some(_) => {}
            None => {
                self.places.insert(rule.to_owned(), self.routes.len());
                self.routes.push(route);
            }
        }
    }
}

impl Work<'_> {
    /// Makes an IngressRoute for each set of routes that share what an IngressRoute has once, and the Middlewares.
    pub(super) fn ingress_routes(&mut self) {
        let mut made: Vec<Made> = Vec::new();
        // By what the routes share.
        let mut places = HashMap::new();
        for place in self.leading_to_it() {
            let (object, value) = self.routing.object(place);
            let ObjectKind::IngressRoute(group) = object.kind else { continue };
            // Those of another Canary's entry are no models, whatever they lead to.
            if entered(value).is_some() || !self.is_here(object) {
                continue;
            }
            let mut spec = value["spec"].as_object().cloned().unwrap_or_default();
            spec.remove("routes");
            let class = view::owned(value, &["metadata", "annotations", CLASS]);
            let shared = (group, class.clone(), Value::Object(spec.clone()).to_string());
            self.leave_out_refused(place);
            for router in self.routing.routers_of(place) {
                if !self.is_own(router) {
                    continue;
                }
                let route = &value["spec"]["routes"][router.router.index];
                let Some(route) = self.ingress_route_rule(route, &router.router) else { continue };
                let place = *places.entry(shared.clone()).or_insert(made.len());
                if place == made.len() {
                    let (class, spec) = (class.clone(), spec.clone());
                    made.push(Made { group, class, spec, routes: Vec::new(), places: HashMap::new() });
                }
                made[place].join(route);
            }
        }
        for group in Group::ALL {
            let of_group = || made.iter().filter(|made| made.group == group);
            if of_group().next().is_some() {
                let spec = json!({"headers": {"customRequestHeaders": {"Cookie": ""}}});
                self.add(ObjectKind::Middleware(group), 0, &[], &spec);
            }
            for (number, made) in of_group().enumerate() {
                let mut spec = made.spec.clone();
                spec.insert("routes".into(), made.routes.clone().into());
                let class: Vec<_> = made.class.iter().map(|class| (CLASS, class.as_str())).collect();
                self.add(ObjectKind::IngressRoute(group), number, &class, &spec.into());
            }
        }
    }

    /// Reports the routes of an IngressRoute that lead to the TraefikService, and whose rules Traefik rejects.
    fn leave_out_refused(&mut self, place: usize) {
        let (object, value) = self.routing.object(place);
        for index in self.leading(place) {
            let refused = refusal(object.kind, &value["spec"]["routes"][index]);
            if let Some(refusal) = refused.filter(Refusal::is_certain) {
                let route = format!("route {} of {} `{}`", index + 1, object.kind.kind(), object.target);
                self.leave_out::<()>(&route, &format!("Traefik rejects its rule: {}", refusal.reason));
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
}
