//! The guard's objects as they are on a cluster against those this version would install.

use serde_json::Value;

use super::{
    alike::{acts_alike, is_ours, is_within, label, narrows, without_authority},
    policy::{self, Coverage, MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL},
    webhook,
};
use crate::{
    error::{Error, Kind, Result},
    model::{Canary, selector::Selector},
};

/// The two forms of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Policies that the API server runs by itself.
    Policies,
    /// A process that the API server asks.
    Webhook,
}

impl Form {
    /// The word for it.
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
    /// Which form.
    pub form: Form,
    /// What it covers, by its own objects.
    pub coverage: Coverage,
    /// Its objects, in the order in which they are installed.
    pub parts: Vec<Part>,
}

/// One object of the guard on a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The object.
    pub change: Change,
    /// How it compares with this version's.
    pub standing: Standing,
}

/// One object of the guard, as it is and as it shall be.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The object as this version has it.
    pub wanted: Value,
    /// The object as it is; `None` when it is not there.
    pub before: Option<Value>,
}

/// How an object on the cluster compares with this version's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is not there.
    Missing,
    /// It is as this version would install it.
    Current,
    /// It is ours, and different.
    Differs,
    /// It is somebody else's.
    Foreign,
    /// This user may not read it.
    Unknown,
}

impl Installed {
    /// The policies, from what the cluster has in the order of [`policy::objects`]; what is not told is not there.
    pub fn policies(objects: Vec<Option<Value>>) -> Self {
        let coverage = policy::coverage(objects.iter().flatten().filter(|object| is_ours(object)));
        let changes = policy::objects(&coverage).into_iter().zip(objects.into_iter().chain(std::iter::repeat(None)));
        Self::new(Form::Policies, coverage, changes.map(|(wanted, before)| Change { wanted, before }))
    }

    /// From its objects, all of which could be read.
    pub fn new(form: Form, coverage: Coverage, changes: impl IntoIterator<Item = Change>) -> Self {
        let part = |change: Change| Part { standing: change.standing(), change };
        Self { form, coverage, parts: changes.into_iter().map(part).collect() }
    }

    /// Whether nothing of it is there, as far as this user may see.
    pub fn is_absent(&self) -> bool {
        self.parts.iter().all(|part| part.change.before.is_none())
    }

    /// Each of its objects as it is beside this version's for another coverage.
    pub fn changes(&self, coverage: &Coverage) -> Vec<Change> {
        let before = self.parts.iter().map(|part| part.change.before.clone());
        let wanted = policy::objects(coverage).into_iter().zip(before);
        wanted.map(|(wanted, before)| Change { wanted, before }).collect()
    }

    /// The version that installed it, by the first of its objects.
    pub fn version(&self) -> Option<&str> {
        self.parts.iter().find_map(|part| part.change.version())
    }

    /// Whether the policy that makes the stanza what is declared is there and bound.
    pub fn keeps(&self) -> bool {
        let keep = self.parts.iter().filter(|part| policy::is_keep(&part.change.wanted));
        keep.into_iter().all(|part| matches!(part.standing, Standing::Current | Standing::Differs))
    }

    /// Whether somebody narrowed what it acts on beyond its own selectors, so that what it covers is not known.
    pub fn is_narrowed(&self) -> bool {
        self.parts
            .iter()
            .any(|part| part.change.before.as_ref().is_some_and(|found| narrows(found, &part.change.wanted)))
    }

    /// The webhook's namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.wanted("Deployment")?.change.wanted.pointer("/metadata/namespace")?.as_str()
    }

    /// The webhook's Deployment; `None` when it is not there, may not be read, or is not what runs it.
    pub fn deployment(&self) -> Option<&Value> {
        self.wanted("Deployment")?.change.before.as_ref()
    }

    /// Whether every configuration of the webhook names an authority.
    pub fn has_authority(&self) -> bool {
        let mut configurations = self.parts.iter().filter(|part| part.change.wanted["webhooks"].is_array());
        configurations.all(|part| part.change.before.as_ref().is_some_and(webhook::has_authority))
    }

    /// The authorities (PEM) of a webhook whose certificates nobody renews but `guard install`.
    pub fn installed_authorities(&self) -> Option<Vec<u8>> {
        if self.namespace().is_none() || self.wanted("ValidatingAdmissionPolicy").is_some() {
            return None;
        }
        webhook::authorities_of(self.wanted("MutatingWebhookConfiguration")?.change.before.as_ref()?)
    }

    fn wanted(&self, kind: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.change.wanted["kind"] == kind)
    }
}

