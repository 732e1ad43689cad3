//! Findings as SARIF 2.1.0 (OASIS, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), which code scanning of GitHub and
//! GitLab, and editors, read.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Located;
use crate::lint::{RULES, Rule, Severity};

/// What stays as it is in a path of a URI (RFC 3986 section 3.3).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the findings as a SARIF log.
pub fn sarif(findings: &[Located]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-canary-traefik",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(located: &Located) -> Value {
    let Located { finding, position } = located;
    let (canary, object) = located.objects();
    let named = |name: String, kind: &str| json!({"fullyQualifiedName": name, "kind": kind});
    let mut logical = vec![named(canary.clone(), "object")];
    logical.extend(object.map(|object| named(object, "object")));
    let mut location = json!({"logicalLocations": logical});
    if let Some(position) = position.as_ref().filter(|position| position.file != "stdin") {
        location["physicalLocation"] = json!({
            "artifactLocation": {"uri": uri(&position.file)},
            "region": {"startLine": position.line, "startColumn": position.column},
        });
    }
    json!({
        "ruleId": finding.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code == finding.code),
        "level": level(finding.severity),
        "message": {"text": format!("{canary}: {}; fix: {}", finding.message, finding.help)},
        "locations": [location],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Returns the URI of a file: relative as it was named, or absolute.
fn uri(file: &str) -> String {
    let path = utf8_percent_encode(file.strip_prefix("./").unwrap_or(file), PATH).to_string();
    if file.starts_with('/') { format!("file://{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_a_uri() {
        assert_eq!(uri("./deploy/a b:c.yaml"), "deploy/a%20b%3Ac.yaml");
        assert_eq!(uri("/srv/ä.yaml"), "file:///srv/%C3%A4.yaml");
    }
}
