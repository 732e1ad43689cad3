//! The guard as a webhook: the two configurations that make an API server call it, and the paths that it answers, Flagger's
//! too.
//!
//! They limit the calls as far as possible: to weighted TraefikServices and to Canaries with one of the annotations.
//! Requests that do not concern the guard never wait for it.

use serde_json::{Value, json};

use super::{
    alike::{contains, is_ours},
    cel::has_annotation,
    object::{GuardKind, GuardObject},
    policy::{self, Coverage},
};
use crate::model::{NamespacedName, declaration::ANNOTATION, entry::ENTRY_ANNOTATION, name::Group, selector};

/// Name of both webhook configurations.
pub const NAME: &str = "kubectl-canary-traefik";
/// The Secret in which the replicas share their certificates.
pub const SECRET: &str = "kubectl-canary-traefik-certificates";
/// Name of the single webhook in each: a domain name of at least three parts, as the API server requires.
pub const WEBHOOK: &str = "guard.kubectl-canary-traefik.internal";
/// Path for admission reviews of TraefikServices.
pub const MUTATE: &str = "/mutate";
/// Path for admission reviews of Canaries.
pub const VALIDATE: &str = "/validate";
/// Path for Flagger's `confirm-promotion` webhook, the [`gate`](super::gate).
pub const DRAINED: &str = "/gate/drained";
/// Path of the check whether the cookie sticks, for Flagger.
pub const STICKY: &str = "/verify/sticky";
/// Timeout of an admission review, in seconds: the longest delay that an unreachable guard can cause.
pub const TIMEOUT_SECONDS: u64 = 2;
/// Annotation on both configurations: the label selector of the covered Canaries, unless all are covered.
pub const SELECTOR: &str = "kubectl-canary-traefik/selector";
/// Field manager of a dry-run write that detects the form of the guard. The webhook leaves such a write alone and
/// answers with the warning [`IS_HERE`], so any change is the work of the policies.
pub const PROBE: &str = "kubectl-canary-traefik-probe";
/// Warning with which the webhook answers a [`PROBE`].
pub const IS_HERE: &str = "the guard of kubectl canary-traefik is a webhook here";

/// The address of the webhook server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `https://HOST:PORT`, without a path.
    Url(String),
    /// Port 443 of this Service.
    Service(NamespacedName),
}

/// The webhook server as API servers see it: its address, CA bundle and coverage.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEndpoint {
    /// The server's address.
    pub address: Address,
    /// The CA bundle, as PEM; empty if it is to be written later.
    pub authorities: String,
    /// The Canaries and namespaces to cover.
    pub coverage: Coverage,
    /// Whether the API server supports `matchConditions` (Kubernetes 1.28 and later). Without them the webhook is
    /// called for more requests, with the same results.
    pub has_conditions: bool,
}

/// Returns a selector for one namespace.
pub fn only(namespace: &str) -> Value {
    json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}]})
}

/// Returns patches with only the `caBundle` of both configurations, which a server behind a Service maintains.
pub fn authorities(callee: &WebhookEndpoint) -> [GuardObject; 2] {
    configurations(callee).map(|object| {
        let bundle = object.value.pointer("/webhooks/0/clientConfig/caBundle");
        // Without a bundle, something else writes the field.
        let client = bundle.map_or_else(|| json!({}), |bundle| json!({"caBundle": bundle}));
        object.kind.named(None, NAME).with("webhooks", json!([{"name": WEBHOOK, "clientConfig": client}]))
    })
}

