//! References to a TraefikService: which one the items of IngressRoutes, HTTPRoutes and other TraefikServices name, and what
//! Traefik needs to follow them. Pure.
//!
//! | in | name | TraefikService | from |
//! |---|---|---|---|
//! | IngressRoute, TraefikService | `NAME` | of the item's `namespace`, else of the object's | `pkg/provider/kubernetes/crd/kubernetes_http.go:nameAndService` |
//! | the same | `NAME@kubernetescrd` | `NAMESPACE-NAME` with the item's `namespace`; without one, `NAME` is the whole of it, and before 3.7.9 (3.6.24, 2.11.53) the object's namespace counted | `fullServiceName` |
//! | HTTPRoute | `NAME` | of the item's `namespace`, else of the object's | `pkg/provider/kubernetes/gateway/httproute.go:loadService` |
//! | HTTPRoute | `NAME@kubernetescrd` | the one of this name, `NAMESPACE-NAME` | `loadHTTPBackendRef` |

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use super::cookie_value::normalized;
use crate::model::{NamespacedName, ObjectKind, ObjectRef, name::Group, view};

/// How Traefik's provider of IngressRoutes ends the names of its services.
const PROVIDER: &str = "@kubernetescrd";

/// What Traefik needs to follow a reference to a TraefikService.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// The reference leads to another namespace.
    CrossNamespace,
    /// The reference of an HTTPRoute leads to this other namespace.
    ReferenceGrant(String),
    /// The reference has this name, which Traefik 3.7.9 takes as `NAMESPACE-NAME`.
    QualifiedName(String),
    /// The reference has this name, which Traefik before 3.7.9 looked up in the object's namespace.
    RelativeName(String),
    /// The object and the TraefikService are in different API groups.
    BothGroups,
    /// The object is in the older API group, and there is no TraefikService yet; or an HTTPRoute names the older group.
    OlderGroup,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrossNamespace => f.write_str("needs providers.kubernetesCRD.allowCrossNamespace in Traefik"),
            Self::ReferenceGrant(namespace) => write!(f, "needs a ReferenceGrant in namespace `{namespace}`"),
            // From 3.7.10 on, this form is not followed without the option.
            Self::QualifiedName(name) => {
                write!(f, "`{name}` needs Traefik 3.7.9 or later with providers.kubernetesCRD.allowCrossNamespace")
            }
            Self::RelativeName(name) => write!(f, "`{name}` needs Traefik before 3.7.9"),
            Self::BothGroups => {
                f.write_str("needs Traefik 2.10 or 2.11, which read both API groups: Traefik 3 reads traefik.io alone")
            }
            Self::OlderGroup => f.write_str("needs Traefik 2: Traefik 3 does not read traefik.containo.us"),
        }
    }
}

/// Returns what Traefik needs to get from this item of an object to the TraefikService; `None` if it names something else.
pub(super) fn requirements(
    item: &Value,
    holder: &ObjectRef,
    service: &NamespacedName,
) -> Option<BTreeSet<Requirement>> {
    if view::text(item, &["kind"]) != Some("TraefikService") {
        return None;
    }
    let name = view::text(item, &["name"])?;
    let (own, written) = (holder.target.namespace.as_deref(), view::text(item, &["namespace"]));
    let is_http = holder.kind == ObjectKind::HttpRoute;
    let one = |requirement| Some(BTreeSet::from([requirement]));
    let Some(short) = name.strip_suffix(PROVIDER) else {
        if name != service.name || !service.may_be_in(written.or(own)) {
            return None;
        }
        let group = view::text(item, &["group"]);
        let group = Group::ALL.into_iter().find(|it| is_http && Some(it.as_str()) == group);
        let mut needed = BTreeSet::new();
        match (is_http, group) {
            (true, None) => return None,
            (true, Some(Group::TraefikContainoUs)) => _ = needed.insert(Requirement::OlderGroup),
            _ => {}
        }
        if let (Some(own), Some(other)) = (own, &service.namespace)
            && own != other
        {
            let grant = || Requirement::ReferenceGrant(other.clone());
            needed.insert(if is_http { grant() } else { Requirement::CrossNamespace });
        }
        return Some(needed);
    };
    match (is_http, written) {
        (true, None) => is_qualified(short, service).then(BTreeSet::new),
        (false, Some(written)) if is_qualified(&format!("{written}-{short}"), service) => {
            one(Requirement::QualifiedName(name.to_owned()))
        }
        (false, None) if is_qualified(short, service) => one(Requirement::QualifiedName(name.to_owned())),
        (false, None) if normalized(short) == normalized(&service.name) && service.may_be_in(own) => {
            one(Requirement::RelativeName(name.to_owned()))
        }
        // With a namespace in an HTTPRoute, Traefik refuses it.
        _ => None,
    }
}

