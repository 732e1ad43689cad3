//! A namespace for one test: fresh, with verbs on its objects, and users with exactly the rights they are given.

use std::path::{Path, PathBuf};

use http::Method;
use serde_json::{Value, json};

use super::{
    api::Answer,
    directory::{Directory, random_letters},
    objects,
    run::Run,
    server::{Server, server},
    wait::until,
};

/// What the tests create and look at: kind, `apiVersion`, plural, and whether it lives in a namespace.
const KINDS: &[(&str, &str, &str, bool)] = &[
    ("Canary", "flagger.app/v1beta1", "canaries", true),
    ("ConfigMap", "v1", "configmaps", true),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1", "customresourcedefinitions", false),
    ("DaemonSet", "apps/v1", "daemonsets", true),
    ("Deployment", "apps/v1", "deployments", true),
    ("EndpointSlice", "discovery.k8s.io/v1", "endpointslices", true),
    ("Event", "v1", "events", true),
    ("Gateway", "gateway.networking.k8s.io/v1", "gateways", true),
    ("GatewayClass", "gateway.networking.k8s.io/v1", "gatewayclasses", false),
    ("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes", true),
    ("IngressRoute", "traefik.io/v1alpha1", "ingressroutes", true),
    ("Middleware", "traefik.io/v1alpha1", "middlewares", true),
    ("MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "mutatingadmissionpolicies", false),
    ("MutatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "mutatingadmissionpolicybindings", false),
    ("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", false),
    ("Role", "rbac.authorization.k8s.io/v1", "roles", true),
    ("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", true),
    ("Node", "v1", "nodes", false),
    ("Pod", "v1", "pods", true),
    ("Secret", "v1", "secrets", true),
    ("Service", "v1", "services", true),
    ("TraefikService", "traefik.io/v1alpha1", "traefikservices", true),
    ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1", "validatingadmissionpolicies", false),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", false),
    ("ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", false),
];

/// A namespace and the directory for its kubeconfigs. Deleted at the end where others would see it.
pub struct Namespace<'a> {
    server: &'a Server,
    name: String,
    hint: String,
    directory: Directory,
    kubeconfig: PathBuf,
}

impl Namespace<'static> {
    /// A fresh namespace `HINT-xxxx` on the shared server.
    pub fn new(hint: &str) -> Self {
        Self::on(server(), hint)
    }
}

