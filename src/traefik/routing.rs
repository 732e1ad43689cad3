//! The objects that decide which router serves a request, indexed: a cluster may have thousands of routes and Canaries,
//! and what one Canary's entry depends on must not take a look at all of them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::{
    reference::{Key, keys, keys_to},
    router::{Router, routers},
    rule::Rule,
};
use crate::{
    error::MissingPermission,
    model::{NamespacedName, ObjectKind, ObjectRef, name::Group},
};

/// The objects that decide which router serves a request, and those of entries: IngressRoutes, HTTPRoutes, Ingresses,
/// Middlewares, and the TraefikServices through which others can be reached.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    /// In the order of their references. Manifests may have several of one name.
    objects: Vec<(ObjectRef, Arc<Value>)>,
    /// In the order of their objects.
    routers: Vec<PlacedRouter>,
    /// The routers that serve only named hosts, by host.
    by_host: HashMap<String, Vec<usize>>,
    /// The routers that may serve any host.
    of_any_host: Vec<usize>,
    /// The objects that may lead to a TraefikService, by its keys.
    by_service: HashMap<Key, Vec<usize>>,
    /// Routers of Traefik's other providers, which belong to no object.
    others: Vec<Router>,
    /// Why the routes next to the Canary could not be read, if so.
    pub unread: Option<String>,
    /// Why other routes could not be read, if so.
    pub unread_elsewhere: Option<String>,
    /// The kinds that could not be read, or only next to the Canary.
    pub unread_kinds: Vec<Unread>,
}

/// A TraefikService to look for routes to.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// Its namespace and name.
    pub service: &'a NamespacedName,
    /// Its API group; `None` if it does not exist yet.
    pub group: Option<Group>,
    /// Other names that the Canary goes by: its own, and that of its target.
    pub aliases: &'a [&'a str],
    /// TraefikServices of other Canaries, whether they exist yet or not.
    pub others: &'a BTreeSet<NamespacedName>,
}

/// A kind of objects that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The kind.
    pub kind: ObjectKind,
    /// Whether those next to the Canary could be read.
    pub only_elsewhere: bool,
    /// Why they could not be read.
    pub reason: String,
    /// The permission that was missing, if it was that.
    pub permission: Option<MissingPermission>,
}

/// The position of what is no object: behind all of them.
pub(super) const NO_OBJECT: usize = usize::MAX;

/// A router of an object, or of another provider.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlacedRouter {
    /// Position of the object; [`NO_OBJECT`] for a router of another provider.
    pub(super) object: usize,
    pub(super) router: Router,
    /// What it costs to ask its rule.
    pub(super) cost: usize,
}

impl PlacedRouter {
    /// Returns the order in which routers count: by priority, and else by their objects.
    pub(super) fn key(&self) -> (i64, usize) {
        (self.router.priority, self.object)
    }
}

impl<T: Into<Arc<Value>>> FromIterator<(ObjectKind, T)> for Routing {
    fn from_iter<I: IntoIterator<Item = (ObjectKind, T)>>(objects: I) -> Self {
        let objects = objects.into_iter().map(|(kind, value)| {
            let value: Arc<Value> = value.into();
            (ObjectRef { kind, target: NamespacedName::of(&value) }, value)
        });
        Self::indexed(objects.collect(), Vec::new())
    }
}

impl Routing {
    fn indexed(mut objects: Vec<(ObjectRef, Arc<Value>)>, others: Vec<Router>) -> Self {
        objects.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut all = Self::default();
        for (place, (object, value)) in objects.iter().enumerate() {
            for key in keys(object.kind, value) {
                all.by_service.entry(key).or_default().push(place);
            }
            for router in routers(object.kind, value) {
                all.place(place, router);
            }
        }
        for router in &others {
            all.place(NO_OBJECT, router.clone());
        }
        Self { objects, others, ..all }
    }

    fn place(&mut self, object: usize, router: Router) {
        let number = self.routers.len();
        match router.rule.as_ref().and_then(Rule::only_hosts) {
            Some(hosts) => {
                for host in hosts {
                    self.by_host.entry(host).or_default().push(number);
                }
            }
            None => self.of_any_host.push(number),
        }
        let cost = router.rule.as_ref().map_or(1, Rule::cost);
        self.routers.push(PlacedRouter { object, router, cost });
    }

    /// Counts these routers of Traefik's other providers among those that can serve a request.
    #[must_use]
    pub fn with_other_routers(self, others: Vec<Router>) -> Self {
        if others.is_empty() {
            return self;
        }
        let Self { objects, unread, unread_elsewhere, unread_kinds, .. } = self;
        Self { unread, unread_elsewhere, unread_kinds, ..Self::indexed(objects, others) }
    }

