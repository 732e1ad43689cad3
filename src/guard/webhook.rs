//! The guard as a webhook: the two configurations that make an API server ask a process, as values.
//!
//! They hold as narrow as they can what the process is asked about: TraefikServices that are weighted, Canaries
//! that have the annotation. What does not concern the guard never waits for it.

use serde_json::{Value, json};

use super::policy::{API_VERSION, Coverage, MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL};
use crate::model::{Target, declaration::ANNOTATION, name::Group};

/// Name of both configurations.
pub const NAME: &str = "kubectl-canary-traefik";
/// Name of the one webhook in each: a domain name of at least three parts, as the API server wants it.
pub const WEBHOOK: &str = "guard.kubectl-canary-traefik.internal";
/// The path that answers about TraefikServices.
pub const MUTATE: &str = "/mutate";
/// The path that answers about Canaries.
pub const VALIDATE: &str = "/validate";
/// The path that Flagger's `confirm-promotion` webhook asks: [`gate`](super::gate).
pub const DRAINED: &str = "/gate/drained";
/// How long an API server waits for an answer, in seconds. A process that is gone costs at most this.
pub const TIMEOUT_SECONDS: u64 = 2;

/// Where the process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `https://HOST:PORT`, without a path.
    Url(String),
    /// Behind this Service, at its port 443.
    Service(Target),
}

/// Where the process is, and whom an API server trusts to be it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callee {
    /// Where it is.
    pub address: Address,
    /// The authorities' certificates, as PEM; empty when they are to be written later.
    pub authorities: String,
    /// The one namespace to guard; `None` is all of them.
    pub namespace: Option<String>,
}

/// The `caBundle` of both configurations alone: what a process behind a Service keeps right.
pub fn authorities(callee: &Callee) -> Vec<Value> {
    let part = |object: &Value| {
        let bundle = object.pointer("/webhooks/0/clientConfig/caBundle");
        // Without one it is someone else who writes it.
        let client = bundle.map_or_else(|| json!({}), |bundle| json!({"caBundle": bundle}));
        json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": {"name": NAME},
            "webhooks": [{"name": WEBHOOK, "clientConfig": client}]})
    };
    configurations(callee).iter().map(part).collect()
}

