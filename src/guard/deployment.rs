//! What runs the webhook inside a cluster, as values: the least rights, two processes that are not evicted together, a
//! Service before them, and the configurations that make the API server ask. Everything bears [`NAME`].

use serde_json::{Value, json};

use super::{
    account,
    policy::{Coverage, MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL},
    webhook::{Address, Callee, NAME, configurations},
};
use crate::model::{Target, name::Group, selector::Selector};

/// The namespace that is made for the guard unless another one is named.
pub const NAMESPACE: &str = NAME;
/// The Secret in which the processes share their certificates.
pub const SECRET: &str = "kubectl-canary-traefik-certificates";

/// Annotation of a namespace that `guard install` has created. What is printed to be applied by others has it not: they may
/// apply it to a namespace that is there.
const MADE_BY: &str = "kubectl-canary-traefik/created-by";
const INSTALL: &str = "guard install";
const NAME_LABEL: &str = "app.kubernetes.io/name";
/// Where the Secret is, when the processes are handed its certificates.
const FOLDER: &str = "/certificates";
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
    /// Who keeps its certificates.
    pub keeper: Keeper,
}

/// Who makes and renews the certificates and has the configurations name their authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// The processes. An admission policy holds their account to that.
    Processes,
    /// `guard install`, where no `ValidatingAdmissionPolicy` is served (before Kubernetes 1.30): the processes have no right
    /// on configurations and Secrets. The authorities, as PEM; empty when they are not known.
    Install {
        /// What the configurations are to name.
        authorities: String,
    },
}

/// The names by which API servers call the processes.
pub fn names(service: &Target) -> Vec<String> {
    let name = format!("{}.{}.svc", service.name, service.namespace.as_deref().unwrap_or_default());
    vec![name.clone(), format!("{name}.cluster.local")]
}

/// The Service before the processes.
pub fn service(namespace: &str) -> Target {
    Target { namespace: Some(namespace.to_owned()), name: NAME.to_owned() }
}

/// Every object, in an order in which each finds what it names: the configurations last, when there is someone to ask.
pub fn objects(placement: &Placement) -> Vec<Value> {
    let namespace = placement.namespace.as_str();
    let callee = Callee {
        address: Address::Service(service(namespace)),
        authorities: match &placement.keeper {
            Keeper::Processes => String::new(),
            Keeper::Install { authorities } => authorities.clone(),
        },
        coverage: placement.coverage.clone(),
        has_conditions: placement.has_conditions,
    };
    let mut all = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": namespace}}),
        cluster_role(placement),
        binding("ClusterRoleBinding", "ClusterRole", None, namespace),
        role(placement),
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
    if placement.keeper == Keeper::Processes {
        // Before anything is given.
        all.splice(2..2, account::objects(namespace));
    }
    for object in &mut all {
        object["metadata"]["labels"] =
            json!({MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION"), NAME_LABEL: NAME});
    }
    all
}

/// The namespace as `guard install` creates it.
pub fn made_by_install(namespace: &Value) -> Value {
    let mut namespace = namespace.clone();
    namespace["metadata"]["annotations"][MADE_BY] = json!(INSTALL);
    namespace
}

/// Whether `guard install` has created a namespace.
pub fn is_made_by_install(namespace: &Value) -> bool {
    namespace.pointer("/metadata/annotations").is_some_and(|all| all[MADE_BY] == INSTALL)
}

/// The Secret, to be looked for.
pub fn secret(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": namespace}})
}

/// What the processes read and write outside their own namespace. The labels of a namespace are looked at before a
/// repair in it.
fn cluster_role(placement: &Placement) -> Value {
    let look = ["get", "list", "watch"];
    let mut rules = vec![
        json!({"apiGroups": ["flagger.app"], "resources": ["canaries"], "verbs": look}),
        json!({"apiGroups": Group::ALL.map(Group::as_str), "resources": ["traefikservices"],
            "verbs": ["get", "list", "patch", "watch"]}),
    ];
    if placement.keeper == Keeper::Processes {
        rules.push(json!({"apiGroups": ["admissionregistration.k8s.io"], "resourceNames": [NAME],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "verbs": ["get", "list", "patch", "watch"]}));
    }
    if placement.coverage.namespace_selector.is_some() {
        rules.push(json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}));
    }
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules})
}

/// What they read and write inside it. `create` cannot be cut down to a name. Where they keep nothing the role stays, empty:
/// another version may have given more.
fn role(placement: &Placement) -> Value {
    let rules = match placement.keeper {
        Keeper::Processes => json!([
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET],
                "verbs": ["get", "list", "update", "watch"]},
        ]),
        Keeper::Install { .. } => json!([]),
    };
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": NAME, "namespace": placement.namespace}, "rules": rules})
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
    let Placement { namespace, image, coverage, keeper, .. } = placement;
    let mut args = vec!["guard".to_owned(), "run".to_owned(), format!("--listen=0.0.0.0:{PORT}")];
    match keeper {
        Keeper::Processes => {
            args.extend([format!("--service={namespace}/{NAME}"), format!("--cert-secret={namespace}/{SECRET}")]);
        }
        Keeper::Install { .. } => args.push(format!("--cert-dir={FOLDER}")),
    }
    args.push(format!("--gate-listen=0.0.0.0:{GATE_PORT}"));
    let selectors = [("selector", &coverage.selector), ("namespace-selector", &coverage.namespace_selector)];
    for (flag, selector) in selectors {
        let selector = selector.as_ref().and_then(Selector::from_object);
        args.extend(selector.map(|selector| format!("--{flag}={selector}")));
    }
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "https", "scheme": "HTTPS"}, "periodSeconds": 5});
    let mut container = json!({
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
    let mut pod = json!({
        "serviceAccountName": NAME,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {NAME_LABEL: NAME}}}],
    });
    if *keeper != Keeper::Processes {
        container["volumeMounts"] = json!([{"name": "certificates", "mountPath": FOLDER, "readOnly": true}]);
        pod["volumes"] = json!([{"name": "certificates", "secret": {"secretName": SECRET}}]);
    }
    pod["containers"] = json!([container]);
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME, "namespace": namespace}, "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {NAME_LABEL: NAME}},
        // One more before one less: there is always somebody to ask.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {NAME_LABEL: NAME}},
            "spec": pod,
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
            keeper: Keeper::Processes,
        })
    }

    #[test]
    fn everything_is_labelled_and_the_configurations_come_last() {
        let all = objects("guard");
        let kinds: Vec<_> = all.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.len(), 13);
        assert_eq!(kinds[11..], ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]);
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
