//! `guard install`.

use clap::Args;
use futures_util::future::join_all;
use serde_json::Value;

use super::{GuardWriteArgs, proof};
use crate::{
    cluster::{Cluster, Selection},
    context::Context,
    error::{Error, Exit, Kind, Result},
    guard::{Change, Coverage, Standing, deployment, policy, webhook},
    model::selector::Selector,
    output::{
        self,
        change::{self, DryRun, Verb},
        diff,
    },
    plan::decide,
    yaml,
};

/// Install the guard, or bring it up to this version
///
/// From Kubernetes 1.36 on: three admission policies that the API server runs by itself, and their bindings; nothing else
/// runs, nothing has to be operated. Before, or with --mode webhook: two small processes that the API server asks (see
/// guard run), of an image of this program. In both forms a declared cookie is re-added inside each write that drops it,
/// and a malformed declaration is refused.
///
/// Without selectors, an installed guard keeps the ones it has; a new one covers everything.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  # Keep every declared cookie of the cluster\n  kubectl canary-traefik guard install\n\n  # Only in labelled namespaces\n  kubectl canary-traefik guard install --namespace-selector canary-traefik=guarded\n\n  # The policies as YAML, for Git\n  kubectl canary-traefik guard install -o yaml"
)]
pub struct InstallArgs {
    /// Which form: policies where they are served and else the webhook (auto), or one of them
    #[arg(long, value_name = "MODE", value_parser = ["auto", "policy", "webhook"], default_value = "auto",
          hide_default_value = true)]
    mode: String,

    /// The image of this program that the webhook runs
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,

    /// The namespace that the webhook runs in
    #[arg(long, value_name = "NAME", default_value = deployment::NAMESPACE)]
    guard_namespace: String,

    /// Cover only Canaries with these labels; '' covers all of them
    #[arg(long, value_name = "SELECTOR")]
    selector: Option<String>,

    /// Cover only namespaces with these labels; '' covers all of them
    #[arg(long, value_name = "SELECTOR")]
    namespace_selector: Option<String>,

    /// Overwrite fields of the objects that others have changed
    #[arg(long)]
    force_conflicts: bool,

    /// Print the objects and stop, to keep them in Git; asks no server
    #[arg(short = 'o', long, value_name = "FORMAT", value_parser = ["yaml", "json"])]
    output: Option<String>,

    #[command(flatten)]
    write: GuardWriteArgs,
}

/// Runs `guard install`.
pub(super) async fn run(ctx: &Context, args: &InstallArgs) -> Result<Exit> {
    let selector = selector(args.selector.as_deref())?;
    let namespace_selector = self::selector(args.namespace_selector.as_deref())?;
    let coverage = |before: Coverage| Coverage {
        selector: selector.clone().unwrap_or(before.selector),
        namespace_selector: namespace_selector.clone().unwrap_or(before.namespace_selector),
    };
    if let Some(format) = &args.output {
        // No server is asked, so that `auto` cannot find out.
        return if args.mode == "webhook" {
            printed(ctx, format, &webhook_objects(args)?)
        } else {
            printed(ctx, format, &policy::objects(&coverage(Coverage::default())))
        };
    }
    let server = super::cluster(ctx).await?;
    let is_webhook = is_webhook(ctx, &server, args).await?;
    let changes = if is_webhook {
        let mut changes = server.changes(webhook_objects(args)?).await?;
        // A namespace of somebody else's is used as it is.
        changes.retain(|change| change.wanted["kind"] != "Namespace" || change.standing() != Standing::Foreign);
        changes
    } else {
        let installed = server.guard().await?;
        installed.changes(&coverage(installed.coverage()))
    };
    for change in &changes {
        change.must_be_ours()?;
    }
    let after = worked_out(&server, &changes, args).await?;
    let open: Vec<Change> = changes
        .iter()
        .zip(&after)
        .filter(|(change, after)| shown(ctx, change, after))
        .map(|(change, _)| change.clone())
        .collect();
    let line = |change: &Change, dry_run| {
        let verb = match &change.before {
            None => Verb::Created,
            Some(_) if open.contains(change) => Verb::Configured,
            Some(_) => Verb::Unchanged,
        };
        change::line(&change.name(), verb, dry_run)
    };
    let dry_run = args.write.dry_run();
    if dry_run != DryRun::None {
        ctx.ui.data(&changes.iter().map(|change| line(change, dry_run)).collect::<String>())?;
        return Ok(Exit::Ok);
    }
    if !open.is_empty() {
        let question = format!("Change {}?", output::count(open.len(), "object", "objects"));
        let consent = args.write.consent(ctx, &question).await?;
        for confirmed in decide(open.clone(), consent)? {
            let stored = server.write_guard(&confirmed, args.force_conflicts).await;
            stored.map_err(|failure| server.guard_error(failure, &confirmed.agreed().wanted))?;
        }
    }
    ctx.ui.data(&changes.iter().map(|change| line(change, DryRun::None)).collect::<String>())?;
    if is_webhook {
        let namespace = &args.guard_namespace;
        ctx.ui.status(&format!(
            "the guard acts as soon as one of its pods is ready\nto see it: kubectl -n {namespace} rollout status deployment {}",
            webhook::NAME
        ));
        return Ok(Exit::Ok);
    }
    proven(ctx, &server).await
}

