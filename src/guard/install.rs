//! The guard's objects as they are on a cluster against those this version would install.

use serde_json::{Value, json};

use super::policy::{self, Coverage, MANAGED_BY, MANAGED_BY_LABEL, VERSION_LABEL};
use crate::{
    error::{Error, Kind, Result},
    model::{Canary, Observed, selector::Selector},
};

/// The guard's objects of one cluster, in the order of [`policy::objects`]; `None` for one that is not there.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    objects: Vec<Option<Value>>,
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
}

impl Installed {
    /// From what the cluster has, in the order of [`policy::objects`].
    pub fn new(objects: Vec<Option<Value>>) -> Self {
        Self { objects }
    }

    /// Whether nothing of the guard is there.
    pub fn is_absent(&self) -> bool {
        self.objects.iter().all(Option::is_none)
    }

    /// What it covers, by its bindings.
    pub fn coverage(&self) -> Coverage {
        let binding = |pointer: &str| {
            let bindings = self.objects.iter().flatten().filter(|object| object.pointer("/spec/policyName").is_some());
            let mut found = bindings.filter_map(|binding| binding.pointer(pointer));
            found.find(|selector| **selector != json!({})).cloned()
        };
        Coverage {
            selector: binding("/spec/paramRef/selector"),
            namespace_selector: binding("/spec/matchResources/namespaceSelector"),
        }
    }

    /// Each object of this version beside what is there.
    pub fn changes(&self, coverage: &Coverage) -> Vec<Change> {
        let wanted = policy::objects(coverage).into_iter();
        wanted.zip(&self.objects).map(|(wanted, before)| Change { wanted, before: before.clone() }).collect()
    }

    /// The version that installed it, by the first of its objects.
    pub fn version(&self) -> Option<&str> {
        label(self.objects.iter().flatten().next()?, VERSION_LABEL)
    }

    /// Whether the policy that makes the stanza what is declared is there and bound.
    pub fn keeps(&self) -> bool {
        self.changes(&self.coverage())
            .iter()
            .filter(|change| policy::is_keep(&change.wanted))
            .all(|change| matches!(change.standing(), Standing::Current | Standing::Differs))
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
            Some(before) if label(before, MANAGED_BY_LABEL) != Some(MANAGED_BY) => Standing::Foreign,
            Some(before) if is_within(&self.wanted, before) => Standing::Current,
            Some(_) => Standing::Differs,
        }
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

/// Whether a Canary's state lets a dry-run write show that the guard acts: a declared cookie and a
/// TraefikService of its own.
pub fn can_prove(observed: &Observed) -> bool {
    observed.service().is_some() && matches!(observed.canary.declared, crate::model::Declared::Annotation(_))
}

/// Whether `whole` holds everything that `part` says; the server adds defaults of its own.
pub(super) fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| is_within(part, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_within(part, whole))
        }
        _ => part == whole,
    }
}

fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}
