//! Reads Canaries with their TraefikServices. A single Canary takes only GETs; many take two parallel LISTs, unpaged
//! because pages take more than four times as long (10,000 of each kind: 1.0 s against 4.7 s).

use std::collections::HashMap;

use futures_util::future::{join, join3};
use serde_json::Value;

use crate::{
    apiserver::{
        Failure, Verb,
        parts::{Part, PartRead},
        request::get,
    },
    cluster::{
        Cluster,
        collections::of_kind,
        coverage::GuardCoverage,
        listing::{Seen, forbidden, take},
        paths::{call_of, path},
    },
    error::{Error, Result},
    flagger::{Canary, NativeField, native},
    model::{
        NamespacedName, ObjectKind, ObjectRef,
        name::{Group, near},
    },
    observed::{Loaded, Observed, TraefikServiceState},
    traefik::{TraefikService, entry::Need},
};

/// The Canaries to list.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The namespace; `None` for all.
    pub namespace: Option<&'a str>,
    /// The label selector of the Canaries.
    pub selector: Option<&'a str>,
}

/// What to read of a Canary besides the Canary and its TraefikService.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Whether to look up the native field in the cluster's own schema. Only changes need that: a field that is not in
    /// the schema is never stored.
    pub schema: bool,
    /// How much of the routing.
    pub routing: Need,
}

impl Reading {
    /// What showing a Canary needs.
    pub const SHOWN: Self = Self { schema: false, routing: Need::IfDeclared };
}

impl Cluster {
    /// Lists every selected Canary with its TraefikService.
    ///
    /// # Errors
    ///
    /// Canaries cannot be listed. It is not an error if TraefikServices may not be listed: each Canary's state then
    /// says so.
    pub async fn list(&self, selection: Selection<'_>) -> Result<Vec<Observed>> {
        let (look, mut all) = self.list_with_coverage(selection).await?;
        self.confirm(&look, &mut all).await;
        Ok(all)
    }

    /// Like [`Cluster::list`], but protection is determined from the guard's objects alone, without testing whether the
    /// guard works.
    pub async fn list_covered(&self, selection: Selection<'_>) -> Result<Vec<Observed>> {
        self.list_with_coverage(selection).await.map(|(_, all)| all)
    }

    async fn list_with_coverage(&self, selection: Selection<'_>) -> Result<(GuardCoverage, Vec<Observed>)> {
        let (pairs, look) = join(self.pairs(selection, false), self.read_coverage()).await;
        let pairs = self.with_routing(pairs?, selection.namespace, Need::IfDeclared).await;
        let seen = |pair: Loaded| Observed { guarded: look.covers(&pair.observed), ..pair.observed };
        let all = pairs.into_iter().map(seen).collect();
        Ok((look, all))
    }

    /// Lists every selected Canary with its TraefikService and the raw objects, for changing what is live.
    pub async fn load_all(&self, selection: Selection<'_>) -> Result<Vec<Loaded>> {
        let pairs = self.pairs(selection, true).await?;
        Ok(self.with_routing(pairs, selection.namespace, Need::Own).await)
    }

    /// Reads one Canary with its TraefikService and the raw objects.
    ///
    /// # Errors
    ///
    /// The Canary does not exist (similar names are hints), or cannot be read.
    pub async fn load(&self, target: &NamespacedName, reading: Reading) -> Result<Loaded> {
        // Most TraefikServices have the name of their Canary: requesting that one at once saves a round trip.
        let (canary, guess, native) =
            join3(self.get(ObjectKind::Canary, target), self.get_service(target), self.native_field(reading.schema))
                .await;
        let object = match canary {
            Ok(object) => object,
            Err(failure) => return Err(self.no_canary(target, failure).await),
        };
        let canary = Canary::from_object(&object)
            .ok_or_else(|| Error::cluster(format!("Canary `{target}` has no name in the server's answer")))?;
        let (service, service_object) = match canary.service_target() {
            Some(wanted) if wanted == *target => guess?,
            Some(wanted) => self.get_service(&wanted).await?,
            None => (TraefikServiceState::NotGenerated, None),
        };
        let observed = match service {
            TraefikServiceState::Present(service) => Observed::pair(canary, Some(service)),
            service => Observed { service, ..Observed::pair(canary, None) },
        }
        .with_entry(None);
        let loaded = Loaded { observed, canary: object, service: service_object, native, routing: None };
        let namespace = target.namespace.as_deref();
        Ok(self.with_routing(vec![loaded], namespace, reading.routing).await.remove(0))
    }

    /// Reads one object.
    pub async fn get(&self, kind: ObjectKind, target: &NamespacedName) -> Result<Value, Failure> {
        let object = ObjectRef { kind, target: target.clone() };
        let request = get(&path(kind, target.namespace.as_deref(), Some(&target.name)))?;
        self.api.call(&call_of(Verb::Get, &object), request).await?.json()
    }

    /// Reads this part of one object.
    pub(crate) async fn get_part(
        &self,
        kind: ObjectKind,
        target: &NamespacedName,
        part: &'static Part,
    ) -> Result<PartRead, Failure> {
        Ok(self.get_part_dated(kind, target, part).await?.0)
    }

