//! The IngressRoutes of an entry, and their Middlewares.

use serde_json::{Map, Value, json};

use super::{entered, name, work::Work};
use crate::{
    model::{ObjectKind, name::Group, view},
    traefik::router::{CLASS, MAX_PRIORITY, Router},
};

/// Routes of an IngressRoute of our own, and what they share.
#[derive(PartialEq)]
struct Shared {
    group: Group,
    /// Everything but the routes.
    spec: Map<String, Value>,
    class: Option<String>,
}

impl Work<'_> {
    /// Makes an IngressRoute for each set of routes that share what an IngressRoute has once, and the Middlewares.
    pub(super) fn ingress_routes(&mut self) {
        let mut made: Vec<(Shared, Vec<Value>)> = Vec::new();
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
            let shared = Shared { group, spec, class };
            for router in self.routing.routers_of(place) {
                if !self.is_own(router) {
                    continue;
                }
                let route = &value["spec"]["routes"][router.router.index];
                let Some(route) = self.ingress_route_rule(route, &router.router) else { continue };
                match made.iter_mut().find(|(other, _)| *other == shared) {
                    Some((_, routes)) => join(routes, route),
                    None => made
                        .push((Shared { spec: shared.spec.clone(), class: shared.class.clone(), group }, vec![route])),
                }
            }
        }
        for group in Group::ALL {
            let of_group = || made.iter().filter(|(shared, _)| shared.group == group);
            if of_group().next().is_some() {
                let spec = json!({"headers": {"customRequestHeaders": {"Cookie": ""}}});
                self.add(ObjectKind::Middleware(group), 0, &[], &spec);
            }
            for (number, (shared, routes)) in of_group().enumerate() {
                let mut spec = shared.spec.clone();
                spec.insert("routes".into(), routes.clone().into());
                let class: Vec<_> = shared.class.iter().map(|class| (CLASS, class.as_str())).collect();
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
}

/// Adds a route. Traefik names a router by its rule, and the higher one is the one that counts.
fn join(routes: &mut Vec<Value>, route: Value) {
    match routes.iter_mut().find(|other| other["match"] == route["match"]) {
        Some(other) if other["priority"].as_i64() < route["priority"].as_i64() => *other = route,
        Some(_) => {}
        None => routes.push(route),
    }
}
