//! Lint findings as text.

use super::style::{Meaning, Style};
use crate::lint::{Finding, Severity};

/// Formats a finding: the problem, and the fix below it.
pub fn text(finding: &Finding, style: Style) -> String {
    let (meaning, word) = match finding.severity {
        Severity::Error => (Meaning::Error, "error"),
        Severity::Warning => (Meaning::Warning, "warning"),
    };
    format!(
        "{} {}: {}: {}\n  {} {}\n",
        style.paint(meaning, word),
        finding.code,
        super::escaped(&finding.target.to_string()),
        super::escaped(&finding.message),
        style.paint(Meaning::Hint, "fix:"),
        finding.help,
    )
}
