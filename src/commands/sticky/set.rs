//! `sticky set`: sets some fields of the cookie and leaves the others.

use clap::Args;

use super::{cookie_args::CookieArgs, wizard};
use crate::{
    commands::args::{WriteArgs, canary_name},
    context::{Context, FileArgs},
    error::{Error, Exit, Result},
    plan::CookieChange,
};

/// Set fields of the sticky cookie, and the entry; the rest stays as it is
///
/// The cookie is declared on the Canary and applied to its TraefikService. Fields that are not named keep their
/// declared value, or their live value if nothing is declared (with --live-only the other way round).
///
/// Without any cookie flag, on a terminal, it asks for the Canary, how long to pin a user, each
/// field and the entry. Esc cancels.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Interactive: choose the Canary and fill in each field\n  kubectl canary-traefik sticky set\n\n  # Keep each login on one version, from the path where it begins\n  kubectl canary-traefik sticky set checkout --name login --max-age 2m --entry /login\n\n  # See what would change, and change nothing\n  kubectl canary-traefik sticky set checkout --secure --same-site lax --dry-run=server\n\n  # Change the declaration in a manifest, in place\n  kubectl canary-traefik sticky set checkout --max-age 10m -f deploy/canary.yaml"
)]
pub(crate) struct SetArgs {
    /// The Canary; if it is left out, you are asked for it on a terminal
    #[arg(value_name = "CANARY", value_parser = canary_name)]
    pub(super) canary: Option<String>,

    #[command(flatten)]
    pub(super) files: FileArgs,

    #[command(flatten)]
    pub(super) cookie: CookieArgs,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}

/// Runs `sticky set`.
pub(super) async fn run(ctx: &Context, args: &SetArgs) -> Result<Exit> {
    if args.cookie.is_empty() && ctx.ui.can_ask() {
        return wizard::run(ctx, args.canary.as_deref(), &args.files, &args.write).await;
    }
    let named = args.canary.as_deref().unwrap_or("CANARY");
    if args.cookie.is_empty() {
        let example = args.files.command(&format!("sticky set {named} --name login --max-age 300 --http-only"));
        return Err(Error::usage("nothing to set: no cookie flag, and no terminal to ask on").hint(example));
    }
    let source = ctx.source(&args.files).await?;
    let name = match &args.canary {
        Some(name) => name.clone(),
        None if ctx.ui.can_ask() => wizard::choose(ctx, &source).await?,
        None => {
            return Err(Error::usage("no Canary named, and no terminal to ask on")
                .hint_command("name it after `sticky set`; kubectl canary-traefik show", " lists the Canaries"));
        }
    };
    let (source, _) = super::pick(ctx, source, &name).await?;
    let remove = args.files.command(&format!("sticky remove {name}"));
    let change = CookieChange::Set {
        fields: args.cookie.wish.clone(),
        entry: args.cookie.entry.clone(),
        scope: args.write.scope(),
        if_malformed: format!("{remove} removes it"),
    };
    super::change(ctx, &source, &name, &args.write, &change).await
}
