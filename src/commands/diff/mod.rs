//! `diff`: compares the declared cookie with the live one.

mod live;

use clap::Args;
use serde_json::Value;

use super::{
    args::SelectArgs,
    batch::{Batch, several_namespaces},
    lint, patches,
};
use crate::{
    context::{Context, FileArgs},
    error::{Error, Exit, Kind, Result},
    files::Scratch,
    flagger::NativeField,
    model::ObjectKind,
    observed::{Loaded, State, TraefikServiceState},
    output::{self, change, diff::comparable, show},
    plan::{Plan, Scope, Step},
    source::Source,
};

/// Compare the declared cookie with the live one
///
/// Shows how applying the declared cookie would change the TraefikService. With -f, the manifests are compared with each
/// other; with -f and --live, what they declare is compared with the cluster, as kubectl diff -f does. Exit status: 0 no
/// difference, 1 a difference, more than 1 an error. KUBECTL_EXTERNAL_DIFF selects another diff program.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Has the cookie of any Canary been removed? Exit status 1 if so\n  kubectl canary-traefik diff -A\n\n  # What would change in the cluster if these manifests were applied\n  kubectl canary-traefik diff --live -f deploy/ -R"
)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    files: FileArgs,

    /// With -f, compare with the cluster instead of the TraefikServices in the files
    #[arg(long, requires = "files")]
    live: bool,
}

/// Runs `diff`.
pub(crate) async fn run(ctx: &Context, args: &DiffArgs) -> Result<Exit> {
    args.select.check()?;
    if !args.files.files.is_empty() && !args.live {
        ctx.refuse_traefik_api()?;
    }
    let source = ctx.source(&args.files).await?;
    let loaded = super::sticky::selected(ctx, &args.select, &source).await?;
    if loaded.is_empty() {
        ctx.ui.status(&args.select.nothing(ctx, source.namespace()));
    }
    patches::note(ctx, loaded.iter().map(|loaded| &loaded.observed));
    let cluster = if args.live { Some(ctx.cluster().await?) } else { None };
    let mut several = Batch::new(loaded.len());
    let mut steps = Vec::new();
    let mut found = false;
    for loaded in &loaded {
        let difference = match &cluster {
            Some(cluster) => live::difference(ctx, cluster, loaded).await,
            None => difference(ctx, loaded, &source),
        };
        let difference = difference.map_err(|error| match (&source, error.kind()) {
            // A manifest does not change while it is read, so a conflict means invalid input.
            (Source::Files(_), Kind::Conflict) if !args.live => error.of_kind(Kind::Usage),
            _ => error,
        });
        if let Some(difference) = several.take(ctx, &loaded.observed.canary.target, difference)? {
            found |= difference.is_reported;
            steps.extend(difference.steps);
        }
    }
    found |= show(ctx, &steps).await?;
    several.end()?;
    Ok(if found { Exit::Found } else { Exit::Ok })
}

/// What differs for one Canary.
#[derive(Default)]
struct Difference {
    /// Whether a difference was reported on standard error.
    is_reported: bool,
    steps: Vec<Step>,
}

fn difference(ctx: &Context, loaded: &Loaded, source: &Source) -> Result<Difference> {
    let observed = &loaded.observed;
    if observed.whole_state() == State::Malformed {
        lint::tell(ctx, observed);
        return Ok(Difference { is_reported: true, steps: Vec::new() });
    }
    let name = output::escaped(&observed.canary.target.to_string());
    let mut difference = Difference::default();
    if matches!(source, Source::Files(_)) && observed.service == TraefikServiceState::NotGenerated {
        if observed.canary.declared.cookie().is_some() {
            ctx.ui.status(&format!(
                "{name}: not compared: its TraefikService is not in the files (to compare with the cluster: --live)"
            ));
        }
        return Ok(difference);
    }
    let mut report = |text: &str| {
        ctx.ui.status(text);
        difference.is_reported = true;
    };
    // Compare with the declaration even if Flagger copies the native field itself.
    let mut compared = Loaded { native: NativeField::Absent, ..loaded.clone() };
    match observed.entry {
        State::Refused => {
            for problem in &observed.entry_reasons {
                report(&format!("{name}: entry: {}", output::escaped(problem)));
            }
        }
        State::Unknown => {
            let reason = observed.entry_reasons.join("; ");
            ctx.ui.warning(&format!("{name}: the entry is not compared: {}", output::escaped(&reason)));
            compared.routing = None;
        }
        State::Pending => {
            let reason = show::entry(observed).unwrap_or_default();
            report(&format!("{name}: entry {}", output::escaped(&reason)));
        }
        _ => {}
    }
    match observed.state() {
        State::Pending => {
            let why = Plan::why_not_changed(loaded, Scope::LiveOnly).unwrap_or_default();
            report(&format!("{name}: declared, but not live: {}", output::escaped(&why)));
            return Ok(difference);
        }
        State::Unknown => {
            return Err(Error::cluster(observed.forbidden().unwrap_or("the TraefikService cannot be read")));
        }
        State::None if observed.service().is_none() => return Ok(difference),
        _ => {}
    }
    difference.steps = Plan::new(&compared, &compared.declared(), Scope::LiveOnly)?.steps;
    Ok(difference)
}

async fn show(ctx: &Context, steps: &[Step]) -> Result<bool> {
    if steps.is_empty() {
        return Ok(false);
    }
    if let Some(program) = &ctx.environment.external_diff {
        let text = |object: &Value| if object.is_null() { String::new() } else { comparable(object) };
        let texts = steps.iter().map(|step| (file_name(step), text(&step.before), text(&step.after())));
        let scratch = Scratch::new(texts)?;
        return ctx.ui.show_difference(program, &scratch.live, &scratch.merged).await;
    }
    let style = ctx.ui.out_style();
    let namespaces = several_namespaces(steps.iter().map(|step| &step.object.target));
    let text: String = steps.iter().map(|step| change::step_diff(step, &step.after(), namespaces, style)).collect();
    ctx.ui.data(&text)?;
    Ok(true)
}

/// Returns the file name that kubectl would use: `traefik.io.v1alpha1.TraefikService.shop.podinfo`.
fn file_name(step: &Step) -> String {
    let kind: ObjectKind = step.object.kind;
    let namespace = step.object.target.namespace.as_deref().unwrap_or_default();
    let name = format!("{}.{}.{namespace}.{}", kind.api_version(), kind.kind(), step.object.target.name);
    // A name in a manifest can be anything; it must neither form a path nor contain control characters.
    name.replace(|c| matches!(c, '/' | '\\') || output::is_interpreted_by_terminal(c), ".")
}