/// Returns whether an item of an object names the TraefikService, as Traefik follows it in one of its versions; an HTTPRoute
/// may leave out the group, which Traefik needs.
pub(crate) fn is_meant(item: &Value, holder: &ObjectRef, service: &NamespacedName) -> bool {
    let lacks_group =
        holder.kind == ObjectKind::HttpRoute && view::text(item, &["group"]).and_then(Group::named).is_none();
    let is_named = || {
        let namespace = view::text(item, &["namespace"]).or(holder.target.namespace.as_deref());
        view::text(item, &["name"]) == Some(&service.name) && service.may_be_in(namespace)
    };
    requirements(item, holder, service).is_some()
        || (lacks_group && view::text(item, &["kind"]) == Some("TraefikService") && is_named())
}

/// Returns whether this is Traefik's name of the TraefikService. Of one whose namespace is not known, any will do.
fn is_qualified(name: &str, service: &NamespacedName) -> bool {
    match &service.namespace {
        Some(namespace) => normalized(name) == normalized(&format!("{namespace}-{}", service.name)),
        None => normalized(name).ends_with(&format!("-{}", normalized(&service.name))),
    }
}

/// Returns the positions of the routes of an IngressRoute or an HTTPRoute that lead to the TraefikService, with what Traefik
/// needs for that.
pub(super) fn leading(
    holder: &ObjectRef,
    object: &Value,
    service: &NamespacedName,
) -> Vec<(usize, BTreeSet<Requirement>)> {
    let leads = |(index, items): (usize, &[Value])| {
        // One item that Traefik can follow is enough.
        let items_in_use = items.iter().filter(|item| !is_idle(item, holder.kind, items.len()));
        let found = items_in_use.filter_map(|item| requirements(item, holder, service));
        found.min_by_key(BTreeSet::len).map(|requirements| (index, requirements))
    };
    routes(holder.kind, object).enumerate().filter_map(leads).collect()
}

/// Returns whether an item of a route with so many of them gets no requests, for its weight is 0. Of a single service, Traefik
/// does not read the weight (`pkg/provider/kubernetes/crd/kubernetes_http.go:loadIngressRouteConfiguration`); the Gateway API does.
pub(super) fn is_idle(item: &Value, kind: ObjectKind, count: usize) -> bool {
    let is_split = count > 1 || kind == ObjectKind::HttpRoute;
    is_split && item.get("weight").and_then(Value::as_i64) == Some(0)
}

/// A key by which objects that lead to a TraefikService are found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    /// A name without a namespace.
    Name(String),
    /// `NAMESPACE-NAME`.
    Qualified(String),
    /// Whatever `NAMESPACE-NAME`, of which nobody can say where the namespace ends.
    AnyQualified,
}

/// Returns the keys of an object that may lead to TraefikServices: few for each reference, and as long as its text,
/// since anyone may write references.
pub(super) fn keys(kind: ObjectKind, object: &Value) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    let nested = matches!(kind, ObjectKind::TraefikService(_)).then(|| children(object)).into_iter().flatten();
    for item in routes(kind, object).flatten().chain(nested.map(|(item, _)| item)) {
        let is_one = view::text(item, &["kind"]) == Some("TraefikService");
        let Some(name) = view::text(item, &["name"]).filter(|_| is_one) else { continue };
        keys.extend(keys_of(name, view::text(item, &["namespace"])));
    }
    keys
}

/// Returns the keys of a reference with this name and namespace.
pub(crate) fn keys_of(name: &str, namespace: Option<&str>) -> Vec<Key> {
    let Some(short) = name.strip_suffix(PROVIDER) else { return vec![Key::Name(normalized(name))] };
    let qualified = namespace.map(|namespace| format!("{namespace}-{short}"));
    let qualified = Key::Qualified(normalized(qualified.as_deref().unwrap_or(short)));
    vec![qualified, Key::Name(normalized(short)), Key::AnyQualified]
}

