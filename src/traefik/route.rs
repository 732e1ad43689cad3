//! Routes to a TraefikService. Pure.
//!
//! Three kinds can refer to one: IngressRoutes, HTTPRoutes of the Gateway API, and other TraefikServices. The error
//! page of a Middleware can too, but is not a route.

use serde_json::Value;

use crate::model::{Event, NamespacedName, name::Group, view};

/// A kind of object that can route to a TraefikService.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// `IngressRoute`, in the API group of its TraefikService.
    IngressRoute(Group),
    /// `HTTPRoute` of the Gateway API.
    HttpRoute,
    /// `TraefikService`, in the API group of its TraefikService.
    TraefikService(Group),
}

/// The result of a lookup that may not be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// The result.
    Seen(T),
    /// The reason why nothing could be read.
    Unknown(String),
}

/// The routes and events around a Canary and its TraefikService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutesAndEvents {
    /// Routes to the TraefikService, by kind.
    pub routes: Vec<(RouteKind, Lookup<Vec<Route>>)>,
    /// The last events of the Canary, the newest last; `None` without a cluster.
    pub events: Option<Lookup<Vec<Event>>>,
}

/// An object that routes to a TraefikService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its kind.
    pub kind: RouteKind,
    /// Its namespace and name.
    pub target: NamespacedName,
    /// What requests must match, one entry each; empty if the object does not say.
    pub rules: Vec<String>,
    /// `spec.entryPoints`.
    pub entry_points: Vec<String>,
    /// Whether `spec.tls` is set.
    pub tls: bool,
}

impl RouteKind {
    /// Returns the kinds that can route to a TraefikService of this group.
    pub fn all(group: Group) -> [Self; 3] {
        [Self::IngressRoute(group), Self::HttpRoute, Self::TraefikService(group)]
    }

    /// Returns the kind's name.
    pub fn kind(self) -> &'static str {
        match self {
            Self::IngressRoute(_) => "IngressRoute",
            Self::HttpRoute => "HTTPRoute",
            Self::TraefikService(_) => "TraefikService",
        }
    }

    /// Returns `GROUP/VERSION`.
    pub fn api_version(self) -> String {
        match self {
            Self::IngressRoute(group) | Self::TraefikService(group) => group.api_version(),
            Self::HttpRoute => "gateway.networking.k8s.io/v1".to_owned(),
        }
    }

    /// Returns whether an object is of this kind, by its kind and `apiVersion`.
    pub fn is(self, object: &Value) -> bool {
        view::text(object, &["kind"]) == Some(self.kind())
            && view::text(object, &["apiVersion"]) == Some(self.api_version().as_str())
    }

    /// Returns the resource with its group, as access control names it.
    pub fn resource(self) -> String {
        let group = match self {
            Self::IngressRoute(group) | Self::TraefikService(group) => group.as_str(),
            Self::HttpRoute => "gateway.networking.k8s.io",
        };
        format!("{}s.{group}", self.kind().to_lowercase())
    }

    /// Returns the route from an object of this kind to the TraefikService; `None` if it does not lead there.
    pub fn route(self, object: &Value, service: &NamespacedName, group: Group) -> Option<Route> {
        let target = NamespacedName::of(object);
        if target.name.is_empty() || (matches!(self, Self::TraefikService(_)) && target == *service) {
            return None;
        }
        let rules = match self {
            Self::IngressRoute(_) => {
                let found = rules(object, "routes", "services", |item| names(item, &target, service, None))?;
                found.iter().filter_map(|rule| view::owned(rule, &["match"])).collect()
            }
            Self::HttpRoute => {
                let found = rules(object, "rules", "backendRefs", |item| names(item, &target, service, Some(group)))?;
                let hosts = texts(object, &["spec", "hostnames"]);
                found.iter().flat_map(|rule| http_matches(rule, &hosts)).collect()
            }
            Self::TraefikService(_) => {
                let spec = object.get("spec")?.as_object()?;
                // Each form (weighted, mirroring, failover, …) nests its services differently.
                let leads = spec.values().any(|form| anywhere(form, &|item| names(item, &target, service, None)));
                leads.then(Vec::new)?
            }
        };
        Some(Route {
            kind: self,
            rules,
            entry_points: texts(object, &["spec", "entryPoints"]),
            tls: view::object(object, &["spec", "tls"]).is_some(),
            target,
        })
    }
}

/// Returns the rules with an item that leads there; `None` if there are none.
fn rules(object: &Value, list: &str, items: &str, leads: impl Fn(&Value) -> bool) -> Option<Vec<Value>> {
    let rules = view::at(object, &["spec", list])?.as_array()?;
    let has = |rule: &&Value| rule.get(items).and_then(Value::as_array).into_iter().flatten().any(&leads);
    let found: Vec<_> = rules.iter().filter(has).cloned().collect();
    (!found.is_empty()).then_some(found)
}

/// Returns whether a reference names the TraefikService. Without a namespace it means that of the object it is in; the
/// Gateway API names a group too.
pub(super) fn names(item: &Value, holder: &NamespacedName, service: &NamespacedName, group: Option<Group>) -> bool {
    let namespace = view::text(item, &["namespace"]).or(holder.namespace.as_deref());
    view::text(item, &["kind"]) == Some("TraefikService")
        && view::text(item, &["name"]) == Some(&service.name)
        && service.may_be_in(namespace)
        && group.is_none_or(|group| view::text(item, &["group"]) == Some(group.as_str()))
}

