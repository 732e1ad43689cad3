//! `sticky edit`: the cookie in the editor.

use clap::Args;

use super::session::Session;
use crate::{
    commands::args::WriteArgs,
    context::{Context, FileArgs},
    error::{Error, Exit, Kind, Result},
    output::{Format, change::DryRun},
};

/// Edit the cookie in your editor
///
/// The editor is KUBE_EDITOR, else EDITOR, else vi. It gets the cookie as YAML with a comment per field. What is wrong
/// opens again with the reason above its line; an empty file, or one without a change, changes nothing. Others' changes
/// made meanwhile are kept where they are of other fields, else both values are shown. What was typed is never lost:
/// whatever fails says in which file it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # In an editor of its own window, which has to wait\n  KUBE_EDITOR='code --wait' kubectl canary-traefik sticky edit checkout\n\n  # The declaration in a manifest, in place\n  kubectl canary-traefik sticky edit checkout -f deploy/canary.yaml"
)]
pub struct EditArgs {
    /// The Canary
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    write: WriteArgs,
}

/// Runs `sticky edit`.
pub(super) async fn run(ctx: &Context, args: &EditArgs) -> Result<Exit> {
    // Better before something is typed than after.
    if will_ask(args) && !ctx.ui.can_ask() {
        return Err(Error::new(Kind::Refused, "refusing to change anything without a yes: no terminal to ask on")
            .hint("add --yes to agree to whatever the editor leaves"));
    }
    let source = ctx.source(&args.files).await?;
    Session::begin(ctx, &args.name, &args.write, &args.files, source).await?.edit().await
}

/// Whether the change is asked about, rather than printed.
fn will_ask(args: &EditArgs) -> bool {
    let is_printed = args.files.is_stdin()
        || (!args.files.files.is_empty() && matches!(args.write.output(), Format::Json | Format::Yaml));
    !args.write.yes && args.write.dry_run() == DryRun::None && !is_printed
}
