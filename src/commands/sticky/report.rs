//! What a change on a cluster says: the diff before the question, the result after it.

use serde_json::{Value, json};

use super::prepared::Prepared;
use crate::{
    cluster::Cluster,
    commands::{args::WriteArgs, several::several_namespaces},
    context::Context,
    error::Result,
    lint,
    model::{Guarded, Loaded},
    output::{
        self, Format,
        change::{self, DryRun},
        findings,
    },
    plan::{ObjectKind, ObjectRef, Plan, Scope, undo},
    yaml,
};

/// The diffs, and the findings of what will be.
pub(super) fn show(ctx: &Context, prepared: &[Prepared]) {
    let style = ctx.ui.err_style();
    let namespaces = several_namespaces(prepared.iter().map(|prepared| &prepared.plan.target));
    for prepared in prepared {
        let Prepared { plan, after, .. } = prepared;
        for (step, after) in plan.steps.iter().zip(after) {
            ctx.ui.status(&change::step_diff(step, after, namespaces, style));
        }
        if !plan.is_empty() {
            for finding in lint::check(&prepared.result()) {
                ctx.ui.status(&findings::text(&finding, style));
            }
        }
    }
}

/// Result lines, or the objects.
pub(super) fn report(
    ctx: &Context,
    prepared: &[Prepared],
    args: &WriteArgs,
    scope: Scope,
    dry_run: DryRun,
) -> Result<()> {
    let mut lines = String::new();
    let mut objects = Vec::new();
    for Prepared { loaded, plan, after, .. } in prepared {
        for (object, value) in in_scope(loaded, plan, scope) {
            let changed = plan.steps.iter().position(|step| step.object == object);
            let verb = if changed.is_some() { change::Verb::Configured } else { change::Verb::Unchanged };
            lines.push_str(&match args.output() {
                Format::Name => format!("{}\n", output::escaped(&object.to_string())),
                _ => change::line(&object, verb, dry_run),
            });
            objects.push(printable(changed.and_then(|index| after.get(index)).unwrap_or(value)));
        }
    }
    let one_or_list = |mut objects: Vec<Value>| {
        if objects.len() == 1 {
            objects.remove(0)
        } else {
            json!({"apiVersion": "v1", "kind": "List", "items": objects})
        }
    };
    ctx.ui.data(&match args.output() {
        Format::Json => output::json(&one_or_list(objects)),
        Format::Yaml => yaml::print(&one_or_list(objects)),
        _ => lines,
    })
}

/// The object as `-o` prints it: without the server's bookkeeping, and without annotations where the last one went (a
/// server drops the mapping too).
pub(super) fn printable(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if metadata.get("annotations") == Some(&json!({})) {
            metadata.remove("annotations");
        }
    }
    object
}

/// The objects that the change is for, changed or not.
fn in_scope<'a>(loaded: &'a Loaded, plan: &Plan, scope: Scope) -> Vec<(ObjectRef, &'a Value)> {
    let mut objects = Vec::new();
    if scope != Scope::LiveOnly {
        let target = loaded.observed.canary.target.clone();
        objects.push((ObjectRef { kind: ObjectKind::Canary, target }, &loaded.canary));
    }
    if scope != Scope::DeclareOnly
        && plan.stanza_left.is_none()
        && let (Some(service), Some(object)) = (loaded.observed.service(), &loaded.service)
    {
        let kind = ObjectKind::TraefikService(service.group);
        objects.push((ObjectRef { kind, target: service.target.clone() }, object));
    }
    objects
}

/// What was left alone and why.
pub(super) fn told(ctx: &Context, prepared: &Prepared, scope: Scope) {
    if scope == Scope::Both
        && let Some(reason) = &prepared.plan.stanza_left
    {
        ctx.ui.status(&format!("the TraefikService is left alone: {}", output::escaped(reason)));
    }
}

/// What will become of the changes of one namespace.
pub(super) fn fate(ctx: &Context, server: &Cluster, all: &[&Prepared]) {
    let Some(first) = all.first() else { return };
    let names: Vec<_> = all.iter().map(|done| done.plan.target.name.as_str()).collect();
    let apply = ctx.command(&format!("sticky apply {}", names.join(" ")), &first.plan.target, server.namespace());
    if let Some(fate) = change::fate(&first.result(), &apply, "kubectl canary-traefik guard install") {
        ctx.ui.status(&fate);
    }
}

/// How to take a change back.
pub(super) async fn undo(ctx: &Context, server: &Cluster, done: &Prepared) {
    let Prepared { loaded, plan, guarded, .. } = done;
    // Of what is no longer declared nobody has found out whether it is kept.
    let is_asked = plan.after.declared.is_none() && plan.before.declared != plan.before.live;
    let guarded =
        if is_asked && plan.before.declared.is_some() { server.covers(&loaded.observed).await } else { *guarded };
    for arguments in undo::arguments(plan, guarded == Guarded::Yes) {
        let command = ctx.command(&arguments, &done.plan.target, server.namespace());
        ctx.ui.status(&format!("to undo: {command}"));
    }
}
