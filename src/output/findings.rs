//! Lint findings as text.

use super::style::{Meaning, Style};
use crate::lint::{Finding, Severity};

/// Formats a finding: the problem, and the fix below it.
pub fn text(finding: &Finding, style: Style) -> String {
    format!(
        "{} {}: {}: {}\n  {} {}\n",
        style.paint(meaning(finding.severity), finding.severity.as_str()),
        finding.code,
        super::escaped(&finding.target.to_string()),
        super::escaped(&finding.message),
        style.paint(Meaning::Hint, "fix:"),
        finding.help,
    )
}

/// Returns the meaning of a severity.
pub(super) fn meaning(severity: Severity) -> Meaning {
    match severity {
        Severity::Error => Meaning::Error,
        Severity::Warning => Meaning::Warning,
        Severity::Info => Meaning::Hint,
    }
}
