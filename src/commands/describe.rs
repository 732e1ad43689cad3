//! `describe`: everything about one Canary.

use clap::Args;

use crate::{
    commands::args::format_of,
    context::{Context, FileArgs},
    error::{Exit, Result},
    output::{Format, describe},
    source::Source,
};

/// Show everything about one Canary and its cookie
///
/// The two tracks and the cookie value that pins a user to each (as Traefik 3.3.4 and later write it unless
/// safeNaming is on); the declared and the live cookie, what protects it, and Flagger's next write; who applies the
/// Canary; the routes in its namespace that lead to the TraefikService; findings and recent events. What you may not
/// read is shown as unknown, with the reason.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Will the cookie survive this rollout?\n  kubectl canary-traefik describe checkout\n\n  # The same from manifests, without a cluster\n  kubectl canary-traefik describe checkout -f deploy/ -R"
)]
pub struct DescribeArgs {
    /// The Canary
    #[arg(value_name = "NAME")]
    name: String,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["json", "yaml"]))]
    output: Option<Format>,

    #[command(flatten)]
    files: FileArgs,
}

/// Runs `describe`.
pub async fn run(ctx: &Context, args: &DescribeArgs) -> Result<Exit> {
    let source = ctx.source(&args.files).await?;
    let description = load(ctx, &source, &args.name).await?;
    let text = || describe::text(&description, ctx.width(), ctx.ui.out_style());
    ctx.ui.data(&args.output.unwrap_or_default().of(text, || describe::report(&description)))?;
    Ok(Exit::Ok)
}

/// Loads everything about one Canary.
///
/// # Errors
///
/// Fails if the Canary or its TraefikService cannot be read.
pub async fn load(ctx: &Context, source: &Source, name: &str) -> Result<describe::Description> {
    let (loaded, around) = source.load_with_context(ctx.namespace(), name).await?;
    Ok(describe::Description { loaded, around, namespace: ctx.namespace().map(str::to_owned), now: ctx.now })
}