    /// Puts an object in the place of its former state; null removes it.
    pub fn replace(&mut self, object: &ObjectRef, value: &Value) {
        let mut objects = std::mem::take(&mut self.objects);
        objects.retain(|(other, _)| other != object);
        if !value.is_null() {
            objects.push((object.clone(), Arc::new(value.clone())));
        }
        let (unread, unread_elsewhere) = (self.unread.take(), self.unread_elsewhere.take());
        let unread_kinds = std::mem::take(&mut self.unread_kinds);
        let others = std::mem::take(&mut self.others);
        *self = Self { unread, unread_elsewhere, unread_kinds, ..Self::indexed(objects, others) };
    }

    /// Returns the objects of this kind and namespace whose names begin with this one.
    pub(super) fn beginning_with(&self, first: ObjectRef) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        let begin = self.objects.partition_point(|(object, _)| *object < first);
        let same = self.objects[begin..].iter().take_while(move |(object, _)| {
            object.kind == first.kind
                && object.target.namespace == first.target.namespace
                && object.target.name.starts_with(&first.target.name)
        });
        same.map(|(object, value)| (object, &**value))
    }

    /// Returns every object, in the order of their references.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        self.objects.iter().map(|(object, value)| (object, &**value))
    }

    /// Returns the namespace and name of every TraefikService.
    pub fn of_traefik_services(&self) -> impl Iterator<Item = &NamespacedName> {
        let services = self.objects.iter().filter(|(object, _)| matches!(object.kind, ObjectKind::TraefikService(_)));
        services.map(|(object, _)| &object.target)
    }

    /// Returns the objects of a kind that can be in a namespace: manifests may omit it.
    pub(super) fn of_kind(&self, kind: ObjectKind, namespace: Option<&str>) -> impl Iterator<Item = &Value> {
        let begin = self.objects.partition_point(|(object, _)| object.kind < kind);
        let all = &self.objects[begin..];
        let all = &all[..all.partition_point(|(object, _)| object.kind == kind)];
        // Those without a namespace come first.
        let (anywhere, placed) = all.split_at(all.partition_point(|(object, _)| object.target.namespace.is_none()));
        let placed = namespace.map_or(placed, |namespace| {
            let begin = placed.partition_point(|(object, _)| object.target.namespace.as_deref() < Some(namespace));
            let placed = &placed[begin..];
            &placed[..placed.partition_point(|(object, _)| object.target.namespace.as_deref() == Some(namespace))]
        });
        anywhere.iter().chain(placed).map(|(_, value)| &**value)
    }

    /// Returns the positions of the objects that may lead to this TraefikService, in order.
    pub(super) fn leading_to(&self, service: &NamespacedName) -> BTreeSet<usize> {
        keys_to(service).iter().filter_map(|key| self.by_service.get(key)).flatten().copied().collect()
    }

    /// Returns the object at a position.
    pub(super) fn object(&self, place: usize) -> (&ObjectRef, &Value) {
        let (object, value) = &self.objects[place];
        (object, value)
    }

    /// Returns the routers that may serve a host, or any host.
    pub(super) fn routers_at(&self, host: Option<&str>) -> impl Iterator<Item = &PlacedRouter> {
        let (all, some) = match host {
            None => (self.routers.as_slice(), None),
            Some(host) => (&[][..], Some(self.by_host.get(host).into_iter().flatten().chain(&self.of_any_host))),
        };
        all.iter().chain(some.into_iter().flatten().map(|number| &self.routers[*number]))
    }

    /// Returns the routers of each object, in the order of [`Self::objects`].
    pub(crate) fn routers_of_each(&self) -> impl Iterator<Item = Vec<&Router>> {
        let mut all = self.routers.iter().peekable();
        (0..self.objects.len()).map(move |place| {
            let mut own = Vec::new();
            while let Some(placed) = all.next_if(|placed| placed.object == place) {
                own.push(&placed.router);
            }
            own
        })
    }

    /// Returns the routers that may serve one of these hosts, each once, with their objects; `None` for routers of other
    /// providers.
    pub(super) fn routers_of_hosts(
        &self,
        hosts: &BTreeSet<String>,
    ) -> impl Iterator<Item = (&Router, Option<(&ObjectRef, &Value)>)> {
        let named = hosts.iter().filter_map(|host| self.by_host.get(host)).flatten();
        let numbers: BTreeSet<_> = named.chain(&self.of_any_host).copied().collect();
        numbers.into_iter().map(|number| {
            let PlacedRouter { object, router, .. } = &self.routers[number];
            (router, (*object != NO_OBJECT).then(|| self.object(*object)))
        })
    }

    /// Returns the routers of an object.
    pub(super) fn routers_of(&self, place: usize) -> &[PlacedRouter] {
        let begin = self.routers.partition_point(|router| router.object < place);
        let all = &self.routers[begin..];
        &all[..all.partition_point(|router| router.object == place)]
    }
}
