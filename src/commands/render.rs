//! `render`: the TraefikService that Flagger generates for a Canary.

use clap::Args;

use crate::{
    cluster::Reading,
    commands::args::format_of,
    context::{Context, FileArgs},
    error::{Exit, Result},
    flagger::Declared,
    lint,
    output::{Format, findings},
};

/// Print the TraefikService that Flagger generates for a Canary, with the declared cookie
///
/// Without --weight, the canary gets its live weight, or 0 if there is no TraefikService yet. At 100, Flagger leaves
/// out the primary's weight, and Traefik then uses 1.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # What Flagger will write at the step to 20 percent\n  kubectl canary-traefik render checkout --weight 20"
)]
pub struct RenderArgs {
    /// The Canary
    #[arg(value_name = "NAME")]
    name: String,

    /// Weight of the canary, 0 to 100
    #[arg(long, value_name = "WEIGHT", value_parser = weight, allow_negative_numbers = true)]
    weight: Option<u8>,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["yaml", "json"]), default_value = "yaml")]
    output: Format,

    #[command(flatten)]
    files: FileArgs,
}

/// Runs `render`.
pub async fn run(ctx: &Context, args: &RenderArgs) -> Result<Exit> {
    let source = ctx.source(&args.files).await?;
    let loaded = source.load(ctx.namespace(), &args.name, Reading::SHOWN).await?;
    if let Declared::Malformed(..) = loaded.observed.canary.declared {
        for finding in lint::check(&loaded.observed) {
            ctx.ui.status(&findings::text(&finding, ctx.ui.err_style()));
        }
    }
    let value = loaded.observed.generated(args.weight)?;
    ctx.ui.data(&args.output.of(String::new, || value))?;
    Ok(Exit::Ok)
}

fn weight(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|weight| *weight <= 100).ok_or("a whole number from 0 to 100 is allowed")
}
