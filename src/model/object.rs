//! References to the objects that this program changes.

use std::fmt;

use super::name::{CANARY_API_VERSION, Group, NamespacedName};

/// The field manager of every write of this program. It must not start with `kubectl`: Flux takes over fields set by
/// such a manager, and then removes those that its source does not declare (fluxcd/kustomize-controller
/// `internal/controller/kustomization_controller.go:apply`, fluxcd/pkg `ssa/patch.go:matchFieldManager`).
pub const FIELD_MANAGER: &str = "canary-traefik";

/// An object that a plan changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace and name.
    pub target: NamespacedName,
}

/// The kinds of objects that a plan can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// `canary.flagger.app`
    Canary,
    /// `traefikservice.traefik.io`, or of the older group.
    TraefikService(Group),
}

impl ObjectKind {
    /// Returns the API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Canary => "flagger.app",
            Self::TraefikService(group) => group.as_str(),
        }
    }

    /// Returns `GROUP/VERSION`.
    pub fn api_version(self) -> String {
        match self {
            Self::Canary => CANARY_API_VERSION.to_owned(),
            Self::TraefikService(group) => group.api_version(),
        }
    }

    /// Returns the resource with its group, as access control names it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Canary => "canaries.flagger.app",
            Self::TraefikService(Group::TraefikIo) => "traefikservices.traefik.io",
            Self::TraefikService(Group::TraefikContainoUs) => "traefikservices.traefik.containo.us",
        }
    }

    /// Returns the lower-case plural.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Canary => "canaries",
            Self::TraefikService(_) => "traefikservices",
        }
    }

    /// Returns the kind's name.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Canary => "Canary",
            Self::TraefikService(_) => "TraefikService",
        }
    }
}

impl fmt::Display for ObjectRef {
    /// Formats the object as kubectl does: `canary.flagger.app/podinfo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}/{}", self.kind.kind().to_lowercase(), self.kind.group(), self.target.name)
    }
}