    /// Reads this part of one object, and the server's own time (RFC 9110), which does not depend on the local clock.
    pub(crate) async fn get_part_dated(
        &self,
        kind: ObjectKind,
        target: &NamespacedName,
        part: &'static Part,
    ) -> Result<(PartRead, Option<String>), Failure> {
        let object = ObjectRef { kind, target: target.clone() };
        let request = get(&path(kind, target.namespace.as_deref(), Some(&target.name)))?;
        let answer = self.api.call(&call_of(Verb::Get, &object), request).await?;
        Ok((answer.part(part)?, answer.date))
    }

    /// Reads the TraefikService of this name from the first API group that has one.
    async fn get_service(&self, target: &NamespacedName) -> Result<(TraefikServiceState, Option<Value>)> {
        let mut missing = TraefikServiceState::NotServed;
        for group in Group::ALL {
            match self.get(ObjectKind::TraefikService(group), target).await {
                Ok(object) => match TraefikService::from_object(&object, group) {
                    Some(service) => return Ok((TraefikServiceState::Present(service), Some(object))),
                    None => missing = TraefikServiceState::NotGenerated,
                },
                Err(failure) if failure.is_no_such_resource() => {}
                Err(failure) if failure.is_not_found() => missing = TraefikServiceState::NotGenerated,
                Err(failure) if failure.is_forbidden() => {
                    missing = forbidden(missing, failure);
                }
                Err(failure) => {
                    return Err(failure.into());
                }
            }
        }
        Ok((missing, None))
    }

    /// Returns whether the cluster's Canary schema has the native field; absent if the schema cannot be read.
    async fn native_field(&self, ask: bool) -> NativeField {
        if !ask {
            return NativeField::Absent;
        }
        native::in_schema(&self.open_api(&ObjectKind::Canary.api_version()).await)
    }

    /// Returns the error for a Canary that could not be read. If it does not exist, similar names are hints.
    async fn no_canary(&self, target: &NamespacedName, failure: Failure) -> Error {
        if failure.is_no_such_resource() {
            return no_flagger();
        }
        if failure.is_no_name() || !failure.is_not_found() {
            return failure.into();
        }
        let namespace = target.namespace.as_deref();
        let error = Error::not_found(match namespace {
            Some(namespace) => format!("no Canary `{}` in namespace `{namespace}`", target.name),
            None => format!("no Canary `{}`", target.name),
        });
        let canaries = of_kind(ObjectKind::Canary, namespace, &Part::WithoutManagedFields);
        let name = |object: Value| Canary::from_object(&object).map(|canary| canary.target.name);
        let names = self.api.list(&canaries, name).await.unwrap_or_default();
        let near = near(&target.name, names.iter().map(String::as_str));
        match near.as_slice() {
            [] if names.is_empty() => {
                error.hint_command("kubectl canary-traefik show -A", " lists the Canaries of all namespaces")
            }
            [] => {
                let place = namespace.map_or_else(String::new, |namespace| format!(" -n {namespace}"));
                error.hint_command(format!("kubectl canary-traefik show{place}"), " lists the Canaries")
            }
            near => error.hint(format!(
                "did you mean {}?",
                near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
            )),
        }
    }

    pub(super) async fn pairs(&self, selection: Selection<'_>, keep: bool) -> Result<Vec<Loaded>> {
        let mut missing = TraefikServiceState::NotServed;
        let mut services = HashMap::new();
        let [first, second] = Group::ALL;
        let (canaries, listed) =
            join(self.list_canaries(selection, keep), self.list_services(first, selection.namespace, keep)).await;
        let canaries = canaries?;
        take(&mut services, &mut missing, listed?);
        let is_there = |services: &Seen, canary: &Canary| {
            canary.service_target().is_none_or(|target| services.contains_key(&target))
        };
        if !canaries.iter().all(|(canary, _)| is_there(&services, canary)) {
            let listed = self.list_services(second, selection.namespace, keep).await?;
            take(&mut services, &mut missing, listed);
        }
        // If several Canaries share a TraefikService, the last takes it and the others clone it.
        let mut left = HashMap::<NamespacedName, usize>::new();
        for target in canaries.iter().filter_map(|(canary, _)| canary.service_target()) {
            *left.entry(target).or_default() += 1;
        }
        let pairs = canaries.into_iter().map(|(canary, object)| {
            let found = canary.service_target().and_then(|target| match left.get_mut(&target) {
                Some(left) if *left > 1 => {
                    *left -= 1;
                    services.get(&target).cloned()
                }
                _ => services.remove(&target),
            });
            let (observed, service) = match found {
                Some((service, object)) => (Observed::pair(canary, Some(service)), object),
                None => (Observed { service: missing.clone(), ..Observed::pair(canary, None) }, None),
            };
            Loaded::of(observed.with_entry(None), object, service)
        });
        Ok(pairs.collect())
    }
}

/// Returns the error for a cluster that serves no Canaries.
pub fn no_flagger() -> Error {
    Error::not_found("the cluster serves no Canaries: Flagger's custom resource definitions are not installed")
        .hint("install Flagger, or name another cluster with --context")
}
