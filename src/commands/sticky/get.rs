//! `sticky get`: the cookie of one Canary, declared and live.

use clap::Args;

use crate::{
    commands::{
        args::{CanaryArgs, OutputArgs},
        patches,
    },
    context::Context,
    error::{Exit, Result},
    observed::Observed,
    output::{self, Format, report, show},
};

/// Show the cookie of a Canary, declared and live
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    canary: CanaryArgs,
}

/// Runs `sticky get`.
pub(super) async fn run(ctx: &Context, args: &GetArgs) -> Result<Exit> {
    let source = ctx.source(&args.canary.files).await?;
    let observed = source.look(ctx.namespace(), &args.canary.name).await?;
    if let Some(reason) = observed.iter().find_map(Observed::forbidden) {
        ctx.ui.warning(reason);
    }
    patches::note(ctx, observed.iter());
    let (printer, headers) = (&args.output.output, !args.output.no_headers);
    let name = |observed: &Observed| format!("canary.flagger.app/{}\n", output::escaped(&observed.canary.target.name));
    let text = || match printer.format() {
        Some(Format::Name) => observed.iter().map(name).collect(),
        _ => show::cookies(&observed, headers),
    };
    let value = || match observed.as_slice() {
        [one] => report::single(one),
        all => report::list(all),
    };
    ctx.ui.data(&printer.of(headers, text, value)?)?;
    Ok(Exit::Ok)
}
