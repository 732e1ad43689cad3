//! The selector flags of `guard install`.

use serde_json::Value;

use super::install_args::InstallArgs;
use crate::{
    error::{Error, Result},
    guard::Coverage,
    model::selector,
};

/// The selector flags.
pub(super) struct Selectors {
    canaries: SelectorFlag,
    namespaces: SelectorFlag,
}

/// A selector flag.
enum SelectorFlag {
    /// It was not given: the installed selector stays.
    Absent,
    /// It was given; `None` selects everything.
    Given(Option<Value>),
}

impl Selectors {
    pub(super) fn parse(args: &InstallArgs) -> Result<Self> {
        let parse = |text: Option<&str>| match text {
            None => Ok(SelectorFlag::Absent),
            Some("") => Ok(SelectorFlag::Given(None)),
            Some(text) => selector::parse(text)
                .map(|selector| SelectorFlag::Given(Some(selector::to_object(&selector))))
                .map_err(|reason| Error::usage(format!("label selector: {reason}"))),
        };
        Ok(Self { canaries: parse(args.selector.as_deref())?, namespaces: parse(args.namespace_selector.as_deref())? })
    }

    /// Returns this coverage with the selectors that were given.
    pub(super) fn over(&self, before: &Coverage) -> Coverage {
        let either = |flag: &SelectorFlag, before: &Option<Value>| match flag {
            SelectorFlag::Absent => before.clone(),
            SelectorFlag::Given(selector) => selector.clone(),
        };
        Coverage {
            selector: either(&self.canaries, &before.selector),
            namespace_selector: either(&self.namespaces, &before.namespace_selector),
        }
    }
}
