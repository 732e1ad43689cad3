//! Manifests that run the webhook inside a cluster: minimal RBAC, two replicas with a disruption budget, a Service, and
//! the webhook configurations. All objects are named [`NAME`].

use serde_json::{Value, json};

use super::{
    account,
    object::{GuardKind, GuardObject},
    policy::{Coverage, VERSION_LABEL},
    webhook::{Address, NAME, SECRET, WebhookEndpoint, configurations},
};
use crate::model::{MANAGED_BY, MANAGED_BY_LABEL, NamespacedName, name::Group, selector};

/// The default namespace of the guard.
pub const NAMESPACE: &str = NAME;

/// Annotation of a namespace that `guard install` created. Printed manifests lack it, because they may be applied to a
/// namespace that already exists.
const MADE_BY: &str = "kubectl-canary-traefik/created-by";
const INSTALL: &str = "guard install";
const NAME_LABEL: &str = "app.kubernetes.io/name";
/// Mount path of the Secret, with [`CertificateOwner::Install`].
const FOLDER: &str = "/certificates";
const PORT: u16 = 8443;
/// The argument with which the replicas keep entries.
const ENTRIES: &str = "--entries";
/// The argument with a URL of Traefik.
const TRAEFIK_URL: &str = "--traefik-url=";
/// Port for Flagger, which calls its webhooks without TLS.
const GATE_PORT: u16 = 8080;

/// Configuration of the webhook's Deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The namespace of the Deployment.
    pub namespace: String,
    /// The container image of this program.
    pub image: String,
    /// The Canaries and namespaces to cover.
    pub coverage: Coverage,
    /// Whether the API server supports `matchConditions`.
    pub has_conditions: bool,
    /// The owner of the certificates.
    pub keeper: CertificateOwner,
    /// Whether the replicas update the objects of entries when routes change.
    pub entries: bool,
    /// The URLs of Traefik with which the replicas verify cookies.
    pub traefik: Vec<String>,
}

/// The owner of the certificates: creates and renews them, and writes the CA bundle into the webhook configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateOwner {
    /// The replicas. An admission policy restricts their account to these writes.
    Replicas,
    /// `guard install`, on clusters without `ValidatingAdmissionPolicy` (before Kubernetes 1.30). The replicas then
    /// have no permissions on webhook configurations and Secrets.
    Install {
        /// The CA bundle for the webhook configurations, as PEM; empty if unknown.
        authorities: String,
    },
}

/// Returns the DNS names under which API servers call the Service.
pub fn names(service: &NamespacedName) -> Vec<String> {
    let name = format!("{}.{}.svc", service.name, service.namespace.as_deref().unwrap_or_default());
    vec![name.clone(), format!("{name}.cluster.local")]
}

/// Returns the name of the Service in front of the replicas.
pub fn service(namespace: &str) -> NamespacedName {
    NamespacedName { namespace: Some(namespace.to_owned()), name: NAME.to_owned() }
}

/// Returns all objects in dependency order. The webhook configurations come last, when there is something to call.
pub fn objects(placement: &Placement) -> Vec<GuardObject> {
    let namespace = placement.namespace.as_str();
    let callee = WebhookEndpoint {
        address: Address::Service(service(namespace)),
        authorities: match &placement.keeper {
            CertificateOwner::Replicas => String::new(),
            CertificateOwner::Install { authorities } => authorities.clone(),
        },
        coverage: placement.coverage.clone(),
        has_conditions: placement.has_conditions,
    };
    let mut all = vec![
        GuardKind::Namespace.named(None, namespace),
        GuardKind::ServiceAccount.named(Some(namespace), NAME),
        cluster_role(placement),
        binding(GuardKind::ClusterRoleBinding, "ClusterRole", namespace),
        role(placement),
        binding(GuardKind::RoleBinding, "Role", namespace),
        deployment(placement),
        GuardKind::PodDisruptionBudget
            .named(Some(namespace), NAME)
            .with("spec", json!({"minAvailable": 1, "selector": {"matchLabels": {NAME_LABEL: NAME}}})),
        GuardKind::Service.named(Some(namespace), NAME).with(
            "spec",
            json!({"selector": {NAME_LABEL: NAME},
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"},
                    {"name": "gate", "port": 80, "protocol": "TCP", "targetPort": "gate"}]}),
        ),
    ];
    all.extend(configurations(&callee));
    if placement.keeper == CertificateOwner::Replicas {
        // The account is restricted before it is granted anything.
        all.splice(2..2, account::objects(namespace));
    }
    let labels = json!({MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION"), NAME_LABEL: NAME});
    all.into_iter().map(|object| object.labelled(labels.clone())).collect()
}

/// Returns whether the replicas of a Deployment keep entries.
pub fn keeps_entries(deployment: &Value) -> bool {
    args(deployment).any(|arg| arg == ENTRIES)
}

/// Returns the URLs of Traefik with which the replicas of a Deployment verify cookies.
pub fn traefik_urls(deployment: &Value) -> Vec<String> {
    args(deployment).filter_map(|arg| arg.strip_prefix(TRAEFIK_URL)).map(str::to_owned).collect()
}

fn args(deployment: &Value) -> impl Iterator<Item = &str> {
    let args = deployment.pointer("/spec/template/spec/containers/0/args").and_then(Value::as_array);
    args.into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the namespace with the annotation that `guard install` sets when it creates one.
pub fn mark_created_by_install(namespace: &GuardObject) -> GuardObject {
    let mut namespace = namespace.clone();
    namespace.value["metadata"]["annotations"][MADE_BY] = json!(INSTALL);
    namespace
}

/// Returns whether `guard install` created the namespace.
pub fn is_made_by_install(namespace: &Value) -> bool {
    namespace.pointer("/metadata/annotations").is_some_and(|all| all[MADE_BY] == INSTALL)
}

/// Returns the Secret's kind and name, for looking it up.
pub fn secret(namespace: &str) -> GuardObject {
    GuardKind::Secret.named(Some(namespace), SECRET)
}

/// Returns the permissions of the replicas outside their own namespace. With a namespace selector, they read the labels of a
/// namespace before repairing anything in it.
fn cluster_role(placement: &Placement) -> GuardObject {
    let look = ["get", "list", "watch"];
    let mut rules = vec![
        json!({"apiGroups": ["flagger.app"], "resources": ["canaries"], "verbs": look}),
        json!({"apiGroups": Group::ALL.map(Group::as_str), "resources": ["traefikservices"],
            "verbs": ["get", "list", "patch", "watch"]}),
    ];
    if placement.keeper == CertificateOwner::Replicas {
        rules.push(json!({"apiGroups": ["admissionregistration.k8s.io"], "resourceNames": [NAME],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "verbs": ["get", "list", "patch", "watch"]}));
    }
    if placement.entries {
        rules.extend(entry_rules());
    }
    if placement.coverage.namespace_selector.is_some() {
        rules.push(json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}));
    }
    GuardKind::ClusterRole.named(None, NAME).with("rules", json!(rules))
}

