//! `guard uninstall`.

use clap::Args;
use serde_json::Value;

use super::GuardWriteArgs;
use crate::{
    cluster::Cluster,
    context::Context,
    error::{Exit, Result},
    guard::{Change, Coverage, Standing, deployment},
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
    let installed = server.guard().await?;
    // Bindings before policies: a policy without a binding does nothing, the other way round is an error.
    let mut changes: Vec<Change> =
        installed.changes(&Coverage::default()).into_iter().rev().filter(|change| change.before.is_some()).collect();
    changes.extend(of_webhook(&server).await?);
    if changes.is_empty() {
        ctx.ui.status("the guard is not installed");
        return Ok(Exit::Ok);
    }
    for change in &changes {
        change.must_be_ours()?;
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

/// What runs the webhook in this cluster, the configurations first: nobody is asked who is about to go.
async fn of_webhook(server: &Cluster) -> Result<Vec<Change>> {
    let mut namespace = None;
    for wanted in deployment::registration("") {
        let found = match server.find_guard(&wanted).await {
            // Who may not look for them did not install them.
            Err(failure) if failure.is_forbidden() => None,
            found => found.map_err(|failure| server.guard_error(failure, &wanted))?,
        };
        let service = found.as_ref().and_then(|found| found.pointer("/webhooks/0/clientConfig/service/namespace"));
        namespace = namespace.or(service.and_then(Value::as_str).map(str::to_owned));
    }
    // Of a process outside the cluster, which takes its registration away itself, there is nothing.
    let Some(namespace) = namespace else { return Ok(Vec::new()) };
    let mut wanted = deployment::objects(&namespace, "");
    wanted.insert(1, deployment::secret(&namespace));
    let mut changes = server.changes(wanted).await?;
    changes.retain(|change| {
        let is_foreign = change.wanted["kind"] == "Namespace" && change.standing() == Standing::Foreign;
        change.before.is_some() && !is_foreign
    });
    changes.reverse();
    Ok(changes)
}
