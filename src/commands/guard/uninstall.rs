//! `guard uninstall`: removes the guard in both forms.

use clap::Args;

use super::state::{GuardState, deleted_lines};
use crate::{
    commands::args::ConfirmArgs,
    context::Context,
    error::{Exit, Result},
    guard::Form,
    output::change::DryRun,
    plan::decide,
};

/// Remove the guard
///
/// Canaries and TraefikServices are not changed, but Flagger's next write to each TraefikService then removes its
/// cookie.
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    #[command(flatten)]
    confirm: ConfirmArgs,
}

/// Runs `guard uninstall`.
pub(super) async fn run(ctx: &Context, args: &UninstallArgs) -> Result<Exit> {
    let server = ctx.cluster().await?;
    let there = GuardState::read(&server).await?;
    let policies = there.removal(&server, Form::Policies).await?;
    let mut removal = there.removal(&server, Form::Webhook).await?;
    removal.changes.splice(0..0, policies.changes);
    if removal.changes.is_empty() {
        ctx.ui.status("the guard is not installed");
        return Ok(Exit::Ok);
    }
    if args.confirm.dry_run == DryRun::Server {
        for change in &removal.changes {
            let deleted = server.dry_run_delete_guard(change).await;
            deleted?;
        }
    }
    if args.confirm.dry_run != DryRun::None {
        ctx.ui.data(&deleted_lines(&removal.changes, args.confirm.dry_run))?;
        removal.tell_what_stays(ctx);
        return Ok(Exit::Ok);
    }
    for change in &removal.changes {
        ctx.ui.status(&format!("- {}\n", change.wanted));
    }
    ctx.ui.status("Flagger's next write to each TraefikService will remove its cookie");
    let consent = args.confirm.consent(ctx, &removal.question(&[])).await?;
    removal.delete(ctx, &server, decide(removal.changes.clone(), consent)?).await?;
    Ok(Exit::Ok)
}
