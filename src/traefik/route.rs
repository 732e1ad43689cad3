//! Routes to a TraefikService. Pure.
//!
//! Three kinds can refer to one: IngressRoutes, HTTPRoutes of the Gateway API, and other TraefikServices, to which routes
//! can lead in turn. The error page of a Middleware can too, but is not a route.

use std::collections::{BTreeSet, VecDeque};

use super::{
    matches::rules,
    near_miss::{NearMiss, near_misses},
    reference::{Requirement, children, leading, requirements},
    refusal::{Refusal, Scope, refusal},
    router::Router,
    routing::{Destination, Routing},
};
use crate::model::{Event, NamespacedName, ObjectKind, name::Group, view};

/// The routes and events around a Canary and its TraefikService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutesAndEvents {
    /// Routes to the TraefikService.
    pub routes: Routes,
    /// The last events of the Canary, the newest last, or why they could not be read; `None` without a cluster.
    pub events: Option<Result<Vec<Event>, String>>,
}

/// Routes to a TraefikService.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// Those that lead there, directly before those through other TraefikServices.
    pub seen: Vec<Route>,
    /// Those that were probably meant to.
    pub near_misses: Vec<NearMiss>,
    /// The kinds that could not be read, with the reason.
    pub unknown: Vec<(ObjectKind, String)>,
    /// Why routes of other namespaces could not be read, if so.
    pub elsewhere_unknown: Option<String>,
}

/// An object that routes to a TraefikService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace and name.
    pub target: NamespacedName,
    /// What requests must match, one entry each; empty if the object does not say.
    pub rules: Vec<String>,
    /// Those of the rules that Traefik refuses, or one of its versions, with the reason.
    pub refused: Vec<(String, Refusal)>,
    /// The routers that Traefik makes of it; those of the object that lead there.
    pub routers: Vec<Router>,
    /// `spec.entryPoints`.
    pub entry_points: Vec<String>,
    /// Whether `spec.tls` is set.
    pub tls: bool,
    /// The TraefikServices between them, from the route on; empty if it leads there directly.
    pub through: Vec<NamespacedName>,
    /// What Traefik needs to follow the route.
    pub requirements: BTreeSet<Requirement>,
    /// Whether it only gets copies of requests, whose answers nobody gets.
    pub is_mirror: bool,
}

impl Route {
    /// Returns the rules that Traefik refuses, or Traefik 3. What only Traefik 2 does not know is worth no word beside each
    /// route.
    pub fn shown_refusals(&self) -> impl Iterator<Item = &(String, Refusal)> {
        self.refused.iter().filter(|(_, refusal)| refusal.scope != Scope::Older)
    }
}

/// Finds the routes to a TraefikService, and those that were probably meant to lead there.
pub fn routes(routing: &Routing, destination: Destination<'_>) -> Routes {
    let is_shown = |kind: ObjectKind| !matches!(kind, ObjectKind::Middleware(_));
    let unknown = routing.unread_kinds.iter().filter(|unread| !unread.only_elsewhere && is_shown(unread.kind));
    Routes {
        seen: leading_to(routing, destination),
        near_misses: near_misses(routing, destination),
        unknown: unknown.map(|unread| (unread.kind, unread.reason.clone())).collect(),
        elsewhere_unknown: routing
            .unread_kinds
            .iter()
            .find(|unread| unread.only_elsewhere)
            .map(|unread| unread.reason.clone()),
    }
}

/// The most TraefikServices between a route and its destination: anyone may write endless chains of them.
const MOST_BETWEEN: usize = 16;

/// Finds the routes to a TraefikService, level by level of the TraefikServices between them.
pub(super) fn leading_to(routing: &Routing, destination: Destination<'_>) -> Vec<Route> {
    let mut found = Vec::new();
    let mut known = BTreeSet::from([destination.service.clone()]);
    let mut next = VecDeque::from([(destination.service.clone(), Vec::new())]);
    while let Some((service, through)) = next.pop_front() {
        let is_nested = |place: &usize| matches!(routing.object(*place).0.kind, ObjectKind::TraefikService(_));
        let (nested, direct): (Vec<_>, Vec<_>) = routing.leading_to(&service).into_iter().partition(is_nested);
        for (place, is_nested) in
            direct.into_iter().map(|it| (it, false)).chain(nested.into_iter().map(|it| (it, true)))
        {
            let (holder, _) = routing.object(place);
            let Some(mut route) = route(routing, place, &service, destination.group) else { continue };
            // What only copies requests may lead there in another way, too.
            if is_nested && !route.is_mirror {
                if !known.insert(holder.target.clone()) {
                    continue;
                }
                if through.len() < MOST_BETWEEN {
                    next.push_back((holder.target.clone(), [std::slice::from_ref(&holder.target), &through].concat()));
                }
            }
            route.through.clone_from(&through);
            found.push(route);
        }
    }
    found
}

/// Returns whether a route leads to a TraefikService, directly or through others, so that people get its answers.
pub(crate) fn is_reached(routing: &Routing, service: &NamespacedName) -> bool {
    let destination = Destination { service, group: None, aliases: &[], others: &BTreeSet::new() };
    let is_route = |route: &Route| !route.is_mirror && !matches!(route.kind, ObjectKind::TraefikService(_));
    leading_to(routing, destination).iter().any(is_route)
}

/// Returns the route from the object at this position to a TraefikService; `None` if it does not lead there.
fn route(routing: &Routing, place: usize, service: &NamespacedName, group: Option<Group>) -> Option<Route> {
    let (holder, object) = routing.object(place);
    let mut is_mirror = false;
    let (mut refused, mut routers) = (Vec::new(), Vec::new());
    let (rules, mut needed) = if matches!(holder.kind, ObjectKind::TraefikService(_)) {
        let found = children(object).into_iter();
        let found = found.filter_map(|(item, is_mirror)| Some((is_mirror, requirements(item, holder, service)?)));
        let (mirror, needed) = found.min()?;
        is_mirror = mirror;
        (Vec::new(), needed)
    } else {
        let found = leading(holder, object, service);
        let needed = found.iter().map(|(_, needed)| needed).min_by_key(|needed| needed.len())?.clone();
        refused.extend(found.iter().filter_map(|(index, _)| {
            let route = view::list(object, &["spec", "routes"]).get(*index)?;
            Some((view::owned(route, &["match"])?, refusal(holder.kind, route)?))
        }));
        let made = routing.routers_of(place).iter().map(|placed| &placed.router);
        routers.extend(made.filter(|router| found.iter().any(|(index, _)| *index == router.index)).cloned());
        (found.iter().flat_map(|(index, _)| rules(holder.kind, object, *index)).collect(), needed)
    };
    match (holder.kind, group) {
        (ObjectKind::IngressRoute(own) | ObjectKind::TraefikService(own), Some(group)) if own != group => {
            needed.insert(Requirement::BothGroups);
        }
        (ObjectKind::IngressRoute(Group::TraefikContainoUs), None) => _ = needed.insert(Requirement::OlderGroup),
        _ => {}
    }
    Some(Route {
        kind: holder.kind,
        target: holder.target.clone(),
        rules,
        refused,
        routers,
        entry_points: view::texts(object, &["spec", "entryPoints"]),
        tls: view::object(object, &["spec", "tls"]).is_some(),
        through: Vec::new(),
        requirements: needed,
        is_mirror,
    })
}

#[cfg(test)]
mod tests;
