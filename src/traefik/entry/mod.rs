//! The objects that make a flow's pin begin anew at its entry. Pure.
//!
//! At the paths of an entry, Traefik must not see the cookie: it then draws by the weights of the moment, and gives a
//! cookie with its whole life ahead. For each route of the Canary's namespace that leads to its TraefikService, a route
//! of our own has the same rule and these paths, and takes the `Cookie` header off: an IngressRoute by a Middleware
//! (`headers.customRequestHeaders` with an empty value, traefik/traefik `pkg/middlewares/headers/header.go`), an
//! HTTPRoute by the filter `RequestHeaderModifier`. A route's own middlewares come first, so that a forwardAuth sees
//! all cookies.
//!
//! An entry never takes a request from another router. The route of our own has the priority just above its model's, so
//! whatever wins there today still wins: where that is something else, the entry would be without effect, and is
//! refused with its name. Without a priority of its own, the longer rule would win, over foreign ones too.

mod existing;
mod http_route;
mod ingress_route;
mod work;

use serde_json::Value;

use self::work::Work;
use super::{router::CLASS, routing::Routing};
use crate::model::{
    Entry, MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, ObjectKind, ObjectRef, entry::CANARY_ANNOTATION, name::Group,
    view,
};

/// The kinds of objects of entries.
pub const KINDS: [ObjectKind; 5] = [
    ObjectKind::Middleware(Group::TraefikIo),
    ObjectKind::Middleware(Group::TraefikContainoUs),
    ObjectKind::IngressRoute(Group::TraefikIo),
    ObjectKind::IngressRoute(Group::TraefikContainoUs),
    ObjectKind::HttpRoute,
];

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

/// What an entry comes to with the routes that are there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EntryObjects {
    /// The objects, in the order in which to create them.
    pub wanted: Vec<(ObjectRef, Value)>,
    /// Why the entry is refused, one sentence each.
    pub problems: Vec<String>,
    /// What the entry does not apply to, or what is not known, with the reason, one sentence each.
    pub notes: Vec<String>,
}

impl EntryObjects {
    /// Returns the objects that should be there: none of a refused entry. What was made after routes that are no longer
    /// so might take the path from another router.
    pub fn in_force(&self) -> &[(ObjectRef, Value)] {
        if self.problems.is_empty() { &self.wanted } else { &[] }
    }
}

/// How much of the routing to read, for whatever reads a Canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// Everything if the Canary declares an entry, else nothing.
    IfDeclared,
    /// Everything if the Canary declares an entry, else the objects of one that is left over.
    Own,
    /// The routes, and the TraefikServices between them.
    Routes,
    /// Everything.
    All,
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

/// Returns the n-th name of objects of an entry, counted from 0.
fn name(canary: &NamespacedName, number: usize) -> String {
    if number == 0 { format!("{}-entry", canary.name) } else { format!("{}-entry-{}", canary.name, number + 1) }
}

/// Returns the objects of an entry.
pub fn objects(entry: &Entry, holder: &Holder, routing: &Routing) -> EntryObjects {
    let mut result = Work::new(entry, holder, routing).done();
    // A route must not refer to a Middleware that is not there yet.
    result.wanted.sort_by_key(|(object, _)| !matches!(object.kind, ObjectKind::Middleware(_)));
    result
}

/// The wanted objects of an entry compared with those that are there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison<'a> {
    /// Objects that are missing or different, in the order in which to apply them: as wanted, and as they are.
    pub changes: Vec<(ObjectRef, Value, Option<&'a Value>)>,
    /// Objects with a wanted name that do not belong to the entry.
    pub foreign: Vec<&'a ObjectRef>,
    /// The entry's objects that are not wanted, in the order in which to delete them.
    pub left_over: Vec<(ObjectRef, &'a Value)>,
}

/// Compares the wanted objects of a Canary's entry with those that are there.
pub fn compare<'a>(wanted: &'a [(ObjectRef, Value)], canary: &NamespacedName, routing: &'a Routing) -> Comparison<'a> {
    let existing: Vec<_> = routing.existing(canary).collect();
    let mut compared = Comparison::default();
    for (object, value) in wanted {
        match existing.iter().find(|(other, _)| other == object) {
            Some((_, live)) if !is_of(live, canary) => compared.foreign.push(object),
            Some((_, live)) if is_as_wanted(live, value) => {}
            live => compared.changes.push((object.clone(), value.clone(), live.map(|(_, live)| *live))),
        }
    }
    let is_wanted = |object: &ObjectRef| wanted.iter().any(|(other, _)| other == object);
    compared.left_over =
        existing.into_iter().filter(|(object, live)| is_of(live, canary) && !is_wanted(object)).collect();
    // No route may refer to a Middleware that is gone.
    compared.left_over.sort_by_key(|(object, _)| matches!(object.kind, ObjectKind::Middleware(_)));
    compared
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
mod ground;
#[cfg(test)]
mod tests;
