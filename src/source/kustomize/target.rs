//! The objects that a kustomize patch is for. Pure.

use kube::core::SelectorExt as _;
use regex::Regex;
use serde_json::Value;

use crate::{
    flagger::Canary,
    model::{
        name::CANARY_API_VERSION,
        selector,
        view::{owned, text},
    },
};

/// The objects that a patch is for; what is missing matches everything.
#[derive(Debug, Default)]
pub(super) struct Target {
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Option<String>,
}

impl Target {
    /// Reads the target of a patch; `None` if it cannot be a Canary.
    pub(super) fn read(target: &Value) -> Option<Self> {
        let pattern = |key: &str| text(target, &[key]).and_then(whole);
        let may_be = |key: &str, own: &str| pattern(key).is_none_or(|pattern| pattern.is_match(own));
        let (group, version) = CANARY_API_VERSION.split_once('/')?;
        if !(may_be("kind", "Canary") && may_be("group", group) && may_be("version", version)) {
            return None;
        }
        let labels = owned(target, &["labelSelector"]);
        Some(Self { name: pattern("name"), namespace: pattern("namespace"), labels })
    }

    /// Returns the target of a strategic merge patch: the object of its name.
    pub(super) fn of(canary: &Value) -> Self {
        let exact = |key: &str| text(canary, &["metadata", key]).and_then(|text| whole(&regex::escape(text)));
        Self { name: exact("name"), namespace: exact("namespace"), labels: None }
    }

    /// Returns whether it names a Canary of this name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }

    /// Returns whether it is for this Canary.
    pub(super) fn matches(&self, canary: &Canary) -> bool {
        let target = &canary.target;
        let is_named = self.name.as_ref().is_none_or(|pattern| pattern.is_match(&target.name));
        let is_there = match (&self.namespace, &target.namespace) {
            (Some(pattern), Some(namespace)) => pattern.is_match(namespace),
            _ => true,
        };
        let selector = self.labels.as_ref().and_then(|labels| selector::parse(labels).ok());
        is_named && is_there && selector.is_none_or(|selector| selector.matches(&canary.labels))
    }
}

/// Returns the pattern of a whole name, as kustomize takes it; `None` if it is none.
fn whole(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?:{pattern})$")).ok()
}
