//! The objects that the guard consists of.

use std::fmt;

use serde_json::{Value, json};

/// The kinds of the guard's objects, named as Kubernetes names them: `Debug` formats the kind's name.
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
    /// Returns the resource with its group, as access control names it: `deployments.apps`.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::ServiceAccount => "serviceaccounts",
            Self::ClusterRole => "clusterroles.rbac.authorization.k8s.io",
            Self::ClusterRoleBinding => "clusterrolebindings.rbac.authorization.k8s.io",
            Self::Role => "roles.rbac.authorization.k8s.io",
            Self::RoleBinding => "rolebindings.rbac.authorization.k8s.io",
            Self::Secret => "secrets",
            Self::Deployment => "deployments.apps",
            Self::PodDisruptionBudget => "poddisruptionbudgets.policy",
            Self::Service => "services",
            Self::MutatingAdmissionPolicy => "mutatingadmissionpolicies.admissionregistration.k8s.io",
            Self::MutatingAdmissionPolicyBinding => "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
            Self::ValidatingAdmissionPolicy => "validatingadmissionpolicies.admissionregistration.k8s.io",
            Self::ValidatingAdmissionPolicyBinding => "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            Self::MutatingWebhookConfiguration => "mutatingwebhookconfigurations.admissionregistration.k8s.io",
            Self::ValidatingWebhookConfiguration => "validatingwebhookconfigurations.admissionregistration.k8s.io",
        }
    }

    /// Returns the API version. All are `v1` of their group.
    pub fn api_version(self) -> String {
        self.resource().split_once('.').map_or_else(|| "v1".to_owned(), |(_, group)| format!("{group}/v1"))
    }

    /// Returns whether this is part of the admission API, whose objects say which writes the guard sees.
    pub(super) fn is_admission(self) -> bool {
        self.resource().ends_with(".admissionregistration.k8s.io")
    }

    /// Returns an object of this kind with nothing but its name.
    pub fn named(self, namespace: Option<&str>, name: &str) -> GuardObject {
        let kind = format!("{self:?}");
        let mut value = json!({"apiVersion": self.api_version(), "kind": kind, "metadata": {"name": name}});
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
        let resource = self.kind.resource();
        let group = resource.find('.').map_or("", |at| &resource[at..]);
        write!(f, "{}{group}/{}", format!("{:?}", self.kind).to_lowercase(), self.name())
    }
}
