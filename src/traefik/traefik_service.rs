//! A TraefikService, as far as this program needs it: its two tracks and the live cookie.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{
    cookie::Cookie,
    name::{Group, NamespacedName},
    view,
};

/// The annotation that Flagger gives to each TraefikService of its own.
const FLUX_IGNORES: &str = "kustomize.toolkit.fluxcd.io/reconcile";

/// The parts of a TraefikService that this program reads. The object itself is kept separately, unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraefikService {
    /// Namespace and name.
    pub target: NamespacedName,
    /// The API group it was found in.
    pub group: Group,
    /// The controlling owner.
    pub controller: Option<Controller>,
    /// `spec.weighted.services`; `None` if the service is not weighted (mirroring, failover, …).
    pub children: Option<Vec<Child>>,
    /// Whether a child is in another namespace, or does not say in which; Flagger writes it.
    pub has_children_elsewhere: bool,
    /// `metadata.labels`.
    pub labels: Vec<(String, String)>,
    /// `metadata.annotations`.
    pub annotations: Vec<(String, String)>,
    /// The live cookie.
    pub live: Live,
    /// Whether Flagger's annotations are there, by which Flux ignores it (`pkg/router/util.go:filterMetadata`).
    pub is_marked: bool,
    /// The cookie's SameSite as it is written.
    pub same_site: Option<String>,
}

/// The owner that controls an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Controller {
    /// Its API group and version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Controller {
    /// Returns whether it is a Canary.
    pub fn is_any_canary(&self) -> bool {
        self.kind == "Canary" && self.api_version.starts_with("flagger.app/")
    }

    /// Returns whether it is the Canary of this name. Compares names and not uids, because Flagger takes over the
    /// TraefikService of a Canary that was deleted and created again.
    pub fn is_canary(&self, name: &str) -> bool {
        self.is_any_canary() && self.name == name
    }
}

/// One entry of `spec.weighted.services`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Name of the Service.
    pub name: String,
    /// Its port, if it is a number.
    pub port: Option<i64>,
    /// Its weight, as written.
    pub weight: Weight,
    /// The name of its own cookie, which pins to a pod; empty if Traefik derives it, `None` if there is no cookie.
    pub pod_cookie: Option<String>,
}

/// The weight of a child, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A number.
    Number(i64),
    /// No weight: Flagger's zero, which its type omits, and Traefik's one
    /// (`pkg/provider/kubernetes/crd/kubernetes_http.go:buildServicesLB`).
    Absent,
}

impl Weight {
    /// Returns the weight that Traefik uses.
    pub fn in_traefik(self) -> i64 {
        match self {
            Self::Number(weight) => weight,
            Self::Absent => 1,
        }
    }
}

/// `spec.weighted.sticky` of a TraefikService.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// Not set.
    Absent,
    /// Set without a cookie, which has no effect.
    Empty,
    /// Set with a cookie; unknown or invalid keys come with the reason.
    Cookie(Cookie, BTreeMap<String, String>),
}

impl Live {
    /// Returns the live cookie.
    pub fn cookie(&self) -> Option<&Cookie> {
        match self {
            Self::Cookie(cookie, _) => Some(cookie),
            Self::Absent | Self::Empty => None,
        }
    }

    /// Reads `spec.weighted.sticky` of a TraefikService.
    pub fn read(object: &Value) -> Self {
        match view::at(object, &["spec", "weighted", "sticky"]) {
            None | Some(Value::Null) => Self::Absent,
            Some(sticky) => match view::object(sticky, &["cookie"]) {
                None => Self::Empty,
                Some(cookie) => {
                    let (cookie, odd) = Cookie::from_json(cookie);
                    Self::Cookie(cookie, odd)
                }
            },
        }
    }
}

/// Returns the name of the cookie that a reference to a Service sets; empty if Traefik derives it.
pub(crate) fn pod_cookie(reference: &Value) -> Option<String> {
    view::object(reference, &["sticky", "cookie"])?;
    Some(view::owned(reference, &["sticky", "cookie", "name"]).unwrap_or_default())
}

impl TraefikService {
    /// Returns the API group of an object that is a TraefikService, by its kind and `apiVersion`.
    pub fn is(object: &Value) -> Option<Group> {
        let kind = object.get("kind").and_then(Value::as_str)?;
        let group = Group::of_api_version(object.get("apiVersion").and_then(Value::as_str)?)?;
        (kind == "TraefikService").then_some(group)
    }

    /// Reads a TraefikService. Missing or invalid fields are ignored; only the name is required.
    pub fn from_object(object: &Value, group: Group) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let services = view::list(object, &["spec", "weighted", "services"]);
        Some(Self {
            target: NamespacedName {
                namespace: view::owned(metadata, &["namespace"]),
                name: view::owned(metadata, &["name"])?,
            },
            group,
            controller: view::list(metadata, &["ownerReferences"])
                .iter()
                .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
                .map(|owner| Controller {
                    api_version: view::owned(owner, &["apiVersion"]).unwrap_or_default(),
                    kind: view::owned(owner, &["kind"]).unwrap_or_default(),
                    name: view::owned(owner, &["name"]).unwrap_or_default(),
                }),
            children: view::object(object, &["spec", "weighted"]).map(|_| {
                services
                    .iter()
                    .filter_map(|child| {
                        let weight = child.get("weight").and_then(Value::as_i64);
                        Some(Child {
                            name: view::owned(child, &["name"])?,
                            port: child.get("port").and_then(Value::as_i64),
                            weight: weight.map_or(Weight::Absent, Weight::Number),
                            pod_cookie: pod_cookie(child),
                        })
                    })
                    .collect()
            }),
            has_children_elsewhere: services.iter().any(|child| {
                let own = view::text(metadata, &["namespace"]);
                own.is_some() && view::text(child, &["namespace"]) != own
            }),
            labels: view::text_map(metadata, &["labels"]),
            annotations: view::text_map(metadata, &["annotations"]),
            live: Live::read(object),
            is_marked: view::at(metadata, &["annotations", FLUX_IGNORES]).is_some(),
            same_site: view::owned(object, &["spec", "weighted", "sticky", "cookie", "sameSite"]),
        })
    }

    /// Returns the weight of the child with this name; `None` if it is not listed.
    pub fn weight_of(&self, child: &str) -> Option<Weight> {
        self.children.iter().flatten().find(|other| other.name == child).map(|child| child.weight)
    }
}
