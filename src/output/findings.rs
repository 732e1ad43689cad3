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
        super::escaped(&finding.help),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lint::Place, model::NamespacedName};

    #[test]
    fn nothing_in_a_finding_ends_its_line_or_reaches_the_terminal() {
        let odd = "a\n\u{1b}[2Jb";
        let finding = Finding {
            code: "CT001",
            severity: Severity::Error,
            target: NamespacedName { namespace: None, name: odd.to_owned() },
            message: odd.to_owned(),
            help: odd.to_owned(),
            place: Place::default(),
            manifest: None,
        };
        let shown = "a\\n\\u{1b}[2Jb";
        assert_eq!(text(&finding, Style::PLAIN), format!("error CT001: {shown}: {shown}\n  fix: {shown}\n"));
    }
}
