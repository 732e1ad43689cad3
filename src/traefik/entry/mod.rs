//! The objects that make a flow's pin begin anew at its entry. Pure.
//!
//! At the paths of an entry, Traefik must not see the cookie: it then draws by the weights of the moment, and gives a
//! cookie with its whole life ahead. For each route of the Canary's namespace that leads to its TraefikService, a route
//! of our own has the same rule and these paths, and takes the `Cookie` header off: an IngressRoute by a Middleware
//! (`headers.customRequestHeaders` with an empty value, traefik/traefik `pkg/middlewares/headers/header.go`), an
//! HTTPRoute by the filter `RequestHeaderModifier`. Its middlewares come first, so that a forwardAuth sees all cookies.
//!
//! An entry never takes a request from another router. The route of our own has the priority just above its model's, so
//! whatever wins there today still wins: where that is something else, the entry would be without effect, and is
//! refused with its name. Without a priority of its own, the longer rule would win, over foreign ones too.

mod references;
mod work;

use serde_json::Value;

use self::work::Work;
use super::router::CLASS;
use crate::model::{
    Entry, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, ObjectKind, ObjectRef,
    entry::{CANARY_ANNOTATION, ENTRY_ANNOTATION},
    name::Group,
    view,
};

/// A Canary, as far as its entry depends on it.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its namespace and name.
    pub canary: NamespacedName,
    /// Its uid, if it is on a cluster.
    pub uid: Option<String>,
    /// Its TraefikService.
    pub service: NamespacedName,
}

/// The objects that decide which router serves a request, and those of entries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Routing {
    /// IngressRoutes, of both API groups.
    pub ingress_routes: Vec<(Group, Value)>,
    /// HTTPRoutes.
    pub http_routes: Vec<Value>,
    /// Ingresses.
    pub ingresses: Vec<Value>,
    /// TraefikServices, through which others can be reached.
    pub traefik_services: Vec<Value>,
    /// Middlewares.
    pub middlewares: Vec<(Group, Value)>,
    /// Why the routes next to the Canary could not be read, if so.
    pub unread: Option<String>,
    /// Why routes elsewhere could not be read, if so.
    pub unread_elsewhere: Option<String>,
}

/// What an entry comes to with the routes that are there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EntryObjects {
    /// The objects, in the order in which to create them.
    pub wanted: Vec<(ObjectRef, Value)>,
    /// Why the entry is refused, one sentence each.
    pub problems: Vec<String>,
    /// What is not covered or not known, with the reason, one sentence each.
    pub notes: Vec<String>,
}

/// How much of the routing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Everything if the Canary declares an entry, else nothing.
    IfDeclared,
    /// Everything if the Canary declares an entry, else the objects of one that is left over.
    Own,
    /// Everything.
    All,
}

impl Routing {
    /// Returns the objects that have the names of this Canary's entry, its own or not.
    pub fn existing(&self, canary: &NamespacedName) -> impl Iterator<Item = (ObjectRef, &Value)> {
        let middlewares = self.middlewares.iter().map(|(group, value)| (ObjectKind::Middleware(*group), value));
        let ingress_routes = self.ingress_routes.iter().map(|(group, value)| (ObjectKind::IngressRoute(*group), value));
        let http_routes = self.http_routes.iter().map(|value| (ObjectKind::HttpRoute, value));
        middlewares
            .chain(ingress_routes)
            .chain(http_routes)
            .filter(|(_, value)| is_named_as(value, canary))
            .map(|(kind, value)| (ObjectRef { kind, target: NamespacedName::of(value) }, value))
    }

