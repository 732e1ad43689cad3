//! The guard as plain Kubernetes objects: three admission policies with their bindings
//! (`admissionregistration.k8s.io/v1`, mutating ones from Kubernetes 1.36 on), as values.
//!
//! - *keep* (mutating, its params are the Canaries of the namespace) makes the stanza what the annotation
//!   declares.
//! - *carry* (mutating, without params) carries the old stanza over a write that drops it. After a restart of the API
//!   server the params' kind can be unknown for half a minute, and *keep* is skipped in silence; *carry* is not.
//! - *check* (validating) refuses a new or changed annotation that is malformed.
//!
//! The API server evaluates policies in random order. Each is right before and after the other: *keep* is
//! reinvoked after *carry* changed the object, and its match conditions read nothing that *carry* changes.
//! *carry* is never reinvoked: it would bring back the stanza of an undeclared cookie that *keep* took away
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go:dispatchInvocations` marks every
//! reinvocable policy again once one of them changed the object).

use serde_json::{Value, json};

use super::declared_in_cel::{declared, text, variables};
use crate::model::name::{CANARY_API_VERSION, Group};

/// Label of every object of the guard, with the value [`MANAGED_BY`].
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Who manages the guard's objects.
pub const MANAGED_BY: &str = "kubectl-canary-traefik";
/// Label of every object of the guard: the version that made it.
pub const VERSION_LABEL: &str = "app.kubernetes.io/version";
/// Names of the three policies and their bindings.
pub const NAMES: [&str; 3] = [KEEP, CARRY, CHECK];

pub(crate) const KEEP: &str = "kubectl-canary-traefik-keep";
pub(crate) const CARRY: &str = "kubectl-canary-traefik-carry";
pub(crate) const CHECK: &str = "kubectl-canary-traefik-check";
pub(super) const API_VERSION: &str = "admissionregistration.k8s.io/v1";

/// What the guard covers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    /// Canaries: a label selector as an object; `None` is all of them.
    pub selector: Option<Value>,
    /// Namespaces: a label selector as an object; `None` is all of them.
    pub namespace_selector: Option<Value>,
}

/// Every object of the guard, policies before bindings.
pub fn objects(coverage: &Coverage) -> Vec<Value> {
    let mut keep = json!({"policyName": KEEP, "paramRef": {"parameterNotFoundAction": "Allow",
        "selector": coverage.selector.clone().unwrap_or_else(|| json!({}))}});
    let mut carry = json!({"policyName": CARRY});
    let mut check = json!({"policyName": CHECK, "validationActions": ["Deny"]});
    if let Some(selector) = &coverage.namespace_selector {
        for binding in [&mut keep, &mut carry, &mut check] {
            binding["matchResources"] =
                json!({"matchPolicy": "Equivalent", "namespaceSelector": selector, "objectSelector": {}});
        }
    }
    vec![
        object("MutatingAdmissionPolicy", KEEP, &keep_policy()),
        object("MutatingAdmissionPolicy", CARRY, &carry_policy()),
        object("ValidatingAdmissionPolicy", CHECK, &check_policy()),
        object("MutatingAdmissionPolicyBinding", KEEP, &keep),
        object("MutatingAdmissionPolicyBinding", CARRY, &carry),
        object("ValidatingAdmissionPolicyBinding", CHECK, &check),
    ]
}

/// Whether an object is the policy that makes the stanza what is declared, or its binding.
pub fn is_keep(object: &Value) -> bool {
    object.pointer("/metadata/name").is_some_and(|name| name == KEEP)
}

/// What the bindings among these objects cover: *keep* as its own says, all by the first that is there.
pub(super) fn coverage<'a>(objects: impl Iterator<Item = &'a Value>) -> Coverage {
    let bindings: Vec<_> = objects.filter(|object| object.pointer("/spec/policyName").is_some()).collect();
    let selector =
        |binding: &&Value, pointer: &str| binding.pointer(pointer).filter(|selector| **selector != json!({})).cloned();
    Coverage {
        selector: bindings.iter().find_map(|binding| selector(binding, "/spec/paramRef/selector")),
        namespace_selector: bindings
            .first()
            .and_then(|first| selector(first, "/spec/matchResources/namespaceSelector")),
    }
}

pub(super) fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "labels": {
        MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION")}}, "spec": spec})
}

fn keep_policy() -> Value {
    let mut variables = variables("params");
    variables.push(("unmanaged", UNMANAGED.to_owned()));
    json!({
        "paramKind": {"apiVersion": CANARY_API_VERSION, "kind": "Canary"},
        "matchConstraints": traefik_services(&["CREATE", "UPDATE"]),
        "matchConditions": conditions([("of-this-canary", all([NAMED, WEIGHTED, ON_TRAEFIK, NOT_FOREIGN, NOT_NATIVE]))]),
        "variables": named(variables),
        "mutations": [patch(&format!(
            "variables.declared ? (variables.problem == '' ? \
             [JSONPatch{{op: 'add', path: '/spec/weighted/sticky', value: {{'cookie': variables.cookie}}}}] : []) : \
             (variables.unmanaged && {HAS_STANZA} ? [JSONPatch{{op: 'remove', path: '/spec/weighted/sticky'}}] : [])"
        ))],
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
    })
}

fn carry_policy() -> Value {
    json!({
        "matchConstraints": traefik_services(&["UPDATE"]),
        "matchConditions": conditions([
            ("names-no-field-manager", UNMANAGED.to_owned()),
            ("controlled-by-a-canary", BY_A_CANARY.into()),
            ("drops-the-stanza", format!("{WEIGHTED} && !({HAS_STANZA}) && {HAD_STANZA}")),
        ]),
        "mutations": [patch(
            "[JSONPatch{op: 'add', path: '/spec/weighted/sticky', value: oldObject.spec.weighted.sticky}]"
        )],
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "Never",
    })
}

fn check_policy() -> Value {
    let changed = format!(
        "({}) && (oldObject == null || !({}) || oldObject.metadata.annotations[{key}] != object.metadata.annotations[{key}])",
        declared("object"),
        declared("oldObject"),
        key = text(crate::model::declaration::ANNOTATION),
    );
    json!({
        "matchConstraints": constraints("Equivalent", &json!([{"apiGroups": ["flagger.app"], "apiVersions": ["v1beta1"],
            "operations": ["CREATE", "UPDATE"], "resources": ["canaries"], "scope": "*"}])),
        "matchConditions": conditions([("declaration-is-new-or-changed", changed)]),
        "variables": named(variables("object")),
        "validations": [{
            "expression": "variables.problem == ''",
            "messageExpression": format!("{} + variables.problem",
                text(&format!("annotation {}: ", crate::model::declaration::ANNOTATION))),
            "message": format!("annotation {} is malformed", crate::model::declaration::ANNOTATION),
            "reason": "Invalid",
        }],
        "failurePolicy": "Ignore",
    })
}

/// Flagger names no field manager; whoever does is a person or a tool that means what it writes.
const UNMANAGED: &str = "!has(request.options.fieldManager) || request.options.fieldManager == ''";
const WEIGHTED: &str = "has(object.spec) && has(object.spec.weighted)";
const HAS_STANZA: &str = "has(object.spec.weighted.sticky)";
const HAD_STANZA: &str = "has(oldObject.spec) && has(oldObject.spec.weighted) && has(oldObject.spec.weighted.sticky)";
/// The computed name is the object's.
const NAMED: &str = "object.metadata.name == (has(params.spec.service) && has(params.spec.service.name) && \
    params.spec.service.name != '' ? params.spec.service.name : params.spec.targetRef.name)";
const ON_TRAEFIK: &str = "!has(params.spec.provider) || params.spec.provider in ['', 'traefik']";
const BY_A_CANARY: &str = "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner, \
    has(owner.controller) && owner.controller && owner.kind == 'Canary' && owner.apiVersion.startsWith('flagger.app/'))";
const NOT_FOREIGN: &str = "!has(object.metadata.ownerReferences) || object.metadata.ownerReferences.all(owner, \
    !has(owner.controller) || !owner.controller || (owner.kind == 'Canary' && owner.apiVersion.startsWith('flagger.app/') \
    && owner.name == params.metadata.name))";
const NOT_NATIVE: &str = "!(has(params.spec.service) && has(params.spec.service.traefik) && \
    has(params.spec.service.traefik.sticky) && has(params.spec.service.traefik.sticky.cookie))";

fn traefik_services(operations: &[&str]) -> Value {
    constraints(
        "Exact",
        &json!([{"apiGroups": Group::ALL.map(Group::as_str), "apiVersions": ["v1alpha1"], "operations": operations,
            "resources": ["traefikservices"], "scope": "*"}]),
    )
}

/// With the server's defaults written out: they are one value with the rest, and one that lacks them would conflict
/// with the same one applied by kubectl.
pub(super) fn constraints(policy: &str, rules: &Value) -> Value {
    json!({"matchPolicy": policy, "namespaceSelector": {}, "objectSelector": {}, "resourceRules": rules})
}

/// All of these in one expression, the first that is false ending it. An API server evaluates every condition for every
/// Canary, whatever the one before says, and each evaluation of an expression costs more with every Canary before it:
/// `k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go:dispatchInvocations` nests a context for each, and
/// `github.com/google/cel-go/interpreter/frame.go:SetContext` looks through all of them.
fn all<const N: usize>(expressions: [&str; N]) -> String {
    expressions.map(|expression| format!("({expression})")).join(" && ")
}

pub(super) fn conditions<const N: usize>(conditions: [(&str, String); N]) -> Value {
    named(conditions.into())
}

fn named(expressions: Vec<(&str, String)>) -> Value {
    expressions.into_iter().map(|(name, expression)| json!({"name": name, "expression": expression})).collect()
}

fn patch(expression: &str) -> Value {
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}