/// Returns whether a value, or one within it, is such a one.
pub(super) fn anywhere(value: &Value, is: &impl Fn(&Value) -> bool) -> bool {
    is(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| anywhere(item, is)),
            Value::Object(fields) => fields.values().any(|field| anywhere(field, is)),
            _ => false,
        }
}

/// Returns the matches of an HTTPRoute's rule in short: its hosts with each path.
fn http_matches(rule: &Value, hosts: &[String]) -> Vec<String> {
    let matches = rule.get("matches").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let path = |item: &Value| view::owned(item, &["path", "value"]).unwrap_or_else(|| "/".to_owned());
    let mut paths: Vec<_> = matches.iter().map(path).collect();
    if paths.is_empty() {
        paths.push("/".to_owned());
    }
    let hosts = hosts.join(",");
    paths.into_iter().map(|path| format!("{hosts}{path}")).collect()
}

/// Returns the texts of a list in an object.
pub(super) fn texts(object: &Value, keys: &[&str]) -> Vec<String> {
    let list = view::at(object, keys).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GROUP: Group = Group::TraefikIo;

    fn service() -> NamespacedName {
        NamespacedName { namespace: Some("shop".into()), name: "checkout".into() }
    }

    fn object(namespace: &str, spec: &Value) -> Value {
        json!({"metadata": {"name": "route", "namespace": namespace}, "spec": spec})
    }

    fn rules_of(kind: RouteKind, object: &Value) -> Option<Vec<String>> {
        kind.route(object, &service(), GROUP).map(|route| route.rules)
    }

    #[test]
    fn an_ingress_route_leads_to_the_traefik_service_that_it_names() {
        let to = |name: &str, more: &Value| {
            let mut item = json!({"kind": "TraefikService", "name": name});
            item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"routes": [{"match": "Host(`a`)", "services": [{"name": "checkout", "port": 80}]},
                {"match": "Host(`b`)", "services": [item]}]})
        };
        let kind = RouteKind::IngressRoute(GROUP);
        let none = json!({});
        assert_eq!(rules_of(kind, &object("shop", &to("checkout", &none))), Some(vec!["Host(`b`)".to_owned()]));
        assert_eq!(rules_of(kind, &object("shop", &to("other", &none))), None);
        assert_eq!(rules_of(kind, &object("web", &to("checkout", &none))), None);
        let elsewhere = json!({"namespace": "shop"});
        assert_eq!(rules_of(kind, &object("web", &to("checkout", &elsewhere))), Some(vec!["Host(`b`)".to_owned()]));
        // The Service of the same name always selects the primary.
        assert_eq!(rules_of(kind, &object("shop", &to("checkout", &json!({"kind": "Service"})))), None);
    }

    #[test]
    fn an_http_route_names_the_group_too() {
        let to = |group: &str| {
            json!({"hostnames": ["a", "b"], "rules": [
                {"matches": [{"path": {"value": "/x"}}, {"method": "GET"}],
                 "backendRefs": [{"group": group, "kind": "TraefikService", "name": "checkout"}]},
                {"backendRefs": [{"name": "checkout", "port": 80}]}]})
        };
        let found = rules_of(RouteKind::HttpRoute, &object("shop", &to("traefik.io")));
        assert_eq!(found, Some(vec!["a,b/x".to_owned(), "a,b/".to_owned()]));
        assert_eq!(rules_of(RouteKind::HttpRoute, &object("shop", &to("traefik.containo.us"))), None);
    }

    #[test]
    fn another_traefik_service_leads_to_it_in_every_form() {
        let kind = RouteKind::TraefikService(GROUP);
        let item = json!({"kind": "TraefikService", "name": "checkout"});
        for spec in [
            json!({"weighted": {"services": [item]}}),
            json!({"mirroring": {"name": "a", "mirrors": [item]}}),
            json!({"mirroring": item}),
            json!({"failover": {"service": item}}),
        ] {
            assert_eq!(rules_of(kind, &object("shop", &spec)), Some(Vec::new()), "{spec}");
        }
        let own =
            json!({"metadata": {"name": "checkout", "namespace": "shop"}, "spec": {"weighted": {"services": [item]}}});
        assert_eq!(kind.route(&own, &service(), GROUP), None);
    }

    #[test]
    fn odd_objects_lead_nowhere() {
        for kind in RouteKind::all(GROUP) {
            for odd in [
                json!(null),
                json!({"metadata": {}}),
                object("shop", &json!("x")),
                object(
                    "shop",
                    &json!({"routes": 1,
                "rules": [{"backendRefs": "x"}, 3]}),
                ),
            ] {
                assert_eq!(kind.route(&odd, &service(), GROUP), None, "{odd}");
            }
        }
    }

    #[test]
    fn resources_are_called_as_access_control_calls_them() {
        let names = RouteKind::all(Group::TraefikContainoUs).map(RouteKind::resource);
        let expected = [
            "ingressroutes.traefik.containo.us",
            "httproutes.gateway.networking.k8s.io",
            "traefikservices.traefik.containo.us",
        ];
        assert_eq!(names, expected);
    }
}
