//! Comparison of the guard's objects on a cluster with those this version would install.

use kube::core::SelectorExt as _;
use serde_json::Value;

use super::{
    alike::{contains, has_no_additions, is_ours, label, narrows, without_ca_bundle},
    deployment,
    object::{GuardKind, GuardObject},
    policy::{self, Coverage, VERSION_LABEL},
    webhook,
};
use crate::{
    error::{Error, Kind, Result},
    flagger::Canary,
    model::{MANAGED_BY, MANAGED_BY_LABEL, selector},
};

/// The two forms of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Admission policies, which the API server evaluates itself.
    Policies,
    /// A webhook server, which the API server calls.
    Webhook,
}

impl Form {
    /// Returns the name of the form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::Webhook => "webhook",
        }
    }
}

/// One form of the guard on one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    /// The form of the guard.
    pub form: Form,
    /// The coverage, as read from the installed objects.
    pub coverage: Coverage,
    /// The objects, in installation order.
    pub parts: Vec<Part>,
}

/// One object of the guard on a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The installed object and the wanted one.
    pub change: Change,
    /// The result of comparing them.
    pub standing: ObjectState,
}

/// One object of the guard, as installed and as wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The object that this version would install.
    pub wanted: GuardObject,
    /// The object on the cluster; `None` if it does not exist.
    pub before: Option<Value>,
}

/// The state of an object on the cluster compared with this version's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectState {
    /// The object does not exist.
    Missing,
    /// The object is as this version would install it.
    Current,
    /// The object was created by this program but differs.
    Differs,
    /// The object was created by something else.
    Foreign,
    /// The user is not allowed to read the object.
    Unknown,
}

impl Installed {
    /// Compares the policies on the cluster, given in the order of [`policy::objects`]. Objects missing at the end
    /// count as absent.
    pub fn policies(objects: Vec<Option<Value>>) -> Self {
        let coverage = policy::coverage(objects.iter().flatten().filter(|object| is_ours(object)));
        let changes = policy::objects(&coverage).into_iter().zip(objects.into_iter().chain(std::iter::repeat(None)));
        Self::new(Form::Policies, coverage, changes.map(|(wanted, before)| Change { wanted, before }))
    }

    /// Compares the objects of one form, all of which could be read.
    pub fn new(form: Form, coverage: Coverage, changes: impl IntoIterator<Item = Change>) -> Self {
        let part = |change: Change| Part { standing: change.standing(), change };
        Self { form, coverage, parts: changes.into_iter().map(part).collect() }
    }

    /// Returns whether none of the objects exist, as far as the user may read them.
    pub fn is_absent(&self) -> bool {
        self.parts.iter().all(|part| part.change.before.is_none())
    }

    /// Returns each installed object with the one that this version would install for another coverage.
    pub fn changes(&self, coverage: &Coverage) -> Vec<Change> {
        let before = self.parts.iter().map(|part| part.change.before.clone());
        let wanted = policy::objects(coverage).into_iter().zip(before);
        wanted.map(|(wanted, before)| Change { wanted, before }).collect()
    }

    /// Returns the version that installed the guard, as labelled on the first object that exists.
    pub fn version(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| part.change.version())
    }

    /// Returns whether the policy that enforces declared cookies exists and is bound.
    pub fn enforces_declarations(&self) -> bool {
        let keep = self.parts.iter().filter(|part| policy::is_keep(&part.change.wanted));
        keep.into_iter().all(|part| matches!(part.standing, ObjectState::Current | ObjectState::Differs))
    }

    /// Returns whether someone restricted the installed objects further, so that the actual coverage is unknown.
    pub fn is_narrowed(&self) -> bool {
        self.parts
            .iter()
            .any(|part| part.change.before.as_ref().is_some_and(|found| narrows(found, &part.change.wanted.value)))
    }

    /// Returns whether the webhook's replicas keep entries.
    pub fn keeps_entries(&self) -> bool {
        self.deployment().is_some_and(deployment::keeps_entries)
    }

    /// Returns the URLs of Traefik with which the replicas verify cookies.
    pub fn traefik_urls(&self) -> Vec<String> {
        self.deployment().map(deployment::traefik_urls).unwrap_or_default()
    }

    /// Returns the namespace of the webhook's Deployment.
    pub fn namespace(&self) -> Option<&str> {
        self.part(GuardKind::Deployment)?.change.wanted.namespace()
    }

    /// Returns the webhook's Deployment; `None` if it does not exist, may not be read, or if the webhook runs
    /// elsewhere.
    pub fn deployment(&self) -> Option<&Value> {
        self.part(GuardKind::Deployment)?.change.before.as_ref()
    }

    /// Returns whether every webhook configuration has a CA bundle.
    pub fn has_ca_bundle(&self) -> bool {
        let mut configurations = self.parts.iter().filter(|part| part.change.wanted.value["webhooks"].is_array());
        configurations.all(|part| part.change.before.as_ref().is_some_and(webhook::has_ca_bundle))
    }

    /// Returns the CA bundle (PEM) of a webhook whose certificates only `guard install` renews.
    pub fn installed_authorities(&self) -> Option<Vec<u8>> {
        if self.namespace().is_none() || self.part(GuardKind::ValidatingAdmissionPolicy).is_some() {
            return None;
        }
        webhook::ca_bundle_of(self.part(GuardKind::MutatingWebhookConfiguration)?.change.before.as_ref()?)
    }

    fn part(&self, kind: GuardKind) -> Option<&Part> {
        self.parts.iter().find(|part| part.change.wanted.kind == kind)
    }
}

