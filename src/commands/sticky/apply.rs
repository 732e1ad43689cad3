//! `sticky apply`: applies declared cookies to their TraefikServices.

use clap::Args;

use super::cluster;
use crate::{
    commands::{
        args::{SelectArgs, WriteArgs},
        lint,
    },
    context::{Context, FileArgs},
    error::{Error, Exit, Result},
    flagger::Declared,
    observed::State,
    output,
    plan::{CookieChange, Plan, Scope},
    source::Source,
};

/// Make declared cookies and entries live
///
/// Changes the TraefikService of each named or selected Canary if it lacks the declared cookie or has another, and
/// the entry's objects if they no longer fit the routes. A live cookie without a declaration stays; objects of
/// an entry without one are deleted. Running it again changes nothing.
#[derive(Debug, Args)]
#[command(
    mut_arg("live_only", |flag| flag.hide(true)),
    mut_arg("declare_only", |flag| flag.hide(true)),
    after_help = "Examples:\n  # Restore the cookies that Flagger removed, in all namespaces, without confirmation\n  kubectl canary-traefik sticky apply -A --yes"
)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    write: WriteArgs,
}

/// Runs `sticky apply`.
pub(super) async fn run(ctx: &Context, args: &ApplyArgs) -> Result<Exit> {
    args.select.check()?;
    if args.write.scope() == Scope::DeclareOnly {
        return Err(Error::usage("--declare-only leaves nothing to do: sticky apply changes only what is live"));
    }
    let source = ctx.source(&FileArgs::default()).await?;
    let mut loaded = super::selected(ctx, &args.select, &source).await?;
    let Source::Cluster(server) = source else { unreachable!("no files are read") };
    let mut found = false;
    loaded.retain(|loaded| {
        let observed = &loaded.observed;
        let name = output::escaped(&observed.canary.target.to_string());
        match observed.canary.declared {
            Declared::Native(..) => {
                ctx.ui.status(&format!("{name}: Flagger itself copies the declared cookie"));
                return false;
            }
            // Left over from a removal that was cut short.
            Declared::Nothing if observed.entry != State::None => return true,
            Declared::Nothing => {
                if !args.select.names.is_empty() {
                    ctx.ui.status(&format!("{name}: nothing is declared"));
                }
                return false;
            }
            Declared::Annotation(_) | Declared::Malformed(..) => {}
        }
        // What stands in the way of the entry does not stand in that of the cookie.
        if observed.entry == State::Refused {
            found = true;
            for problem in &observed.entry_reasons {
                ctx.ui.warning(&format!("{name}: entry: {problem}"));
            }
        }
        match if observed.entry == State::Malformed { State::Malformed } else { observed.state() } {
            State::Missing | State::Differs | State::Synced => return true,
            State::Malformed => {
                found = true;
                lint::tell(ctx, observed);
            }
            State::Pending => {
                let why = Plan::why_not_changed(loaded, Scope::LiveOnly).unwrap_or_default();
                ctx.ui.status(&format!("{name}: declared, but not live: {}", output::escaped(&why)));
            }
            State::Unknown => {
                found = true;
                let why = Plan::why_not_changed(loaded, Scope::LiveOnly).unwrap_or_default();
                ctx.ui.warning(&format!("{name}: its TraefikService cannot be read: {why}"));
            }
            State::None | State::Undeclared | State::Refused => {}
        }
        false
    });
    if loaded.is_empty() {
        ctx.ui.status("nothing to apply");
    } else {
        cluster::change(ctx, &server, loaded, &args.write, Scope::LiveOnly, &CookieChange::Apply).await?;
    }
    Ok(if found { Exit::Found } else { Exit::Ok })
}
