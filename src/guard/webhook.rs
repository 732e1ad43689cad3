//! The guard as a webhook: the two configurations that make an API server ask a process, as values.
//!
//! They hold as narrow as they can what the process is asked about: TraefikServices that are weighted, Canaries
//! that have the annotation. What does not concern the guard never waits for it.

use serde_json::{Value, json};

use super::{
    alike::{is_ours, is_within},
    policy::{API_VERSION, Coverage, MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL},
};
use crate::model::{Target, declaration::ANNOTATION, name::Group, selector::Selector};

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
/// Annotation of both configurations: the label selector of the Canaries that are covered, when not all are.
pub const SELECTOR: &str = "kubectl-canary-traefik/selector";
/// The field manager of a dry-run write that finds out which form of the guard is there: the process leaves it alone, so
/// that what comes back is the policies' doing, and answers with the warning [`IS_HERE`].
pub const PROBE: &str = "kubectl-canary-traefik-probe";
/// The warning with which the process answers a [`PROBE`].
pub const IS_HERE: &str = "the guard of kubectl canary-traefik is a webhook here";

/// Where the process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `https://HOST:PORT`, without a path.
    Url(String),
    /// Behind this Service, at its port 443.
    Service(Target),
}

/// Where the process is, and whom an API server trusts to be it.
#[derive(Debug, Clone, PartialEq)]
pub struct Callee {
    /// Where it is.
    pub address: Address,
    /// The authorities' certificates, as PEM; empty when they are to be written later.
    pub authorities: String,
    /// What it covers.
    pub coverage: Coverage,
    /// Whether the API server knows `matchConditions` (Kubernetes 1.28 and later). Without them the process is asked about
    /// more, and answers the same.
    pub has_conditions: bool,
}

/// The selector of one namespace.
pub fn only(namespace: &str) -> Value {
    json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}]})
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
        configuration("MutatingWebhookConfiguration", callee, &mutating),
        configuration("ValidatingWebhookConfiguration", callee, &validating),
    ]
}

fn configuration(kind: &str, callee: &Callee, webhook: &Value) -> Value {
    let mut object = json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": NAME, "labels": {
        MANAGED_BY_LABEL: MANAGED_BY, VERSION_LABEL: env!("CARGO_PKG_VERSION")}}, "webhooks": [webhook]});
    if let Some(selector) = callee.coverage.selector.as_ref().and_then(Selector::from_object) {
        object["metadata"]["annotations"] = json!({SELECTOR: selector.to_string()});
    }
    object
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
    });
    if callee.has_conditions {
        webhook["matchConditions"] = json!([{"name": name, "expression": condition}]);
    }
    // Written out where there are none: a selector that somebody else adds is in conflict with this.
    webhook["namespaceSelector"] = callee.coverage.namespace_selector.clone().unwrap_or_else(|| json!({}));
    webhook["objectSelector"] = json!({});
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
    is_within(wanted, &found)
}

/// Where a configuration that is there says the process is; `None` when it is not this program's.
pub fn address(found: &Value) -> Option<Address> {
    let client = &ours(found)?["clientConfig"];
    let text = |pointer: &str| client.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match text("/url") {
        Some(url) => Some(Address::Url(url.rsplit_once('/').map_or(url.as_str(), |(place, _)| place).to_owned())),
        None => Some(Address::Service(Target { namespace: text("/service/namespace"), name: text("/service/name")? })),
    }
}

/// Whether a configuration that is there names the authority of a process: without one API servers trust nobody.
pub fn has_authority(found: &Value) -> bool {
    authorities_of(found).is_some()
}

/// The authorities that a configuration that is there names, as PEM.
pub fn authorities_of(found: &Value) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bundle = STANDARD.decode(ours(found)?.pointer("/clientConfig/caBundle")?.as_str()?).ok()?;
    (!bundle.is_empty()).then_some(bundle)
}

/// What a configuration that is there covers; `None` when it is not this program's.
pub fn coverage(found: &Value) -> Option<Coverage> {
    let namespaces = ours(found)?.get("namespaceSelector").filter(|selector| **selector != json!({}));
    let selector = found.pointer("/metadata/annotations").and_then(|all| all.get(SELECTOR)?.as_str());
    Some(Coverage {
        selector: selector.and_then(|text| Selector::parse(text).ok()).map(|selector| selector.to_object()),
        namespace_selector: namespaces.cloned(),
    })
}

/// This program's webhook in a configuration of this program's.
fn ours(found: &Value) -> Option<&Value> {
    found["webhooks"].as_array()?.iter().find(|webhook| is_ours(found) && webhook["name"] == WEBHOOK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callee() -> Callee {
        Callee {
            address: Address::Url("https://127.0.0.1:1".into()),
            authorities: "PEM".into(),
            coverage: Coverage::default(),
            has_conditions: true,
        }
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
    fn what_a_configuration_says_is_read_back_from_it() {
        let selector = Selector::parse("team in (a,b),!old").unwrap().to_object();
        let coverage = Coverage { selector: Some(selector), namespace_selector: Some(only("shop")) };
        let service = Address::Service(Target { namespace: Some("guard".into()), name: "guard".into() });
        for address in [callee().address, service] {
            let callee = Callee { address: address.clone(), coverage: coverage.clone(), ..callee() };
            for found in configurations(&callee) {
                assert_eq!(super::address(&found), Some(address.clone()));
                assert_eq!((super::coverage(&found), has_authority(&found)), (Some(coverage.clone()), true));
            }
        }
        let mut foreign = configurations(&Callee { authorities: String::new(), ..callee() }).remove(0);
        assert_eq!((has_authority(&foreign), super::coverage(&foreign)), (false, Some(Coverage::default())));
        foreign["metadata"]["labels"] = json!({});
        assert_eq!((super::address(&foreign), super::coverage(&foreign)), (None, None));
    }

    #[test]
    fn a_server_that_knows_no_match_conditions_is_sent_none() {
        let old = configurations(&Callee { has_conditions: false, ..callee() });
        assert!(old.iter().all(|object| object["webhooks"][0].get("matchConditions").is_none()));
        let new = configurations(&callee());
        assert!(new.iter().all(|object| object["webhooks"][0]["matchConditions"].is_array()));
    }
}