/// Which form is installed.
async fn is_webhook(ctx: &Context, server: &Cluster, args: &InstallArgs) -> Result<bool> {
    match args.mode.as_str() {
        "webhook" => Ok(true),
        "policy" => server.must_serve_policies().await.map(|()| false),
        _ => match server.must_serve_policies().await {
            Ok(()) => Ok(false),
            Err(error) if error.kind() == Kind::NotFound && args.image.is_some() => {
                ctx.ui.status(&format!("{}: the guard is a webhook here", error.message()));
                Ok(true)
            }
            Err(error) if error.kind() == Kind::NotFound => {
                Err(error.hint("or run the guard as a webhook: kubectl canary-traefik guard install --image IMAGE"))
            }
            Err(error) => Err(error),
        },
    }
}

fn webhook_objects(args: &InstallArgs) -> Result<Vec<Value>> {
    if args.selector.is_some() || args.namespace_selector.is_some() {
        return Err(Error::usage("the webhook covers everything: selectors are for the policies"));
    }
    let image = args
        .image
        .as_deref()
        .ok_or_else(|| Error::usage("the webhook needs an image of this program").hint("--image REGISTRY/NAME:TAG"))?;
    Ok(deployment::objects(&args.guard_namespace, image))
}

/// A selector flag as an object: `None` not given, `Some(None)` given as empty.
#[expect(clippy::option_option, reason = "not given, given as everything, given as some")]
fn selector(text: Option<&str>) -> Result<Option<Option<Value>>> {
    match text {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) => match Selector::parse(text) {
            Ok(selector) => Ok(Some(Some(selector.to_object()))),
            Err(reason) => Err(Error::usage(format!("label selector: {reason}"))),
        },
    }
}

fn printed(ctx: &Context, format: &str, objects: &[Value]) -> Result<Exit> {
    let text = if format == "json" {
        output::json(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects}))
    } else {
        objects.iter().map(yaml::print).collect::<Vec<_>>().join("---\n")
    };
    ctx.ui.data(&text)?;
    Ok(Exit::Ok)
}

/// What the server would store of each object; here, for `--dry-run=client`.
async fn worked_out(server: &Cluster, changes: &[Change], args: &InstallArgs) -> Result<Vec<Value>> {
    if args.write.dry_run() == DryRun::Client {
        return Ok(changes.iter().map(|change| change.wanted.clone()).collect());
    }
    let is_new = changes.iter().any(|change| change.wanted["kind"] == "Namespace" && change.before.is_none());
    // Who binds params to a policy that is not there has to have every right in the cluster.
    let is_early = |change: &Change| {
        let is_policy =
            |other: &&Change| change.wanted.pointer("/spec/policyName") == other.wanted.pointer("/metadata/name");
        let binds_params = change.wanted.pointer("/spec/paramRef").is_some();
        binds_params && changes.iter().find(is_policy).is_some_and(|policy| policy.before.is_none())
    };
    let answers = join_all(changes.iter().map(|change| async move {
        // The server knows nothing of what would be in a namespace that is not there yet.
        let is_homeless = is_new && change.wanted.pointer("/metadata/namespace").is_some();
        if is_homeless || is_early(change) {
            return Ok(change.wanted.clone());
        }
        server.dry_run_guard(change, args.force_conflicts).await
    }))
    .await;
    let named = answers.into_iter().zip(changes);
    named.map(|(answer, change)| answer.map_err(|failure| server.guard_error(failure, &change.wanted))).collect()
}

/// Shows the difference of one object; whether there is one.
fn shown(ctx: &Context, change: &Change, after: &Value) -> bool {
    let before = change.before.as_ref().map(diff::comparable).unwrap_or_default();
    let after = diff::comparable(after);
    if change.before.is_none() {
        ctx.ui.status(&format!("+ {}\n", change.name()));
        return true;
    }
    let text = diff::unified(&change.name(), "live", &before, &after, ctx.ui.err_style());
    if !text.is_empty() {
        ctx.ui.status(&text);
    }
    !text.is_empty()
}

/// Says whether the guard acts.
async fn proven(ctx: &Context, server: &Cluster) -> Result<Exit> {
    let observed = server.list(Selection { namespace: None, selector: None }).await.unwrap_or_default();
    let installed = server.guard().await?;
    Ok(match proof::wait(server, &installed, &observed).await? {
        proof::Proof::Acts(name) => {
            ctx.ui.status(&format!("the guard acts: a dry-run write that dropped the stanza of {name} got it back"));
            Exit::Ok
        }
        proof::Proof::Fails(name) => {
            ctx.ui.warning(&format!("the guard does not act: a dry-run write dropped the stanza of {name}"));
            Exit::Found
        }
        proof::Proof::Nothing => {
            ctx.ui.status(
                "no covered Canary with a TraefikService declares a cookie yet, so there is nothing to prove the guard on",
            );
            Exit::Ok
        }
        proof::Proof::NotAllowed => {
            ctx.ui.status("whether the guard acts is not proven: this user may not write TraefikServices");
            Exit::Ok
        }
    })
}
