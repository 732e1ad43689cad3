//! `sticky get`: the cookie of one Canary, declared and live.

use clap::Args;

use crate::{
    commands::args::OutputArgs,
    context::{Context, FileArgs},
    error::{Exit, Result},
    output::{self, Format, report, show},
};

/// Show the cookie of a Canary, declared and live
#[derive(Debug, Args)]
pub struct GetArgs {
    /// The Canary
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    files: FileArgs,
}

/// Runs `sticky get`.
pub(super) async fn run(ctx: &Context, args: &GetArgs) -> Result<Exit> {
    let source = ctx.source(&args.files).await?;
    let observed = source.look(ctx.namespace(), &args.name).await?;
    if let Some(reason) = observed.forbidden() {
        ctx.ui.warning(reason);
    }
    let format = args.output.output;
    let text = || match format {
        Format::Name => format!("canary.flagger.app/{}\n", output::escaped(&observed.canary.target.name)),
        _ => show::cookie(&observed),
    };
    ctx.ui.data(&format.of(text, || report::single(&observed)))?;
    Ok(Exit::Ok)
}
