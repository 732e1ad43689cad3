//! `sticky edit`: edits the cookie in an editor.

use clap::Args;

use super::session::Session;
use crate::{
    commands::args::{CanaryArgs, WriteArgs},
    context::Context,
    error::{Error, Exit, Kind, Result},
    output::{Format, change::DryRun},
};

/// Edit the cookie in your editor
///
/// The editor is KUBE_EDITOR, else EDITOR, else vi. It opens the cookie as YAML with a comment for each field. If
/// your input is rejected, the editor reopens with the reason above the line. Save an empty or unchanged file to
/// cancel. If someone else changes another field in the meantime, both changes are kept; if it is the same field,
/// both values are shown. If anything fails, the path of your saved text is printed.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # In an editor with its own window, told to wait\n  KUBE_EDITOR='code --wait' kubectl canary-traefik sticky edit checkout\n\n  # The declaration in a manifest, in place\n  kubectl canary-traefik sticky edit checkout -f deploy/canary.yaml"
)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    canary: CanaryArgs,

    #[command(flatten)]
    write: WriteArgs,
}

/// Runs `sticky edit`.
pub(super) async fn run(ctx: &Context, args: &EditArgs) -> Result<Exit> {
    // Fail before anything is typed.
    if will_ask(args) && !ctx.ui.can_ask() {
        return Err(Error::new(Kind::Refused, "confirmation needed, but there is no terminal")
            .hint("add --yes to confirm whatever is saved in the editor"));
    }
    let source = ctx.source(&args.canary.files).await?;
    Session::begin(ctx, &args.canary.name, &args.write, &args.canary.files, source).await?.edit().await
}

/// Returns whether the change needs confirmation; it does not if it is only printed.
fn will_ask(args: &EditArgs) -> bool {
    let is_printed = args.canary.files.is_stdin()
        || (!args.canary.files.files.is_empty() && matches!(args.write.output(), Format::Json | Format::Yaml));
    !args.write.confirm.yes && args.write.confirm.dry_run == DryRun::None && !is_printed
}
