//! Findings as annotations of GitHub Actions: one workflow command each
//! (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>).

use super::Located;
use crate::lint::Severity;

/// Formats one workflow command for each finding.
pub fn annotations(findings: &[Located]) -> String {
    findings.iter().map(annotation).collect()
}

fn annotation(located: &Located) -> String {
    let Located { finding, position } = located;
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let in_file = position.as_ref().filter(|position| position.file != "stdin");
    let place = in_file.map_or_else(String::new, |position| {
        format!(
            "file={},line={},col={},",
            property(position.file.strip_prefix("./").unwrap_or(&position.file)),
            position.line,
            position.column
        )
    });
    let text = format!("{}: {}\nfix: {}", finding.target, finding.message, finding.help);
    format!("::{command} {place}title={}::{}\n", finding.code, data(&text))
}

/// Escapes the text of a command (`actions/toolkit` `packages/core/src/command.ts:escapeData`).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command (the same file, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_or_a_property_is_escaped() {
        assert_eq!(data("100 %\r\n::error"), "100 %25%0D%0A::error");
        assert_eq!(property("a:b,c%.yaml"), "a%3Ab%2Cc%25.yaml");
    }
}
