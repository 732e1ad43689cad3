//! What `lint` found: as text, as JSON, as SARIF, and as annotations of GitHub.

mod explain;
mod github;
mod sarif;

use serde_json::{Value, json};

pub use self::{
    explain::{explanation, rules},
    github::annotations,
    sarif::sarif,
};
use super::{
    count, escaped,
    findings::meaning,
    report::{named, published},
    style::{Meaning, Style},
    wrap::{wrapped, wrapped_around_commands},
};
use crate::lint::{Finding, Need, Position, RULES, Severity};

/// A finding, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The finding.
    pub finding: Finding,
    /// Where it is written; `None` for one in a cluster.
    pub position: Option<Position>,
}

impl Located {
    /// Returns the Canary, and the object that the finding is about if that is another one.
    fn objects(&self) -> (String, Option<String>) {
        (self.finding.target.to_string(), self.finding.place.object.as_ref().map(ToString::to_string))
    }
}

/// Formats the findings, grouped by Canary.
pub fn text(findings: &[Located], width: usize, style: Style) -> String {
    let mut text = String::new();
    let mut last = None;
    for located in findings {
        let finding = &located.finding;
        let group = (&finding.target, finding.manifest.as_ref().map(|manifest| (&manifest.file, manifest.line)));
        if last != Some(group) {
            text.push_str(if last.is_some() { "\n" } else { "" });
            text.push_str(&format!("{}\n", escaped(&finding.target.to_string())));
            last = Some(group);
        }
        let word = style.paint(meaning(finding.severity), finding.severity.as_str());
        let message = wrapped(&escaped(&finding.message), width, 2 + finding.severity.as_str().len() + 8, 4);
        text.push_str(&format!("  {word} {}: {message}\n", finding.code));
        match (&located.position, located.objects().1) {
            (Some(position), _) => text.push_str(&format!("    at {}\n", escaped(&position.to_string()))),
            (None, Some(object)) => text.push_str(&format!("    in {}\n", escaped(&object))),
            (None, None) => {}
        }
        let fix = wrapped_around_commands(&escaped(&finding.help), width, 9, 6);
        text.push_str(&format!("    {} {fix}\n", style.paint(Meaning::Hint, "fix:")));
    }
    text
}

/// Formats how much was found in so many Canaries.
pub fn summary(findings: &[Located], canaries: usize) -> String {
    let of = |severity| findings.iter().filter(|located| located.finding.severity == severity).count();
    let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Info].map(of);
    let parts =
        [count(errors, "error", "errors"), count(warnings, "warning", "warnings"), count(notes, "info", "info")];
    let place = count(canaries, "Canary", "Canaries");
    if findings.is_empty() {
        return format!("nothing found in {place}");
    }
    let found = parts.into_iter().filter(|part| !part.starts_with("0 ")).collect::<Vec<_>>().join(", ");
    format!("{found} in {place}")
}

/// Formats which rules find nothing because of what could not be read.
pub fn unread(need: Need, reason: &str) -> String {
    let rules: Vec<_> = RULES.iter().filter(|rule| rule.needs.contains(&need)).map(|rule| rule.code).collect();
    format!("note: some rules may have missed findings, because {}: {}", escaped(reason), rules.join(", "))
}

/// Returns the findings as JSON with the format's version, and what could not be read.
pub fn report(findings: &[Located], canaries: usize, unread: &[(Need, String)]) -> Value {
    let items: Vec<_> = findings.iter().map(item).collect();
    let unread: Vec<_> = unread
        .iter()
        .map(|(need, reason)| {
            let rules = RULES.iter().filter(|rule| rule.needs.contains(need)).map(|rule| rule.code);
            json!({"reason": reason, "rules": rules.collect::<Vec<_>>()})
        })
        .collect();
    published("LintReport", json!({"canaries": canaries, "items": items, "unread": unread}))
}

fn item(located: &Located) -> Value {
    let Located { finding, position } = located;
    let mut item = json!({
        "code": finding.code,
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "help": finding.help,
    });
    if let Some(object) = &finding.place.object {
        item["object"] = json!({
            "apiVersion": object.kind.api_version(),
            "kind": object.kind.kind(),
            "namespace": object.target.namespace,
            "name": object.target.name,
        });
    }
    if let Some(Position { file, line, column }) = position {
        item["position"] = json!({"file": file, "line": line, "column": column});
    }
    named(&finding.target, item)
}
