//! `diff -f FILE --live`: what a manifest declares compared with the cluster.

use super::Difference;
use crate::{
    cluster::{Cluster, Reading},
    commands::lint,
    context::Context,
    error::{Error, Kind, Result},
    model::NamespacedName,
    observed::{Loaded, State},
    output,
    plan::{Plan, Scope},
    traefik::entry::Need,
};

/// Returns how the Canary and the TraefikService in the cluster would change if what this manifest declares were
/// applied.
///
/// # Errors
///
/// Fails if the objects cannot be read, or cannot hold what is declared.
pub(super) async fn difference(ctx: &Context, cluster: &Cluster, manifest: &Loaded) -> Result<Difference> {
    let declared = &manifest.observed;
    if declared.whole_state() == State::Malformed {
        lint::tell(ctx, declared);
        return Ok(Difference { is_reported: true, steps: Vec::new() });
    }
    let mut difference = Difference::default();
    let own = &declared.canary.target;
    let namespace = own.namespace.as_deref().or(ctx.namespace()).unwrap_or(cluster.api().namespace());
    let target = NamespacedName { namespace: Some(namespace.to_owned()), name: own.name.clone() };
    let name = output::escaped(&target.to_string());
    let mut report = |text: &str| {
        ctx.ui.status(text);
        difference.is_reported = true;
    };
    let wanted = manifest.declared();
    let routing = if wanted.entry.is_some() { Need::All } else { Need::Own };
    let live = match cluster.load(&target, Reading { schema: true, routing }).await {
        Ok(live) => live,
        Err(error) if error.kind() == Kind::NotFound => {
            report(&format!("{name}: this Canary is not in the cluster yet"));
            return Ok(difference);
        }
        Err(error) => return Err(error),
    };
    if let Some(reason) = live.observed.forbidden() {
        return Err(Error::cluster(reason));
    }
    let plan = Plan::new(&live, &wanted, Scope::Both)?;
    let is_pending = wanted.cookie.is_some() && live.observed.service().is_none();
    if let Some(reason) = plan.why_service_not_changed.as_ref().filter(|_| is_pending) {
        report(&format!("{name}: declared, but not live: {}", output::escaped(reason)));
    }
    // What the entry does not apply to, or what is not known, is no difference, unless the entry is not live for it.
    let is_live = wanted.cookie.is_none() || plan.after.live.entry == wanted.entry;
    for note in &plan.notes {
        ctx.ui.status(&format!("note: {name}: {}", output::escaped(note)));
    }
    difference.is_reported |= !is_live;
    difference.steps = plan.steps;
    Ok(difference)
}
