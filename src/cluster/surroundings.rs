//! What is around a Canary: the routes to its TraefikService, and its last events. Lists of one namespace, side by side.
//! Nothing here is needed for the rest: what may not be looked at says so.
//!
//! Routes are looked for in the namespace of the Canary alone. One elsewhere may name the TraefikService too where Traefik
//! runs with `allowCrossNamespace`; to see those would take the right to list routes in all namespaces.

use futures_util::future::{join, join_all};

use super::{
    Call, Cluster, Failure, Verb,
    list::{self, Depth},
    object::percent_encoded,
};
use crate::model::{Event, Looked, Observed, Route, RouteKind, Surroundings};

/// How many events are worth the room.
const LAST: usize = 10;

impl Cluster {
    /// What is around a Canary.
    pub async fn surroundings(&self, observed: &Observed) -> Surroundings {
        let kinds = RouteKind::all(observed.routed_to().1);
        let routes = join_all(kinds.map(|kind| async move { (kind, self.routes(observed, kind).await) }));
        let (routes, events) = join(routes, self.events(observed)).await;
        Surroundings { routes, events: Some(events) }
    }

    async fn routes(&self, observed: &Observed, kind: RouteKind) -> Looked<Vec<Route>> {
        let (Some(service), group) = observed.routed_to() else { return Looked::Seen(Vec::new()) };
        let namespace = service.namespace.clone().unwrap_or_else(|| self.namespace().to_owned());
        let resource = kind.resource();
        let plural = resource.split('.').next().unwrap_or_default();
        let path = format!("/apis/{}/namespaces/{}/{plural}", kind.api_version(), percent_encoded(&namespace));
        let call = Call { verb: Verb::List, resource: &resource, namespace: Some(&namespace), name: None };
        let listed = match self.ask(&call, &path).await {
            Ok(answer) => {
                list::read(answer.body, Depth::Unmanaged, move |object| kind.route(&object, &service, group)).await
            }
            Err(failure) => Err(failure),
        };
        match listed {
            Ok(routes) => Looked::Seen(routes),
            // A kind that is not there leads nowhere. But a cluster with Traefik has IngressRoutes.
            Err(failure) if failure.is_no_such_resource() && !matches!(kind, RouteKind::IngressRoute(_)) => {
                Looked::Seen(Vec::new())
            }
            Err(failure) => unknown(failure, &call),
        }
    }

    async fn events(&self, observed: &Observed) -> Looked<Vec<Event>> {
        let target = &observed.canary.target;
        let namespace = target.namespace.clone().unwrap_or_else(|| self.namespace().to_owned());
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
        let listed = match self.ask(&call, &path).await {
            Ok(answer) => list::read(answer.body, Depth::Unmanaged, |object| Some(Event::from_object(&object))).await,
            Err(failure) => Err(failure),
        };
        match listed {
            Ok(mut events) => {
                events.sort_by(Event::by_last_seen);
                Looked::Seen(events.split_off(events.len().saturating_sub(LAST)))
            }
            Err(failure) => unknown(failure, &call),
        }
    }
}

fn unknown<T>(failure: Failure, call: &Call<'_>) -> Looked<T> {
    Looked::Unknown(failure.into_error(call).message().to_owned())
}
