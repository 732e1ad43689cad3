//! `sticky set`: change some fields of the cookie, leave the others.

use clap::Args;

use super::cookie_args::CookieArgs;
use crate::{
    commands::args::WriteArgs,
    context::{Context, FileArgs},
    error::{Error, Exit, Result},
    model::{Cookie, Declared, Loaded},
    plan::{Scope, Wish},
};

/// Change some fields of the cookie, leave the others
///
/// The others stay as they are declared, or as they are live where nothing is declared (with --live-only the
/// other way round). The cookie is declared on the Canary and made live on its TraefikService.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Keep each login on one track for five minutes\n  kubectl canary-traefik sticky set checkout --name login --max-age 5m --http-only\n\n  # See what would change, and change nothing\n  kubectl canary-traefik sticky set checkout --secure --same-site lax --dry-run=server\n\n  # Change the declaration in a manifest, in place\n  kubectl canary-traefik sticky set checkout --max-age 10m -f deploy/canary.yaml"
)]
pub struct SetArgs {
    /// The Canary
    #[arg(value_name = "CANARY")]
    pub(super) canary: String,

    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    pub(super) cookie: CookieArgs,

    #[command(flatten)]
    pub(super) write: WriteArgs,
}

/// Runs `sticky set`.
pub(super) async fn run(ctx: &Context, args: &SetArgs) -> Result<Exit> {
    if args.cookie.wish.is_empty() {
        let example = super::typed(&format!("set {} --name login --max-age 300 --http-only", args.canary), &args.files);
        return Err(Error::usage("nothing to set: no cookie flag is given").hint(example));
    }
    super::change(ctx, &args.canary, &args.write, &args.files, &|loaded| {
        cookie(loaded, &args.cookie.wish, args.write.scope()).map_err(|malformed| {
            let remove = super::typed(&format!("remove {}", args.canary), &args.files);
            malformed.hint(format!("{remove} takes it away"))
        })
    })
    .await
}

/// The cookie after: what is declared, else live, with the wished fields changed.
pub(super) fn cookie(loaded: &Loaded, wish: &Wish, scope: Scope) -> Result<Option<Cookie>> {
    let canary = &loaded.observed.canary;
    if let Declared::Malformed(_, malformed) = &canary.declared
        && scope != Scope::LiveOnly
    {
        return Err(Error::usage(format!(
            "what Canary `{}` declares is malformed, so there is nothing to change",
            canary.target
        ))
        .caused_by(malformed.to_string()));
    }
    let (declared, live) = (canary.declared.cookie(), loaded.observed.live_cookie());
    let before = if scope == Scope::LiveOnly { live.or(declared) } else { declared.or(live) };
    Ok(Some(wish.on(before)))
}
