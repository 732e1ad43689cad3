//! Reads the objects that route, and those of entries, for `describe`, `lint`, `verify` and entries. All lists are parallel.
//! Routes of all namespaces matter, since Traefik chooses among all of them by priority; without permission to see them, those
//! next to the Canary are read alone.

use std::sync::Arc;

use futures_util::future::{join_all, join3};
use serde_json::Value;

use crate::{
    apiserver::Part,
    cluster::{Cluster, collections::of_kind},
    error::Error,
    model::{MANAGED_BY, MANAGED_BY_LABEL, ObjectKind, name::Group},
    observed::Loaded,
    traefik::{
        Routing,
        entry::{self, Need},
        routing::Unread,
    },
};

const NEW: Group = Group::TraefikIo;
const OLD: Group = Group::TraefikContainoUs;
/// The kinds of which Traefik makes routers.
const ROUTES: [ObjectKind; 4] =
    [ObjectKind::IngressRoute(NEW), ObjectKind::IngressRoute(OLD), ObjectKind::HttpRoute, ObjectKind::Ingress];
/// The kinds through which routes can lead.
const SERVICES: [ObjectKind; 2] = [ObjectKind::TraefikService(NEW), ObjectKind::TraefikService(OLD)];
/// What else an entry depends on.
const MIDDLEWARES: [ObjectKind; 2] = [ObjectKind::Middleware(NEW), ObjectKind::Middleware(OLD)];

impl Cluster {
    /// Adds the routing, if any of these Canaries needs it.
    pub(super) async fn with_routing(&self, pairs: Vec<Loaded>, namespace: Option<&str>, need: Need) -> Vec<Loaded> {
        let declares = pairs.iter().any(|pair| pair.observed.canary.entry.is_some());
        let routing = match need {
            Need::Nothing => return pairs,
            Need::Routes => self.routing_of(namespace, &[]).await,
            Need::All => self.routing(namespace).await,
            _ if declares => self.routing(namespace).await,
            Need::Own if !pairs.is_empty() => self.entry_objects(namespace).await,
            Need::Own | Need::IfDeclared => return pairs,
        };
        let routing = Arc::new(routing);
        pairs.into_iter().map(|pair| pair.with_routing(routing.clone())).collect()
    }

    /// Reads everything that entries in this namespace, or in all, depend on.
    pub async fn routing(&self, namespace: Option<&str>) -> Routing {
        self.routing_of(namespace, &MIDDLEWARES).await
    }

    async fn routing_of(&self, namespace: Option<&str>, middlewares: &[ObjectKind]) -> Routing {
        let everywhere = |kind| self.seen(kind, namespace, Place::Everywhere);
        let (routes, services, middlewares) = join3(
            join_all(ROUTES.map(everywhere)),
            join_all(SERVICES.map(everywhere)),
            join_all(middlewares.iter().map(|kind| self.seen(*kind, namespace, Place::Here))),
        )
        .await;
        // The first of each kind is the group in use. Without permission to see HTTPRoutes and Ingresses, of which there may
        // be none, an entry can still be made.
        let message = |error: &Error| error.message().to_owned();
        let first = routes.iter().take(1).chain(middlewares.iter().take(1));
        let unread = first.filter_map(|seen| seen.unread_here.as_ref()).map(message).next();
        let elsewhere = routes.iter().filter(|seen| !is_old(seen.kind));
        let elsewhere = elsewhere.filter_map(|seen| seen.unread_elsewhere.as_ref().or(seen.unread_here.as_ref()));
        let unread_elsewhere = elsewhere.map(message).next();
        let mut unread_kinds: Vec<_> = routes.iter().chain(&services).filter_map(Seen::unread).collect();
        if let [new, old, ..] = routes.as_slice()
            && !new.is_served
            && !old.is_served
        {
            // A cluster with Traefik always serves IngressRoutes.
            let reason = format!("the server has no resource type `{}`", new.kind.resource());
            unread_kinds.insert(0, Unread { kind: new.kind, only_elsewhere: false, reason, permission: None });
        }
        let mut routing: Routing =
            routes.into_iter().chain(services).chain(middlewares).flat_map(Seen::objects).collect();
        (routing.unread, routing.unread_elsewhere, routing.unread_kinds) = (unread, unread_elsewhere, unread_kinds);
        routing.with_other_routers(self.other_routers.clone())
    }

    /// Reads the objects of entries in this namespace, or in all. What cannot be read counts as missing.
    pub(super) async fn entry_objects(&self, namespace: Option<&str>) -> Routing {
        let seen = join_all(entry::KINDS.map(|kind| self.seen(kind, namespace, Place::Own))).await;
        seen.into_iter().flat_map(Seen::objects).collect()
    }

    /// Lists one kind. A kind that is not served has no objects.
    async fn seen(&self, kind: ObjectKind, namespace: Option<&str>, place: Place) -> Seen {
        let mut seen = Seen { kind, objects: Vec::new(), is_served: true, unread_here: None, unread_elsewhere: None };
        if place == Place::Everywhere && namespace.is_some() {
            match self.api.list(&of_kind(kind, None, &Part::WithoutManagedFields), Some).await {
                Ok(objects) => return Seen { objects, ..seen },
                Err(failure) if failure.is_no_such_resource() => return Seen { is_served: false, ..seen },
                Err(failure) => seen.unread_elsewhere = Some(failure.into()),
            }
        }
        let mut here = of_kind(kind, namespace, &Part::WithoutManagedFields);
        if place == Place::Own {
            here = here.selected(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
        }
        match self.api.list(&here, Some).await {
            Ok(objects) => seen.objects = objects,
            Err(failure) if failure.is_no_such_resource() => seen.is_served = false,
            Err(failure) => seen.unread_here = Some(failure.into()),
        }
        seen
    }
}

/// Returns whether a kind is of the older group, which Traefik 3 does not read.
fn is_old(kind: ObjectKind) -> bool {
    kind.group() == OLD.as_str()
}

/// Which objects of a kind to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Those next to the Canary.
    Here,
    /// Those of entries, next to the Canary.
    Own,
    /// Those of all namespaces, if that is allowed.
    Everywhere,
}

/// What was seen of one kind.
struct Seen {
    kind: ObjectKind,
    objects: Vec<Value>,
    /// Whether the server knows the kind.
    is_served: bool,
    /// Why the objects next to the Canary could not be read, if so.
    unread_here: Option<Error>,
    /// Why those of other namespaces could not be read, if so.
    unread_elsewhere: Option<Error>,
}

impl Seen {
    /// Returns what could not be read. Of the older group nothing is missed: a server also answers 403 for a group that
    /// it does not serve.
    fn unread(&self) -> Option<Unread> {
        let error = self.unread_here.as_ref().or(self.unread_elsewhere.as_ref()).filter(|_| !is_old(self.kind))?;
        let (reason, permission) = (error.message().to_owned(), error.missing_permission().cloned());
        Some(Unread { kind: self.kind, only_elsewhere: self.unread_here.is_none(), reason, permission })
    }

    fn objects(self) -> impl Iterator<Item = (ObjectKind, Value)> {
        self.objects.into_iter().map(move |object| (self.kind, object))
    }
}
