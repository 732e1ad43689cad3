//! A change on a cluster, from the plan to the report.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use super::{
    prepared::{Prepared, keeps_changing},
    refusal::{
        Refusal, added_error, changed_by, dry_run_error, is_reverted, offer_partial, refuse_foreign, reverted_error,
    },
    report::{fate, report, report_skipped, report_stored, show, undo},
    write,
    write::is_stale,
};
use crate::{
    apiserver::Failure,
    cluster::Cluster,
    commands::{args::WriteArgs, batch::Batch},
    context::Context,
    error::{Error, Exit, Kind, Result},
    flagger::NativeField,
    observed::{Guarded, Loaded},
    output::{
        self, Format,
        change::{self, DryRun},
    },
    plan::{Action, Confirmed, CookieChange, Plan, Scope, Step, decide},
};

/// Maximum number of times a plan is shown again because the objects changed.
const ROUNDS: usize = 10;

/// Changes the cookies of these Canaries: shows the diffs, asks once, then writes one object after the other.
pub(super) async fn change(
    ctx: &Context,
    server: &Cluster,
    loaded: Vec<Loaded>,
    args: &WriteArgs,
    mut scope: Scope,
    change: &CookieChange,
) -> Result<Exit> {
    let mut several = Batch::new(loaded.len());
    let mut prepared = Vec::new();
    for loaded in loaded {
        let target = loaded.observed.canary.target.clone();
        let result = prepare_or_offer(ctx, server, loaded, args, (&mut scope, several.is_one()), change).await;
        prepared.extend(several.take(ctx, &target, result)?);
    }
    show(ctx, &prepared);
    let busy = prepared.iter().any(|prepared| !prepared.plan.is_empty());
    if args.confirm.dry_run != DryRun::None || !busy {
        for prepared in &prepared {
            report_skipped(ctx, prepared, scope);
        }
        report(ctx, &prepared, args, scope, args.confirm.dry_run)?;
        return several.end().map(|()| Exit::Ok);
    }
    super::owner::tell(ctx, &prepared);
    // Lines are printed one by one, objects as one document.
    let lines = !matches!(args.output(), Format::Json | Format::Yaml);
    let mut all = Vec::new();
    let (mut reported, mut failure) = (Ok(()), Ok(()));
    for agreed in confirm(ctx, prepared, args).await? {
        let target = agreed.0.observed.canary.target.clone();
        let (stored, ended) = settle(ctx, server, agreed, args, scope, change).await;
        if let Some(done) = stored {
            // If the reader of the lines goes away, everything that was confirmed is still written.
            if lines && reported.is_ok() {
                reported = match ended {
                    Ok(()) => report(ctx, std::slice::from_ref(&done), args, scope, DryRun::None),
                    Err(_) => report_stored(ctx, &done, args),
                };
            }
            tell_more(ctx, server, &done, several.is_one()).await;
            all.push(done);
        }
        if let Err(error) = several.take(ctx, &target, ended) {
            failure = Err(error);
            break;
        }
    }
    if !lines && !all.is_empty() {
        reported = report(ctx, &all, args, scope, DryRun::None);
    }
    if !several.is_one() {
        let changed: Vec<_> = all.iter().filter(|done| !done.plan.is_empty()).collect();
        for there in changed.chunk_by(|a, b| a.plan.target.namespace == b.plan.target.namespace) {
            fate(ctx, server, there);
        }
    }
    failure.and(several.end()).and(reported).map(|()| Exit::Ok)
}

/// Tells, of an object that was written, what was left out, what becomes of it, and how to undo it.
async fn tell_more(ctx: &Context, server: &Cluster, done: &Prepared, is_one: bool) {
    let kept_by_flagger = done.loaded.native != NativeField::Absent && done.plan.after.declared.cookie.is_some();
    if !kept_by_flagger {
        report_skipped(ctx, done, Scope::Both);
    }
    if is_one {
        fate(ctx, server, &[done]);
    }
    undo(ctx, server, done).await;
}

/// Prepares the change of one Canary. Where it is the only one and part of the change is refused, the other part is offered,
/// and `scope` is then what was accepted.
async fn prepare_or_offer(
    ctx: &Context,
    server: &Cluster,
    loaded: Loaded,
    args: &WriteArgs,
    (scope, is_one): (&mut Scope, bool),
    change: &CookieChange,
) -> Result<Prepared> {
    match prepare(ctx, server, loaded.clone(), args, *scope, change).await {
        Err(refusal) if is_one => {
            *scope = offer_partial(ctx, args, refusal).await?;
            prepare(ctx, server, loaded, args, *scope, change).await.map_err(|refusal| refusal.error)
        }
        other => other.map_err(|refusal| refusal.error),
    }
}

