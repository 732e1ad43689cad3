//! The objects that the guard consists of.

use std::fmt;

use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io/v1";
/// The version of the API that policies and webhook configurations belong to.
pub(super) const ADMISSION: &str = "admissionregistration.k8s.io/v1";

/// The kinds of the guard's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardKind {
    /// The namespace of the webhook's replicas.
    Namespace,
    /// The account of the replicas.
    ServiceAccount,
    /// Their permissions in all namespaces.
    ClusterRole,
    /// Grants the `ClusterRole` to the account.
    ClusterRoleBinding,
    /// Their permissions in their own namespace.
    Role,
    /// Grants the `Role` to the account.
    RoleBinding,
    /// Their certificates.
    Secret,
    /// The replicas.
    Deployment,
    /// Limits how many replicas may be evicted at a time.
    PodDisruptionBudget,
    /// What API servers call.
    Service,
    /// Restores cookies.
    MutatingAdmissionPolicy,
    /// Its binding.
    MutatingAdmissionPolicyBinding,
    /// Rejects malformed declarations, or writes of the account.
    ValidatingAdmissionPolicy,
    /// Its binding.
    ValidatingAdmissionPolicyBinding,
    /// The registration for `TraefikService` objects.
    MutatingWebhookConfiguration,
    /// The registration for `Canary` objects.
    ValidatingWebhookConfiguration,
}

impl GuardKind {
    /// Returns the kind's name, its API version, and the resource.
    const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Namespace => ("Namespace", "v1", "namespaces"),
            Self::ServiceAccount => ("ServiceAccount", "v1", "serviceaccounts"),
            Self::ClusterRole => ("ClusterRole", RBAC, "clusterroles.rbac.authorization.k8s.io"),
            Self::ClusterRoleBinding => ("ClusterRoleBinding", RBAC, "clusterrolebindings.rbac.authorization.k8s.io"),
            Self::Role => ("Role", RBAC, "roles.rbac.authorization.k8s.io"),
            Self::RoleBinding => ("RoleBinding", RBAC, "rolebindings.rbac.authorization.k8s.io"),
            Self::Secret => ("Secret", "v1", "secrets"),
            Self::Deployment => ("Deployment", "apps/v1", "deployments.apps"),
            Self::PodDisruptionBudget => ("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets.policy"),
            Self::Service => ("Service", "v1", "services"),
            Self::MutatingAdmissionPolicy => {
                ("MutatingAdmissionPolicy", ADMISSION, "mutatingadmissionpolicies.admissionregistration.k8s.io")
            }
            Self::MutatingAdmissionPolicyBinding => (
                "MutatingAdmissionPolicyBinding",
                ADMISSION,
                "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
            ),
            Self::ValidatingAdmissionPolicy => {
                ("ValidatingAdmissionPolicy", ADMISSION, "validatingadmissionpolicies.admissionregistration.k8s.io")
            }
            Self::ValidatingAdmissionPolicyBinding => (
                "ValidatingAdmissionPolicyBinding",
                ADMISSION,
                "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            ),
            Self::MutatingWebhookConfiguration => (
                "MutatingWebhookConfiguration",
                ADMISSION,
                "mutatingwebhookconfigurations.admissionregistration.k8s.io",
            ),
            Self::ValidatingWebhookConfiguration => (
                "ValidatingWebhookConfiguration",
                ADMISSION,
                "validatingwebhookconfigurations.admissionregistration.k8s.io",
            ),
        }
    }

    /// Returns the resource with its group, as access control names it: `deployments.apps`.
    pub const fn resource(self) -> &'static str {
        self.names().2
    }

    /// Returns the API version.
    pub const fn api_version(self) -> &'static str {
        self.names().1
    }

    /// Returns whether this is part of the admission API, whose objects say which writes the guard sees.
    pub(super) fn is_admission(self) -> bool {
        self.api_version() == ADMISSION
    }

    /// Returns an object of this kind with nothing but its name.
    pub fn named(self, namespace: Option<&str>, name: &str) -> GuardObject {
        let (kind, version, _) = self.names();
        let mut value = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace {
            value["metadata"]["namespace"] = json!(namespace);
        }
        GuardObject { kind: self, value }
    }
}

/// An object of the guard as this version would install it.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardObject {
    /// The kind.
    pub kind: GuardKind,
    /// The whole object.
    pub value: Value,
}

impl GuardObject {
    /// Returns the object with this top-level field.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.value[key] = value;
        self
    }

    /// Returns the object with these labels.
    pub(crate) fn labelled(mut self, labels: Value) -> Self {
        self.value["metadata"]["labels"] = labels;
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.text("/metadata/name").unwrap_or_default()
    }

    /// Returns the namespace; `None` for a kind without one.
    pub fn namespace(&self) -> Option<&str> {
        self.text("/metadata/namespace")
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.value.pointer(pointer).and_then(Value::as_str)
    }
}

impl fmt::Display for GuardObject {
    /// Formats the object as kubectl does: `deployment.apps/NAME`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, _, resource) = self.kind.names();
        let group = resource.find('.').map_or("", |at| &resource[at..]);
        write!(f, "{}{group}/{}", kind.to_lowercase(), self.name())
    }
}
