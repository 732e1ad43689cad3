//! A Canary and its TraefikService with the unchanged objects.

use std::{collections::BTreeSet, sync::Arc};

use super::Observed;
use crate::{
    flagger::NativeField,
    model::{NamespacedName, Stickiness},
    traefik::{
        Routes,
        cookie_value::{self, Track},
        route,
        routing::{Destination, Routing},
    },
};

/// A Canary and its TraefikService with the unchanged objects: the state that a change starts from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The parsed objects.
    pub observed: Observed,
    /// The Canary as the server sent it, or as it is in the manifest.
    pub canary: serde_json::Value,
    /// The TraefikService, likewise.
    pub service: Option<serde_json::Value>,
    /// Whether the schema of the cluster's Canaries has the native field.
    pub native: NativeField,
    /// The routes and the objects of entries; `None` if they were not read.
    pub routing: Option<Arc<Routing>>,
}

impl Loaded {
    /// Puts together objects of which nothing else was read.
    pub fn of(observed: Observed, canary: serde_json::Value, service: Option<serde_json::Value>) -> Self {
        Self { observed, canary, service, native: NativeField::Absent, routing: None }
    }

    /// Adds what was read of the routes.
    #[must_use]
    pub fn with_routing(mut self, routing: Arc<Routing>) -> Self {
        self.observed = self.observed.with_entry(Some(&routing));
        self.routing = Some(routing);
        self
    }

    /// Returns the routes to the TraefikService, as far as they were read. `others` are the TraefikServices of other
    /// Canaries, whether they exist yet or not.
    pub fn routes(&self, others: &BTreeSet<NamespacedName>) -> Routes {
        let canary = &self.observed.canary;
        let (Some(routing), Some(service)) = (&self.routing, canary.service_target()) else { return Routes::default() };
        let mut aliases = vec![canary.target.name.as_str()];
        aliases.extend(canary.target_name.as_deref());
        let group = self.observed.service().map(|service| service.group);
        route::routes(routing, Destination { service: &service, group, aliases: &aliases, others })
    }

    /// Returns the declared cookie and entry, as far as they are well-formed.
    pub fn declared(&self) -> Stickiness {
        let canary = &self.observed.canary;
        Stickiness { cookie: canary.declared.cookie().cloned(), entry: canary.declared_entry().cloned() }
    }

    /// Returns the live cookie and entry.
    pub fn live(&self) -> Stickiness {
        Stickiness { cookie: self.observed.live_cookie().cloned(), entry: self.observed.live_entry.clone() }
    }

    /// Returns what of the TraefikService is no longer the same in what was read later, if anything.
    pub fn moved(&self, later: &Self) -> Option<&'static str> {
        let generation = |loaded: &Self| loaded.service.as_ref()?.pointer("/metadata/generation")?.as_i64();
        if self.observed.weights() != later.observed.weights() {
            return Some("the weights changed meanwhile");
        }
        (generation(self) != generation(later)).then_some("the TraefikService changed meanwhile")
    }

    /// Returns the tracks of the Canary, with the cookie values that pin to them. Empty if it names no target.
    pub fn tracks(&self, namespace: Option<&str>) -> Vec<Track> {
        let canary = &self.observed.canary;
        let service = self.observed.service().and(self.service.as_ref());
        let of_flagger = [("primary", canary.primary_name()), ("canary", canary.canary_name())];
        let parent = canary.service_name.as_deref().unwrap_or_default();
        cookie_value::tracks(service, of_flagger, canary.port, namespace, parent)
    }

    /// Returns the names that the cookie can have: without and with safeNaming.
    pub fn cookie_names(&self, namespace: Option<&str>) -> Vec<String> {
        let mut names: Vec<_> =
            [false, true].into_iter().filter_map(|safe| self.cookie_name(namespace, safe)).collect();
        names.dedup();
        names
    }

    /// Returns the name of the cookie: of the live one, else of the declared one.
    pub fn cookie_name(&self, namespace: Option<&str>, safe_naming: bool) -> Option<String> {
        let canary = &self.observed.canary;
        let cookie = self.observed.live_cookie().or_else(|| canary.declared.cookie())?;
        let parent = canary.service_name.as_deref().unwrap_or_default();
        cookie_value::cookie_name(cookie, namespace, parent, safe_naming)
    }
}
