//! What the processes' own account may write, as an admission policy. RBAC gives whole objects; whoever has the account's
//! token could make API servers ask any address about anything, and send anyone's requests anywhere. The policy leaves it
//! what the guard writes: the `caBundle` of its own webhook, stanzas, and its own Secret.
//!
//! Policies of an API see every write of webhook configurations, which webhooks never do
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/generic/plugin.go:admissionResources` against
//! `.../webhook/predicates/rules/rules.go:IsExemptAdmissionConfigurationResource`). They are evaluated on the object as it
//! will be stored, after everything that changes it.

use serde_json::{Value, json};

use super::{
    declared_in_cel::text,
    deployment::SECRET,
    policy::{conditions, constraints, object},
    webhook::{NAME, WEBHOOK},
};
use crate::model::name::Group;

/// The policy, and its binding.
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
                "the guard's account changes nothing of a webhook configuration but the caBundle of its own webhook"),
            validation("traefikservices", &traefik_service(),
                "the guard's account changes nothing of a TraefikService but spec.weighted.sticky"),
            validation("secrets", &secret(), "the guard's account creates no Secret but the one of its certificates"),
        ],
        "failurePolicy": "Fail",
    });
    [
        object("ValidatingAdmissionPolicy", NAME, &policy),
        object("ValidatingAdmissionPolicyBinding", NAME, &json!({"policyName": NAME, "validationActions": ["Deny"]})),
    ]
}

/// A validation for the requests of one group or resource.
fn validation(of: &str, expression: &str, message: &str) -> Value {
    let is_other = format!("!({} in [request.resource.group, request.resource.resource])", text(of));
    json!({"expression": format!("{is_other} || ({expression})"), "message": message, "reason": "Forbidden"})
}

/// Webhooks have names of their own in a configuration.
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

/// One of another type would be filled with a token of any account of the namespace.
fn secret() -> String {
    format!("object.metadata.name == {} && object.type == 'Opaque'", text(SECRET))
}

/// What the server itself writes aside.
fn metadata() -> String {
    same("object.metadata", "oldObject.metadata", &["generation", "managedFields", "resourceVersion"])
}

/// Whether two objects say the same, fields of these names aside.
fn same(a: &str, b: &str, except: &[&str]) -> String {
    let except = format!("[{}]", except.iter().map(|name| text(name)).collect::<Vec<_>>().join(", "));
    format!("{a}.all(k, k in {except} || (k in {b} && {a}[k] == {b}[k])) && {b}.all(k, k in {except} || k in {a})")
}

fn both<const N: usize>(expressions: [String; N]) -> String {
    expressions.map(|expression| format!("({expression})")).join(" && ")
}
