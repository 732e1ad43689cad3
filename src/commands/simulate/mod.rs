//! `simulate`: what people will see in a rollout of a Canary.

mod advice;

use std::{ops::RangeInclusive, path::PathBuf};

use clap::Args;

use self::advice::Advice;
use crate::{
    cluster::Reading,
    commands::{
        args::{CanaryArgs, format_of},
        lint, patches,
    },
    context::Context,
    error::{Error, Exit, Result},
    files,
    flagger::Declared,
    model::{Field, FieldValue, entry::ENTRY_ANNOTATION},
    observed::Observed,
    output::{
        Format,
        simulation::{self, Simulated, plot},
    },
    plan::purpose,
    simulate::{self, Pin, Setup, Simulation},
};

/// Simulate a rollout of a Canary, and show what people would see
///
/// For each step: the canary's share of the page views of new visitors (NEW) and of returning users
/// (RETURNING), and how many of the logins begun in it change version because they are routed to the other
/// track. The row `promotion` shows how many of the logins under way at that time change version because the primary's
/// pods are replaced. The row `rollout` shows the averages, and how many logins change version in all.
///
/// The cookie, the entry and the analysis are those of the Canary; if no cookie is declared, the live one. Each
/// can be replaced by a flag. The same input always gives the same result; docs/promotion.md lists the assumptions.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # What will people see with the cookie that is declared?\n  kubectl canary-traefik simulate checkout\n\n  # And with a shorter one, if logins take up to 90 seconds?\n  kubectl canary-traefik simulate checkout --max-age 90s --flow 90s\n\n  # From manifests, with a plot\n  kubectl canary-traefik simulate checkout -f deploy/ -R --plot checkout.svg"
)]
pub(crate) struct SimulateArgs {
    /// Max-Age of the cookie: seconds, or 5m, 1h30m; 0 lasts until the browser closes, -1 is no cookie
    #[arg(long, value_name = "DURATION", value_parser = max_age, allow_negative_numbers = true)]
    max_age: Option<i64>,

    /// How long a login takes, from its first request to its last one: seconds, or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = flow, default_value = DEFAULT_FLOW)]
    flow: i64,

    /// The canary's weights, step by step: 10,30,100
    #[arg(long, value_name = "WEIGHTS", value_parser = steps)]
    steps: Option<Steps>,

    /// Time between two steps: seconds, or 1m30s
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    interval: Option<i64>,

    /// Simulate with an entry, or without one (--entry=false); default: as declared. Takes no path
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    entry: Option<bool>,

    /// Also write a plot as SVG; an existing file is replaced
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    plot: Option<PathBuf>,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "table", hide_default_value = true,
          value_parser = format_of(["table", "json", "yaml"]))]
    output: Format,

    #[command(flatten)]
    canary: CanaryArgs,
}

/// The length of a login unless it is typed.
const DEFAULT_FLOW: &str = "60s";

/// The weights of a rollout's steps.
#[derive(Debug, Clone)]
struct Steps(Vec<u8>);

/// Runs `simulate`.
pub(crate) async fn run(ctx: &Context, args: &SimulateArgs) -> Result<Exit> {
    let source = ctx.source(&args.canary.files).await?;
    let observed = source.load(ctx.namespace(), &args.canary.name, Reading::SHOWN).await?.observed;
    patches::note(ctx, [&observed].into_iter());
    warn(ctx, &observed);
    let own = own(&observed, args.flow);
    let setup = typed(&own, args);
    if setup.steps.is_empty() {
        let why = simulate::steps_of(&observed.canary.rollout).err().unwrap_or_default();
        return Err(Error::usage(format!("nothing to simulate for Canary `{}`: {why}", observed.canary.target))
            .hint("--steps 10,30,100 simulates a rollout with these steps"));
    }
    let (cookie, max_age) = cookie(&observed, args);
    let target = observed.canary.target.clone();
    let advice = Advice { ctx, source: &source, args, canary: &observed.canary, own: &own };
    let simulated = Simulated { target, cookie, max_age, simulation: Simulation::of(setup) };
    let text = || simulation::text(&simulated, ctx.width()) + &advice.text(&simulated.simulation.setup);
    ctx.ui.data(&args.output.of(text, || simulation::report(&simulated)))?;
    if let Some(file) = &args.plot {
        files::write_atomically(file, &plot::svg(&simulated))?;
        ctx.ui.status(&format!("wrote {}", file.display()));
    }
    Ok(Exit::Ok)
}

