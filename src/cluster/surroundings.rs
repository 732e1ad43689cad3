//! Routes to a Canary's TraefikService, and the Canary's last events, from parallel LISTs in one namespace. All of it
//! is optional: a list that may not be read is reported as such.
//!
//! Only routes in the Canary's namespace are listed. With Traefik's `allowCrossNamespace` a route elsewhere may also
//! use the TraefikService, but finding it would need the right to list routes in all namespaces.

use futures_util::future::{join, join_all};

use crate::{
    apiserver::{
        Call, Failure, Verb,
        list::{self, Depth},
        request::percent_encoded,
    },
    cluster::Cluster,
    model::Event,
    observed::Observed,
    traefik::{Lookup, Route, RouteKind, RoutesAndEvents},
};

/// Number of events shown.
const LAST: usize = 10;

impl Cluster {
    /// Reads the routes and events of a Canary.
    pub async fn surroundings(&self, observed: &Observed) -> RoutesAndEvents {
        let kinds = RouteKind::all(observed.routed_to().1);
        let routes = join_all(kinds.map(|kind| async move { (kind, self.routes(observed, kind).await) }));
        let (routes, events) = join(routes, self.events(observed)).await;
        RoutesAndEvents { routes, events: Some(events) }
    }

    async fn routes(&self, observed: &Observed, kind: RouteKind) -> Lookup<Vec<Route>> {
        let (Some(service), group) = observed.routed_to() else { return Lookup::Seen(Vec::new()) };
        let namespace = service.namespace.clone().unwrap_or_else(|| self.api.namespace().to_owned());
        let resource = kind.resource();
        let plural = resource.split('.').next().unwrap_or_default();
        let path = format!("/apis/{}/namespaces/{}/{plural}", kind.api_version(), percent_encoded(&namespace));
        let call = Call { verb: Verb::List, resource: &resource, namespace: Some(&namespace), name: None };
        let listed = match self.api.ask(&call, &path).await {
            Ok(answer) => {
                list::read(answer.body, Depth::WithoutManagedFields, move |object| kind.route(&object, &service, group))
                    .await
            }
            Err(failure) => Err(failure),
        };
        match listed {
            Ok(routes) => Lookup::Seen(routes),
            // A kind that is not served has no routes. A cluster with Traefik always serves IngressRoutes, though.
            Err(failure) if failure.is_no_such_resource() && !matches!(kind, RouteKind::IngressRoute(_)) => {
                Lookup::Seen(Vec::new())
            }
            Err(failure) => unknown(failure, &call),
        }
    }

    async fn events(&self, observed: &Observed) -> Lookup<Vec<Event>> {
        let target = &observed.canary.target;
        let namespace = target.namespace.clone().unwrap_or_else(|| self.api.namespace().to_owned());
        let mut fields = format!("involvedObject.kind=Canary,involvedObject.name={}", target.name);
        if let Some(uid) = &observed.canary.uid {
            fields.push_str(&format!(",involvedObject.uid={uid}"));
        }
        let call = Call { verb: Verb::List, resource: "events", namespace: Some(&namespace), name: None };
        let path = format!(
            "/api/v1/namespaces/{}/events?fieldSelector={}",
            percent_encoded(&namespace),
            percent_encoded(&fields)
        );
        let listed = match self.api.ask(&call, &path).await {
            Ok(answer) => {
                list::read(answer.body, Depth::WithoutManagedFields, |object| Some(Event::from_object(&object))).await
            }
            Err(failure) => Err(failure),
        };
        match listed {
            Ok(mut events) => {
                events.sort_by(Event::by_last_seen);
                Lookup::Seen(events.split_off(events.len().saturating_sub(LAST)))
            }
            Err(failure) => unknown(failure, &call),
        }
    }
}

fn unknown<T>(failure: Failure, call: &Call<'_>) -> Lookup<T> {
    Lookup::Unknown(failure.into_error(call).message().to_owned())
}
