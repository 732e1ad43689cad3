//! What is wrong: one file a rule in `rules/`, one row a rule in [`RULES`]. Pure; findings are data.

mod rules;

use std::fmt;

use crate::model::{Observed, Target};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does not work.
    Error,
    /// It works, and not as people expect.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A rule: its code never changes its meaning.
#[derive(Debug)]
pub struct Rule {
    /// `CT` and three digits.
    pub code: &'static str,
    /// Names the bad pattern, in kebab case.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is found, if anything: the message and the cure.
    check: fn(&Observed) -> Option<(String, String)>,
}

/// Something wrong with one Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The Canary.
    pub target: Target,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Every rule, by code.
pub static RULES: &[Rule] = &[
    rules::stanza_without_cookie::RULE,
    rules::same_site_none_without_secure::RULE,
    rules::negative_max_age::RULE,
    rules::session_cookie::RULE,
    rules::malformed_declaration::RULE,
    rules::foreign_traefik_service::RULE,
];

/// Checks one Canary against every rule.
pub fn check(observed: &Observed) -> Vec<Finding> {
    let finding = |rule: &Rule| {
        let (message, help) = (rule.check)(observed)?;
        Some(Finding {
            code: rule.code,
            severity: rule.severity,
            target: observed.canary.target.clone(),
            message,
            help,
        })
    };
    RULES.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(RULES.is_sorted_by(|a, b| a.code < b.code));
        for rule in RULES {
            assert!(rule.code.len() == 5 && rule.code.starts_with("CT"), "{}", rule.code);
        }
    }
}
