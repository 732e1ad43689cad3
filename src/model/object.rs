//! References to the objects that this program reads or changes.

use std::fmt;

use serde_json::Value;

use super::name::{CANARY_API_VERSION, Group, NamespacedName};

/// The field manager of every write of this program. It must not start with `kubectl`: Flux takes over fields set by
/// such a manager, and then removes those that its source does not declare (fluxcd/kustomize-controller
/// `internal/controller/kustomization_controller.go:apply`, fluxcd/pkg `ssa/patch.go:matchFieldManager`).
pub const FIELD_MANAGER: &str = "canary-traefik";

/// Label on every object that this program made, with the value [`MANAGED_BY`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY: &str = "kubectl-canary-traefik";

/// An object that is read or changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace and name.
    pub target: NamespacedName,
}

/// The kinds of objects that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// `canary.flagger.app`
    Canary,
    /// `traefikservice.traefik.io`, or of the older group.
    TraefikService(Group),
    /// `middleware.traefik.io`, or of the older group.
    Middleware(Group),
    /// `ingressroute.traefik.io`, or of the older group.
    IngressRoute(Group),
    /// `httproute.gateway.networking.k8s.io`
    HttpRoute,
    /// `ingress.networking.k8s.io`
    Ingress,
}

impl ObjectKind {
    /// Returns the API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Canary => "flagger.app",
            Self::TraefikService(group) | Self::Middleware(group) | Self::IngressRoute(group) => group.as_str(),
            Self::HttpRoute => "gateway.networking.k8s.io",
            Self::Ingress => "networking.k8s.io",
        }
    }

    /// Returns `GROUP/VERSION`.
    pub fn api_version(self) -> String {
        match self {
            Self::Canary => CANARY_API_VERSION.to_owned(),
            Self::TraefikService(group) | Self::Middleware(group) | Self::IngressRoute(group) => group.api_version(),
            Self::HttpRoute => "gateway.networking.k8s.io/v1".to_owned(),
            Self::Ingress => "networking.k8s.io/v1".to_owned(),
        }
    }

    /// Returns the resource with its group, as access control names it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Canary => "canaries.flagger.app",
            Self::TraefikService(Group::TraefikIo) => "traefikservices.traefik.io",
            Self::TraefikService(Group::TraefikContainoUs) => "traefikservices.traefik.containo.us",
            Self::Middleware(Group::TraefikIo) => "middlewares.traefik.io",
            Self::Middleware(Group::TraefikContainoUs) => "middlewares.traefik.containo.us",
            Self::IngressRoute(Group::TraefikIo) => "ingressroutes.traefik.io",
            Self::IngressRoute(Group::TraefikContainoUs) => "ingressroutes.traefik.containo.us",
            Self::HttpRoute => "httproutes.gateway.networking.k8s.io",
            Self::Ingress => "ingresses.networking.k8s.io",
        }
    }

    /// Returns the kind of an object that has a part in the routing, by its `kind` and `apiVersion`, in whatever version of
    /// the Gateway API.
    pub fn of_routing(object: &Value) -> Option<Self> {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let version = text("apiVersion")?;
        match (text("kind")?, Group::of_api_version(version)) {
            ("TraefikService", Some(group)) => Some(Self::TraefikService(group)),
            ("Middleware", Some(group)) => Some(Self::Middleware(group)),
            ("IngressRoute", Some(group)) => Some(Self::IngressRoute(group)),
            ("HTTPRoute", None) if version.starts_with("gateway.networking.k8s.io/") => Some(Self::HttpRoute),
            ("Ingress", None) if version == "networking.k8s.io/v1" => Some(Self::Ingress),
            _ => None,
        }
    }

    /// Returns the lower-case plural.
    pub fn plural(self) -> &'static str {
        self.resource().split_once('.').map_or("", |(plural, _)| plural)
    }

    /// Returns the kind's name.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Canary => "Canary",
            Self::TraefikService(_) => "TraefikService",
            Self::Middleware(_) => "Middleware",
            Self::IngressRoute(_) => "IngressRoute",
            Self::HttpRoute => "HTTPRoute",
            Self::Ingress => "Ingress",
        }
    }
}

impl fmt::Display for ObjectRef {
    /// Formats the object as kubectl does: `canary.flagger.app/podinfo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}/{}", self.kind.kind().to_lowercase(), self.kind.group(), self.target.name)
    }
}
