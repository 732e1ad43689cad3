//! `render`: the TraefikService that Flagger generates for a Canary.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cluster::Reading,
    commands::{
        args::{CanaryArgs, format_of},
        lint, patches,
    },
    context::Context,
    error::{Error, Exit, Result},
    observed::{Loaded, State},
    output::{self, Format},
    plan::entry::refused,
    traefik::entry::{Holder, objects},
    yaml,
};

/// Print the TraefikService that Flagger generates for a Canary, with the declared cookie, and the entry's objects
///
/// Without --weight, the canary gets its live weight, or 0 if there is no TraefikService yet. At 100, Flagger leaves
/// out the primary's weight, and Traefik then uses 1. The objects of a declared entry follow: `sticky apply` makes
/// them live, or commit them next to the routes from which they are derived.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # What Flagger will write at the step to 20 percent\n  kubectl canary-traefik render checkout --weight 20\n\n  # The objects of the entry, to commit them\n  kubectl canary-traefik render checkout --entry -f deploy/ -R > deploy/checkout-entry.yaml"
)]
pub(crate) struct RenderArgs {
    /// Weight of the canary, 0 to 100
    #[arg(long, value_name = "WEIGHT", value_parser = weight, allow_negative_numbers = true)]
    weight: Option<u8>,

    /// Print the objects of the entry alone
    #[arg(long, conflicts_with = "weight")]
    entry: bool,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = format_of(["yaml", "json"]), default_value = "yaml")]
    output: Format,

    #[command(flatten)]
    canary: CanaryArgs,
}

/// Runs `render`.
pub(crate) async fn run(ctx: &Context, args: &RenderArgs) -> Result<Exit> {
    let source = ctx.source(&args.canary.files).await?;
    let loaded = source.load(ctx.namespace(), &args.canary.name, Reading::SHOWN).await?;
    let observed = &loaded.observed;
    patches::note(ctx, [observed].into_iter());
    if observed.whole_state() == State::Malformed {
        lint::tell(ctx, observed);
    }
    let mut objects = if args.entry { Vec::new() } else { vec![observed.generated(args.weight)?] };
    objects.extend(entry(ctx, &loaded, args.entry)?);
    let documents = || objects.iter().map(yaml::print).collect::<Vec<_>>().join("---\n");
    let text = match (args.output, objects.as_slice()) {
        (Format::Json, [one]) => output::json(one),
        (Format::Json, all) => output::json(&json!({"apiVersion": "v1", "kind": "List", "items": all})),
        _ => documents(),
    };
    ctx.ui.data(&text)?;
    Ok(Exit::Ok)
}

/// Returns the objects of the declared entry. What does not fit is reported; if they alone are asked for, it is an error.
fn entry(ctx: &Context, loaded: &Loaded, is_asked_for: bool) -> Result<Vec<Value>> {
    let observed = &loaded.observed;
    let (Some(declared), Some(holder), Some(routing)) =
        (observed.canary.declared_entry(), observed.entry_holder(), &loaded.routing)
    else {
        if is_asked_for {
            return Err(Error::usage(format!("Canary `{}` declares no entry", observed.canary.target))
                .hint("declare one with sticky set --entry PATH"));
        }
        return Ok(Vec::new());
    };
    // Committed with the uid of today's Canary, they would be deleted with it for ever.
    let made = objects(declared, &Holder { uid: None, ..holder }, routing);
    if !made.problems.is_empty() {
        // Committed, the objects would be what `diff` wants deleted.
        if is_asked_for {
            return Err(refused(loaded, made));
        }
        ctx.ui.warning(&format!("the entry is refused, and its objects are not printed: {}", made.problems.join("; ")));
        return Ok(Vec::new());
    }
    for note in made.notes.iter().chain(&routing.unread) {
        ctx.ui.warning(note);
    }
    if made.wanted.is_empty() && is_asked_for {
        return Err(Error::not_found("there is no route to the TraefikService that the entry applies to")
            .hint("name the files of its routes with -f too"));
    }
    Ok(made.wanted.into_iter().map(|(_, value)| value).collect())
}

fn weight(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|weight| *weight <= 100).ok_or("it must be a whole number from 0 to 100")
}
