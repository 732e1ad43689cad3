//! What a rule is about.

use super::super::{table::table, wrap::wrapped};
use crate::lint::{Need, RULES, Rule};

/// Formats everything about a rule, in lines of this width.
pub fn explanation(rule: &Rule, width: usize) -> String {
    let paragraph = |text: &str| format!("{}\n", wrapped(text, width, 0, 0));
    let mut text = format!("{} {}: {}\n\n{}", rule.severity, rule.code, rule.title, paragraph(rule.why));
    if !rule.bad.is_empty() {
        text.push_str(&format!("\nBad:\n{}\nGood:\n{}", indented(rule.bad), indented(&rule.good())));
    }
    text.push_str(&format!("\nFix: {}", paragraph(rule.fix)));
    if !rule.needs.is_empty() {
        let needs: Vec<_> = rule.needs.iter().map(|need| need_of(*need)).collect();
        text.push_str(&format!("Looks at: the Canary, {}\n", needs.join(", ")));
    }
    text + &format!("Source: {}\n", rule.source)
}

/// Formats a table of all rules.
pub fn rules() -> String {
    let row = |rule: &Rule| vec![rule.code.to_owned(), rule.severity.to_string(), rule.title.to_owned()];
    table(&["CODE", "SEVERITY", "FINDS"], RULES.iter().map(row))
}

/// Returns what a rule has to know, in words.
fn need_of(need: Need) -> &'static str {
    match need {
        Need::Canaries => "other Canaries",
        Need::Routes => "routes and other TraefikServices",
        Need::Traefik => "the version and the arguments of Traefik",
        Need::Services => "the Services of the tracks",
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
