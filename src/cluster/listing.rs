//! Lists Canaries and TraefikServices, each kind with one request.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    apiserver::{Failure, list, parts::Part, request::get},
    cluster::{Cluster, Selection, collections::of_kind, no_flagger, paths::path},
    error::Result,
    flagger::Canary,
    model::{NamespacedName, ObjectKind, name::Group},
    observed::TraefikServiceState,
    traefik::TraefikService,
};

impl Cluster {
    pub(super) async fn list_canaries(&self, selection: Selection<'_>, keep: bool) -> Result<Vec<(Canary, Value)>> {
        let mut collection = of_kind(ObjectKind::Canary, selection.namespace, depth(keep));
        if let Some(selector) = selection.selector {
            collection = collection.selected(selector);
        }
        let canaries = self.api.list(&collection, move |object| {
            Canary::from_object(&object).map(|canary| (canary, if keep { object } else { Value::Null }))
        });
        canaries.await.map_err(|failure| if failure.is_no_such_resource() { no_flagger() } else { failure.into() })
    }

    /// Returns the names of all Canaries in a namespace or, for `None`, the names of all namespaces. Sends one request
    /// without retries, for metadata only; `None` on failure.
    pub async fn names(&self, namespace: Option<&str>) -> Option<Vec<String>> {
        const NAMES: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
        let path = match namespace {
            Some(namespace) => path(ObjectKind::Canary, Some(namespace), None),
            None => "/api/v1/namespaces".to_owned(),
        };
        let mut request = get(&path).ok()?;
        request.headers_mut().insert(http::header::ACCEPT, http::HeaderValue::from_static(NAMES));
        let name = |object: Value| Some(NamespacedName::of(&object).name);
        list::read(self.api.once(request).await?, &Part::WithoutManagedFields, name).await.ok()
    }

    /// Lists the TraefikServices of one API group.
    pub(super) async fn list_services(&self, group: Group, namespace: Option<&str>, keep: bool) -> Result<Listed> {
        let kind = ObjectKind::TraefikService(group);
        let collection = of_kind(kind, namespace, depth(keep));
        let services = self.api.list(&collection, move |object| {
            let service = TraefikService::from_object(&object, group)?;
            Some((service.target.clone(), (service, keep.then_some(object))))
        });
        match services.await {
            Ok(services) => Ok(Listed::Seen(services.into_iter().collect())),
            Err(failure) if failure.is_no_such_resource() => Ok(Listed::NotServed),
            Err(failure) if failure.is_forbidden() => {
                Ok(Listed::Forbidden(Box::new(forbidden(TraefikServiceState::NotServed, failure))))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

/// TraefikServices by name.
pub(super) type Seen = HashMap<NamespacedName, (TraefikService, Option<Value>)>;

/// The result of listing one API group.
pub(super) enum Listed {
    Seen(Seen),
    NotServed,
    Forbidden(Box<TraefikServiceState>),
}

/// Adds a list to `services`, and sets `missing` to the state of a TraefikService that is in no list.
pub(super) fn take(services: &mut Seen, missing: &mut TraefikServiceState, listed: Listed) {
    match listed {
        Listed::Seen(seen) => {
            *missing = TraefikServiceState::NotGenerated;
            // The first group takes precedence.
            let before = std::mem::replace(services, seen);
            services.extend(before);
        }
        Listed::Forbidden(why) if *missing == TraefikServiceState::NotServed => *missing = *why,
        Listed::NotServed | Listed::Forbidden(_) => {}
    }
}

/// Returns the state of a TraefikService that may not be read in one API group. If the user may read the other group,
/// that is the one in use: the API server also answers 403 for a group that it does not serve.
pub(super) fn forbidden(missing: TraefikServiceState, failure: Failure) -> TraefikServiceState {
    match missing {
        TraefikServiceState::NotServed => TraefikServiceState::Forbidden(failure.into_message()),
        missing => missing,
    }
}

/// Returns the depth to parse. Objects that are kept for a change need their `managedFields`.
fn depth(keep: bool) -> &'static Part {
    if keep { &Part::Whole } else { &Part::WithoutManagedFields }
}
