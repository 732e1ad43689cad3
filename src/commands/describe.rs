//! `describe`: everything about one Canary.

use clap::Args;

use crate::{
    context::{Context, FileArgs},
    error::{Exit, Result},
    output::{self, Format, describe},
    source::Source,
    yaml,
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
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = ["json", "yaml"])]
    output: Option<String>,

    #[command(flatten)]
    files: FileArgs,
}

/// Runs `describe`.
pub async fn run(ctx: &Context, args: &DescribeArgs) -> Result<Exit> {
    let source = ctx.source(&args.files).await?;
    let description = load(ctx, &source, &args.name).await?;
    ctx.ui.data(&match args.output.as_deref().and_then(|format| format.parse().ok()) {
        Some(Format::Json) => output::json(&describe::report(&description)),
        Some(Format::Yaml) => yaml::print(&describe::report(&description)),
        _ => describe::text(&description, ctx.width(), ctx.ui.out_style()),
    })?;
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