/// Returns the permissions to update the objects of entries. The account's admission policy allows no other writes.
fn entry_rules() -> [Value; 3] {
    let verbs = json!(["create", "delete", "list", "patch", "watch"]);
    [
        json!({"apiGroups": Group::ALL.map(Group::as_str), "resources": ["ingressroutes", "middlewares"], "verbs": verbs}),
        json!({"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": verbs}),
        json!({"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["list", "watch"]}),
    ]
}

/// Returns the permissions of the replicas in their own namespace. RBAC cannot restrict `create` to a name. With
/// [`CertificateOwner::Install`] the Role is empty but still applied: another version may have granted more.
fn role(placement: &Placement) -> GuardObject {
    let rules = match placement.keeper {
        CertificateOwner::Replicas => json!([
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET],
                "verbs": ["get", "list", "update", "watch"]},
        ]),
        CertificateOwner::Install { .. } => json!([]),
    };
    GuardKind::Role.named(Some(&placement.namespace), NAME).with("rules", rules)
}

fn binding(kind: GuardKind, role: &str, namespace: &str) -> GuardObject {
    kind.named((kind == GuardKind::RoleBinding).then_some(namespace), NAME)
        .with("roleRef", json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": NAME}))
        .with("subjects", json!([{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}]))
}

fn deployment(placement: &Placement) -> GuardObject {
    let Placement { namespace, image, coverage, keeper, entries, traefik, .. } = placement;
    let mut args = vec!["guard".to_owned(), "run".to_owned(), format!("--listen=0.0.0.0:{PORT}")];
    match keeper {
        CertificateOwner::Replicas => {
            args.extend([format!("--service={namespace}/{NAME}"), format!("--cert-secret={namespace}/{SECRET}")]);
        }
        CertificateOwner::Install { .. } => args.push(format!("--cert-dir={FOLDER}")),
    }
    args.push(format!("--gate-listen=0.0.0.0:{GATE_PORT}"));
    if *entries {
        args.push(ENTRIES.to_owned());
    }
    args.extend(traefik.iter().map(|url| format!("{TRAEFIK_URL}{url}")));
    let selectors = [("selector", &coverage.selector), ("namespace-selector", &coverage.namespace_selector)];
    for (flag, selector) in selectors {
        let selector = selector.as_ref().and_then(selector::from_object);
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
    if *keeper != CertificateOwner::Replicas {
        container["volumeMounts"] = json!([{"name": "certificates", "mountPath": FOLDER, "readOnly": true}]);
        pod["volumes"] = json!([{"name": "certificates", "secret": {"secretName": SECRET}}]);
    }
    pod["containers"] = json!([container]);
    let spec = json!({
        "replicas": 2,
        "selector": {"matchLabels": {NAME_LABEL: NAME}},
        // A new pod is ready before an old one stops, so the webhook is always available.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {"metadata": {"labels": {NAME_LABEL: NAME}}, "spec": pod},
    });
    GuardKind::Deployment.named(Some(namespace), NAME).with("spec", spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(namespace: &str) -> Vec<GuardObject> {
        super::objects(&Placement {
            namespace: namespace.into(),
            image: "registry.example/guard:1".into(),
            coverage: Coverage::default(),
            has_conditions: true,
            keeper: CertificateOwner::Replicas,
            entries: true,
            traefik: Vec::new(),
        })
    }

    #[test]
    fn everything_is_labelled_and_the_configurations_come_last() {
        let all = objects("guard");
        let kinds: Vec<_> = all.iter().map(|object| object.kind).collect();
        assert_eq!(kinds.len(), 13);
        assert_eq!(kinds[11..], [GuardKind::MutatingWebhookConfiguration, GuardKind::ValidatingWebhookConfiguration]);
        assert!(all.iter().all(|object| object.value["metadata"]["labels"][MANAGED_BY_LABEL] == MANAGED_BY));
    }

    #[test]
    fn no_right_on_configurations_or_kept_secrets_is_wider_than_their_names() {
        let rules = |object: GuardObject| object.value["rules"].as_array().cloned().unwrap_or_default();
        for rule in objects("guard").into_iter().flat_map(rules) {
            let is_named = rule.get("resourceNames").is_some();
            let resource = rule["resources"][0].as_str().unwrap();
            let is_open =
                ["canaries", "traefikservices", "ingressroutes", "httproutes", "ingresses"].contains(&resource);
            let must = !is_open && rule["verbs"] != json!(["create"]);
            assert_eq!(is_named, must, "{rule}");
        }
    }
}