impl Change {
    /// `kind.group/name`, as kubectl has it.
    pub fn name(&self) -> String {
        let text = |pointer: &str| self.wanted.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let group = text("/apiVersion").split_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
        format!("{}{group}/{}", text("/kind").to_lowercase(), text("/metadata/name"))
    }

    /// How what is there compares with this version's.
    pub fn standing(&self) -> Standing {
        match &self.before {
            None => Standing::Missing,
            Some(before) if !is_ours(before) => Standing::Foreign,
            Some(before) if is_within(&self.wanted, before) && acts_alike(&self.wanted, before) => Standing::Current,
            Some(_) => Standing::Differs,
        }
    }

    /// An object as it is or would be, without the authorities where it is the processes that write them: they may do so
    /// at any moment.
    pub fn comparable(&self, object: &Value) -> Value {
        let names_authority = self.wanted.pointer("/webhooks/0/clientConfig/caBundle").is_some();
        if names_authority { object.clone() } else { without_authority(object) }
    }

    /// The version that installed what is there.
    pub fn version(&self) -> Option<&str> {
        label(self.before.as_ref()?, VERSION_LABEL)
    }

    /// Refuses to touch what is not ours.
    ///
    /// # Errors
    ///
    /// Kind `Conflict`.
    pub fn must_be_ours(&self) -> Result<()> {
        if self.standing() != Standing::Foreign {
            return Ok(());
        }
        Err(Error::new(Kind::Conflict, format!("{} is there and is not this program's", self.name()))
            .caused_by(format!("it has no label {MANAGED_BY_LABEL}={MANAGED_BY}"))
            .hint("find out who made it; delete or rename it, then repeat the command"))
    }
}

/// Whether the guard with this coverage has a say for a Canary, as far as the Canary's labels decide.
pub fn covers(coverage: &Coverage, canary: &Canary) -> bool {
    let Some(selector) = &coverage.selector else { return true };
    Selector::from_object(selector).is_some_and(|selector| selector.matches(&canary.labels))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all() -> Vec<Value> {
        policy::objects(&Coverage::default())
    }

    fn standing(index: usize, change: impl Fn(&mut Value)) -> Standing {
        let mut found = all()[index].clone();
        change(&mut found);
        Change { wanted: all()[index].clone(), before: Some(found) }.standing()
    }

    #[test]
    fn what_others_added_to_a_policy_is_a_difference_and_what_a_server_adds_is_none() {
        assert_eq!(standing(0, |_| {}), Standing::Current);
        assert_eq!(standing(0, |found| found["metadata"]["uid"] = json!("u")), Standing::Current);
        assert_eq!(
            standing(3, |found| found["spec"]["matchResources"] = json!({"objectSelector": {}})),
            Standing::Current
        );
        let selector = json!({"matchLabels": {"a": "b"}});
        for place in ["objectSelector", "namespaceSelector"] {
            let narrow = |found: &mut Value| found["spec"]["matchConstraints"][place] = selector.clone();
            assert_eq!(standing(0, narrow), Standing::Differs, "{place}");
        }
        let condition = |found: &mut Value| {
            let conditions = found["spec"]["matchConditions"].as_array_mut().unwrap();
            conditions.push(json!({"name": "more", "expression": "false"}));
        };
        assert_eq!(standing(1, condition), Standing::Differs);
        assert_eq!(standing(1, |found| found["spec"]["failurePolicy"] = json!("Fail")), Standing::Differs);
        assert_eq!(
            standing(3, |found| found["spec"]["matchResources"] = json!({"objectSelector": selector})),
            Standing::Differs
        );
        assert_eq!(standing(0, |found| found["metadata"]["labels"] = json!({})), Standing::Foreign);
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
        let selector = |text: &str| Some(Selector::parse(text).unwrap().to_object());
        let coverage = Coverage { selector: selector("a=b"), namespace_selector: selector("c") };
        let mut found = policy::objects(&coverage);
        let read = |found: &[Value]| Installed::policies(found.iter().cloned().map(Some).collect()).coverage;
        assert_eq!(read(&found), coverage);
        // Somebody else's binding of the same name.
        found[3]["metadata"]["labels"] = json!({});
        assert_eq!(read(&found), Coverage { selector: None, ..coverage.clone() });
        found[4]["metadata"]["labels"] = json!({});
        found[5]["metadata"]["labels"] = json!({});
        assert_eq!(read(&found), Coverage::default());
    }
}
