//! The admission policy that restricts the guard's service account. RBAC grants whole objects, so with a stolen token
//! API servers could be made to send any object to any address, and anyone's traffic could be rerouted. The policy
//! allows only the guard's own writes: the `caBundle` of its own webhook, `spec.weighted.sticky`, its own Secret, and the
//! objects of entries.
//!
//! Policies defined through the API see every write to a webhook configuration; webhooks never do
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/generic/plugin.go:admissionResources` against
//! `.../webhook/predicates/rules/rules.go:IsExemptAdmissionConfigurationResource`). They are evaluated on the object as
//! it will be stored, after all mutations.

use serde_json::{Value, json};

use super::{
    cel::{all, text},
    object::{GuardKind, GuardObject},
    policy::{constraints, named, object, rule},
    webhook::{NAME, SECRET, WEBHOOK},
};
use crate::model::{MANAGED_BY, MANAGED_BY_LABEL, entry::CANARY_ANNOTATION, name::Group};

/// Returns the policy and its binding.
pub(super) fn objects(namespace: &str) -> [GuardObject; 2] {
    let account = text(&format!("system:serviceaccount:{namespace}:{NAME}"));
    let groups = Group::ALL.map(Group::as_str);
    let configurations = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
    let entries = ["CREATE", "UPDATE", "DELETE"];
    let rules = [
        rule(&["admissionregistration.k8s.io"], "v1", &["UPDATE"], &configurations),
        rule(&groups, "v1alpha1", &["UPDATE"], &["traefikservices"]),
        rule(&[""], "v1", &["CREATE"], &["secrets"]),
        rule(&groups, "v1alpha1", &entries, &["ingressroutes", "middlewares"]),
        rule(&["gateway.networking.k8s.io"], "*", &entries, &["httproutes"]),
    ];
    let policy = json!({
        "matchConstraints": constraints("Equivalent", &rules),
        "matchConditions": named([("by-the-guards-account", format!("request.userInfo.username == {account}"))]),
        "validations": [
            validation("admissionregistration.k8s.io", &configuration(),
                "the guard's account may change nothing in a webhook configuration except the caBundle of its own webhook"),
            validation("traefikservices", &traefik_service(),
                "the guard's account may change nothing in a TraefikService except spec.weighted.sticky"),
            validation("middlewares", &entry(&middleware()), ONLY_ENTRIES),
            validation("ingressroutes", &entry(&ingress_route()), ONLY_ENTRIES),
            validation("httproutes", &entry(&http_route()), ONLY_ENTRIES),
            validation("secrets", &secret(), "the guard's account may create no Secret except the one for its certificates"),
        ],
        "failurePolicy": "Fail",
    });
    [
        object(GuardKind::ValidatingAdmissionPolicy, NAME, policy),
        object(
            GuardKind::ValidatingAdmissionPolicyBinding,
            NAME,
            json!({"policyName": NAME, "validationActions": ["Deny"]}),
        ),
    ]
}

/// Returns a validation that applies only to requests for the API group or resource `of`.
fn validation(of: &str, expression: &str, message: &str) -> Value {
    let is_other = format!("!({} in [request.resource.group, request.resource.resource])", text(of));
    json!({"expression": format!("{is_other} || ({expression})"), "message": message, "reason": "Forbidden"})
}

/// Returns the rule for webhook configurations. Webhooks are compared by name, which is unique in a configuration.
fn configuration() -> String {
    let ours = all([same("w", "o", &["clientConfig"]), same("w.clientConfig", "o.clientConfig", &["caBundle"])]);
    all([
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
    all([
        same("object", "oldObject", &["metadata", "spec"]),
        metadata(),
        "has(object.spec) && has(oldObject.spec)".into(),
        same("object.spec", "oldObject.spec", &["weighted"]),
        "has(object.spec.weighted) && has(oldObject.spec.weighted)".into(),
        same("object.spec.weighted", "oldObject.spec.weighted", &["sticky"]),
    ])
}

const ONLY_ENTRIES: &str = "the guard's account may only write Middlewares and routes that belong to entries: exact paths to \
    TraefikServices, without the Cookie header";

/// Returns the rule for an object of an entry: what is there and what is to be there have the labels and the name of one, and
/// what is to be there has this content.
fn entry(content: &str) -> String {
    let is_of_one = |object: &str| {
        let (label, value, canary) = (text(MANAGED_BY_LABEL), text(MANAGED_BY), text(CANARY_ANNOTATION));
        all([
            format!("has({object}.metadata.labels) && {label} in {object}.metadata.labels"),
            format!("{object}.metadata.labels[{label}] == {value}"),
            format!("has({object}.metadata.annotations) && {canary} in {object}.metadata.annotations"),
            format!("{object}.metadata.name.startsWith({object}.metadata.annotations[{canary}] + '-entry')"),
        ])
    };
    format!(
        "(oldObject == null || ({})) && (object == null || (({}) && ({content})))",
        is_of_one("oldObject"),
        is_of_one("object")
    )
}

fn middleware() -> String {
    let only = |object: &str, key: &str| format!("has({object}.{key}) && {object}.all(k, k == {})", text(key));
    all([
        only("object.spec", "headers"),
        only("object.spec.headers", "customRequestHeaders"),
        only("object.spec.headers.customRequestHeaders", "Cookie"),
        "object.spec.headers.customRequestHeaders.Cookie == ''".into(),
    ])
}

/// Each route is for exact paths, and without the `Cookie` header to TraefikServices of its own namespace.
fn ingress_route() -> String {
    // In the older syntax of rules, braces would make it a pattern.
    let path = r"Path\(`[^`{}]*`\)";
    // Without balance within the first parentheses, they could end early, and the rest would be any other rule.
    let rule = text(&format!(r"^\({}\) && \({path}( \|\| {path})*\)$", balanced(4)));
    let name = format!("object.metadata.annotations[{}] + '-entry'", text(CANARY_ANNOTATION));
    let last = "r.middlewares[size(r.middlewares) - 1]";
    format!(
        "has(object.spec.routes) && object.spec.routes.all(r, {})",
        all([
            format!("r.match.matches({rule})"),
            "has(r.middlewares) && size(r.middlewares) > 0".into(),
            format!("{last}.name == {name} && !has({last}.namespace)"),
            services("services"),
        ])
    )
}

