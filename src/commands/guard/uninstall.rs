//! `guard uninstall`: removes the guard in both forms.

use clap::Args;

use super::{
    GuardWriteArgs,
    state::{GuardState, Removal},
};
use crate::{
    context::Context,
    error::{Exit, Result},
    guard::{Change, Form},
    output::{
        self,
        change::{self, DryRun},
    },
    plan::decide,
};

/// Remove the guard
///
/// Canaries and TraefikServices are not changed, but Flagger's next write to each TraefikService then removes its
/// cookie.
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    #[command(flatten)]
    write: GuardWriteArgs,
}

/// Runs `guard uninstall`.
pub(super) async fn run(ctx: &Context, args: &UninstallArgs) -> Result<Exit> {
    let server = super::cluster(ctx).await?;
    let there = GuardState::read(&server).await?;
    let mut changes = there.removal(&server, Form::Policies).await?.changes;
    let mut removal = there.removal(&server, Form::Webhook).await?;
    changes.append(&mut removal.changes);
    removal.changes.clone_from(&changes);
    if changes.is_empty() {
        ctx.ui.status("the guard is not installed");
        return Ok(Exit::Ok);
    }
    let line = |object: &Change| change::line(&object.wanted, "deleted", args.write.dry_run);
    let lines = |changes: &[Change]| -> String { changes.iter().map(line).collect() };
    if args.write.dry_run == DryRun::Server {
        for change in &changes {
            let deleted = server.dry_run_delete_guard(change).await;
            deleted?;
        }
    }
    if args.write.dry_run != DryRun::None {
        ctx.ui.data(&lines(&changes))?;
        if let Some(stays) = &removal.stays {
            stays.tell(ctx);
        }
        return Ok(Exit::Ok);
    }
    for change in &changes {
        ctx.ui.status(&format!("- {}\n", change.wanted));
    }
    ctx.ui.status("Flagger's next write to each TraefikService will remove its cookie");
    let consent = args.write.consent(ctx, &question(&removal)).await?;
    let gone = removal.delete(&server, decide(changes, consent)?).await?;
    ctx.ui.data(&lines(&gone))?;
    if let Some(stays) = &removal.stays {
        stays.tell(ctx);
    }
    Ok(Exit::Ok)
}

fn question(removal: &Removal) -> String {
    let count = output::count(removal.changes.len(), "object", "objects");
    let namespace = removal.namespace().map(|namespace| format!(", namespace `{namespace}` among them"));
    format!("Delete {count}{}?", namespace.unwrap_or_default())
}
