//! `guard …`: manages the guard, which puts declared cookies back into Flagger's writes.

mod form;
mod install;
mod install_args;
mod preview;
mod proof;
mod run;
mod state;
mod status;
mod traefik_url;
mod uninstall;

use clap::{Args, Subcommand};

use crate::{
    context::Context,
    error::{Error, Exit, Result},
    output::change::DryRun,
};

/// Protect declared cookies from Flagger's writes
#[derive(Debug, Subcommand)]
pub(crate) enum GuardCommand {
    Install(install_args::InstallArgs),
    Status(status::StatusArgs),
    Uninstall(uninstall::UninstallArgs),
    Run(run::RunArgs),
}

/// Runs one of the `guard` commands.
pub(crate) async fn run(ctx: &Context, command: &GuardCommand) -> Result<Exit> {
    match command {
        GuardCommand::Install(args) => install::run(ctx, args).await,
        GuardCommand::Status(args) => status::run(ctx, args).await,
        GuardCommand::Uninstall(args) => uninstall::run(ctx, args).await,
        GuardCommand::Run(args) => run::run(ctx, args).await,
    }
}

/// Flags of guard commands that write.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Writing")]
struct GuardWriteArgs {
    /// Make the change without asking for confirmation
    #[arg(short = 'y', long)]
    yes: bool,

    /// Only show what would change
    #[arg(long, value_name = "WHERE", default_value = "none", hide_default_value = true, num_args = 0..=1,
          require_equals = true, default_missing_value = "client")]
    dry_run: DryRun,
}

impl GuardWriteArgs {
    async fn consent(&self, ctx: &Context, question: &str) -> Result<Option<bool>> {
        if self.yes { Ok(Some(true)) } else { ctx.ui.ask(question).await }
    }
}

/// Connects to the cluster; guard commands never read manifests.
async fn cluster(ctx: &Context) -> Result<Box<crate::cluster::Cluster>> {
    match ctx.source(&crate::context::FileArgs::default()).await? {
        crate::source::Source::Cluster(cluster) => Ok(cluster),
        crate::source::Source::Files(_) => Err(Error::usage("the guard needs a cluster")),
    }
}
