//! Output of commands that write: the diff before, the result lines after.

use serde_json::Value;

use super::{
    diff::{comparable, unified},
    style::Style,
};
use crate::{
    flagger::next_write::When,
    observed::{Observed, Protection, State, TraefikServiceState},
    plan::{
        Action, Step,
        write_effect::{self},
    },
};

/// Whether a change is really made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum DryRun {
    /// Make the change
    #[default]
    None,
    /// Compute the result locally
    Client,
    /// Let the API server compute the result
    Server,
}

/// Formats a result line: `canary.flagger.app/podinfo configured (server dry run)`. `verb` is one of kubectl's words:
/// created, configured, deleted, unchanged.
pub fn line(object: &impl std::fmt::Display, verb: &str, dry_run: DryRun) -> String {
    let suffix = match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    format!("{} {verb}{suffix}\n", super::escaped(&object.to_string()))
}

/// Returns the diff of one step: the object before, and as it will be stored. `namespaces` adds the namespace.
pub fn step_diff(step: &Step, after: &Value, namespaces: bool, style: Style) -> String {
    let mut title = step.object.to_string();
    if let Some(namespace) = step.object.target.namespace.as_ref().filter(|_| namespaces) {
        title.push_str(&format!(" -n {namespace}"));
    }
    let mut after = after.clone();
    if let Some(metadata) = after.get_mut("metadata").and_then(Value::as_object_mut).filter(|_| step.before.is_null()) {
        // A dry run makes them up.
        for key in ["uid", "creationTimestamp"] {
            metadata.remove(key);
        }
    }
    let text = |object: &Value| if object.is_null() { String::new() } else { comparable(object) };
    let (was, becomes) = match (step.before.is_null(), after.is_null()) {
        (true, _) => ("none", "after"),
        (_, true) => ("live", "deleted"),
        _ => ("live", "after"),
    };
    unified(&title, (was, becomes), &text(&step.before), &text(&after), style)
}

/// Returns the result of a step for its line.
pub fn verb(step: &Step) -> &'static str {
    match (&step.action, step.before.is_null()) {
        (Action::Delete, _) => "deleted",
        (_, true) => "created",
        _ => "configured",
    }
}

/// Returns what is asked before changes with these results, each as [`verb`] says it: `Create 2 and change 1 object`.
pub fn proposal(verbs: &[&str]) -> String {
    let words = [("created", "create"), ("configured", "change"), ("deleted", "delete")];
    let counts = words.map(|(verb, word)| (word, verbs.iter().filter(|it| **it == verb).count()));
    let counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    let last = counts.last().map_or(0, |(_, count)| *count);
    let parts: Vec<_> = counts.iter().map(|(word, count)| format!("{word} {count}")).collect();
    let text = format!("{} {}", parts.join(" and "), if last == 1 { "object" } else { "objects" });
    text[..1].to_uppercase() + &text[1..]
}

/// Returns a sentence about what happens to the cookie at Flagger's next write; `None` if there is no cookie, or if the
/// reason was already given.
///
/// What to type is on a line of its own. `apply` is the command that applies the declared cookie, `install` the one that
/// installs the guard, `rbac` the one that prints the permissions to see it.
pub fn fate(observed: &Observed, apply: &str, install: &str, rbac: &str) -> Option<String> {
    let (kept, state) = (observed.protection(), observed.state());
    let next = write_effect::write_effect(observed).next;
    let drops = match next.when {
        When::Suspended => "the Canary is suspended; Flagger removes this cookie once it is resumed".to_owned(),
        When::StuckPromotion => "Flagger's promotion is stuck; its next write removes this cookie".to_owned(),
        _ => format!("Flagger removes this cookie at its next write ({})", super::fate::which(next)),
    };
    Some(match (kept, state) {
        (Protection::Native, _) => "protected: Flagger itself copies the declared cookie to the TraefikService".into(),
        (Protection::Nothing, _) | (_, State::None | State::Malformed | State::Unknown) => return None,
        _ if next.when == When::Deletion => "not protected: the TraefikService is deleted with its Canary".into(),
        (_, State::Pending) if observed.service != TraefikServiceState::NotGenerated => return None,
        (Protection::Guard, State::Pending) => {
            "protected: the guard adds the cookie as soon as Flagger creates the TraefikService".into()
        }
        (_, State::Pending) => format!("not live yet\nonce Flagger has created the TraefikService: {apply}"),
        (_, State::Missing) => format!("not live\nto apply the declared cookie: {apply}"),
        (_, State::Differs) => {
            format!("the live cookie differs from the declared one\nto apply the declared one: {apply}")
        }
        (_, State::Undeclared) => format!("not protected: {drops}, and there is no declaration to restore it from"),
        (Protection::Guard, _) => "protected: the guard puts the cookie back into Flagger's writes".into(),
        (Protection::Unknown, _) => {
            format!("protection unknown: you may not read the guard's objects\nto see what is needed: {rbac}")
        }
        (Protection::No, _) => format!("not protected: {drops}\nto protect it: {install}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proposed_counts_what_is_created_changed_and_deleted() {
        let changes = [
            &["created"][..],
            &["configured", "configured"],
            &["configured", "created", "created"],
            &["deleted", "configured", "created", "deleted"],
        ];
        assert_eq!(
            changes.map(proposal),
            [
                "Create 1 object",
                "Change 2 objects",
                "Create 2 and change 1 object",
                "Create 1 and change 1 and delete 2 objects",
            ]
        );
    }
}
