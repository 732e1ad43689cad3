//! The Canaries and TraefikServices that are watched, paired. Pure; one event costs as much as the Canaries it is about.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::follow::News;
use crate::{
    apiserver::Event,
    cluster::GuardCoverage,
    flagger::Canary,
    model::{NamespacedName, name::Group},
    observed::{Observed, TraefikServiceState},
    traefik::{Routing, TraefikService},
};

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    Canaries,
    Services(Group),
}

/// What is read beside the watches.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) guard: GuardCoverage,
    /// `None` if no Canary declares an entry.
    pub(super) routing: Option<Arc<Routing>>,
    pub(super) mesh_provider: Option<String>,
}

/// Everything that rows are made of.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Names of the only Canaries to show; empty for all.
    names: BTreeSet<String>,
    canaries: BTreeMap<NamespacedName, Canary>,
    /// What a list has not named again yet.
    unnamed: BTreeSet<NamespacedName>,
    is_listed: bool,
    services: BTreeMap<Group, Services>,
    /// The Canaries of each TraefikService.
    owners: HashMap<NamespacedName, BTreeSet<NamespacedName>>,
    surroundings: Option<Surroundings>,
    changed: BTreeSet<NamespacedName>,
    deleted: Vec<Observed>,
}

/// The TraefikServices of one API group.
#[derive(Debug)]
struct Services {
    found: HashMap<NamespacedName, TraefikService>,
    unnamed: BTreeSet<NamespacedName>,
    is_listed: bool,
    /// The state of a TraefikService that is not found.
    missing: TraefikServiceState,
}

