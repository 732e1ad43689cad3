//! The steps that make an entry live: its objects are applied, and those that are no longer wanted are deleted.

use super::{Scope, Step};
use crate::{
    error::{Error, Kind, Result},
    model::{Entry, ObjectRef},
    observed::Loaded,
    traefik::entry::{EntryObjects, compare, objects},
};

/// The steps of an entry, and what else there is to say about it.
#[derive(Debug, Default)]
pub(super) struct EntrySteps {
    /// The steps, in the order in which to take them.
    pub(super) steps: Vec<Step>,
    /// Whether the entry (or none) is live after them.
    pub(super) is_live: bool,
    /// Sentences for the user.
    pub(super) notes: Vec<String>,
}

impl EntrySteps {
    fn none(note: String) -> Self {
        Self { notes: vec![note], ..Self::default() }
    }
}

/// Plans how to make this entry (or none) the live one. Without the routes there is nothing to plan.
///
/// # Errors
///
/// Fails if something else serves a path of a new entry, or if another object has the name of one of the entry's.
pub(super) fn steps(loaded: &Loaded, entry: Option<&Entry>, scope: Scope) -> Result<EntrySteps> {
    let Some(routing) = &loaded.routing else { return Ok(EntrySteps::default()) };
    let canary = &loaded.observed.canary;
    // Problems of what is declared already are findings, and do not stand in the way of other changes.
    let new = entry.filter(|_| entry != canary.declared_entry());
    if let Some(reason) = &routing.unread
        && (entry.is_some() || canary.entry.is_some())
    {
        return match new {
            Some(_) if scope != Scope::DeclareOnly => Err(unread(reason)),
            _ => Ok(EntrySteps::none(format!("the entry's objects stay as they are: {reason}"))),
        };
    }
    let made = match (entry, loaded.observed.entry_holder()) {
        (Some(entry), Some(holder)) => objects(entry, &holder, routing),
        _ => EntryObjects::default(),
    };
    if new.is_some() && !made.problems.is_empty() {
        return Err(refused(loaded, made));
    }
    if scope == Scope::DeclareOnly {
        return Ok(EntrySteps::default());
    }
    if entry.is_some() && loaded.observed.service().is_none() {
        // Without a cookie, no pin begins.
        let note = "the entry is not live: this Canary's TraefikService does not exist or cannot be read";
        return Ok(EntrySteps::none(note.into()));
    }
    let wanted = made.in_force();
    let problems = made.problems.iter().map(|problem| format!("the entry is not live: {problem}"));
    let mut notes: Vec<_> = problems.chain(made.notes.iter().cloned()).collect();
    if let Some(entry) = new {
        notes.push(format!(
            "requests to {entry} reach the application without cookies: this must be where a login starts, not a page that needs a session"
        ));
    }
    if entry.is_some() && wanted.is_empty() && notes.is_empty() {
        notes.push("the entry is not live: there is no route to the TraefikService that it applies to".into());
    }
    let compared = compare(wanted, &canary.target, routing);
    for object in compared.foreign {
        if new.is_some() {
            return Err(taken(object));
        }
        notes.push(format!("{object} exists, but does not belong to this entry"));
    }
    let changes = compared.changes.into_iter();
    let mut steps: Vec<_> = changes.map(|(object, wanted, live)| Step::apply(object, wanted, live)).collect();
    steps.extend(compared.left_over.into_iter().map(|(object, live)| Step::delete(object, live)));
    Ok(EntrySteps { steps, is_live: entry.is_none() || !wanted.is_empty(), notes })
}

fn unread(reason: &str) -> Error {
    Error::cluster("the routes to the TraefikService cannot be read, and an entry depends on them")
        .caused_by(reason)
        .hint("leave out --entry, or add --declare-only")
}

/// Returns the error for an entry that would have no effect.
pub(crate) fn refused(loaded: &Loaded, made: EntryObjects) -> Error {
    let error = Error::usage(format!("the entry of Canary `{}` would have no effect", loaded.observed.canary.target));
    made.problems
        .into_iter()
        .chain(made.notes)
        .fold(error, Error::caused_by)
        .hint("name paths with --entry that a route to the TraefikService serves, or give that route a higher priority")
}

fn taken(object: &ObjectRef) -> Error {
    let ObjectRef { kind, target } = object;
    let namespace = target.namespace.as_ref().map_or_else(String::new, |namespace| format!(" -n {namespace}"));
    Error::new(Kind::Conflict, format!("{} `{target}` exists, but does not belong to this Canary's entry", kind.kind()))
        .caused_by("it would be overwritten")
        .hint(format!("delete it first; to see it: kubectl get {} {}{}", kind.resource(), target.name, namespace))
}
