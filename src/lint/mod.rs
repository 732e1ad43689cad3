//! Lint rules: one file per rule in `rules/`, one row per rule in [`RULES`]. Pure; findings are data.

mod rules;

use std::fmt;

use crate::{model::NamespacedName, observed::Observed};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The cookie does not work.
    Error,
    /// The cookie works, but not as users expect.
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

/// A rule. Its code never changes its meaning.
#[derive(Debug)]
pub struct Rule {
    /// `CT` and three digits.
    pub code: &'static str,
    /// Severity of its findings.
    pub severity: Severity,
    /// Returns the message and the fix, if the pattern is found.
    check: fn(&Observed) -> Option<(String, String)>,
}

/// A problem with one Canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// The severity.
    pub severity: Severity,
    /// The Canary.
    pub target: NamespacedName,
    /// The problem.
    pub message: String,
    /// The fix.
    pub help: String,
}

/// Every rule, sorted by code.
pub static RULES: &[Rule] = &[
    rules::sticky_without_cookie::RULE,
    rules::same_site_none_without_secure::RULE,
    rules::negative_max_age::RULE,
    rules::session_cookie::RULE,
    rules::starved_canary::RULE,
    rules::malformed_declaration::RULE,
    rules::foreign_traefik_service::RULE,
    rules::malformed_entry::RULE,
    rules::entry_without_effect::RULE,
    rules::entry_without_cookie::RULE,
    rules::last_step_below_all::RULE,
    rules::ab_testing::RULE,
    rules::mirror::RULE,
    rules::session_affinity::RULE,
    rules::weights_beside_iterations::RULE,
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