/// Returns the keys of the objects that may lead to a TraefikService.
pub(crate) fn keys_to(service: &NamespacedName) -> [Key; 2] {
    let qualified = |namespace: &String| Key::Qualified(normalized(&format!("{namespace}-{}", service.name)));
    [Key::Name(normalized(&service.name)), service.namespace.as_ref().map_or(Key::AnyQualified, qualified)]
}

/// Returns the services of each route of an IngressRoute or an HTTPRoute.
pub(super) fn routes(kind: ObjectKind, object: &Value) -> impl Iterator<Item = &[Value]> {
    let (list, items) = match kind {
        ObjectKind::IngressRoute(_) => ("routes", "services"),
        ObjectKind::HttpRoute => ("rules", "backendRefs"),
        _ => ("", ""),
    };
    view::list(object, &["spec", list]).iter().map(move |route| view::list(route, &[items]))
}

/// Returns every item of a TraefikService that can name another one, and whether it is a mirror, whose answers nobody gets.
pub(super) fn children(object: &Value) -> Vec<(&Value, bool)> {
    fn collect<'a>(value: &'a Value, is_mirror: bool, found: &mut Vec<(&'a Value, bool)>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, is_mirror, found)),
            Value::Object(fields) => {
                if fields.contains_key("name") {
                    found.push((value, is_mirror));
                }
                for (key, field) in fields {
                    collect(field, is_mirror || key == "mirrors", found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    // Each form (weighted, mirroring, failover, …) nests its services differently.
    for form in view::object(object, &["spec"]).into_iter().flat_map(|spec| spec.values()) {
        collect(form, false, &mut found);
    }
    found
}

/// Returns whether an Ingress has a backend with this Service.
pub(super) fn has_backend(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has_backend(item, name)),
        Value::Object(fields) => fields.iter().any(|(key, field)| {
            (key == "service" && view::text(field, &["name"]) == Some(name)) || has_backend(field, name)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// An IngressRoute, an HTTPRoute or a TraefikService with this reference.
    fn holder(kind: ObjectKind, item: &Value) -> (ObjectRef, Value) {
        let spec = match kind {
            ObjectKind::IngressRoute(_) => json!({"routes": [{"services": [item]}]}),
            ObjectKind::HttpRoute => json!({"rules": [{"backendRefs": [item]}]}),
            _ => json!({"weighted": {"services": [item]}}),
        };
        let target = NamespacedName { namespace: Some("a".into()), name: "web".into() };
        (ObjectRef { kind, target }, json!({ "spec": spec }))
    }

    fn kinds() -> impl Strategy<Value = ObjectKind> {
        let group = Group::TraefikIo;
        prop::sample::select(vec![
            ObjectKind::IngressRoute(group),
            ObjectKind::HttpRoute,
            ObjectKind::TraefikService(group),
        ])
    }

    proptest! {
        #[test]
        fn whatever_leads_to_a_traefik_service_is_found_by_its_keys(
            kind in kinds(),
            name in "[ab](-[ab]){0,3}",
            is_qualified in any::<bool>(),
            namespace in prop::option::of("[ab](-[ab])?"),
            service in "[ab](-[ab])?",
            of in prop::option::of("[ab](-[ab])?"),
        ) {
            let name = format!("{name}{}", if is_qualified { PROVIDER } else { "" });
            let mut item = json!({"kind": "TraefikService", "name": name, "group": "traefik.io"});
            if let Some(namespace) = namespace {
                item["namespace"] = namespace.into();
            }
            let (holder, object) = holder(kind, &item);
            let service = NamespacedName { namespace: of, name: service };
            if requirements(&item, &holder, &service).is_some() {
                let found = keys(kind, &object);
                prop_assert!(keys_to(&service).iter().any(|key| found.contains(key)), "{found:?}");
            }
        }
    }

    #[test]
    fn the_keys_of_a_reference_are_no_longer_than_it_is_three_times() {
        let name = format!("{}{PROVIDER}", "a-".repeat(500_000));
        let (_, object) = holder(ObjectKind::HttpRoute, &json!({"kind": "TraefikService", "name": name}));
        let length = |key: &Key| match key {
            Key::Name(text) | Key::Qualified(text) => text.len(),
            Key::AnyQualified => 0,
        };
        assert!(keys(ObjectKind::HttpRoute, &object).iter().map(length).sum::<usize>() <= 3 * name.len());
    }
}
