//! `guard uninstall`.

use clap::Args;

use super::{GuardWriteArgs, there::There};
use crate::{
    context::Context,
    error::{Exit, Result},
    guard::{Change, Form},
    output::{
        self,
        change::{self, DryRun, Verb},
    },
    plan::decide,
};

/// Take the guard away
///
/// Canaries and TraefikServices stay as they are. From then on Flagger's next write of each TraefikService
/// drops its stanza.
#[derive(Debug, Args)]
pub struct UninstallArgs {
    #[command(flatten)]
    write: GuardWriteArgs,
}

/// Runs `guard uninstall`.
pub(super) async fn run(ctx: &Context, args: &UninstallArgs) -> Result<Exit> {
    let server = super::cluster(ctx).await?;
    let there = There::read(&server).await?;
    let mut changes = there.removal(&server, Form::Policies).await?;
    changes.extend(there.removal(&server, Form::Webhook).await?);
    if changes.is_empty() {
        ctx.ui.status("the guard is not installed");
        return Ok(Exit::Ok);
    }
    let line = |object: &Change| change::line(&object.name(), Verb::Deleted, args.write.dry_run());
    let lines: String = changes.iter().map(line).collect();
    if args.write.dry_run() == DryRun::Server {
        for change in &changes {
            let deleted = server.dry_run_delete_guard(change).await;
            deleted.map_err(|failure| server.guard_error(failure, &change.wanted))?;
        }
    }
    if args.write.dry_run() != DryRun::None {
        ctx.ui.data(&lines)?;
        return Ok(Exit::Ok);
    }
    for change in &changes {
        ctx.ui.status(&format!("- {}\n", change.name()));
    }
    ctx.ui.status("what Flagger writes next to a TraefikService will drop its stanza again");
    let question = format!("Delete {}?", output::count(changes.len(), "object", "objects"));
    let consent = args.write.consent(ctx, &question).await?;
    for confirmed in decide(changes, consent)? {
        let deleted = server.delete_guard(&confirmed).await;
        deleted.map_err(|failure| server.guard_error(failure, &confirmed.agreed().wanted))?;
    }
    ctx.ui.data(&lines)?;
    Ok(Exit::Ok)
}
