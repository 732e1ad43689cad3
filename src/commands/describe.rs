//! `describe`: everything about one Canary.

use clap::Args;

use crate::{
    commands::{
        args::{CanaryArgs, PrinterParser},
        description::load,
        patches, watch,
    },
    context::Context,
    error::{Exit, Result},
    output::{self, describe, printer::Printer},
};

/// Show everything about one Canary and its cookie
///
/// The two tracks and the cookie value that pins a user to each (as Traefik 3.3.4 and later write it unless
/// safeNaming is on); the declared and the live cookie, what protects it, and Flagger's next write; who applies the
/// Canary; the routes that lead to the TraefikService, and those that miss it; findings and recent events. What you
/// may not read is shown as unknown, with the reason.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Will the cookie survive this rollout?\n  kubectl canary-traefik describe checkout\n\n  # Follow it\n  kubectl canary-traefik describe checkout --watch\n\n  # The same from manifests, without a cluster\n  kubectl canary-traefik describe checkout -f deploy/ -R"
)]
pub(crate) struct DescribeArgs {
    /// Output format; jsonpath=TEMPLATE as in kubectl, over the fields of -o json
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = PrinterParser(&["json", "yaml", Printer::JSONPATH]))]
    output: Option<Printer>,

    /// Watch for changes: redraw in place on a terminal; in a pipe, print the whole report for each change
    #[arg(short = 'w', long, conflicts_with = "files")]
    watch: bool,

    #[command(flatten)]
    canary: CanaryArgs,
}

/// Runs `describe`.
pub(crate) async fn run(ctx: &Context, args: &DescribeArgs) -> Result<Exit> {
    let printer = args.output.clone().unwrap_or_default();
    if args.watch {
        return watch::describe::run(ctx, &args.canary.name, &printer).await;
    }
    let source = ctx.source(&args.canary.files).await?;
    let all = load(ctx, &source, &args.canary.name).await?;
    patches::note(ctx, all.iter().map(|description| &description.loaded.observed));
    let text = |description: &describe::Description| {
        let text = describe::text(description, ctx.width(), ctx.ui.out_style());
        match &description.loaded.observed.manifest {
            Some(manifest) if all.len() > 1 => format!("{}:\n{text}", output::escaped(&manifest.to_string())),
            _ => text,
        }
    };
    let text = || all.iter().map(text).collect::<Vec<_>>().join("\n");
    let value = || match all.as_slice() {
        [one] => describe::report(one),
        all => describe::list(all),
    };
    ctx.ui.data(&printer.of(true, text, value)?)?;
    Ok(Exit::Ok)
}
