//! The steps that make an entry live: its objects are applied, and those that are no longer wanted are deleted.

use super::{Scope, Step};
use crate::{
    error::{Error, Kind, Result},
    model::{Entry, ObjectKind},
    observed::Loaded,
    traefik::entry::{EntryObjects, is_as_wanted, is_of, objects},
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

/// Plans how to make this entry (or none) the live one. Without the routes there is nothing to plan.
///
/// # Errors
///
/// Fails if something else serves a path of a new entry, or if another object has the name of one of the entry's.
pub(super) fn steps(loaded: &Loaded, entry: Option<&Entry>, scope: Scope) -> Result<EntrySteps> {
    let Some(routing) = &loaded.routing else { return Ok(EntrySteps::default()) };
    let canary = &loaded.observed.canary;
    let EntryObjects { mut wanted, problems, mut notes } = match (entry, loaded.observed.entry_holder()) {
        (Some(entry), Some(holder)) => objects(entry, &holder, routing),
        _ => EntryObjects::default(),
    };
    let is_new = entry != canary.declared_entry();
    let nothing = |note: String| EntrySteps { notes: vec![note], ..EntrySteps::default() };
    if let Some(reason) = &routing.unread {
        let is_wanted_anew = entry.is_some() && is_new && scope != Scope::DeclareOnly;
        if is_wanted_anew {
            return Err(Error::cluster(
                "the routes to the TraefikService cannot be read, and an entry depends on them",
            )
            .caused_by(reason)
            .hint("leave out --entry, or add --declare-only"));
        }
        if entry.is_some() || canary.entry.is_some() {
            return Ok(nothing(format!("the entry's objects stay as they are: {reason}")));
        }
    }
    if !problems.is_empty() {
        if is_new && entry.is_some() {
            let error = Error::usage(format!("the entry of Canary `{}` would have no effect", canary.target));
            return Err(problems.into_iter().chain(notes).fold(error, Error::caused_by).hint(
                "name paths with --entry that a route to the TraefikService serves, or give that route a higher priority",
            ));
        }
        // What is there was made after routes that are no longer so, and might take the path from another router.
        wanted.clear();
        notes.splice(..0, problems.into_iter().map(|problem| format!("the entry is not live: {problem}")));
    } else if let Some(entry) = entry.filter(|_| is_new) {
        notes.push(format!(
            "at {entry} the application gets no cookies: a login must begin there, and must not need a session yet"
        ));
    }
    if scope == Scope::DeclareOnly {
        return Ok(EntrySteps::default());
    }
    if entry.is_some() && loaded.observed.service().is_none() {
        // Without a cookie, no pin begins.
        return Ok(nothing("the entry is not live: there is no TraefikService of this Canary that can be read".into()));
    }
    if entry.is_some() && wanted.is_empty() && notes.is_empty() {
        notes.push("the entry is not live: no route to the TraefikService can be covered".into());
    }
    let existing: Vec<_> = routing.existing(&canary.target).collect();
    let mut steps = Vec::new();
    for (object, value) in &wanted {
        match existing.iter().find(|(other, _)| other == object) {
            None => steps.push(Step::apply(object.clone(), value.clone(), None)),
            // Of what is declared already, that is a finding, and does not stand in the way of other changes.
            Some((_, live)) if !is_of(live, &canary.target) && !is_new => {
                notes.push(format!("{object} exists, but does not belong to this entry"));
            }
            Some((_, live)) if !is_of(live, &canary.target) => {
                let kind = object.kind.kind();
                return Err(Error::new(
                    Kind::Conflict,
                    format!("{kind} `{}` exists, but does not belong to this Canary's entry", object.target),
                )
                .caused_by("it would be overwritten")
                .hint(format!(
                    "rename or delete it: kubectl get {} {}",
                    object.kind.resource(),
                    object.target.name
                )));
            }
            Some((_, live)) if is_as_wanted(live, value) => {}
            Some((_, live)) => steps.push(Step::apply(object.clone(), value.clone(), Some(live))),
        }
    }
    let mut gone: Vec<_> = existing
        .iter()
        .filter(|(object, live)| is_of(live, &canary.target) && wanted.iter().all(|(other, _)| other != object))
        .map(|(object, live)| Step::delete(object.clone(), live))
        .collect();
    // No route may refer to a Middleware that is gone.
    gone.sort_by_key(|step| matches!(step.object.kind, ObjectKind::Middleware(_)));
    steps.extend(gone);
    Ok(EntrySteps { steps, is_live: entry.is_none() || !wanted.is_empty(), notes })
}
