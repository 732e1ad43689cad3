//! `guard install`: installs or updates the guard.

use serde_json::Value;

use super::{
    form::{self, form, no_image, refuse_unused, webhook_changes},
    install_args::{InstallArgs, Mode},
    preview::{dry_run_all, print_diff},
    proof,
    state::{GuardState, Removal, deleted_lines},
};
use crate::{
    context::Context,
    error::{Error, Exit, Result},
    guard::{CertificateOwner, Change, Coverage, Form, GuardObject, Placement, deployment, policy},
    model::selector,
    output::{
        self, Format,
        change::{self, DryRun},
    },
    plan::decide,
    yaml,
};

/// Runs `guard install`.
pub(super) async fn run(ctx: &Context, args: &InstallArgs) -> Result<Exit> {
    // A malformed selector is reported first, before the cluster is asked.
    let asked = coverage(args, &Coverage::default())?;
    refuse_unused(args)?;
    if let Some(format) = args.output {
        return print_objects(ctx, format, &printed(args, asked)?);
    }
    let server = ctx.cluster().await?;
    let there = GuardState::read(&server).await?;
    let form = form(ctx, args, &there)?;
    let coverage = coverage(args, kept_coverage(form, &there))?;
    let changes = match form {
        Form::Policies => there.policies.changes(&coverage),
        Form::Webhook => webhook_changes(&server, args, &there, coverage).await?,
    };
    for change in &changes {
        change.must_be_ours()?;
    }
    let other = if form == Form::Policies { Form::Webhook } else { Form::Policies };
    // A process outside the cluster removes its own registration when it ends.
    let is_outside = there.webhook.as_ref().is_some_and(|webhook| webhook.namespace().is_none());
    let mut removal = if is_outside { Removal::default() } else { there.removal(&server, other).await? };
    let after = dry_run_all(&server, &changes, args.confirm.dry_run, args.force_conflicts).await?;
    let differs = |(change, after): &(&Change, &Value)| print_diff(ctx, change, after);
    let open: Vec<Change> = changes.iter().zip(&after).filter(differs).map(|(change, _)| change.clone()).collect();
    for change in &removal.changes {
        ctx.ui.status(&format!("- {}\n", change.wanted));
    }
    let dry_run = args.confirm.dry_run;
    if dry_run != DryRun::None {
        ctx.ui.data(&(installed_lines(&changes, &open, dry_run) + &deleted_lines(&removal.changes, dry_run)))?;
        return Ok(Exit::Ok);
    }
    let mut former = Vec::new();
    if !open.is_empty() || !removal.changes.is_empty() {
        let consent = args.confirm.consent(ctx, &removal.question(&open)).await?;
        for confirmed in decide(open.clone(), consent)? {
            let stored = server.write_guard(&confirmed, args.force_conflicts).await;
            stored?;
        }
        former = decide(removal.changes.clone(), consent)?;
    }
    ctx.ui.data(&installed_lines(&changes, &open, DryRun::None))?;
    let progress = proof::wait(&server, form, args.wait).await?;
    if former.is_empty() {
        return Ok(progress.tell(ctx));
    }
    if !progress.is_well() {
        let exit = progress.tell(ctx);
        ctx.ui.status("the old form of the guard stays; once the new one works, repeat the command to remove it");
        return Ok(exit);
    }
    removal.delete(ctx, &server, former).await?;
    // With the former guard gone, the new one has to work alone.
    Ok(proof::wait(&server, form, args.wait).await?.tell(ctx))
}

/// Returns the objects for `-o`. It contacts no API server, so `auto` cannot detect the form and means the policies.
fn printed(args: &InstallArgs, coverage: Coverage) -> Result<Vec<GuardObject>> {
    if args.mode != Mode::Webhook {
        return Ok(policy::objects(&coverage));
    }
    let namespace = args.guard_namespace.clone().unwrap_or_else(|| deployment::NAMESPACE.into());
    let image = args.image.clone().ok_or_else(no_image)?;
    let (keeper, entries) = (CertificateOwner::Replicas, args.entries.unwrap_or_default());
    let traefik = form::traefik_urls(args, None)?;
    let placement = Placement { namespace, image, coverage, has_conditions: true, keeper, entries, traefik };
    Ok(deployment::objects(&placement))
}

/// Returns this coverage with the selectors that are given; an empty one selects everything.
fn coverage(args: &InstallArgs, kept: &Coverage) -> Result<Coverage> {
    let either = |flag: &Option<String>, kept: &Option<Value>| match flag.as_deref() {
        None => Ok(kept.clone()),
        Some("") => Ok(None),
        Some(text) => selector::parse(text)
            .map(|selector| Some(selector::to_object(&selector)))
            .map_err(|reason| Error::usage(format!("label selector: {reason}"))),
    };
    Ok(Coverage {
        selector: either(&args.selector, &kept.selector)?,
        namespace_selector: either(&args.namespace_selector, &kept.namespace_selector)?,
    })
}

/// Returns the installed coverage, which stays where no selector is given. Changing the form keeps it, too.
fn kept_coverage(form: Form, there: &GuardState) -> &Coverage {
    match (form, &there.webhook) {
        (Form::Webhook, Some(webhook)) => &webhook.coverage,
        (Form::Policies, Some(webhook)) if there.policies.is_absent() => &webhook.coverage,
        _ => &there.policies.coverage,
    }
}

/// Returns a line for each object; those in `open` differ from this version's.
fn installed_lines(changes: &[Change], open: &[Change], dry_run: DryRun) -> String {
    let verb = |change: &Change| match &change.before {
        None => "created",
        Some(_) if open.contains(change) => "configured",
        Some(_) => "unchanged",
    };
    changes.iter().map(|change| change::line(&change.wanted, verb(change), dry_run)).collect()
}

fn print_objects(ctx: &Context, format: Format, objects: &[GuardObject]) -> Result<Exit> {
    let values: Vec<_> = objects.iter().map(|object| &object.value).collect();
    let text = match format {
        Format::Json => output::json(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": values})),
        Format::Name => objects.iter().map(|object| format!("{object}\n")).collect(),
        _ => values.into_iter().map(yaml::print).collect::<Vec<_>>().join("---\n"),
    };
    ctx.ui.data(&text)?;
    Ok(Exit::Ok)
}
