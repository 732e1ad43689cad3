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

use clap::Subcommand;

use crate::{
    context::Context,
    error::{Exit, Result},
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
