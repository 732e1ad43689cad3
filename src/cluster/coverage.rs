//! What the guard covers, as its objects say.

use kube::core::SelectorExt as _;
use serde_json::Value;

use crate::{
    apiserver::{Call, Failure, Verb},
    cluster::Cluster,
    guard::{
        Change, Coverage, Form, GuardKind, Installed, install, policy,
        webhook::{self, WebhookEndpoint},
    },
    model::selector,
    observed::{Guarded, Observed},
};

impl Cluster {
    /// Reads the guard's coverage from its objects alone.
    pub async fn read_coverage(&self) -> GuardCoverage {
        let Ok(policies) = self.policies_among(policy::is_keep).await else { return GuardCoverage::Unknown };
        let (form, coverage) = if policies.enforces_declarations() {
            if policies.is_narrowed() {
                return GuardCoverage::Unknown;
            }
            (Form::Policies, policies.coverage)
        } else {
            let wanted = GuardKind::MutatingWebhookConfiguration.named(None, webhook::NAME);
            let Ok(found) = self.find_guard(&wanted).await else { return GuardCoverage::Unknown };
            let Some(found) = found.filter(webhook::has_ca_bundle) else { return GuardCoverage::Absent };
            let (Some(address), Some(coverage)) = (webhook::address(&found), webhook::coverage(&found)) else {
                return GuardCoverage::Absent;
            };
            let callee = WebhookEndpoint {
                address,
                authorities: String::new(),
                coverage: coverage.clone(),
                has_conditions: true,
            };
            let [wanted, _] = webhook::configurations(&callee);
            let change = Change { wanted, before: Some(found) };
            if Installed::new(Form::Webhook, Coverage::default(), [change]).is_narrowed() {
                return GuardCoverage::Unknown;
            }
            (Form::Webhook, coverage)
        };
        let namespaces = match &coverage.namespace_selector {
            None => None,
            Some(selector) => match self.namespaces(selector).await {
                Ok(namespaces) => Some(namespaces),
                Err(_) => return GuardCoverage::Unknown,
            },
        };
        GuardCoverage::Covers(form, coverage, namespaces)
    }

    /// Returns the names of the namespaces that match a selector object.
    async fn namespaces(&self, selector: &Value) -> Result<Vec<String>, Failure> {
        let call = Call { verb: Verb::List, resource: "namespaces", namespace: None, name: None };
        let list = self.api.ask(&call, "/api/v1/namespaces").await?.json()?;
        let all = list["items"].as_array().into_iter().flatten().filter(|namespace| selects(selector, namespace));
        Ok(all.filter_map(|namespace| Some(namespace.pointer("/metadata/name")?.as_str()?.to_owned())).collect())
    }

    /// Returns whether a namespace matches a selector object; false if the namespace does not exist.
    pub async fn is_selected(&self, namespace: &str, selector: &Value) -> Result<bool, Failure> {
        let wanted = GuardKind::Namespace.named(None, namespace);
        Ok(self.find_guard(&wanted).await?.is_some_and(|namespace| selects(selector, &namespace)))
    }
}

fn selects(selector: &Value, object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    selector::from_object(selector).is_some_and(|selector| selector.matches(&labels))
}

/// The coverage according to the guard's objects.
#[derive(Debug)]
pub enum GuardCoverage {
    /// The objects cannot be read.
    Unknown,
    /// The guard is not fully installed.
    Absent,
    /// The guard is installed in this form and with this coverage; the names of the namespaces if not all are covered.
    Covers(Form, Coverage, Option<Vec<String>>),
}

impl GuardCoverage {
    /// Returns whether this Canary is covered.
    pub fn covers(&self, observed: &Observed) -> Guarded {
        match self {
            Self::Unknown => Guarded::Unknown,
            Self::Absent => Guarded::No,
            Self::Covers(_, coverage, namespaces) => {
                let canary = &observed.canary;
                let in_scope = namespaces.as_ref().is_none_or(|namespaces| {
                    canary.target.namespace.as_ref().is_some_and(|namespace| namespaces.contains(namespace))
                });
                if in_scope && install::covers(coverage, canary) { Guarded::Yes } else { Guarded::No }
            }
        }
    }
}
