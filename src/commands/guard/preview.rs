//! What `guard install` would change, before anything is written.

use futures_util::future::join_all;
use serde_json::Value;

use crate::{
    cluster::Cluster,
    context::Context,
    error::Result,
    guard::{Change, GuardKind},
    output::{change::DryRun, diff},
};

/// Returns each object as the API server would store it; with `--dry-run=client`, as it would be sent.
pub(super) async fn dry_run_all(
    server: &Cluster,
    changes: &[Change],
    mode: DryRun,
    force_conflicts: bool,
) -> Result<Vec<Value>> {
    if mode == DryRun::Client {
        return Ok(changes.iter().map(|change| change.wanted.value.clone()).collect());
    }
    let is_new = changes.iter().any(|change| change.wanted.kind == GuardKind::Namespace && change.before.is_none());
    // Only someone with every permission in the cluster may bind params to a policy that does not exist yet.
    let is_early = |change: &Change| {
        let is_policy = |other: &&Change| change.wanted.value["spec"]["policyName"] == other.wanted.name();
        let binds_params = change.wanted.value.pointer("/spec/paramRef").is_some();
        binds_params && changes.iter().find(is_policy).is_some_and(|policy| policy.before.is_none())
    };
    let answers = join_all(changes.iter().map(|change| async move {
        // The server cannot dry-run objects in a namespace that does not exist yet.
        let is_homeless = is_new && change.wanted.namespace().is_some();
        if is_homeless || is_early(change) {
            return Ok(change.wanted.value.clone());
        }
        server.dry_run_guard(change, force_conflicts).await
    }))
    .await;
    answers.into_iter().map(|answer| Ok(answer?)).collect()
}

/// Prints the diff of one object and returns whether there is one.
pub(super) fn print_diff(ctx: &Context, change: &Change, after: &Value) -> bool {
    let comparable = |object: &Value| diff::comparable(&change.comparable(object));
    let before = change.before.as_ref().map(comparable).unwrap_or_default();
    let after = comparable(after);
    if change.before.is_none() {
        ctx.ui.status(&format!("+ {}\n", change.wanted));
        return true;
    }
    if change.wanted.kind == GuardKind::Secret {
        // A diff of the Secret would print private keys.
        ctx.ui.status(&format!("{}: the certificates are renewed\n", change.wanted));
        return true;
    }
    let text = diff::unified(&change.wanted.to_string(), ("live", "after"), &before, &after, ctx.ui.err_style());
    if !text.is_empty() {
        ctx.ui.status(&text);
    }
    !text.is_empty()
}
