//! `sticky remove`: removes the cookie.

use clap::Args;

use crate::{
    commands::args::{CanaryArgs, WriteArgs},
    context::Context,
    error::{Exit, Result},
    plan::CookieChange,
};

/// Remove the cookie from the Canary and its TraefikService
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    pub(super) canary: CanaryArgs,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}

/// Runs `sticky remove`.
pub(super) async fn run(ctx: &Context, args: &RemoveArgs) -> Result<Exit> {
    let (source, _) = super::pick(ctx, ctx.source(&args.canary.files).await?, &args.canary.name).await?;
    super::change(ctx, &source, &args.canary.name, &args.write, &CookieChange::Remove).await
}
