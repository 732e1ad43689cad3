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

use super::{CommandFuture, boxed};
use crate::context::Context;

/// Protect declared cookies from Flagger's writes
#[derive(Debug, Subcommand)]
pub(crate) enum GuardCommand {
    Install(install_args::InstallArgs),
    Status(status::StatusArgs),
    Uninstall(uninstall::UninstallArgs),
    Run(run::RunArgs),
}

/// Runs one of the `guard` commands.
pub(crate) fn run<'a>(ctx: &'a Context, command: &'a GuardCommand) -> CommandFuture<'a> {
    match command {
        GuardCommand::Install(args) => boxed(|| install::run(ctx, args)),
        GuardCommand::Status(args) => boxed(|| status::run(ctx, args)),
        GuardCommand::Uninstall(args) => boxed(|| uninstall::run(ctx, args)),
        GuardCommand::Run(args) => boxed(|| run::run(ctx, args)),
    }
}
