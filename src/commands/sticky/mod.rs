//! `sticky …`: reads and changes the cookie.
//!
//! Every change takes the same steps, here and in `cluster` and `files`: read, plan, dry run, show, ask, write, report.
//! A command supplies one function, from the state read to the wanted cookie.

mod apply;
mod cluster;
mod cookie_args;
mod edit;
mod files;
mod get;
mod owner;
mod pasted;
mod prepared;
#[cfg(test)]
mod properties;
mod refusal;
mod remove;
mod report;
mod session;
mod set;
mod wizard;
mod write;

use clap::Subcommand;

use super::{
    CommandFuture,
    args::{SelectArgs, WriteArgs},
    boxed, left_out,
};
use crate::{
    cluster::Reading,
    context::Context,
    error::{Error, Exit, Result},
    observed::Loaded,
    output::change::DryRun,
    plan::{CookieChange, Scope},
    source::{self, Source},
    traefik::entry::Need,
};

/// Read and change the sticky cookie of a Canary
#[derive(Debug, Subcommand)]
pub(crate) enum StickyCommand {
    Get(get::GetArgs),
    Set(Box<set::SetArgs>),
    Edit(edit::EditArgs),
    Remove(remove::RemoveArgs),
    Apply(apply::ApplyArgs),
}

/// Runs one of the `sticky` commands.
pub(crate) fn run<'a>(ctx: &'a Context, command: &'a StickyCommand) -> CommandFuture<'a> {
    match command {
        StickyCommand::Get(args) => boxed(|| get::run(ctx, args)),
        StickyCommand::Set(args) => boxed(|| set::run(ctx, args)),
        StickyCommand::Edit(args) => boxed(|| edit::run(ctx, args)),
        StickyCommand::Remove(args) => boxed(|| remove::run(ctx, args)),
        StickyCommand::Apply(args) => boxed(|| apply::run(ctx, args)),
    }
}

/// Changes the cookie of one Canary, on a cluster or in a manifest.
async fn change(ctx: &Context, source: &Source, name: &str, write: &WriteArgs, change: &CookieChange) -> Result<Exit> {
    check(source, write)?;
    match source {
        Source::Files(manifests) => files::change(ctx, manifests, name, write, change).await,
        Source::Cluster(server) => {
            let loaded = source.load(ctx.namespace(), name, reading(change.needs(), write.scope())).await?;
            cluster::change(ctx, server, vec![loaded], write, write.scope(), change).await
        }
    }
}

/// Asks which of several Canaries of this name in manifests is meant, if there is a terminal. Returns the source with this
/// one alone, and where it is.
async fn pick(ctx: &Context, source: Source, name: &str) -> Result<(Source, Option<String>)> {
    let Source::Files(manifests) = &source else { return Ok((source, None)) };
    let mut places = if ctx.ui.can_ask() { source::choices(manifests, ctx.namespace(), name) } else { Vec::new() };
    if places.is_empty() {
        return Ok((source, None));
    }
    let place = places.swap_remove(ctx.ui.choose(&format!("Which Canary `{name}`?"), &places, None).await?);
    Ok((Source::Files(source::narrowed(manifests, name, &place)), Some(place)))
}

/// Returns what to read for a change.
fn reading(routing: Need, scope: Scope) -> Reading {
    Reading { schema: scope != Scope::LiveOnly, routing }
}

/// Rejects flags that do not apply to manifests.
fn check(source: &Source, write: &WriteArgs) -> Result<()> {
    if matches!(source, Source::Cluster(_)) {
        return Ok(());
    }
    if write.scope() == Scope::LiveOnly {
        return Err(Error::usage("--live-only needs a cluster: manifests contain only the declaration")
            .hint("leave out --live-only, or leave out -f"));
    }
    if write.confirm.dry_run == DryRun::Server {
        return Err(Error::usage("--dry-run=server needs a cluster").hint("use --dry-run=client with -f"));
    }
    Ok(())
}

/// Loads the Canaries named on the command line, or else all selected ones on Traefik.
pub(super) async fn selected(ctx: &Context, select: &SelectArgs, source: &Source) -> Result<Vec<Loaded>> {
    if select.names.is_empty() {
        let loaded = source.load_all(select.selection(ctx, source.namespace())).await?;
        return Ok(left_out::keep(ctx, loaded, |loaded| &loaded.observed));
    }
    let mut loaded = Vec::new();
    for name in &select.names {
        let reading = Reading { routing: Need::Own, ..Reading::SHOWN };
        loaded.extend(source.load_each(ctx.namespace(), name, reading).await?);
    }
    Ok(loaded)
}
