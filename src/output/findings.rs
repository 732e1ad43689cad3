//! Findings as text.

use super::style::{Meaning, Style};
use crate::lint::{Finding, Severity};

/// One finding: what is wrong, and under it what to do.
pub fn text(finding: &Finding, style: Style) -> String {
    let (meaning, word) = match finding.severity {
        Severity::Error => (Meaning::Error, "problem"),
        Severity::Warning => (Meaning::Warning, "warning"),
    };
    format!(
        "{} {}: {}: {}\n  {} {}\n",
        style.paint(meaning, word),
        finding.code,
        super::escaped(&finding.target.to_string()),
        super::escaped(&finding.message),
        style.paint(Meaning::Hint, "help:"),
        finding.help,
    )
}