impl<'a> Namespace<'a> {
    /// A fresh namespace `HINT-xxxx` on this server.
    pub fn on(server: &'a Server, hint: &str) -> Self {
        let name = loop {
            let name = format!("{hint}-{}", random_letters(4));
            let object = json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": name, "labels": { "kubectl-canary-traefik/test": "" } },
            });
            let answer = server.admin().post("/api/v1/namespaces", &object);
            if answer.code != 409 {
                answer.expect("create a namespace");
                break name;
            }
        };
        let directory = Directory::new();
        let kubeconfig = directory.write("admin.kubeconfig", server.admin_kubeconfig(&name));
        Self { server, name, hint: hint.to_owned(), directory, kubeconfig }
    }

    /// Its name: the hint, a dash, and four characters that snapshots show as `[NS]`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is on.
    pub fn server(&self) -> &'a Server {
        self.server
    }

    /// A kubeconfig of the administrator with this namespace as the default.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A run of the program as the administrator in this namespace.
    pub fn run<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        self.run_as(&self.kubeconfig, arguments)
    }

    /// A run of the program with one of this namespace's kubeconfigs.
    pub fn run_as<S: AsRef<str>>(&self, kubeconfig: &Path, arguments: impl IntoIterator<Item = S>) -> Run {
        Run::new(arguments).kubeconfig(kubeconfig).redact(&self.name, &format!("{}-[NS]", self.hint))
    }

    /// Creates the object of one YAML document and returns what the server stored.
    pub fn create(&self, yaml: &str) -> Value {
        self.create_value(&canary_traefik::yaml::parse(yaml).expect("the test's YAML is well-formed"))
    }

    /// Creates an object and returns what the server stored.
    pub fn create_value(&self, object: &Value) -> Value {
        let kind = object["kind"].as_str().expect("the object has a kind");
        self.server.admin().post(&self.collection(kind), object).expect(&format!("create a {kind}"))
    }

    /// Creates `canary(name)` and, as Flagger does, its TraefikService with these weights.
    pub fn create_rollout(&self, name: &str, primary: u64, canary: u64) -> (Value, Value) {
        let owner = self.create_value(&objects::canary(name));
        let service = objects::owned_by(objects::traefik_service(name, primary, canary), &owner);
        (owner, super::flagger::creates(self, service))
    }

    /// The object, which must exist.
    pub fn get(&self, kind: &str, name: &str) -> Value {
        self.server.admin().get(&self.path(kind, name)).expect(&format!("get {kind} {name}"))
    }

    /// The object, if it exists.
    pub fn find(&self, kind: &str, name: &str) -> Option<Value> {
        let answer = self.server.admin().get(&self.path(kind, name));
        (answer.code != 404).then(|| answer.expect(&format!("get {kind} {name}")))
    }

    /// Applies a JSON merge patch and returns what the server stored.
    pub fn patch(&self, kind: &str, name: &str, patch: &Value) -> Value {
        self.server.admin().merge(&self.path(kind, name), patch).expect(&format!("patch {kind} {name}"))
    }

    /// Applies a JSON merge patch to the status subresource: `patch` is the status alone.
    pub fn patch_status(&self, kind: &str, name: &str, status: &Value) -> Value {
        let path = self.path(kind, name) + "/status";
        self.server.admin().merge(&path, &json!({ "status": status })).expect(&format!("patch status of {kind} {name}"))
    }

    /// Deletes the object.
    pub fn delete(&self, kind: &str, name: &str) {
        self.server.admin().delete(&self.path(kind, name)).expect(&format!("delete {kind} {name}"));
    }

    /// A request to the API path of an object, or of a kind's collection when `name` is empty.
    pub fn ask(&self, method: &Method, kind: &str, name: &str, body: &Value) -> Answer {
        self.server.admin().ask(method, &self.path(kind, name), "application/json", body.to_string())
    }

    /// The API path of an object.
    pub fn path(&self, kind: &str, name: &str) -> String {
        let collection = self.collection(kind);
        if name.is_empty() { collection } else { format!("{collection}/{name}") }
    }

    fn collection(&self, kind: &str) -> String {
        let row = KINDS.iter().find(|row| row.0 == kind);
        let (_, version, plural, namespaced) = row.unwrap_or_else(|| panic!("no row for {kind} in KINDS"));
        let prefix = if version.contains('/') { "apis" } else { "api" };
        if *namespaced {
            format!("/{prefix}/{version}/namespaces/{}/{plural}", self.name)
        } else {
            format!("/{prefix}/{version}/{plural}")
        }
    }

    /// The kubeconfig of a new user who has these rules (the YAML of a Role's `rules`) in this namespace and
    /// no other right. Returns when the server knows of them.
    pub fn user_with(&self, rules: &str) -> PathBuf {
        let (user, text) = self.server.next_narrow_user(&self.name);
        let kubeconfig = self.directory.write(&format!("{user}.kubeconfig"), text);
        let rules = canary_traefik::yaml::parse(rules).expect("the test's YAML is well-formed");
        let Some(rule) = rules.as_array().expect("rules are a list").last() else { return kubeconfig };
        let role = |kind: &str| json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind });
        let mut object = role("Role");
        object["metadata"] = json!({ "name": user });
        object["rules"] = rules.clone();
        self.create_value(&object);
        let mut object = role("RoleBinding");
        object["metadata"] = json!({ "name": user });
        object["roleRef"] = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user });
        object["subjects"] = json!([{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }]);
        self.create_value(&object);
        let first = |list: &str| rule[list][0].as_str().unwrap_or_default();
        let (resource, subresource) = first("resources").split_once('/').unwrap_or((first("resources"), ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user,
                "resourceAttributes": {
                    "namespace": self.name,
                    "verb": first("verbs"),
                    "group": first("apiGroups"),
                    "resource": resource,
                    "subresource": subresource,
                    "name": first("resourceNames"),
                },
            },
        });
        until("the server to know of the user's rights", || {
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let answer = self.server.admin().post(path, &review).expect("ask for the user's rights");
            answer["status"]["allowed"].as_bool().filter(|&allowed| allowed)
        });
        kubeconfig
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if !self.server.is_own() {
            let request = http::Request::delete(format!("/api/v1/namespaces/{}", self.name)).body(Vec::new());
            let _ = self.server.admin().send(request.expect("a well-formed request"));
        }
    }
}
