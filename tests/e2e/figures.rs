//! The figures of the rollouts, side by side.

use std::sync::LazyLock;

use serde_json::Value;

use crate::{
    guards::with,
    people,
    rollouts::{PROCESSES, ROLLOUTS, Rollout, Visited},
    webhook_claims::renewals,
};

/// Everything that is known by now.
pub(crate) fn all() -> String {
    [guards(), promotion(), restart(), certificates(), faults()].into_iter().flatten().collect()
}

/// What each way of guarding brings; `None` when not all of these rollouts were looked at.
fn guards() -> Option<String> {
    let (rollouts, processes) = (LazyLock::get(&ROLLOUTS)?, LazyLock::get(&PROCESSES)?);
    let columns = [
        ("nothing", rollouts.nothing.known()?),
        ("patched once", rollouts.patched.known()?),
        ("repair loop", &processes.looped.known()?.visited),
        ("policies", rollouts.guarded.known()?),
        ("webhook", &processes.webhook.known()?.half),
    ];
    Some(table("", &columns))
}

/// What becomes of logins through promotion.
fn promotion() -> Option<String> {
    let webhook = LazyLock::get(&PROCESSES)?.webhook.known()?;
    let columns = [
        ("nothing", &webhook.nothing),
        ("maxWeight 50", &webhook.half),
        ("100, interval", &webhook.timed),
        ("100 and gate", &webhook.gated),
        ("100 and entry", &webhook.entered.visited),
    ];
    Some(table("pods of the primary replaced over 10 s", &columns))
}

fn table(title: &str, columns: &[(&str, &Visited)]) -> String {
    let row = |what: &str, figure: fn(&Visited) -> String| {
        let figures: String = columns.iter().map(|(_, visited)| format!("{:>17}", figure(visited))).collect();
        format!("{what:<42}{figures}\n")
    };
    let heads: String = columns.iter().map(|(name, _)| format!("{name:>14}")).collect();
    [
        format!("\n{title:<42}{heads}\n"),
        row("logins", |visited| visited.count.logins.to_string()),
        row("  changed version by routing", |visited| visited.count.changed_by_routing.to_string()),
        row("  changed version by promotion", |visited| visited.count.changed_by_promotion.to_string()),
        row("  new version throughout", |visited| visited.count.new_version.to_string()),
        row("  failed", |visited| visited.count.failed.to_string()),
        row("generations of the TraefikService", |visited| visited.rollout.generations.len().to_string()),
        row("  without cookie", |visited| without_sticky(&visited.rollout).to_string()),
        row("logins of returning users", |visited| people::moved(&visited.returning).0.to_string()),
        row("  changed version", |visited| people::moved(&visited.returning).1.to_string()),
        row("their page views on the canary, %", |visited| {
            let shares = people::shares(&visited.returning, &visited.seen.weights);
            shares.iter().map(|share| format!("{:.0}", share.percent())).collect::<Vec<_>>().join("/")
        }),
        row("  at weight", |visited| {
            let shares = people::shares(&visited.returning, &visited.seen.weights);
            shares.iter().map(|share| share.weight.to_string()).collect::<Vec<_>>().join("/")
        }),
        row("seconds in Traefik with the cookie", |visited| format!("{:.1}", visited.seen.with.as_secs_f64())),
        row("  without", |visited| format!("{:.1}", visited.seen.without.as_secs_f64())),
    ]
    .concat()
}

/// The rollout with a restart, in a sentence.
fn restart() -> Option<String> {
    let restarted = LazyLock::get(&ROLLOUTS)?.restarted.known()?;
    Some(format!(
        "\npolicies: API server killed after {} generations, away for {:.1} s: {} generations in all, {} of them without \
         sticky\n",
        restarted.generations_before,
        restarted.away.as_secs_f64(),
        restarted.rollout.generations.len(),
        without_sticky(&restarted.rollout)
    ))
}

fn certificates() -> Option<String> {
    let webhook = LazyLock::get(&PROCESSES)?.webhook.known()?;
    Some(format!(
        "\nwebhook: {} renewals of certificates that hold for 20 s, {} failed calls\n",
        renewals(&webhook.lines),
        webhook.failed_calls
    ))
}

fn faults() -> Option<String> {
    let faulty = LazyLock::get(&PROCESSES)?.faulty.known()?;
    let repairs = with(&faulty.lines, "repaired");
    let [before, after] = faulty.gone;
    Some(format!(
        "webhook: {} times one of two processes killed ({} writes replayed meanwhile, {} without sticky), both gone for \
         20 s, API server restarted {} times: {} generations in all, {} without sticky, {} of them before, {} while no process was there; {} \
         TraefikServices lost it, {} repairs; the longest of {} writes took {:.3} s\n",
        faulty.kills,
        faulty.replayed.len(),
        faulty.replayed.iter().filter(|has_sticky| !**has_sticky).count(),
        faulty.restarts,
        faulty.rollout.generations.len(),
        without_sticky(&faulty.rollout),
        faulty.rollout.generations[..before].iter().filter(|one| one.sticky == Value::Null).count(),
        faulty.rollout.generations[before..after].iter().filter(|one| one.sticky == Value::Null).count(),
        faulty.lost.len(),
        repairs.len(),
        faulty.writes.len(),
        faulty.writes.iter().max().map_or(0.0, std::time::Duration::as_secs_f64),
    ))
}

fn without_sticky(rollout: &Rollout) -> usize {
    rollout.generations.iter().filter(|one| one.sticky == Value::Null).count()
}