/// Returns both configurations, the mutating one first.
pub fn configurations(callee: &WebhookEndpoint) -> [GuardObject; 2] {
    let service_rules = json!([{"apiGroups": Group::ALL.map(Group::as_str), "apiVersions": ["v1alpha1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["traefikservices"], "scope": "Namespaced"}]);
    let weighted = "has(object.spec) && has(object.spec.weighted)";
    let mut mutating = webhook(callee, MUTATE, &service_rules, ("weighted", weighted));
    mutating["reinvocationPolicy"] = json!("IfNeeded");
    let canary_rules = json!([{"apiGroups": ["flagger.app"], "apiVersions": ["v1beta1"],
        "operations": ["CREATE", "UPDATE"], "resources": ["canaries"], "scope": "Namespaced"}]);
    let declared =
        [ANNOTATION, ENTRY_ANNOTATION].map(|key| format!("({})", has_annotation("object", key))).join(" || ");
    let validating = webhook(callee, VALIDATE, &canary_rules, ("declared", &declared));
    [
        configuration(GuardKind::MutatingWebhookConfiguration, callee, &mutating),
        configuration(GuardKind::ValidatingWebhookConfiguration, callee, &validating),
    ]
}

fn configuration(kind: GuardKind, callee: &WebhookEndpoint, webhook: &Value) -> GuardObject {
    let mut object = kind.named(None, NAME).labelled(policy::labels()).with("webhooks", json!([webhook]));
    if let Some(selector) = callee.coverage.selector.as_ref().and_then(selector::from_object) {
        object.value["metadata"]["annotations"] = json!({SELECTOR: selector.to_string()});
    }
    object
}

fn webhook(callee: &WebhookEndpoint, path: &str, rules: &Value, (name, condition): (&str, &str)) -> Value {
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
    // Set explicitly even if empty, so that a selector added by someone else is a conflict.
    webhook["namespaceSelector"] = callee.coverage.namespace_selector.clone().unwrap_or_else(|| json!({}));
    webhook["objectSelector"] = json!({});
    webhook
}

/// Returns whether an installed configuration contains everything in the wanted one. Webhooks that others added to it
/// are ignored.
pub fn is_right(wanted: &Value, found: &Value) -> bool {
    let ours = |object: &Value| {
        let all = object["webhooks"].as_array().into_iter().flatten();
        all.filter(|webhook| webhook["name"] == WEBHOOK).cloned().collect::<Value>()
    };
    let mut found = found.clone();
    found["webhooks"] = ours(&found);
    contains(wanted, &found)
}

/// Returns the server's address from an installed configuration; `None` if it was not created by this program.
pub fn address(found: &Value) -> Option<Address> {
    let client = &ours(found)?["clientConfig"];
    let text = |pointer: &str| client.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match text("/url") {
        Some(url) => Some(Address::Url(url.rsplit_once('/').map_or(url.as_str(), |(place, _)| place).to_owned())),
        None => Some(Address::Service(NamespacedName {
            namespace: text("/service/namespace"),
            name: text("/service/name")?,
        })),
    }
}

/// Returns whether an installed configuration has a CA bundle. Without one, API servers reject the webhook.
pub fn has_ca_bundle(found: &Value) -> bool {
    ca_bundle_of(found).is_some()
}

/// Returns the CA bundle of an installed configuration, as PEM.
pub fn ca_bundle_of(found: &Value) -> Option<Vec<u8>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bundle = STANDARD.decode(ours(found)?.pointer("/clientConfig/caBundle")?.as_str()?).ok()?;
    (!bundle.is_empty()).then_some(bundle)
}

/// Returns the coverage of an installed configuration; `None` if it was not created by this program.
pub fn coverage(found: &Value) -> Option<Coverage> {
    let namespaces = ours(found)?.get("namespaceSelector").filter(|selector| **selector != json!({}));
    let selector = found.pointer("/metadata/annotations").and_then(|all| all.get(SELECTOR)?.as_str());
    Some(Coverage {
        selector: selector.and_then(|text| selector::parse(text).ok()).as_ref().map(selector::to_object),
        namespace_selector: namespaces.cloned(),
    })
}

/// Returns this program's webhook, if the configuration is this program's.
fn ours(found: &Value) -> Option<&Value> {
    found["webhooks"].as_array()?.iter().find(|webhook| is_ours(found) && webhook["name"] == WEBHOOK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callee() -> WebhookEndpoint {
        WebhookEndpoint {
            address: Address::Url("https://127.0.0.1:1".into()),
            authorities: "PEM".into(),
            coverage: Coverage::default(),
            has_conditions: true,
        }
    }

    #[test]
    fn nothing_ever_waits_long_or_fails_for_the_guard() {
        for object in configurations(&callee()) {
            let webhook = &object.value["webhooks"][0];
            assert_eq!((&webhook["failurePolicy"], &webhook["timeoutSeconds"]), (&json!("Ignore"), &json!(2)));
            assert_eq!(webhook["sideEffects"], "None");
        }
    }

    #[test]
    fn a_configuration_is_right_whatever_others_added_and_wrong_when_ours_is_changed() {
        let [wanted, _] = configurations(&callee()).map(|object| object.value);
        let mut found = wanted.clone();
        found["metadata"]["resourceVersion"] = json!("7");
        found["webhooks"].as_array_mut().unwrap().insert(0, json!({"name": "a.b.c"}));
        assert!(is_right(&wanted, &found));
        found["webhooks"][1]["clientConfig"]["caBundle"] = json!("");
        assert!(!is_right(&wanted, &found));
        assert!(!is_right(&wanted, &json!({})));
    }

    #[test]
    fn a_process_behind_a_service_keeps_the_authorities_and_nothing_else() {
        let service = NamespacedName { namespace: Some("guard".into()), name: "guard".into() };
        let callee = WebhookEndpoint { address: Address::Service(service), ..callee() };
        let whole = &configurations(&callee)[0].value;
        assert_eq!(whole.pointer("/webhooks/0/clientConfig/service/path"), Some(&json!("/mutate")));
        let part = &authorities(&callee)[0].value;
        let webhook = json!([{"name": WEBHOOK, "clientConfig": {"caBundle": "UEVN"}}]);
        assert_eq!((part["webhooks"] == webhook, is_right(part, whole)), (true, true));
        let unwritten = WebhookEndpoint { authorities: String::new(), ..callee };
        assert!(!is_right(part, &configurations(&unwritten)[0].value));
    }

    #[test]
    fn what_a_configuration_says_is_read_back_from_it() {
        let selector = selector::to_object(&selector::parse("team in (a,b),!old").unwrap());
        let coverage = Coverage { selector: Some(selector), namespace_selector: Some(only("shop")) };
        let service = Address::Service(NamespacedName { namespace: Some("guard".into()), name: "guard".into() });
        for address in [callee().address, service] {
            let callee = WebhookEndpoint { address: address.clone(), coverage: coverage.clone(), ..callee() };
            for found in configurations(&callee).map(|object| object.value) {
                assert_eq!(super::address(&found), Some(address.clone()));
                assert_eq!((super::coverage(&found), has_ca_bundle(&found)), (Some(coverage.clone()), true));
            }
        }
        let unwritten = WebhookEndpoint { authorities: String::new(), ..callee() };
        let [mut foreign, _] = configurations(&unwritten).map(|object| object.value);
        assert_eq!((has_ca_bundle(&foreign), super::coverage(&foreign)), (false, Some(Coverage::default())));
        foreign["metadata"]["labels"] = json!({});
        assert_eq!((super::address(&foreign), super::coverage(&foreign)), (None, None));
    }

    #[test]
    fn a_server_that_knows_no_match_conditions_is_sent_none() {
        let old = configurations(&WebhookEndpoint { has_conditions: false, ..callee() });
        assert!(old.iter().all(|object| object.value["webhooks"][0].get("matchConditions").is_none()));
        let new = configurations(&callee());
        assert!(new.iter().all(|object| object.value["webhooks"][0]["matchConditions"].is_array()));
    }
}