/// Warns of what could not be read, and is left out.
fn warn(ctx: &Context, observed: &Observed) {
    if let Some(reason) = observed.forbidden().filter(|_| observed.canary.declared.cookie().is_none()) {
        ctx.ui.warning(reason);
    }
    if let Declared::Malformed(..) = observed.canary.declared {
        lint::tell(ctx, observed);
    }
    if let Some(Err(malformed)) = &observed.canary.entry {
        ctx.ui.warning(&format!("simulated without an entry: annotation {ENTRY_ANNOTATION}: {malformed}"));
    }
}

/// Returns where the cookie comes from, and its Max-Age.
fn cookie(observed: &Observed, args: &SimulateArgs) -> (Option<&'static str>, Option<i64>) {
    let declared = observed.canary.declared.cookie();
    match (args.max_age, declared, observed.live_cookie()) {
        (Some(age), ..) => (Some("flag"), Some(age)),
        (_, Some(cookie), _) => (Some("declared"), cookie.max_age()),
        (_, None, Some(cookie)) => (Some("live"), cookie.max_age()),
        (_, None, None) => (None, None),
    }
}

/// Returns the Canary's own set-up; without steps if Flagger takes none.
fn own(observed: &Observed, flow: i64) -> Setup {
    let rollout = &observed.canary.rollout;
    Setup {
        steps: simulate::steps_of(rollout).unwrap_or_default(),
        interval: rollout.interval,
        pin: observed.cookie().map_or(Pin::Nothing, |cookie| Pin::of_max_age(cookie.max_age())),
        flow,
        entry: observed.canary.declared_entry().is_some(),
        // How often they do is not known; RETURNING is then about those who do not.
        logins: None,
    }
}

/// Returns the set-up with what the flags say.
fn typed(own: &Setup, args: &SimulateArgs) -> Setup {
    Setup {
        steps: args.steps.as_ref().map_or_else(|| own.steps.clone(), |steps| steps.0.clone()),
        interval: args.interval.unwrap_or(own.interval),
        pin: args.max_age.map_or(own.pin, |age| Pin::of_max_age(Some(age))),
        flow: own.flow,
        entry: args.entry.unwrap_or(own.entry),
        logins: own.logins,
    }
}

fn max_age(text: &str) -> Result<i64, String> {
    let field = Field::by_flag("max-age").expect("a row of FIELDS");
    match field.parse_typed(text)? {
        FieldValue::Seconds(seconds) => Ok(seconds),
        FieldValue::Text(_) | FieldValue::On => Err(field.allowed()),
    }
}

fn flow(text: &str) -> Result<i64, String> {
    within(text, 1..=86_400)
}

/// Flagger waits for at least 10 s.
fn interval(text: &str) -> Result<i64, String> {
    within(text, 10..=31_536_000)
}

fn within(text: &str, allowed: RangeInclusive<i64>) -> Result<i64, String> {
    let (least, most) = (purpose::seconds(*allowed.start()), purpose::seconds(*allowed.end()));
    max_age(text)
        .ok()
        .filter(|seconds| allowed.contains(seconds))
        .ok_or_else(|| format!("must be from {least} to {most}, in seconds or as 1m30s"))
}

fn steps(text: &str) -> Result<Steps, &'static str> {
    let weights: Option<Vec<u8>> = text.split(',').map(|weight| weight.trim().parse().ok()).collect();
    weights
        .filter(|weights| simulate::rise(weights))
        .map(Steps)
        .ok_or("must be ascending whole numbers from 1 to 100, such as 10,30,100")
}