/// Both configurations, the mutating one first.
pub fn configurations(callee: &Callee) -> Vec<Value> {
    let service_rules = json!([{"apiGroups": Group::ALL.map(Group::as_str), "apiVersions": ["v1alpha1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["traefikservices"], "scope": "Namespaced"}]);
    let weighted = "has(object.spec) && has(object.spec.weighted)";
    let mut mutating = webhook(callee, MUTATE, &service_rules, ("weighted", weighted));
    mutating["reinvocationPolicy"] = json!("IfNeeded");
    let canary_rules = json!([{"apiGroups": ["flagger.app"], "apiVersions": ["v1beta1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["canaries"], "scope": "Namespaced"}]);
    let declared = format!("has(object.metadata.annotations) && '{ANNOTATION}' in object.metadata.annotations");
    let validating = webhook(callee, VALIDATE, &canary_rules, ("declared", &declared));
    vec![
        configuration("MutatingWebhookConfiguration", &mutating),
        configuration("ValidatingWebhookConfiguration", &validating),
    ]
}

fn configuration(kind: &str, webhook: &Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": NAME, "labels": {
        MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION")}}, "webhooks": [webhook]})
}

fn webhook(callee: &Callee, path: &str, rules: &Value, (name, condition): (&str, &str)) -> Value {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut client = match &callee.address {
        Address::Url(url) => json!({"url": format!("{url}{path}")}),
        Address::Service(service) => json!({"service": {"namespace": service.namespace, "name": service.name,
            "path": path, "port": 443}}),
    };
    if !callee.authorities.is_empty() {
        client["caBundle"] = json!(STANDARD.encode(&callee.authorities));
    }
    let mut webhook = json!({
        "name": WEBHOOK,
        "clientConfig": client,
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Ignore",
        "matchPolicy": "Exact",
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
        "rules": rules,
        "matchConditions": [{"name": name, "expression": condition}],
    });
    if let Some(namespace) = &callee.namespace {
        webhook["namespaceSelector"] = json!({"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}]});
    }
    webhook
}

/// Whether a configuration that is there says all that the wanted one says. Webhooks that others added to it
/// are theirs.
pub fn is_right(wanted: &Value, found: &Value) -> bool {
    let ours = |object: &Value| {
        let all = object["webhooks"].as_array().into_iter().flatten();
        all.filter(|webhook| webhook["name"] == WEBHOOK).cloned().collect::<Value>()
    };
    let mut found = found.clone();
    found["webhooks"] = ours(&found);
    super::install::is_within(wanted, &found)
}

/// What the mutating configuration that is there covers; `None` when it is not this program's or asks nobody.
pub fn coverage(found: &Value) -> Option<Coverage> {
    let labels = found.pointer("/metadata/labels")?;
    let webhook = found["webhooks"].as_array()?.iter().find(|webhook| webhook["name"] == WEBHOOK)?;
    if labels[MANAGED_BY_LABEL] != MANAGED_BY || webhook.pointer("/clientConfig/caBundle").is_none() {
        return None;
    }
    let namespaces = webhook.get("namespaceSelector").filter(|selector| **selector != json!({}));
    Some(Coverage { selector: None, namespace_selector: namespaces.cloned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callee() -> Callee {
        Callee { address: Address::Url("https://127.0.0.1:1".into()), authorities: "PEM".into(), namespace: None }
    }

    #[test]
    fn nothing_ever_waits_long_or_fails_for_the_guard() {
        for object in configurations(&callee()) {
            let webhook = &object["webhooks"][0];
            assert_eq!((&webhook["failurePolicy"], &webhook["timeoutSeconds"]), (&json!("Ignore"), &json!(2)));
            assert_eq!(webhook["sideEffects"], "None");
        }
    }

    #[test]
    fn a_configuration_is_right_whatever_others_added_and_wrong_when_ours_is_changed() {
        let wanted = &configurations(&callee())[0];
        let mut found = wanted.clone();
        found["metadata"]["resourceVersion"] = json!("7");
        found["webhooks"].as_array_mut().unwrap().insert(0, json!({"name": "a.b.c"}));
        assert!(is_right(wanted, &found));
        found["webhooks"][1]["clientConfig"]["caBundle"] = json!("");
        assert!(!is_right(wanted, &found));
        assert!(!is_right(wanted, &json!({})));
    }

    #[test]
    fn a_process_behind_a_service_keeps_the_authorities_and_nothing_else() {
        let service = Target { namespace: Some("guard".into()), name: "guard".into() };
        let callee = Callee { address: Address::Service(service), ..callee() };
        let whole = &configurations(&callee)[0];
        assert_eq!(whole.pointer("/webhooks/0/clientConfig/service/path"), Some(&json!("/mutate")));
        let part = &authorities(&callee)[0];
        let webhook = json!([{"name": WEBHOOK, "clientConfig": {"caBundle": "UEVN"}}]);
        assert_eq!((part["webhooks"] == webhook, is_right(part, whole)), (true, true));
        let unwritten = Callee { authorities: String::new(), ..callee };
        assert!(!is_right(part, &configurations(&unwritten)[0]));
    }

    #[test]
    fn one_namespace_is_chosen_by_its_name() {
        let callee = Callee { namespace: Some("shop".into()), ..callee() };
        let selector = &configurations(&callee)[1]["webhooks"][0]["namespaceSelector"];
        assert_eq!(selector.pointer("/matchExpressions/0/values"), Some(&json!(["shop"])));
        let found = &configurations(&callee)[0];
        assert_eq!(coverage(found).unwrap().namespace_selector.as_ref(), Some(selector));
        assert_eq!(coverage(&configurations(&Callee { authorities: String::new(), ..callee })[0]), None);
    }
}
