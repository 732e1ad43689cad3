//! Output of a change on a cluster: the diff before the question, the result after it.

use serde_json::{Value, json};

use super::prepared::Prepared;
use crate::{
    cluster::Cluster,
    commands::{args::WriteArgs, batch::several_namespaces, lint},
    context::Context,
    error::Result,
    model::{ObjectKind, ObjectRef},
    observed::{Guarded, Loaded},
    output::{
        self, Format,
        change::{self, DryRun},
    },
    plan::{Plan, Scope, Step, undo},
};

/// Prints the diffs, and the lint findings for the result.
pub(super) fn show(ctx: &Context, prepared: &[Prepared]) {
    let style = ctx.ui.err_style();
    let namespaces = several_namespaces(prepared.iter().map(|prepared| &prepared.plan.target));
    for prepared in prepared {
        let Prepared { plan, after, .. } = prepared;
        for (step, after) in plan.steps.iter().zip(after) {
            ctx.ui.status(&change::step_diff(step, after, namespaces, style));
        }
        for note in &plan.notes {
            ctx.ui.status(&format!("note: {}", output::escaped(note)));
        }
        if !plan.is_empty() {
            lint::tell(ctx, &prepared.result());
        }
    }
}

/// Prints one result line per object, or the objects.
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
            let verb = changed.map_or("unchanged", |index| change::verb(&plan.steps[index]));
            lines.push_str(&match args.output() {
                Format::Name => format!("{}\n", output::escaped(&object.to_string())),
                _ => change::line(&object, verb, dry_run),
            });
            let object = changed.and_then(|index| after.get(index)).unwrap_or(value);
            objects.extend((!object.is_null()).then(|| printable(object)));
        }
    }
    let one_or_list = |mut objects: Vec<Value>| {
        if objects.len() == 1 {
            objects.remove(0)
        } else {
            json!({"apiVersion": "v1", "kind": "List", "items": objects})
        }
    };
    ctx.ui.data(&args.output().of(|| lines, || one_or_list(objects)))
}

/// Prints one result line per object that was stored before a change failed.
pub(super) fn report_stored(ctx: &Context, done: &Prepared, args: &WriteArgs) -> Result<()> {
    let line = |step: &Step| match args.output() {
        Format::Name => format!("{}\n", output::escaped(&step.object.to_string())),
        _ => change::line(&step.object, change::verb(step), DryRun::None),
    };
    ctx.ui.data(&done.plan.steps.iter().map(line).collect::<String>())
}

/// Returns the object as `-o` prints it: without `managedFields`, and without an annotations mapping that has become
/// empty (a server drops it too).
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

/// Returns the objects in the scope of the change, changed or not.
fn in_scope<'a>(loaded: &'a Loaded, plan: &'a Plan, scope: Scope) -> Vec<(ObjectRef, &'a Value)> {
    let mut objects = Vec::new();
    if scope != Scope::LiveOnly {
        let target = loaded.observed.canary.target.clone();
        objects.push((ObjectRef { kind: ObjectKind::Canary, target }, &loaded.canary));
    }
    if scope != Scope::DeclareOnly
        && plan.why_service_not_changed.is_none()
        && let (Some(service), Some(object)) = (loaded.observed.service(), &loaded.service)
    {
        let kind = ObjectKind::TraefikService(service.group);
        objects.push((ObjectRef { kind, target: service.target.clone() }, object));
    }
    if scope != Scope::DeclareOnly
        && let Some(routing) = &loaded.routing
    {
        let of_plan = plan.steps.iter().filter(|step| step.patch().is_none());
        let changed: Vec<_> = of_plan.map(|step| (step.object.clone(), &step.before)).collect();
        let own = routing.own(&loaded.observed.canary.target);
        let unchanged = own.filter(|(object, _)| changed.iter().all(|(other, _)| other != object));
        objects.extend(unchanged.chain(changed.iter().cloned()));
    }
    objects
}

/// Reports a TraefikService that was not changed, and why.
pub(super) fn report_skipped(ctx: &Context, prepared: &Prepared, scope: Scope) {
    if scope == Scope::Both
        && let Some(reason) = &prepared.plan.why_service_not_changed
    {
        ctx.ui.status(&format!("the TraefikService is not changed: {}", output::escaped(reason)));
    }
}

/// Reports what will become of the changes in one namespace.
pub(super) fn fate(ctx: &Context, server: &Cluster, all: &[&Prepared]) {
    let Some(first) = all.first() else { return };
    let names: Vec<_> = all.iter().map(|done| done.plan.target.name.as_str()).collect();
    let apply = ctx.command(&format!("sticky apply {}", names.join(" ")), &first.plan.target, server.api().namespace());
    let [install, rbac] =
        ["guard install", "rbac guard status"].map(|it| ctx.again(&format!("kubectl canary-traefik {it}")));
    if let Some(fate) = change::fate(&first.result(), &apply, &install, &rbac) {
        ctx.ui.status(&fate);
    }
}

/// Prints the commands that undo a change.
pub(super) async fn undo(ctx: &Context, server: &Cluster, done: &Prepared) {
    let Prepared { loaded, plan, guarded, .. } = done;
    let declared = plan.steps.iter().position(|step| matches!(step.object.kind, ObjectKind::Canary));
    let declared = declared.and_then(|index| done.after.get(index)).unwrap_or(&loaded.canary);
    if let Some(annotate) = undo::annotating(&plan.target.name, &loaded.canary, declared, &plan.before.declared) {
        // A guard rejects what is malformed.
        if undo::is_malformed(&loaded.canary) && server.read_coverage().await.covers(&loaded.observed) == Guarded::Yes {
            return;
        }
        let default = server.api().namespace();
        ctx.ui.status(&format!("to undo: {}", ctx.kubectl(&annotate, &plan.target, default)));
        if let Some(arguments) = undo::live_arguments(plan) {
            ctx.ui.status(&format!("to undo: {}", ctx.command(&arguments, &plan.target, default)));
        }
        return;
    }
    // Whether the guard covers a Canary that no longer declares a cookie has not been determined yet.
    let (before, after) = (&plan.before, &plan.after);
    let is_asked = after.declared.cookie.is_none() && before.declared.cookie != before.live.cookie;
    let guarded = if is_asked && before.declared.cookie.is_some() {
        server.read_coverage().await.covers(&loaded.observed)
    } else {
        *guarded
    };
    for arguments in undo::arguments(plan, guarded == Guarded::Yes) {
        let command = ctx.command(&arguments, &done.plan.target, server.api().namespace());
        ctx.ui.status(&format!("to undo: {command}"));
    }
}