impl Change {
    /// Compares the object on the cluster with this version's.
    pub fn standing(&self) -> ObjectState {
        match &self.before {
            None => ObjectState::Missing,
            Some(before) if !is_ours(before) => ObjectState::Foreign,
            Some(before) if contains(&self.wanted.value, before) && has_no_additions(&self.wanted, before) => {
                ObjectState::Current
            }
            Some(_) => ObjectState::Differs,
        }
    }

    /// Returns the object in a form fit for comparison: without the `caBundle` if the guard writes it, which may happen
    /// at any time.
    pub fn comparable(&self, object: &Value) -> Value {
        let names_authority = self.wanted.value.pointer("/webhooks/0/clientConfig/caBundle").is_some();
        if names_authority { object.clone() } else { without_ca_bundle(object) }
    }

    /// Returns the version that installed the object on the cluster.
    pub fn version(&self) -> Option<&str> {
        label(self.before.as_ref()?, VERSION_LABEL)
    }

    /// Fails if the object was created by something else.
    ///
    /// # Errors
    ///
    /// Kind `Conflict`.
    pub fn must_be_ours(&self) -> Result<()> {
        if self.standing() != ObjectState::Foreign {
            return Ok(());
        }
        Err(Error::new(Kind::Conflict, format!("{} exists and does not belong to this program", self.wanted))
            .caused_by(format!("it has no label {MANAGED_BY_LABEL}={MANAGED_BY}"))
            .hint("find out who made it; delete it, then repeat the command"))
    }
}

/// Returns whether this coverage includes the Canary, by the Canary's labels alone.
pub fn covers(coverage: &Coverage, canary: &Canary) -> bool {
    let Some(selector) = &coverage.selector else { return true };
    selector::from_object(selector).is_some_and(|selector| selector.matches(&canary.labels))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all() -> Vec<Value> {
        values(&Coverage::default())
    }

    fn values(coverage: &Coverage) -> Vec<Value> {
        policy::objects(coverage).into_iter().map(|object| object.value).collect()
    }

    fn standing(index: usize, change: impl Fn(&mut Value)) -> ObjectState {
        let mut found = all()[index].clone();
        change(&mut found);
        Change { wanted: policy::objects(&Coverage::default()).swap_remove(index), before: Some(found) }.standing()
    }

    #[test]
    fn what_others_added_to_a_policy_is_a_difference_and_what_a_server_adds_is_none() {
        assert_eq!(standing(0, |_| {}), ObjectState::Current);
        assert_eq!(standing(0, |found| found["metadata"]["uid"] = json!("u")), ObjectState::Current);
        assert_eq!(
            standing(3, |found| found["spec"]["matchResources"] = json!({"objectSelector": {}})),
            ObjectState::Current
        );
        let selector = json!({"matchLabels": {"a": "b"}});
        for place in ["objectSelector", "namespaceSelector"] {
            let narrow = |found: &mut Value| found["spec"]["matchConstraints"][place] = selector.clone();
            assert_eq!(standing(0, narrow), ObjectState::Differs, "{place}");
        }
        let condition = |found: &mut Value| {
            let conditions = found["spec"]["matchConditions"].as_array_mut().unwrap();
            conditions.push(json!({"name": "more", "expression": "false"}));
        };
        assert_eq!(standing(1, condition), ObjectState::Differs);
        assert_eq!(standing(1, |found| found["spec"]["failurePolicy"] = json!("Fail")), ObjectState::Differs);
        assert_eq!(
            standing(3, |found| found["spec"]["matchResources"] = json!({"objectSelector": selector})),
            ObjectState::Differs
        );
        assert_eq!(standing(0, |found| found["metadata"]["labels"] = json!({})), ObjectState::Foreign);
    }

    #[test]
    fn only_what_narrows_makes_the_coverage_unknown() {
        let installed = |change: &dyn Fn(&mut Value)| {
            let mut found = all();
            found.iter_mut().for_each(change);
            Installed::policies(found.into_iter().map(Some).collect())
        };
        assert!(!installed(&|_| {}).is_narrowed());
        assert!(!installed(&|found| found["spec"]["failurePolicy"] = json!("Fail")).is_narrowed());
        let narrow = |found: &mut Value| {
            found["spec"]["matchResources"] = json!({"objectSelector": {"matchLabels": {"a": "b"}}});
        };
        assert!(installed(&narrow).is_narrowed());
    }

    #[test]
    fn a_coverage_is_read_from_ones_own_binding_alone() {
        let selector = |text: &str| Some(selector::to_object(&selector::parse(text).unwrap()));
        let coverage = Coverage { selector: selector("a=b"), namespace_selector: selector("c") };
        let mut found = values(&coverage);
        let read = |found: &[Value]| Installed::policies(found.iter().cloned().map(Some).collect()).coverage;
        assert_eq!(read(&found), coverage);
        // A binding with the same name, created by someone else.
        found[3]["metadata"]["labels"] = json!({});
        assert_eq!(read(&found), Coverage { selector: None, ..coverage.clone() });
        found[4]["metadata"]["labels"] = json!({});
        found[5]["metadata"]["labels"] = json!({});
        assert_eq!(read(&found), Coverage::default());
    }
}
