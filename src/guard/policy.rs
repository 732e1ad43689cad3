//! The guard as plain Kubernetes objects: three admission policies with their bindings
//! (`admissionregistration.k8s.io/v1`, mutating ones from Kubernetes 1.36 on).
//!
//! - *keep* (mutating, with the Canaries of the namespace as params) sets the cookie to what the annotation declares.
//! - *carry* (mutating, without params) restores the previous cookie in a write that drops it. After a restart of the
//!   API server the params' kind can be unknown for half a minute, and *keep* is silently skipped; *carry* is not.
//! - *check* (validating) rejects a declaration or an entry that is new or changed, and malformed.
//!
//! The API server evaluates policies in random order. *keep* and *carry* work in either order: *keep* is reinvoked
//! after *carry* changed the object, and its match conditions read nothing that *carry* changes. *carry* is never
//! reinvoked, since it would restore an undeclared cookie that *keep* removed
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go:dispatchInvocations` marks every reinvocable
//! policy again once one of them changed the object).

use serde_json::{Value, json};

use super::{
    cel::{all, is_new_or_changed, text},
    declared_in_cel, entry_in_cel,
    object::{GuardKind, GuardObject},
};
use crate::model::{
    MANAGED_BY, MANAGED_BY_LABEL,
    declaration::ANNOTATION,
    entry::ENTRY_ANNOTATION,
    name::{CANARY_API_VERSION, Group},
};

/// Label on every object of the guard: the version that created it.
pub const VERSION_LABEL: &str = "app.kubernetes.io/version";
/// Names of the three policies and their bindings.
pub const NAMES: [&str; 3] = [KEEP, CARRY, CHECK];

pub(crate) const KEEP: &str = "kubectl-canary-traefik-keep";
pub(crate) const CARRY: &str = "kubectl-canary-traefik-carry";
pub(crate) const CHECK: &str = "kubectl-canary-traefik-check";

/// The Canaries and namespaces that the guard covers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    /// Label selector for Canaries, as an object; `None` selects all.
    pub selector: Option<Value>,
    /// Label selector for namespaces, as an object; `None` selects all.
    pub namespace_selector: Option<Value>,
}

/// Returns all objects of the guard, policies before bindings.
pub fn objects(coverage: &Coverage) -> Vec<GuardObject> {
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
        object(GuardKind::MutatingAdmissionPolicy, KEEP, keep_policy()),
        object(GuardKind::MutatingAdmissionPolicy, CARRY, carry_policy()),
        object(GuardKind::ValidatingAdmissionPolicy, CHECK, check_policy()),
        object(GuardKind::MutatingAdmissionPolicyBinding, KEEP, keep),
        object(GuardKind::MutatingAdmissionPolicyBinding, CARRY, carry),
        object(GuardKind::ValidatingAdmissionPolicyBinding, CHECK, check),
    ]
}

/// Returns whether an object is the policy that enforces declared cookies, or its binding.
pub fn is_keep(object: &GuardObject) -> bool {
    object.name() == KEEP
}

/// Reads the coverage from the bindings among these objects: the Canaries from *keep*'s, the namespaces from the first.
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

/// Returns one of the policies or bindings.
pub(super) fn object(kind: GuardKind, name: &str, spec: Value) -> GuardObject {
    kind.named(None, name).labelled(labels()).with("spec", spec)
}

/// Returns the labels of the guard's admission objects and of its Secret.
pub(crate) fn labels() -> Value {
    json!({MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION")})
}

fn keep_policy() -> Value {
    let mut variables = declared_in_cel::variables("params");
    variables.push(("unmanaged", UNMANAGED.to_owned()));
    json!({
        "paramKind": {"apiVersion": CANARY_API_VERSION, "kind": "Canary"},
        "matchConstraints": traefik_services(&["CREATE", "UPDATE"]),
        // One expression, which stops at the first that is false. The API server evaluates every separate condition for
        // every Canary, whatever the result of the previous one, and each evaluation costs more with the number of Canaries
        // before it: `k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go:dispatchInvocations` nests a
        // context for each, and `github.com/google/cel-go/interpreter/frame.go:SetContext` searches all of them.
        "matchConditions": named([("of-this-canary", all([NAMED, WEIGHTED, ON_TRAEFIK, NOT_FOREIGN, NOT_NATIVE]))]),
        "variables": named(variables),
        "mutations": [patch(&format!(
            "variables.declared ? (variables.problem == '' ? \
             [JSONPatch{{op: 'add', path: '/spec/weighted/sticky', value: {{'cookie': variables.cookie}}}}] : []) : \
             (variables.unmanaged && {HAS_STICKY} ? [JSONPatch{{op: 'remove', path: '/spec/weighted/sticky'}}] : [])"
        ))],
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
    })
}

fn carry_policy() -> Value {
    json!({
        "matchConstraints": traefik_services(&["UPDATE"]),
        "matchConditions": named([
            ("names-no-field-manager", UNMANAGED.to_owned()),
            ("controlled-by-a-canary", BY_A_CANARY.into()),
            ("drops-the-cookie", format!("{WEIGHTED} && !({HAS_STICKY}) && {HAD_STICKY}")),
        ]),
        "mutations": [patch(
            "[JSONPatch{op: 'add', path: '/spec/weighted/sticky', value: oldObject.spec.weighted.sticky}]"
        )],
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "Never",
    })
}

fn check_policy() -> Value {
    let [declaration, entry] = [ANNOTATION, ENTRY_ANNOTATION].map(is_new_or_changed);
    let mut variables = declared_in_cel::variables("object");
    variables.extend(entry_in_cel::variables());
    json!({
        "matchConstraints":
            constraints("Equivalent", &[rule(&["flagger.app"], "v1beta1", &["CREATE", "UPDATE"], &["canaries"])]),
        "matchConditions": named([("annotation-is-new-or-changed", format!("({declaration}) || ({entry})"))]),
        "variables": named(variables),
        // If both fail, the API server reports the first
        // (`k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go:Dispatch`).
        "validations": [validation(ANNOTATION, "problem"), validation(ENTRY_ANNOTATION, "entryProblem")],
        "failurePolicy": "Ignore",
    })
}

/// Returns the validation of an annotation, given the variable with its first parse error. An annotation that this write
/// leaves as it is passes, whatever the write does to another.
fn validation(annotation: &str, problem: &str) -> Value {
    json!({
        "expression": format!("!({}) || variables.{problem} == ''", is_new_or_changed(annotation)),
        "messageExpression": format!("{} + variables.{problem}", text(&format!("annotation {annotation}: "))),
        "message": format!("annotation {annotation} is malformed"),
        "reason": "Invalid",
    })
}

/// Flagger sets no field manager. A writer that sets one is a person or a tool whose write is intentional.
const UNMANAGED: &str = "!has(request.options.fieldManager) || request.options.fieldManager == ''";
const WEIGHTED: &str = "has(object.spec) && has(object.spec.weighted)";
const HAS_STICKY: &str = "has(object.spec.weighted.sticky)";
const HAD_STICKY: &str = "has(oldObject.spec) && has(oldObject.spec.weighted) && has(oldObject.spec.weighted.sticky)";
/// True if the name computed from the Canary is the object's.
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
    constraints("Exact", &[rule(&Group::ALL.map(Group::as_str), "v1alpha1", operations, &["traefikservices"])])
}

/// Returns a rule for the requests that a policy is for.
pub(super) fn rule(groups: &[&str], version: &str, operations: &[&str], resources: &[&str]) -> Value {
    json!({"apiGroups": groups, "apiVersions": [version], "operations": operations, "resources": resources,
        "scope": "*"})
}

/// Returns match constraints with the server's defaults filled in. The constraints are one atomic value: without the
/// defaults, applying the same manifest with kubectl would conflict.
pub(super) fn constraints(policy: &str, rules: &[Value]) -> Value {
    json!({"matchPolicy": policy, "namespaceSelector": {}, "objectSelector": {}, "resourceRules": rules})
}

/// Returns named expressions, as conditions and variables are.
pub(super) fn named<'a>(expressions: impl IntoIterator<Item = (&'a str, String)>) -> Value {
    expressions.into_iter().map(|(name, expression)| json!({"name": name, "expression": expression})).collect()
}

fn patch(expression: &str) -> Value {
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}