    /// Puts an object of an entry in the place of its former state; null removes it.
    pub fn replace(&mut self, object: &ObjectRef, value: &Value) {
        fn put<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: Option<T>) {
            all.retain(|one| !is_it(one));
            all.extend(new);
        }
        let new = (!value.is_null()).then(|| value.clone());
        let is_it = |value: &Value| NamespacedName::of(value) == object.target;
        let in_group = |group: Group| {
            (
                move |(other, value): &(Group, Value)| *other == group && is_it(value),
                new.clone().map(|new| (group, new)),
            )
        };
        match object.kind {
            ObjectKind::Middleware(group) => {
                let (is_it, new) = in_group(group);
                put(&mut self.middlewares, is_it, new);
            }
            ObjectKind::IngressRoute(group) => {
                let (is_it, new) = in_group(group);
                put(&mut self.ingress_routes, is_it, new);
            }
            ObjectKind::HttpRoute => put(&mut self.http_routes, is_it, new),
            ObjectKind::Canary | ObjectKind::TraefikService(_) => {}
        }
    }

    /// Returns this Canary's own entry objects.
    pub fn own(&self, canary: &NamespacedName) -> impl Iterator<Item = (ObjectRef, &Value)> {
        self.existing(canary).filter(|(_, value)| is_of(value, canary))
    }

    /// Returns the entry from which this Canary's objects were made; `None` without objects, or if they disagree.
    pub fn live_entry(&self, canary: &NamespacedName) -> Option<Entry> {
        let mut texts =
            self.own(canary).map(|(_, value)| view::text(value, &["metadata", "annotations", ENTRY_ANNOTATION]));
        let first = texts.next()??;
        texts.all(|text| text == Some(first)).then(|| Entry::parse(first).ok())?
    }
}

/// Returns whether an object is of the entry of this Canary: by its label and annotation, and by its name, since a copy
/// has them, too.
pub fn is_of(object: &Value, canary: &NamespacedName) -> bool {
    entered(object) == Some(&canary.name) && is_named_as(object, canary)
}

/// Returns the Canary that an object of an entry names.
fn entered(object: &Value) -> Option<&str> {
    let is_ours = view::text(object, &["metadata", "labels", MANAGED_BY_LABEL]) == Some(MANAGED_BY);
    view::text(object, &["metadata", "annotations", CANARY_ANNOTATION]).filter(|_| is_ours)
}

/// Returns whether an object has a name that one of this Canary's entry can have.
fn is_named_as(object: &Value, canary: &NamespacedName) -> bool {
    let text = |key: &str| view::text(object, &["metadata", key]);
    let rest = text("name").and_then(|name| name.strip_prefix(&canary.name)?.strip_prefix("-entry"));
    let is_numbered = |rest: &str| rest.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok());
    text("namespace") == canary.namespace.as_deref() && rest.is_some_and(|rest| rest.is_empty() || is_numbered(rest))
}

/// Returns the objects of an entry.
pub fn objects(entry: &Entry, holder: &Holder, routing: &Routing) -> EntryObjects {
    let mut result = Work::new(entry, holder, routing).done();
    // A route must not refer to a Middleware that is not there yet.
    result.wanted.sort_by_key(|(object, _)| !matches!(object.kind, ObjectKind::Middleware(_)));
    result
}

/// Returns whether an object is as wanted. Others may have added labels and annotations.
pub fn is_as_wanted(object: &Value, wanted: &Value) -> bool {
    let has = |place: &str| {
        view::object(wanted, &["metadata", place])
            .into_iter()
            .flatten()
            .all(|(key, value)| object["metadata"][place].get(key) == Some(value))
    };
    let owners = |object: &Value| object.pointer("/metadata/ownerReferences").and_then(Value::as_array).cloned();
    // One that was committed has no owner: its source keeps it, and there is no uid to write there.
    let owned = owners(wanted).is_none_or(|wanted| {
        let owners = owners(object).unwrap_or_default();
        owners.is_empty() || wanted.iter().all(|owner| owners.iter().any(|other| other["uid"] == owner["uid"]))
    });
    let class = |object: &Value| view::owned(object, &["metadata", "annotations", CLASS]);
    object["spec"] == wanted["spec"] && has("labels") && has("annotations") && owned && class(object) == class(wanted)
}

#[cfg(test)]
mod tests;
