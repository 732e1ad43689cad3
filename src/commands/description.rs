//! Loads what `describe` and the wizard show of a Canary.

use crate::{context::Context, error::Result, output::describe::Description, source::Source};

/// Loads everything about every Canary of this name; a cluster has one.
///
/// # Errors
///
/// Fails if the Canary or its TraefikService cannot be read.
pub(super) async fn load(ctx: &Context, source: &Source, name: &str) -> Result<Vec<Description>> {
    let all = source.load_with_context(ctx.namespace(), name).await?;
    let findings = source.findings(all.iter().map(|(loaded, _)| loaded))?;
    let description = |((loaded, around), findings)| Description {
        loaded,
        around,
        findings,
        namespace: ctx.namespace().map(str::to_owned),
        now: ctx.now,
    };
    Ok(all.into_iter().zip(findings).map(description).collect())
}