impl Board {
    pub(super) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let services = Group::ALL.map(|group| {
            let missing = TraefikServiceState::NotServed;
            (group, Services { found: HashMap::new(), unnamed: BTreeSet::new(), is_listed: false, missing })
        });
        Self { names: names.into_iter().collect(), services: services.into(), ..Self::default() }
    }

    /// Returns whether everything was listed.
    pub(super) fn is_listed(&self) -> bool {
        self.is_listed && self.services.values().all(|services| services.is_listed)
    }

    /// Returns whether everything is known that rows are made of.
    pub(super) fn is_ready(&self) -> bool {
        self.is_listed() && self.surroundings.is_some()
    }

    /// Returns whether any Canary declares an entry, and whether any depends on Flagger's mesh provider.
    pub(super) fn wants(&self) -> (bool, bool) {
        let entry = self.canaries.values().any(|canary| canary.entry.is_some());
        (entry, self.canaries.values().any(|canary| canary.provider.is_none()))
    }

    /// Returns whether a Canary declares an entry whose routes were not read.
    pub(super) fn lacks_routes(&self) -> bool {
        let has_routes = self.surroundings.as_ref().is_none_or(|around| around.routing.is_some());
        !has_routes && self.changed.iter().any(|name| self.canaries.get(name).is_some_and(|it| it.entry.is_some()))
    }

    /// Takes what was read beside the watches.
    pub(super) fn surround(&mut self, surroundings: Surroundings) {
        self.surroundings = Some(surroundings);
        self.changed = self.canaries.keys().cloned().collect();
    }

    /// Takes what a watch tells.
    pub(super) fn take(&mut self, watched: Watched, news: News) {
        match (watched, news) {
            (Watched::Canaries, News::Event(event)) => self.take_canary(event),
            (Watched::Canaries, News::NotServed | News::Forbidden(_)) => {
                self.take_canary(Event::Init);
                self.take_canary(Event::InitDone);
            }
            (Watched::Services(group), news) => self.take_service(group, news),
        }
    }

    fn take_canary(&mut self, event: Event) {
        match event {
            Event::Init => self.unnamed = self.canaries.keys().cloned().collect(),
            Event::InitApply(object) | Event::Apply(object) => self.set_canary(&object),
            Event::Delete(object) => self.delete(&NamespacedName::of(&object)),
            Event::InitDone => {
                for name in std::mem::take(&mut self.unnamed) {
                    self.delete(&name);
                }
                self.is_listed = true;
            }
            Event::TooLarge(_) => {}
        }
    }

    fn set_canary(&mut self, object: &Value) {
        let Some(canary) = Canary::from_object(object) else { return };
        let name = canary.target.clone();
        if !self.names.is_empty() && !self.names.contains(&name.name) {
            return;
        }
        self.unnamed.remove(&name);
        let wanted = canary.service_target();
        let before = self.canaries.insert(name.clone(), canary).and_then(|canary| canary.service_target());
        if before != wanted {
            self.disown(before, &name);
            if let Some(service) = wanted {
                self.owners.entry(service).or_default().insert(name.clone());
            }
        }
        self.changed.insert(name);
    }

    fn delete(&mut self, name: &NamespacedName) {
        self.deleted.extend(self.observed(name));
        if let Some(canary) = self.canaries.remove(name) {
            self.disown(canary.service_target(), name);
        }
        self.changed.remove(name);
        self.unnamed.remove(name);
    }

    fn disown(&mut self, service: Option<NamespacedName>, canary: &NamespacedName) {
        if let Some(service) = service
            && let Some(owners) = self.owners.get_mut(&service)
        {
            owners.remove(canary);
            if owners.is_empty() {
                self.owners.remove(&service);
            }
        }
    }

    fn take_service(&mut self, group: Group, news: News) {
        let Some(services) = self.services.get_mut(&group) else { return };
        let (touched, is_gone) = match news {
            News::Event(Event::Init) => {
                services.unnamed = services.found.keys().cloned().collect();
                return;
            }
            News::Event(Event::InitApply(object) | Event::Apply(object)) => {
                let Some(service) = TraefikService::from_object(&object, group) else { return };
                let target = service.target.clone();
                services.unnamed.remove(&target);
                services.found.insert(target.clone(), service);
                (vec![target], false)
            }
            News::Event(Event::Delete(object)) => (vec![NamespacedName::of(&object)], true),
            News::Event(Event::InitDone) => {
                (services.is_listed, services.missing) = (true, TraefikServiceState::NotGenerated);
                (std::mem::take(&mut services.unnamed).into_iter().collect(), true)
            }
            News::Event(Event::TooLarge(_)) => return,
            News::NotServed => {
                (services.is_listed, services.missing) = (true, TraefikServiceState::NotServed);
                (services.found.keys().cloned().collect(), true)
            }
            News::Forbidden(reason) => {
                (services.is_listed, services.missing) = (true, TraefikServiceState::Forbidden(reason));
                (services.found.keys().cloned().collect(), true)
            }
        };
        for name in touched {
            if is_gone {
                services.found.remove(&name);
            }
            self.changed.extend(self.owners.get(&name).into_iter().flatten().cloned());
        }
    }

    /// Returns the names of Canaries to show that are not there.
    pub(super) fn missing_names(&self) -> Vec<String> {
        let there: BTreeSet<_> = self.canaries.keys().map(|name| &name.name).collect();
        self.names.iter().filter(|name| !there.contains(name)).cloned().collect()
    }

    /// Returns the names of the Canaries to show, those in a rollout first if they have to be `first`.
    pub(super) fn shown(&self, rollouts_first: bool) -> Vec<&NamespacedName> {
        let shown = self.canaries.iter().filter(|(name, canary)| self.is_shown(name, canary));
        if !rollouts_first {
            return shown.map(|(name, _)| name).collect();
        }
        let (rolling, others): (Vec<_>, Vec<_>) = shown.partition(|(_, canary)| canary.progress(0).is_some());
        rolling.into_iter().chain(others).map(|(name, _)| name).collect()
    }

    fn is_shown(&self, name: &NamespacedName, canary: &Canary) -> bool {
        match &canary.provider {
            _ if !self.names.is_empty() => true,
            Some(provider) => provider == "traefik",
            None => self.observed(name).is_some_and(|observed| observed.on_traefik()),
        }
    }

    /// Takes the names of the Canaries that have changed and are shown, and what was deleted.
    pub(super) fn take_changes(&mut self) -> (Vec<NamespacedName>, Vec<Observed>) {
        let mut changed: Vec<_> = std::mem::take(&mut self.changed).into_iter().collect();
        changed.retain(|name| self.canaries.get(name).is_some_and(|canary| self.is_shown(name, canary)));
        (changed, std::mem::take(&mut self.deleted))
    }

    /// Forgets what has changed: everything is shown anew.
    pub(super) fn forget_changes(&mut self) {
        self.changed.clear();
        self.deleted.clear();
    }

    /// Returns a Canary with its TraefikService.
    pub(super) fn observed(&self, name: &NamespacedName) -> Option<Observed> {
        let canary = self.canaries.get(name)?.clone();
        let target = canary.service_target();
        let found = target.and_then(|target| {
            // The first group takes precedence.
            Group::ALL.iter().find_map(|group| self.services.get(group)?.found.get(&target)).cloned()
        });
        let observed = match found {
            Some(service) => Observed::pair(canary, Some(service)),
            None => Observed { service: self.missing(), ..Observed::pair(canary, None) },
        };
        let around = self.surroundings.as_ref();
        let mut observed = observed.with_entry(around.and_then(|around| around.routing.as_deref()));
        if let Some(around) = around {
            observed.guarded = around.guard.covers(&observed);
            observed.mesh_provider.clone_from(&around.mesh_provider);
        }
        Some(observed)
    }

    /// Returns the state of a TraefikService that is in neither group. If the user may read one of them, that is the one in
    /// use: the API server also answers 403 for a group that it does not serve.
    fn missing(&self) -> TraefikServiceState {
        let all = || self.services.values().map(|services| &services.missing);
        let is = |wanted: &TraefikServiceState| all().find(|missing| *missing == wanted).cloned();
        is(&TraefikServiceState::NotGenerated)
            .or_else(|| all().find(|missing| matches!(missing, TraefikServiceState::Forbidden(_))).cloned())
            .unwrap_or(TraefikServiceState::NotServed)
    }

    /// Returns why TraefikServices may not be read, if so.
    pub(super) fn forbidden(&self) -> Option<String> {
        match self.missing() {
            TraefikServiceState::Forbidden(reason) => Some(reason),
            _ => None,
        }
    }
}
