//! What a changing command says: the diff before, the result lines after.

use serde_json::Value;

use super::{
    diff::{comparable, unified},
    style::Style,
};
use crate::{
    model::{Kept, Observed, Service, State},
    plan::{
        Step,
        fate::{self, When},
    },
};

/// What became of one object, as kubectl says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It was not there before.
    Created,
    /// It was changed.
    Configured,
    /// It was taken away.
    Deleted,
    /// There was nothing to do.
    Unchanged,
}

/// Whether it really happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DryRun {
    /// It did.
    #[default]
    None,
    /// It was worked out here.
    Client,
    /// The server worked it out.
    Server,
}

impl DryRun {
    /// What the value of `--dry-run` asks for.
    pub fn from_flag(text: &str) -> Self {
        match text {
            "client" => Self::Client,
            "server" => Self::Server,
            _ => Self::None,
        }
    }
}

/// `canary.flagger.app/podinfo configured (server dry run)`
pub fn line(object: &impl std::fmt::Display, verb: Verb, dry_run: DryRun) -> String {
    let verb = match verb {
        Verb::Created => "created",
        Verb::Configured => "configured",
        Verb::Deleted => "deleted",
        Verb::Unchanged => "unchanged",
    };
    let suffix = match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    format!("{} {verb}{suffix}\n", super::escaped(&object.to_string()))
}

/// The diff of one step: the object before, and as it will be stored. `namespaces`: there are steps in several.
pub fn step_diff(step: &Step, after: &Value, namespaces: bool, style: Style) -> String {
    let mut title = step.object.to_string();
    if let Some(namespace) = step.object.target.namespace.as_ref().filter(|_| namespaces) {
        title.push_str(&format!(" -n {namespace}"));
    }
    unified(&title, "live", &comparable(&step.before), &comparable(after), style)
}

/// What will become of the stanza at Flagger's next write, as a sentence; `None` when there is none, or when
/// it was said already why.
///
/// `apply` is the command that makes live what is declared, `install` the one that installs the guard.
pub fn fate(observed: &Observed, apply: &str, install: &str) -> Option<String> {
    let (kept, state) = (observed.kept(), observed.state());
    let next = fate::next_write(observed);
    let drops = match next.when {
        When::Suspended => "Flagger is suspended, and its first write after that drops the stanza".to_owned(),
        _ => format!("Flagger's next write ({}) drops the stanza", super::fate::which(next)),
    };
    Some(match (kept, state) {
        (Kept::Native, _) => "kept: Flagger itself copies the declared cookie to the TraefikService".into(),
        (Kept::Nothing, _) | (_, State::None | State::Malformed | State::Unknown) => return None,
        _ if next.when == When::Deletion => {
            "not kept: the TraefikService goes with its Canary, which is being deleted".into()
        }
        (_, State::Pending) if observed.service != Service::NotGenerated => return None,
        (Kept::Guard, State::Pending) => {
            "kept: the guard puts it on the TraefikService as soon as Flagger generates one".into()
        }
        (_, State::Pending) => format!("not live yet: once Flagger has generated the TraefikService, run `{apply}`"),
        (_, State::Missing) => format!("not live: `{apply}` makes live what is declared"),
        (_, State::Differs) => {
            format!("what is live is not what is declared: `{apply}` makes live what is declared")
        }
        (_, State::Undeclared) => format!("not kept: {drops}, and nothing is declared that could bring it back"),
        (Kept::Guard, _) => "kept: the guard re-adds it inside each of Flagger's writes".into(),
        (Kept::Unknown, _) => {
            format!("whether it is kept is not known: this user may not look for the guard, which `{install}` installs")
        }
        (Kept::No, _) => format!("not kept: {drops}; `{install}` makes it last"),
    })
}
