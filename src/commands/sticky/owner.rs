//! Notices, before a declaration is changed, about tools that apply the Canary from their own source.

use super::prepared::Prepared;
use crate::{
    context::Context,
    flagger::NativeField,
    model::{
        ObjectKind,
        declaration::{self, ANNOTATION, NATIVE_COOKIE},
        entry::ENTRY_ANNOTATION,
        owner,
    },
    output,
    plan::{Plan, undo},
};

/// Prints, for each Canary whose declaration will change, which tool applies it and what becomes of the change.
pub(super) fn tell(ctx: &Context, prepared: &[Prepared]) {
    for Prepared { plan, loaded, .. } in prepared {
        if !plan.steps.iter().any(|step| step.object.kind == ObjectKind::Canary) {
            continue;
        }
        let Some(owner) = owner::of(&loaded.canary) else { continue };
        let removed = plan.after.declared.cookie.is_none();
        let instead = if owner.tool.is_helm() {
            in_chart(plan, &loaded.native)
        } else {
            format!("kubectl canary-traefik {} -f FILE", undo::declaring(plan))
        };
        ctx.ui.status(&output::owner::notice(&owner, removed, &instead));
    }
}

/// Returns what to write into a Helm template, which cannot be edited here.
fn in_chart(plan: &Plan, native: &NativeField) -> String {
    let (before, after) = (&plan.before.declared, &plan.after.declared);
    let cookie = (before.cookie != after.cookie).then(|| match (native, &after.cookie) {
        (NativeField::Present(_), _) => format!("edit {}", NATIVE_COOKIE.join(".")),
        (NativeField::Absent, Some(cookie)) => {
            format!("set the Canary's annotation {ANNOTATION}: '{}'", declaration::print(cookie))
        }
        (NativeField::Absent, None) => format!("remove the annotation {ANNOTATION}"),
    });
    let entry = (before.entry != after.entry).then(|| match &after.entry {
        Some(entry) => format!("set the Canary's annotation {ENTRY_ANNOTATION}: '{entry}'"),
        None => format!("remove the annotation {ENTRY_ANNOTATION}"),
    });
    cookie.into_iter().chain(entry).collect::<Vec<_>>().join(", and ")
}