/// Returns a regular expression for a text whose parentheses are balanced, apart from those in strings, and at most this
/// deep. Outside strings there is no slash, which could begin a comment of Go.
fn balanced(depth: usize) -> String {
    let string = r#"`[^`]*`|"(?:[^"\\]|\\.)*""#;
    let inner = if depth == 0 { String::new() } else { format!(r"|\({}\)", balanced(depth - 1)) };
    format!(r#"(?:[^()`"/]|{string}{inner})*"#)
}

fn http_route() -> String {
    format!(
        "has(object.spec.rules) && object.spec.rules.all(r, {})",
        all([
            "has(r.matches) && size(r.matches) > 0".into(),
            "r.matches.all(m, has(m.path) && has(m.path.type) && m.path.type == 'Exact')".into(),
            "has(r.filters) && r.filters.exists(f, f.type == 'RequestHeaderModifier' && has(f.requestHeaderModifier.remove) \
             && 'Cookie' in f.requestHeaderModifier.remove)"
                .into(),
            harmless("r.filters"),
            services("backendRefs"),
            format!("r.backendRefs.all(b, !has(b.filters) || ({}))", harmless("b.filters")),
        ])
    )
}

/// Returns the rule for filters, none of which may send a request or a copy of it elsewhere.
fn harmless(filters: &str) -> String {
    format!("{filters}.all(f, !(f.type in ['RequestRedirect', 'RequestMirror']))")
}

/// Returns the rule for the services of a route `r`: some, all of them TraefikServices of its namespace. A name with `@`
/// would be one of another of Traefik's providers.
fn services(key: &str) -> String {
    let is_here = "!has(s.namespace) || s.namespace == object.metadata.namespace";
    let is_one = "has(s.kind) && s.kind == 'TraefikService' && !s.name.contains('@')";
    format!("has(r.{key}) && size(r.{key}) > 0 && r.{key}.all(s, {is_one} && ({is_here}))")
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