/// Plans the change and validates it with a dry run on the server.
pub(super) async fn prepare(
    ctx: &Context,
    server: &Cluster,
    mut loaded: Loaded,
    args: &WriteArgs,
    scope: Scope,
    change: &CookieChange,
) -> Result<Prepared, Refusal> {
    for _ in 0..write::ATTEMPTS {
        let plan = Plan::new(&loaded, &change.on(&loaded)?, scope)?;
        if plan.touches_sticky() && !args.force_conflicts {
            refuse_foreign(&loaded)?;
        }
        if args.confirm.dry_run == DryRun::Client {
            let after = plan.steps.iter().map(Step::after).collect();
            return Ok(Prepared { loaded, plan, after, guarded: Guarded::Unknown });
        }
        let mut after = Vec::new();
        let mut stale = false;
        let answers = join_all(plan.steps.iter().map(|step| server.dry_run(step, args.force_conflicts))).await;
        let good = |(step, answer): &(&Step, &Result<Value, Failure>)| {
            answer.as_ref().is_ok_and(|object| step.is_satisfied_by(object))
        };
        let possible = plan.steps.iter().zip(&answers).find(good).map(|(step, _)| step.object.kind);
        for (step, answer) in plan.steps.iter().zip(answers) {
            match answer {
                Ok(object) if scope == Scope::LiveOnly && is_reverted(&loaded, step, &object) => {
                    return Err(reverted_error().into());
                }
                Ok(object) if matches!(step.action, Action::Apply(_)) && !step.is_satisfied_by(&object) => {
                    return Err(added_error(step).into());
                }
                // The guard uses the declaration as it is now, which is about to change.
                Ok(object) => after.push(if step.is_satisfied_by(&object) { object } else { step.after() }),
                Err(failure) if is_stale(&failure) => stale = true,
                Err(failure) => return Err(dry_run_error(ctx, &plan, failure, possible)),
            }
        }
        if !stale {
            return Ok(Prepared { loaded, plan, after, guarded: Guarded::Unknown });
        }
        write::pause(Duration::ZERO).await;
        loaded = server.load(&loaded.observed.canary.target, super::reading(change.needs(), scope)).await?;
    }
    Err(keeps_changing(&loaded).into())
}

/// Asks for confirmation, once for all plans.
pub(super) async fn confirm(
    ctx: &Context,
    prepared: Vec<Prepared>,
    args: &WriteArgs,
) -> Result<Vec<(Loaded, Confirmed<Plan>)>> {
    let verbs: Vec<_> = prepared.iter().flat_map(|prepared| &prepared.plan.steps).map(change::verb).collect();
    let answer = args.confirm.consent(ctx, &format!("{}?", change::proposal(&verbs))).await?;
    let (loaded, plans): (Vec<_>, Vec<_>) =
        prepared.into_iter().map(|prepared| (prepared.loaded, prepared.plan)).unzip();
    Ok(loaded.into_iter().zip(decide(plans, answer)?).collect())
}

/// Writes one plan, and asks again if the objects changed so that the plan is a different one. Returns what was stored,
/// if anything, even if the change could not be completed.
async fn settle(
    ctx: &Context,
    server: &Cluster,
    (loaded, confirmed): (Loaded, Confirmed<Plan>),
    args: &WriteArgs,
    scope: Scope,
    change: &CookieChange,
) -> (Option<Prepared>, Result<()>) {
    let mut stored = write::Stored::nothing_of(confirmed.agreed());
    let mut last = loaded.clone();
    let ended = async {
        let mut now = (loaded, confirmed);
        for _ in 0..ROUNDS {
            let (loaded, confirmed) = now;
            let before = confirmed.agreed().clone();
            let (read, is_done) = write::write(server, loaded, confirmed, args, scope, change, &mut stored).await?;
            last = read;
            if is_done {
                return Ok(());
            }
            let prepared =
                prepare(ctx, server, last.clone(), args, scope, change).await.map_err(|refusal| refusal.error)?;
            last.clone_from(&prepared.loaded);
            if prepared.plan.is_empty() {
                return Ok(());
            }
            for sentence in changed_by(&before, &prepared.plan) {
                ctx.ui.status(&output::escaped(&sentence));
            }
            ctx.ui.status("the Canary or its TraefikService changed in the meantime; your change is now:");
            show(ctx, std::slice::from_ref(&prepared));
            let mut agreed = confirm(ctx, vec![prepared], args).await?;
            now = agreed.pop().expect("one plan went in");
        }
        let error =
            Error::new(Kind::Conflict, "the Canary or its TraefikService changed again after each confirmation");
        Err(error.hint("find out who else is changing the cookie, then repeat the command"))
    };
    let ended = match ended.await {
        Err(error) if matches!(error.kind(), Kind::Refused | Kind::Cancelled) && !stored.is_empty() => {
            Err(Error::new(error.kind(), "nothing more was changed"))
        }
        ended => ended,
    };
    ((ended.is_ok() || !stored.is_empty()).then(|| stored.into_prepared(last, scope)), ended)
}
