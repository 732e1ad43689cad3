//! The figures of the rollouts with users, side by side.

use std::sync::LazyLock;

use serde_json::Value;

use crate::rollouts::{ROLLOUTS, Rollout, Visited};

/// What is known by now of the rollout with a restart, in a sentence.
pub(crate) fn sentence() -> Option<String> {
    let restarted = LazyLock::get(&ROLLOUTS)?.restarted.known()?;
    Some(format!(
        "\nAPI server killed after {} generations, away for {:.1} s: {} generations in all, {} of them without stanza",
        restarted.generations_before,
        restarted.away.as_secs_f64(),
        restarted.rollout.generations.len(),
        without_stanza(&restarted.rollout)
    ))
}

/// A table of what is known by now; `None` when not all of the three rollouts were looked at.
pub(crate) fn table() -> Option<String> {
    let rollouts = LazyLock::get(&ROLLOUTS)?;
    let set_ups = [&rollouts.nothing, &rollouts.patched, &rollouts.guarded].map(|rollout| rollout.known());
    let [Some(nothing), Some(patched), Some(guarded)] = set_ups else { return None };
    let set_ups = [nothing, patched, guarded];
    let row = |what: &str, figure: fn(&Visited) -> String| {
        let figures = set_ups.map(|visited| format!("{:>14}", figure(visited)));
        format!("{what:<42}{}\n", figures.concat())
    };
    let head = format!("\n{:<42}{:>14}{:>14}{:>14}\n", "", "nothing", "patched once", "guard");
    Some(
        [
            head,
            row("logins", |visited| visited.count.logins.to_string()),
            row("  changed version by routing", |visited| visited.count.changed_by_routing.to_string()),
            row("  changed version by promotion", |visited| visited.count.changed_by_promotion.to_string()),
            row("  new version throughout", |visited| visited.count.new_version.to_string()),
            row("  failed", |visited| visited.count.failed.to_string()),
            row("generations of the TraefikService", |visited| visited.rollout.generations.len().to_string()),
            row("  without stanza", |visited| without_stanza(&visited.rollout).to_string()),
            row("seconds in Traefik with the cookie", |visited| format!("{:.1}", visited.seen.with.as_secs_f64())),
            row("  without", |visited| format!("{:.1}", visited.seen.without.as_secs_f64())),
        ]
        .concat(),
    )
}

fn without_stanza(rollout: &Rollout) -> usize {
    rollout.generations.iter().filter(|one| one.stanza == Value::Null).count()
}
