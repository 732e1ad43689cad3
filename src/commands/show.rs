//! `show`: one row per Canary on Traefik.

use std::collections::BTreeSet;

use clap::Args;

use super::{
    args::{OutputArgs, SelectArgs},
    batch::Batch,
    left_out, patches, watch,
};
use crate::{
    context::{Context, FileArgs},
    error::{Exit, Result},
    model::NamespacedName,
    observed::Observed,
    output::{self, Format, report, show},
    source::Source,
};

/// Show Canaries on Traefik: weights, cookie, and what protects it
///
/// WEIGHT: the live weights, primary/canary; - if the track is not listed. COOKIE: the declared name, else the live
/// one. STATE: declared compared with live: none, synced, missing, differs, undeclared, pending (no TraefikService
/// yet), malformed. PROTECTED: what protects the cookie from Flagger's next write: guard, flagger, none, or - without a
/// cookie. What you may not read is unknown.
///
/// With --watch also STEP: steps or iterations of the analysis that the rollout has reached. NEXT, on a terminal: the time
/// until Flagger's next check, computed from status.lastTransitionTime and the interval.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # All Canaries on Traefik in all namespaces\n  kubectl canary-traefik show -A\n\n  # Follow a rollout\n  kubectl canary-traefik show checkout --watch\n\n  # What manifests declare, without a cluster\n  kubectl canary-traefik show -f deploy/ -R"
)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,

    /// Watch for changes after listing: redraw in place on a terminal; in a pipe, print a line or document for each change
    #[arg(short = 'w', long, conflicts_with = "files")]
    watch: bool,

    #[command(flatten)]
    files: FileArgs,
}

/// Runs `show`.
pub(crate) async fn run(ctx: &Context, args: &ShowArgs) -> Result<Exit> {
    args.select.check()?;
    if args.watch {
        return watch::show::run(ctx, args).await;
    }
    let source = ctx.source(&args.files).await?;
    let mut batch = Batch::new(args.select.names.len());
    let observed = if args.select.names.is_empty() {
        all(ctx, args, &source).await?
    } else {
        named(ctx, args, &source, &mut batch).await?
    };
    if let Some(reason) = observed.iter().find_map(Observed::forbidden) {
        ctx.ui.warning(reason);
    }
    patches::note(ctx, observed.iter());
    let (printer, headers) = (&args.output.output, !args.output.no_headers);
    if observed.is_empty() {
        batch.end()?;
    }
    if observed.is_empty() && printer.is_table() {
        ctx.ui.status(&args.select.nothing(ctx, source.namespace()));
        return Ok(Exit::Ok);
    }
    let text = || {
        if printer.format() == Some(Format::Name) {
            let name = |observed: &Observed| output::escaped(&observed.canary.target.name);
            return observed.iter().map(|observed| format!("canary.flagger.app/{}\n", name(observed))).collect();
        }
        let namespace = |observed: &Observed| observed.canary.target.namespace.clone();
        let several = observed.iter().any(|other| namespace(other) != namespace(&observed[0]));
        let namespace = args.select.all_namespaces || several;
        show::rows(
            &observed,
            show::Columns {
                namespace,
                wide: printer.format() == Some(Format::Wide),
                file: is_repeated(&observed),
                step: false,
                next: false,
                headers,
                now: ctx.now,
            },
        )
    };
    let value = || match observed.as_slice() {
        [one] if args.select.names.len() == 1 => report::single(one),
        all => report::list(all),
    };
    ctx.ui.data(&printer.of(headers, text, value)?)?;
    batch.end()?;
    Ok(Exit::Ok)
}

/// Returns whether two manifests have a Canary of the same name, so that only their files tell them apart.
fn is_repeated(observed: &[Observed]) -> bool {
    let mut seen = BTreeSet::new();
    observed.iter().any(|observed| !seen.insert(&observed.canary.target))
}

async fn all(ctx: &Context, args: &ShowArgs, source: &Source) -> Result<Vec<Observed>> {
    let observed = source.list(args.select.selection(ctx, source.namespace())).await?;
    Ok(left_out::keep(ctx, observed, |observed| observed))
}

/// Reads the named Canaries. What cannot be read is reported, and does not stand in the way of the others.
async fn named(ctx: &Context, args: &ShowArgs, source: &Source, batch: &mut Batch) -> Result<Vec<Observed>> {
    let mut observed = Vec::new();
    for name in &args.select.names {
        let namespace = ctx.namespace().or(source.namespace()).map(str::to_owned);
        let target = NamespacedName { namespace, name: name.clone() };
        let looked = source.look(ctx.namespace(), name).await;
        observed.extend(batch.take(ctx, &target, looked)?.into_iter().flatten());
    }
    Ok(observed)
}
