//! `sticky remove`: removes the cookie.

use clap::Args;

use crate::{
    commands::args::{WriteArgs, canary_name},
    context::{Context, FileArgs},
    error::{Exit, Result},
    plan::CookieChange,
};

/// Remove the cookie from the Canary and its TraefikService
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The Canary
    #[arg(value_name = "NAME", value_parser = canary_name)]
    pub(super) name: String,

    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}

/// Runs `sticky remove`.
pub(super) async fn run(ctx: &Context, args: &RemoveArgs) -> Result<Exit> {
    let (source, _) = super::pick(ctx, ctx.source(&args.files).await?, &args.name).await?;
    super::change(ctx, &source, &args.name, &args.write, &CookieChange::Remove).await
}
