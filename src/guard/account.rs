//! The admission policy that restricts the guard's service account. RBAC grants whole objects, so with a stolen token
//! API servers could be made to send any object to any address, and anyone's traffic could be rerouted. The policy
//! allows only the guard's own writes: the `caBundle` of its own webhook, `spec.weighted.sticky`, and its own Secret.
//!
//! Policies defined through the API see every write to a webhook configuration; webhooks never do
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/generic/plugin.go:admissionResources` against
//! `.../webhook/predicates/rules/rules.go:IsExemptAdmissionConfigurationResource`). They are evaluated on the object as
//! it will be stored, after all mutations.

use serde_json::{Value, json};

use super::{
    cel::text,
    deployment::SECRET,
    policy::{conditions, constraints, object},
    webhook::{NAME, WEBHOOK},
};
use crate::model::name::Group;

/// Returns the policy and its binding.
pub(super) fn objects(namespace: &str) -> [Value; 2] {
    let account = text(&format!("system:serviceaccount:{namespace}:{NAME}"));
    let rule = |group: Value, version: &str, operation: &str, resources: &[&str]| {
        json!({"apiGroups": group, "apiVersions": [version], "operations": [operation], "resources": resources,
            "scope": "*"})
    };
    let configurations = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
    let rules = json!([
        rule(json!(["admissionregistration.k8s.io"]), "v1", "UPDATE", &configurations),
        rule(json!(Group::ALL.map(Group::as_str)), "v1alpha1", "UPDATE", &["traefikservices"]),
        rule(json!([""]), "v1", "CREATE", &["secrets"]),
    ]);
    let policy = json!({
        "matchConstraints": constraints("Equivalent", &rules),
        "matchConditions": conditions([("by-the-guards-account", format!("request.userInfo.username == {account}"))]),
        "validations": [
            validation("admissionregistration.k8s.io", &configuration(),
                "the guard's account may change nothing in a webhook configuration except the caBundle of its own webhook"),
            validation("traefikservices", &traefik_service(),
                "the guard's account may change nothing in a TraefikService except spec.weighted.sticky"),
            validation("secrets", &secret(), "the guard's account may create no Secret except the one for its certificates"),
        ],
        "failurePolicy": "Fail",
    });
    [
        object("ValidatingAdmissionPolicy", NAME, &policy),
        object("ValidatingAdmissionPolicyBinding", NAME, &json!({"policyName": NAME, "validationActions": ["Deny"]})),
    ]
}

/// Returns a validation that applies only to requests for the API group or resource `of`.
fn validation(of: &str, expression: &str, message: &str) -> Value {
    let is_other = format!("!({} in [request.resource.group, request.resource.resource])", text(of));
    json!({"expression": format!("{is_other} || ({expression})"), "message": message, "reason": "Forbidden"})
}

/// Returns the rule for webhook configurations. Webhooks are compared by name, which is unique in a configuration.
fn configuration() -> String {
    let ours = both([same("w", "o", &["clientConfig"]), same("w.clientConfig", "o.clientConfig", &["caBundle"])]);
    both([
        same("object", "oldObject", &["metadata", "webhooks"]),
        metadata(),
        "has(object.webhooks) && has(oldObject.webhooks)".into(),
        "object.webhooks.map(w, w.name) == oldObject.webhooks.map(w, w.name)".into(),
        format!(
            "object.webhooks.all(w, oldObject.webhooks.exists(o, o.name == w.name && (w.name == {} ? {ours} : w == o)))",
            text(WEBHOOK)
        ),
    ])
}

fn traefik_service() -> String {
    both([
        same("object", "oldObject", &["metadata", "spec"]),
        metadata(),
        "has(object.spec) && has(oldObject.spec)".into(),
        same("object.spec", "oldObject.spec", &["weighted"]),
        "has(object.spec.weighted) && has(oldObject.spec.weighted)".into(),
        same("object.spec.weighted", "oldObject.spec.weighted", &["sticky"]),
    ])
}

/// Returns the rule for Secrets. Kubernetes would fill a Secret of another type with a token for any account in the
/// namespace.
fn secret() -> String {
    format!("object.metadata.name == {} && object.type == 'Opaque'", text(SECRET))
}

/// Compares the metadata, except for the fields that the API server writes itself.
fn metadata() -> String {
    same("object.metadata", "oldObject.metadata", &["generation", "managedFields", "resourceVersion"])
}

/// Returns an expression that is true if two objects are equal, ignoring the fields in `except`.
fn same(a: &str, b: &str, except: &[&str]) -> String {
    let except = format!("[{}]", except.iter().map(|name| text(name)).collect::<Vec<_>>().join(", "));
    format!("{a}.all(k, k in {except} || (k in {b} && {a}[k] == {b}[k])) && {b}.all(k, k in {except} || k in {a})")
}

fn both<const N: usize>(expressions: [String; N]) -> String {
    expressions.map(|expression| format!("({expression})")).join(" && ")
}
