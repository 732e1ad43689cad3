//! Reads what an entry depends on: routes, and the objects of entries. All lists are parallel. Routes of all namespaces
//! matter, since Traefik chooses among all of them by priority; without the right to see them, those next to the Canary
//! are read alone.

use std::sync::Arc;

use futures_util::future::{join, join3};
use serde_json::Value;

use crate::{
    apiserver::{
        Call, Failure, Verb,
        list::{self, Depth},
        request::percent_encoded,
    },
    cluster::{Cluster, paths::path},
    model::{MANAGED_BY, MANAGED_BY_LABEL, ObjectKind, name::Group},
    observed::Loaded,
    traefik::entry::{Need, Routing},
};

const INGRESSES: &str = "ingresses.networking.k8s.io";

impl Cluster {
    /// Adds the routing, if any of these Canaries needs it.
    pub(super) async fn with_routing(&self, pairs: Vec<Loaded>, namespace: Option<&str>, need: Need) -> Vec<Loaded> {
        let declares = pairs.iter().any(|pair| pair.observed.canary.entry.is_some());
        let routing = match need {
            Need::All => self.routing(namespace).await,
            _ if declares => self.routing(namespace).await,
            Need::Own if !pairs.is_empty() => self.entry_objects(namespace).await,
            Need::Own | Need::IfDeclared => return pairs,
        };
        let routing = Arc::new(routing);
        pairs.into_iter().map(|pair| pair.with_routing(routing.clone())).collect()
    }

    /// Reads everything that entries in this namespace, or in all, depend on.
    pub(super) async fn routing(&self, namespace: Option<&str>) -> Routing {
        let ((ingress_routes, http_routes, ingresses), middlewares, services) = join3(
            join3(
                self.of_both_groups(ObjectKind::IngressRoute, namespace, Place::Everywhere),
                self.seen(ObjectKind::HttpRoute, namespace, Place::Everywhere),
                self.ingresses(namespace),
            ),
            self.of_both_groups(ObjectKind::Middleware, namespace, Place::Here),
            self.of_both_groups(ObjectKind::TraefikService, namespace, Place::Here),
        )
        .await;
        let unread = [&ingress_routes.1, &middlewares.1].into_iter().find_map(|unread| unread.here.clone());
        let unread_elsewhere =
            [&ingress_routes.1, &http_routes.1].into_iter().find_map(|unread| unread.elsewhere.clone());
        Routing {
            ingress_routes: ingress_routes.0,
            http_routes: http_routes.0,
            ingresses,
            traefik_services: services.0.into_iter().map(|(_, object)| object).collect(),
            middlewares: middlewares.0,
            unread,
            unread_elsewhere,
        }
    }

    /// Reads the objects of entries in this namespace, or in all. What cannot be read counts as missing.
    pub(super) async fn entry_objects(&self, namespace: Option<&str>) -> Routing {
        let (ingress_routes, middlewares, http_routes) = join3(
            self.of_both_groups(ObjectKind::IngressRoute, namespace, Place::Own),
            self.of_both_groups(ObjectKind::Middleware, namespace, Place::Own),
            self.seen(ObjectKind::HttpRoute, namespace, Place::Own),
        )
        .await;
        Routing {
            ingress_routes: ingress_routes.0,
            middlewares: middlewares.0,
            http_routes: http_routes.0,
            ..Routing::default()
        }
    }

    async fn of_both_groups(
        &self,
        kind: fn(Group) -> ObjectKind,
        namespace: Option<&str>,
        place: Place,
    ) -> (Vec<(Group, Value)>, Unread) {
        let [first, second] = Group::ALL;
        let ((mut all, unread), (others, _)) =
            join(self.seen(kind(first), namespace, place), self.seen(kind(second), namespace, place)).await;
        let mut all: Vec<_> = all.drain(..).map(|object| (first, object)).collect();
        all.extend(others.into_iter().map(|object| (second, object)));
        (all, unread)
    }

    /// Lists one kind. A kind that is not served has no objects.
    async fn seen(&self, kind: ObjectKind, namespace: Option<&str>, place: Place) -> (Vec<Value>, Unread) {
        let mut unread = Unread::default();
        if place == Place::Everywhere && namespace.is_some() {
            match self.objects(kind, None, "").await {
                Ok(objects) => return (objects, unread),
                Err(failure) if failure.is_no_such_resource() => return (Vec::new(), unread),
                Err(failure) => unread.elsewhere = Some(reason(failure, kind, None)),
            }
        }
        let query = match place {
            Place::Own => {
                format!("?labelSelector={}", percent_encoded(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}")))
            }
            Place::Here | Place::Everywhere => String::new(),
        };
        match self.objects(kind, namespace, &query).await {
            Ok(objects) => (objects, unread),
            Err(failure) if failure.is_no_such_resource() => (Vec::new(), Unread::default()),
            Err(failure) => {
                unread.here = Some(reason(failure, kind, namespace));
                (Vec::new(), unread)
            }
        }
    }

    async fn objects(&self, kind: ObjectKind, namespace: Option<&str>, query: &str) -> Result<Vec<Value>, Failure> {
        let call = Call { verb: Verb::List, resource: kind.resource(), namespace, name: None };
        let answer = self.api.ask(&call, &(path(kind, namespace, None) + query)).await?;
        list::read(answer.body, Depth::WithoutManagedFields, Some).await
    }

    /// Lists the Ingresses of all namespaces, or else of this one; none if neither is allowed.
    async fn ingresses(&self, namespace: Option<&str>) -> Vec<Value> {
        for namespace in [None, namespace] {
            let place =
                namespace.map_or_else(String::new, |namespace| format!("/namespaces/{}", percent_encoded(namespace)));
            let path = format!("/apis/networking.k8s.io/v1{place}/ingresses");
            let call = Call { verb: Verb::List, resource: INGRESSES, namespace, name: None };
            if let Ok(answer) = self.api.ask(&call, &path).await {
                return list::read(answer.body, Depth::WithoutManagedFields, Some).await.unwrap_or_default();
            }
        }
        Vec::new()
    }
}

fn reason(failure: Failure, kind: ObjectKind, namespace: Option<&str>) -> String {
    let call = Call { verb: Verb::List, resource: kind.resource(), namespace, name: None };
    failure.into_error(&call).message().to_owned()
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

/// Why objects could not be read.
#[derive(Debug, Clone, Default)]
struct Unread {
    here: Option<String>,
    elsewhere: Option<String>,
}
