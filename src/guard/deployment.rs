//! What runs the webhook inside a cluster, as values: the least rights, two processes that are not evicted together, a
//! Service before them, and the configurations that make the API server ask. Everything bears [`NAME`].

use serde_json::{Value, json};

use super::{
    policy::{Coverage, MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL},
    webhook::{Address, Callee, NAME, configurations},
};
use crate::model::{Target, name::Group, selector::Selector};

/// The namespace that is made for the guard unless another one is named.
pub const NAMESPACE: &str = NAME;
/// The Secret in which the processes share their certificates.
pub const SECRET: &str = "kubectl-canary-traefik-certificates";

const NAME_LABEL: &str = "app.kubernetes.io/name";
const PORT: u16 = 8443;
/// Where Flagger asks, without TLS.
const GATE_PORT: u16 = 8080;

/// Where and how the webhook runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The namespace it runs in.
    pub namespace: String,
    /// The image of this program.
    pub image: String,
    /// What it covers.
    pub coverage: Coverage,
    /// Whether the API server knows `matchConditions`.
    pub has_conditions: bool,
}

/// Every object, in an order in which each finds what it names: the configurations last, when there is someone to ask.
pub fn objects(placement: &Placement) -> Vec<Value> {
    let namespace = placement.namespace.as_str();
    let service = Target { namespace: Some(namespace.to_owned()), name: NAME.to_owned() };
    let callee = Callee {
        address: Address::Service(service),
        authorities: String::new(),
        coverage: placement.coverage.clone(),
        has_conditions: placement.has_conditions,
    };
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": namespace}}),
        cluster_role(&placement.coverage),
        binding("ClusterRoleBinding", "ClusterRole", None, namespace),
        role(namespace),
        binding("RoleBinding", "Role", Some(namespace), namespace),
        deployment(placement),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": NAME, "namespace": namespace},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {NAME_LABEL: NAME}}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": namespace}, "spec": {
            "selector": {NAME_LABEL: NAME},
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"},
                {"name": "gate", "port": 80, "protocol": "TCP", "targetPort": "gate"}]}}),
    ];
    all.extend(configurations(&callee));
    for object in &mut all {
        object["metadata"]["labels"] =
            json!({MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION"), NAME_LABEL: NAME});
    }
    all
}

/// The Secret, to be looked for.
pub fn secret(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": namespace}})
}

/// What the processes read and write outside their own namespace. The labels of a namespace are looked at before a
/// repair in it.
fn cluster_role(coverage: &Coverage) -> Value {
    let look = ["get", "list", "watch"];
    let mut role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": [
        {"apiGroups": ["flagger.app"], "resources": ["canaries"], "verbs": look},
        {"apiGroups": Group::ALL.map(Group::as_str), "resources": ["traefikservices"],
            "verbs": ["get", "list", "patch", "watch"]},
        {"apiGroups": ["admissionregistration.k8s.io"], "resourceNames": [NAME],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "verbs": ["get", "list", "patch", "watch"]},
    ]});
    if coverage.namespace_selector.is_some() {
        let rules = role["rules"].as_array_mut().into_iter();
        rules.for_each(|rules| rules.push(json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]})));
    }
    role
}

/// What they read and write inside it. `create` cannot be cut down to a name.
fn role(namespace: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": NAME, "namespace": namespace}, "rules": [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET],
            "verbs": ["get", "list", "update", "watch"]},
    ]})
}

fn binding(kind: &str, role: &str, of: Option<&str>, namespace: &str) -> Value {
    let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}]});
    if let Some(namespace) = of {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

fn deployment(placement: &Placement) -> Value {
    let Placement { namespace, image, coverage, .. } = placement;
    let mut args = vec![
        "guard".to_owned(),
        "run".to_owned(),
        format!("--listen=0.0.0.0:{PORT}"),
        format!("--service={namespace}/{NAME}"),
        format!("--cert-secret={namespace}/{SECRET}"),
        format!("--gate-listen=0.0.0.0:{GATE_PORT}"),
    ];
    let selectors = [("selector", &coverage.selector), ("namespace-selector", &coverage.namespace_selector)];
    for (flag, selector) in selectors {
        let selector = selector.as_ref().and_then(Selector::from_object);
        args.extend(selector.map(|selector| format!("--{flag}={selector}")));
    }
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "https", "scheme": "HTTPS"}, "periodSeconds": 5});
    let container = json!({
        "name": "guard",
        "image": image,
        "args": args,
        "ports": [{"name": "https", "containerPort": PORT, "protocol": "TCP"},
            {"name": "gate", "containerPort": GATE_PORT, "protocol": "TCP"}],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}},
    });
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME, "namespace": namespace}, "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {NAME_LABEL: NAME}},
        // One more before one less: there is always somebody to ask.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {NAME_LABEL: NAME}},
            "spec": {
                "serviceAccountName": NAME,
                "containers": [container],
                "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"}},
                "terminationGracePeriodSeconds": 30,
                "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {NAME_LABEL: NAME}}}],
            },
        },
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(namespace: &str) -> Vec<Value> {
        super::objects(&Placement {
            namespace: namespace.into(),
            image: "registry.example/guard:1".into(),
            coverage: Coverage::default(),
            has_conditions: true,
        })
    }

    #[test]
    fn everything_is_labelled_and_the_configurations_come_last() {
        let all = objects("guard");
        let kinds: Vec<_> = all.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.len(), 11);
        assert_eq!(kinds[9..], ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]);
        assert!(all.iter().all(|object| object["metadata"]["labels"][MANAGED_BY_LABEL] == MANAGED_BY));
    }

    #[test]
    fn no_right_on_configurations_or_kept_secrets_is_wider_than_their_names() {
        let rules = |object: &Value| object["rules"].as_array().unwrap().clone();
        let all = objects("guard");
        for rule in all.iter().filter(|object| object.get("rules").is_some()).flat_map(rules) {
            let is_named = rule.get("resourceNames").is_some();
            let resource = rule["resources"][0].as_str().unwrap();
            let must = resource != "canaries" && resource != "traefikservices" && rule["verbs"] != json!(["create"]);
            assert_eq!(is_named, must, "{rule}");
        }
    }
}
