//! A change in a manifest: only the declaration, in place.

use serde_json::Value;

use super::pasted;
use crate::{
    commands::{args::WriteArgs, lint},
    context::Context,
    error::{Error, Exit, Result},
    files::{self, Edit, Manifests},
    output::{
        self, Format,
        change::{self, DryRun},
        diff,
    },
    plan::{CookieChange, Plan, Scope, decide},
    source,
};

/// Changes the declaration of one Canary in the manifests.
pub(super) async fn change(
    ctx: &Context,
    manifests: &Manifests,
    name: &str,
    args: &WriteArgs,
    change: &CookieChange,
) -> Result<Exit> {
    let (object, loaded) = source::to_change(manifests, ctx.namespace(), name)
        .map_err(|error| pasted::with_text(error, manifests, name, change))?;
    if object.value.get("$patch").is_some() {
        return Err(Error::usage(format!(
            "{} does not declare a Canary: its `$patch` replaces or deletes one",
            object.origin()
        ))
        .hint("name the file that declares it with -f"));
    }
    let is_part = source::is_part(&object.value);
    if is_part {
        ctx.ui.warning(&format!(
            "{} is a kustomize patch (no spec.targetRef): declarations in other files are not checked",
            object.origin()
        ));
    }
    if loaded.observed.canary.provider.is_none() && !loaded.observed.is_certainly_on_traefik() && !is_part {
        ctx.ui.warning(&format!(
            "Canary `{}` has no spec.provider, and Flagger's default provider (-mesh-provider) is unknown. If it is not traefik, the cookie has no effect; to be sure, set spec.provider: traefik",
            loaded.observed.canary.target
        ));
    }
    let plan = Plan::new(&loaded, &change.on(&loaded)?, Scope::DeclareOnly)?;
    let source = manifests.source(object);
    let file = source.path.as_ref().map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
    let Some(step) = plan.steps.first() else {
        let canary = format!("canary.flagger.app/{}", loaded.observed.canary.target.name);
        let unchanged = change::line(&canary, "unchanged", args.confirm.dry_run);
        return printed(ctx, args, &unchanged, &canary, &source.text, &loaded.canary, source.path.is_none());
    };
    let is_written = is_written(source, args);
    if is_written {
        files::in_place(source)?;
    }
    let text = files::edit(source, object, &step.patch().map(edits).unwrap_or_default())?;
    ctx.ui.status(&diff::unified(&file, ("before", "after"), &source.text, &text, ctx.ui.err_style()));
    lint::tell(ctx, &super::prepared::result(&loaded, &plan, &[step.after()]).observed);
    let configured = change::line(&step.object, "configured", args.confirm.dry_run);
    if !is_written {
        return printed(ctx, args, &configured, &step.object.to_string(), &text, &step.after(), source.path.is_none());
    }
    let answer = args.confirm.consent(ctx, &format!("Change {file}?")).await?;
    decide(vec![plan], answer)?;
    files::replace(source, &text)?;
    ctx.ui.data(&configured)?;
    Ok(Exit::Ok)
}

/// Checks that the manifest of this Canary can be written, if it will be, before anything is typed.
pub(super) fn check(ctx: &Context, manifests: &Manifests, name: &str, args: &WriteArgs) -> Result<()> {
    let (object, _) = source::to_change(manifests, ctx.namespace(), name)?;
    let source = manifests.source(object);
    if is_written(source, args) { files::in_place(source) } else { Ok(()) }
}

/// Returns whether the file is written, rather than its new text printed.
fn is_written(source: &files::Source, args: &WriteArgs) -> bool {
    source.path.is_some()
        && args.confirm.dry_run == DryRun::None
        && !matches!(args.output(), Format::Yaml | Format::Json)
}

/// Prints the result instead of writing it, for standard input and `-o`.
fn printed(
    ctx: &Context,
    args: &WriteArgs,
    line: &str,
    name: &str,
    text: &str,
    object: &Value,
    from_stdin: bool,
) -> Result<Exit> {
    match args.output() {
        Format::Yaml => ctx.ui.manifest(text)?,
        Format::Json => ctx.ui.data(&output::json(&super::report::printable(object)))?,
        Format::Name => ctx.ui.data(&format!("{}\n", output::escaped(name)))?,
        _ if from_stdin && args.confirm.dry_run == DryRun::None => ctx.ui.manifest(text)?,
        _ => ctx.ui.data(line)?,
    }
    Ok(Exit::Ok)
}

/// Converts the leaves of a merge patch into text edits.
fn edits(patch: &Value) -> Vec<Edit> {
    fn collect(value: &Value, path: &mut Vec<String>, edits: &mut Vec<Edit>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    path.push(key.clone());
                    collect(value, path, edits);
                    path.pop();
                }
            }
            Value::Null => edits.push(Edit { path: path.clone(), value: None }),
            leaf => edits.push(Edit { path: path.clone(), value: Some(leaf.clone()) }),
        }
    }
    let mut edits = Vec::new();
    collect(patch, &mut Vec::new(), &mut edits);
    edits
}
