//! What stands in the way of a change on a cluster: others who set the cookie, rights that are missing, fields that the
//! server does not know.

use serde_json::Value;

use crate::{
    cluster::{Call, Failure, Verb},
    commands::args::WriteArgs,
    context::Context,
    error::{Error, Kind, Result},
    model::{Cookie, FIELDS, Loaded, name::Group},
    output::{
        change::{self, DryRun},
        duration,
    },
    plan::{
        ObjectKind, Plan, Scope, Step,
        managers::{self, Manager},
    },
};

/// Refuses to overwrite a stanza that someone else set.
pub(super) fn refuse_foreign(loaded: &Loaded) -> Result<()> {
    let foreign = loaded.service.as_ref().map(managers::foreign).unwrap_or_default();
    if foreign.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = foreign.iter().map(set_by).collect();
    Err(Error::new(Kind::Conflict, format!("the stanza was set by {}", names.join(", ")))
        .caused_by("what it sets would be overwritten, and it may overwrite ours in turn")
        .hint("change it there, or add --force-conflicts"))
}

/// Whether a server would store what is declared in the place of what this step brings: so does the guard.
pub(super) fn is_turned_back(loaded: &Loaded, step: &Step, stored: &Value) -> bool {
    let declared = loaded.observed.canary.declared.cookie().map(Cookie::to_stanza);
    step.object.kind != ObjectKind::Canary
        && !step.is_fulfilled_by(stored)
        && declared.is_some_and(|declared| stored.pointer("/spec/weighted/sticky") == Some(&declared))
}

/// The error for a change of what is live alone, where the guard keeps what is declared.
pub(super) fn turned_back() -> Error {
    Error::new(Kind::Conflict, "the guard keeps live what is declared, so that --live-only has no effect")
        .hint("leave out --live-only to change what is declared too")
}

/// `argocd-controller` 3m ago
fn set_by(manager: &Manager) -> String {
    let time = manager.time.as_ref().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let age = time.map(|time| duration::age(jiff::Timestamp::now().as_second() - time.as_second()));
    format!("`{}`{}", manager.name, age.map(|age| format!(" {age} ago")).unwrap_or_default())
}

/// Who changed what this plan starts from since the other one was agreed to, as far as the server knows: one sentence an
/// object.
pub(super) fn changed_by(agreed: &Plan, now: &Plan) -> Vec<String> {
    let news = now.steps.iter().filter(|step| !agreed.steps.iter().any(|other| other.starts_from_the_same(step)));
    let told = news.filter_map(|step| {
        let what = if step.object.kind == ObjectKind::Canary { "declaration" } else { "stanza" };
        let managers = managers::of(&step.before, step.object.kind);
        // The server writes all times in one form, which sorts as the times do.
        managers
            .iter()
            .max_by_key(|manager| &manager.time)
            .map(|last| format!("the {what} was set by {}", set_by(last)))
    });
    told.collect()
}

/// Why a change cannot be prepared.
pub(super) struct Refusal {
    pub(super) error: Error,
    /// The part of it that this user may do alone.
    possible: Option<Scope>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, possible: None }
    }
}

/// What a user may do who may change one of two objects: the scope, the object in words, the flag in words.
fn alone(kind: ObjectKind) -> (Scope, &'static str, &'static str) {
    match kind {
        ObjectKind::Canary => (Scope::DeclareOnly, "the Canary", "add --declare-only to change the Canary alone"),
        ObjectKind::TraefikService(_) => (
            Scope::LiveOnly,
            "the TraefikService, until Flagger's next write,",
            "add --live-only to change the TraefikService alone, until Flagger's next write",
        ),
    }
}

/// Offers to do the part of a change that this user may do, where there is somebody to ask.
pub(super) async fn offered(ctx: &Context, args: &WriteArgs, refusal: Refusal) -> Result<Scope> {
    let Refusal { error, possible } = refusal;
    let Some(possible) = possible.filter(|_| !args.yes && args.dry_run() == DryRun::None) else { return Err(error) };
    let kinds = [ObjectKind::Canary, ObjectKind::TraefikService(Group::TraefikIo)].map(alone);
    let (.., what, _) = kinds.into_iter().find(|(scope, ..)| *scope == possible).expect("one of the two");
    ctx.ui.warning(error.message());
    match ctx.ui.ask(&format!("Go on with {what} alone?")).await? {
        Some(true) => Ok(possible),
        Some(false) => Err(Error::cancelled()),
        None => Err(error),
    }
}

/// The error for a dry run that the server refuses. Without the right to write, what was worked out here is
/// shown; a field that the server does not know is said in the words of its flag. `possible`: the object that can be
/// written, when it is the other one alone.
pub(super) fn refused(
    ctx: &Context,
    plan: &Plan,
    step: &Step,
    failure: Failure,
    possible: Option<ObjectKind>,
) -> Refusal {
    let (forbidden, invalid) = (failure.is_forbidden(), failure.is_invalid());
    let mut error = failure.into_error(&Call::of(Verb::Patch, &step.object));
    let mut scope = None;
    if forbidden {
        ctx.ui.status("worked out here, not by the server:");
        for step in &plan.steps {
            ctx.ui.status(&change::step_diff(step, &step.after(), false, ctx.ui.err_style()));
        }
        if let Some((possible, _, flag)) = possible.map(alone) {
            error = error.hint(flag);
            scope = Some(possible);
        }
    }
    if invalid {
        error = error.of_kind(Kind::Invalid);
        for field in &FIELDS {
            let unknown = format!("unknown field \"spec.weighted.sticky.cookie.{}\"", field.key);
            if error.causes().iter().any(|cause| cause.contains(&unknown)) {
                error = error.hint(format!(
                    "leave out --{0}, or take it away with --unset {0}: it needs the definitions of Traefik {1} or later",
                    field.flag, field.since
                ));
            }
        }
    }
    Refusal { error, possible: scope }
}
