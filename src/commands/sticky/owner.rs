//! Before a change of a declaration: who applies the Canary from a source of its own.

use super::prepared::Prepared;
use crate::{
    context::Context,
    model::{
        NativeField,
        canary::NATIVE_COOKIE,
        declaration::{self, ANNOTATION},
        owner,
    },
    output,
    plan::{ObjectKind, Plan, undo},
};

/// Says of each Canary whose declaration is about to change who applies it, and what becomes of the change.
pub(super) fn tell(ctx: &Context, prepared: &[Prepared]) {
    for Prepared { plan, loaded, .. } in prepared {
        if !plan.steps.iter().any(|step| step.object.kind == ObjectKind::Canary) {
            continue;
        }
        let Some(owner) = owner::of(&loaded.canary) else { continue };
        let removed = plan.after.declared.is_none();
        let instead = if owner.tool.is_helm() {
            in_chart(plan, &loaded.native)
        } else {
            format!("kubectl canary-traefik {} -f FILE", undo::declaring(plan))
        };
        ctx.ui.status(&output::owner::notice(&owner, removed, &instead));
    }
}

/// A template is no manifest that could be edited here: what to write into it.
fn in_chart(plan: &Plan, native: &NativeField) -> String {
    match (native, &plan.after.declared) {
        (NativeField::Present(_), _) => format!("edit {}", NATIVE_COOKIE.join(".")),
        (NativeField::Absent, Some(cookie)) => {
            format!("annotate the Canary with {ANNOTATION}: '{}'", declaration::print(cookie))
        }
        (NativeField::Absent, None) => format!("take the annotation {ANNOTATION} away"),
    }
}
