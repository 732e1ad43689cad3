//! Obstacles to a change on a cluster: other field managers, missing permissions, fields unknown to the server.

use serde_json::Value;

use crate::{
    apiserver::Failure,
    commands::args::WriteArgs,
    context::Context,
    error::{Error, Kind, Result},
    model::{
        Cookie, FIELDS, ObjectKind,
        managers::{self, Manager},
    },
    observed::Loaded,
    output::{
        change::{self, DryRun},
        duration,
    },
    plan::{Plan, Scope, Step},
};

/// Refuses to overwrite a cookie that another field manager set.
pub(super) fn refuse_foreign(loaded: &Loaded) -> Result<()> {
    let foreign = loaded.service.as_ref().map(managers::foreign).unwrap_or_default();
    if foreign.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = foreign.iter().map(set_by).collect();
    Err(Error::new(Kind::Conflict, format!("the cookie was set by {}", names.join(", ")))
        .caused_by("this change would overwrite that one, and may be overwritten in turn")
        .hint("change it there, or add --force-conflicts"))
}

/// Returns whether the server would store the declared cookie instead of this step's, as it does with the guard.
pub(super) fn is_reverted(loaded: &Loaded, step: &Step, stored: &Value) -> bool {
    let declared = loaded.observed.canary.declared.cookie().map(Cookie::to_sticky);
    step.object.kind != ObjectKind::Canary
        && !step.is_satisfied_by(stored)
        && declared.is_some_and(|declared| stored.pointer("/spec/weighted/sticky") == Some(&declared))
}

/// Returns the error for a live-only change that the guard would undo.
pub(super) fn reverted_error() -> Error {
    Error::new(Kind::Conflict, "the guard restores the declared cookie, so --live-only has no effect")
        .hint("leave out --live-only to change the declaration too")
}

/// Returns the error for an object of an entry to which others have added fields.
pub(super) fn added_error(step: &Step) -> Error {
    Error::new(Kind::Conflict, format!("others have added fields to {}", step.object))
        .caused_by("they would stay, and change what the entry does")
        .hint("remove them there, or add --force-conflicts")
}

/// Formats a field manager and the time of its write: `argocd-controller` 3m ago.
fn set_by(manager: &Manager) -> String {
    let time = manager.time.as_ref().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let age = time.map(|time| duration::age(jiff::Timestamp::now().as_second() - time.as_second()));
    format!("`{}`{}", manager.name, age.map(|age| format!(" {age} ago")).unwrap_or_default())
}

/// Returns who changed what this plan starts from since the other one was confirmed, as far as the server knows: one
/// sentence per object.
pub(super) fn changed_by(agreed: &Plan, now: &Plan) -> Vec<String> {
    let news = now.steps.iter().filter(|step| !agreed.steps.iter().any(|other| other.starts_from_the_same(step)));
    let report_skipped = news.filter_map(|step| {
        let what = if step.object.kind == ObjectKind::Canary { "declaration" } else { "cookie" };
        let managers = managers::of(&step.before, step.object.kind);
        // Timestamps from the server all have one format, in which they sort by time.
        managers
            .iter()
            .max_by_key(|manager| &manager.time)
            .map(|last| format!("the {what} was set by {}", set_by(last)))
    });
    report_skipped.collect()
}

/// The reason why a change cannot be prepared.
pub(super) struct Refusal {
    pub(super) error: Error,
    /// The object of the change that this user may write.
    possible: Option<ObjectKind>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, possible: None }
    }
}

/// Returns the scope of a change of only this object, the question about it, and the hint for its flag.
fn alone(kind: ObjectKind) -> (Scope, &'static str, &'static str) {
    match kind {
        ObjectKind::Canary => {
            (Scope::DeclareOnly, "Change only the Canary?", "add --declare-only to change the Canary alone")
        }
        // Which of the live objects it is makes no difference.
        _ => (
            Scope::LiveOnly,
            "Change only the TraefikService, until Flagger's next write?",
            "add --live-only to change the TraefikService alone, until Flagger's next write",
        ),
    }
}

/// Offers to make the part of a change that this user may make, if there is a terminal to ask on.
pub(super) async fn offer_partial(ctx: &Context, args: &WriteArgs, refusal: Refusal) -> Result<Scope> {
    let Refusal { error, possible } = refusal;
    let Some(possible) = possible.filter(|_| !args.confirm.yes && args.confirm.dry_run == DryRun::None) else {
        return Err(error);
    };
    let (scope, question, _) = alone(possible);
    ctx.ui.warning(error.message());
    match ctx.ui.ask(question).await? {
        Some(true) => Ok(scope),
        Some(false) => Err(Error::cancelled()),
        None => Err(error),
    }
}

/// Returns the error for a dry run that the server refuses. Without permission to write, prints the locally computed
/// diffs. A field unknown to the server is reported by its flag. `possible` is the object that can still be written, if
/// any.
pub(super) fn dry_run_error(ctx: &Context, plan: &Plan, failure: Failure, possible: Option<ObjectKind>) -> Refusal {
    let (forbidden, invalid) = (failure.is_forbidden(), failure.is_invalid());
    let mut error = Error::from(failure);
    if forbidden {
        ctx.ui.status("computed locally; the server refused the dry run:");
        for step in &plan.steps {
            ctx.ui.status(&change::step_diff(step, &step.after(), false, ctx.ui.err_style()));
        }
        if let Some((_, _, flag)) = possible.map(alone) {
            error = error.hint(flag);
        }
    }
    if invalid {
        error = error.of_kind(Kind::Invalid);
        for field in &FIELDS {
            let unknown = format!("unknown field \"spec.weighted.sticky.cookie.{}\"", field.key);
            if error.causes().iter().any(|cause| cause.contains(&unknown)) {
                error = error.hint(format!(
                    "leave out --{0}, or remove it with --unset {0}: it needs the CRDs of Traefik {1} or later",
                    field.flag, field.since
                ));
            }
        }
    }
    Refusal { error, possible: possible.filter(|_| forbidden) }
}
