//! The rollouts that the tests look at. All of them run side by side, most of them on one cluster: each takes
//! some two minutes, since Flagger's shortest interval is 10 s.

use std::{
    collections::BTreeSet,
    sync::LazyLock,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use testbed::bed;

use crate::{
    cluster::Cluster,
    gate,
    isolate::HOST,
    later::Later,
    logins::{self, Count, Logins},
    orders,
    people::{self, People},
    screens::{self, Watched},
    shop::{
        DECLARATION, Generation, NAME, OTHER_DECLARATION, Shop, VERSIONS, five_steps, held_steps, other_sticky, sticky,
    },
    traefik::{Live, Sampler, Seen, Traefik},
    webhook::{self, Faulty, Looped, Webhook},
};

/// More than two intervals of Flagger's: whoever does nothing in that time does nothing.
const LONG: Duration = Duration::from_secs(22);
/// A cookie that lasts as long as a step of [`five_steps`], in seconds.
pub(crate) const INTERVAL_MAX_AGE: i64 = 10;
/// How long the pods of a primary take to be replaced: longer than Flagger's shortest interval of 10 s and
/// far from twice that, so that every rollout sees it not ready once.
const ROLLING: Duration = Duration::from_secs(15);

/// A rollout that is over.
pub(crate) struct Rollout {
    pub(crate) generations: Vec<Generation>,
    pub(crate) warnings: BTreeSet<String>,
}

/// A rollout with users.
pub(crate) struct Visited {
    pub(crate) rollout: Rollout,
    pub(crate) count: Count,
    pub(crate) failures: Vec<String>,
    pub(crate) seen: Seen,
    /// What people did who were there before.
    pub(crate) returning: Vec<people::Visit>,
}

/// A rollout that was paused.
pub(crate) struct Paused {
    pub(crate) rollout: Rollout,
    pub(crate) changed_while_paused: bool,
}

/// A rollout during which the API server was killed and started again.
pub(crate) struct Restarted {
    pub(crate) rollout: Rollout,
    pub(crate) generations_before: usize,
    pub(crate) away: Duration,
}

/// The same rollout in a guarded namespace, and in one that is not.
pub(crate) struct Pair<T> {
    pub(crate) guarded: Later<T>,
    pub(crate) control: Later<T>,
}

/// The rollouts beside policies.
pub(crate) struct Rollouts {
    /// Nothing declared, nothing patched, no guard.
    pub(crate) nothing: Later<Visited>,
    /// The cookie patched once before the rollout, no guard.
    pub(crate) patched: Later<Visited>,
    /// Declared before the guard was installed, which was before Flagger saw it.
    pub(crate) guarded: Later<Visited>,
    /// With a cookie that lasts as long as a step, guarded.
    pub(crate) interval: Later<Visited>,
    /// Created, with the declaration in its manifest, in a cluster with guard and Flagger.
    pub(crate) created_later: Later<Watched>,
    /// Declares nothing, one cookie, another one and nothing again, guarded.
    pub(crate) redeclared: Later<Rollout>,
    /// No rollout: what is left of an undeclared cookie, guarded, in each order of the policies.
    pub(crate) undeclared: Later<Vec<Value>>,
    pub(crate) rolled_back: Pair<Rollout>,
    pub(crate) a_b: Pair<Rollout>,
    pub(crate) paused: Pair<Paused>,
    /// On a server of its own.
    pub(crate) restarted: Later<Restarted>,
}

/// The rollouts that need no policies: an older Kubernetes has them too.
pub(crate) struct Processes {
    /// No admission, a repair for each write instead.
    pub(crate) looped: Later<Looped>,
    /// On a server that serves no policies, guarded by processes.
    pub(crate) webhook: Later<Webhook>,
    /// On another one, with everything that can go wrong.
    pub(crate) faulty: Later<Faulty>,
}

/// Begun by the first test that looks at any rollout.
pub(crate) static PROCESSES: LazyLock<Processes> = LazyLock::new(|| Processes {
    looped: Later::start("repair loop", || webhook::looped(&shop("looped", false))),
    webhook: Later::start("webhook", webhook::webhook),
    faulty: Later::start("faults", webhook::faulty),
});

/// Begun by the first test that looks at one of them.
pub(crate) static ROLLOUTS: LazyLock<Rollouts> = LazyLock::new(|| {
    // Side by side with those.
    LazyLock::force(&PROCESSES);
    begin()
});

fn begin() -> Rollouts {
    Rollouts {
        nothing: Later::start("nothing", nothing),
        patched: Later::start("patched once", patched),
        guarded: Later::start("guarded", guarded),
        interval: Later::start("interval", interval),
        created_later: Later::start("created later", created_later),
        redeclared: Later::start("redeclared", redeclare),
        undeclared: Later::start("undeclared", || {
            let cluster = CLUSTER.get().0;
            orders::undeclared_stickies(cluster, &cluster.namespace("undeclared", true))
        }),
        rolled_back: pair("rolled back", "rolled back, control", roll_back),
        a_b: pair("a/b", "a/b, control", a_b),
        paused: pair("paused", "paused, control", pause),
        restarted: Later::start("restarted", restart),
    }
}

/// The cluster of most of them, with the guard, Flagger and Traefik; and a Canary that was there before them.
static CLUSTER: LazyLock<Later<(&Cluster, Shop)>> = LazyLock::new(|| {
    Later::start("the cluster", || {
        assert!(
            !bed::use_existing_cluster(),
            "these tests need a cluster that they started: run them without USE_EXISTING_CLUSTER, \
             or leave them out with `-- --skip dedicated_server::`"
        );
        let cluster = Cluster::start(&[], ROLLING);
        let before = Shop::new(cluster, "guarded", true);
        before.create(&five_steps(), Some(DECLARATION));
        if bed::older_kubernetes().is_none() {
            cluster.install_guard();
            Cluster::wait_for_guard(before.namespace(), NAME);
        }
        gate::start();
        cluster.start_traefik(HOST);
        cluster.start_flagger();
        (cluster, before)
    })
});

fn shop(hint: &str, guarded: bool) -> Shop {
    Shop::new(CLUSTER.get().0, hint, guarded)
}

fn pair<T: Send + 'static>(guarded: &'static str, control: &'static str, work: fn(&Shop) -> T) -> Pair<T> {
    let hint = |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
    Pair {
        guarded: Later::start(guarded, move || work(&shop(&hint(guarded), true))),
        control: Later::start(control, move || work(&shop(&hint(control), false))),
    }
}

fn nothing() -> Visited {
    let shop = shop("nothing", false);
    shop.create(&five_steps(), None);
    visit(&shop, CLUSTER.get().0.traefik(), &sticky(), is_there)
}

fn patched() -> Visited {
    let shop = shop("patched", false);
    shop.create(&five_steps(), Some(DECLARATION));
    visit(&shop, CLUSTER.get().0.traefik(), &sticky(), |sampler| {
        shop.reaches("Initialized");
        shop.namespace().patch("TraefikService", NAME, &json!({ "spec": { "weighted": { "sticky": sticky() } } }));
        sampler.wait("the cookie", |live| matches!(live, Live::Sticky(sticky, _) if *sticky != Value::Null))
    })
}

fn guarded() -> Visited {
    let (cluster, shop) = CLUSTER.get();
    visit(shop, cluster.traefik(), &sticky(), is_there)
}

fn interval() -> Visited {
    let shop = shop("interval", true);
    shop.create(&five_steps(), Some(&format!("login; Max-Age={INTERVAL_MAX_AGE}; Path=/")));
    let sticky = json!({ "cookie": { "name": "login", "maxAge": INTERVAL_MAX_AGE, "path": "/" } });
    visit_by(people::PEOPLE, &shop, CLUSTER.get().0.traefik(), &sticky, is_there)
}

/// The TraefikService is there, with or without a cookie.
pub(crate) fn is_there(sampler: &Sampler) -> (Instant, Live) {
    sampler.wait("the TraefikService", |live| *live != Live::Absent)
}

/// A whole rollout with users, who come through this Traefik; `begin` says from when on the cookie is expected.
pub(crate) fn visit(
    shop: &Shop,
    traefik: &Traefik,
    sticky: &Value,
    begin: impl FnOnce(&Sampler) -> (Instant, Live),
) -> Visited {
    visit_by(people::PEOPLE, shop, traefik, sticky, begin)
}

/// The same with so many people who come back.
pub(crate) fn visit_by(
    people: usize,
    shop: &Shop,
    traefik: &Traefik,
    sticky: &Value,
    begin: impl FnOnce(&Sampler) -> (Instant, Live),
) -> Visited {
    let sampler = Sampler::start(traefik, shop.namespace().name(), NAME);
    let begun = begin(&sampler);
    shop.reaches("Initialized");
    let logins = Logins::start(traefik.address, &shop.host());
    let people = People::start(traefik.address, &shop.host(), people);
    people.have_all_come();
    shop.release();
    shop.reaches("Succeeded");
    let logins = logins.stop();
    let returning = people.stop();
    Visited {
        rollout: over(shop),
        count: logins::count(&logins, VERSIONS[1]),
        failures: logins::failures(&logins),
        seen: sampler.stop(begun, &sticky["cookie"]),
        returning,
    }
}

fn created_later() -> Watched {
    screens::watched(&shop("later", true))
}

fn redeclare() -> Rollout {
    let shop = shop("redeclared", true);
    shop.create(&held_steps(shop.namespace()), None);
    shop.reaches("Initialized");
    shop.release();
    for (weight, declaration, sticky) in
        [(10, Some(DECLARATION), sticky()), (30, Some(OTHER_DECLARATION), other_sticky()), (50, None, Value::Null)]
    {
        shop.steps_to(weight);
        shop.declare(declaration, &sticky);
    }
    shop.steps_on();
    shop.reaches("Succeeded");
    over(&shop)
}

fn roll_back(shop: &Shop) -> Rollout {
    const CHECK: &str = "check";
    let mut analysis = held_steps(shop.namespace());
    let url = gate::url(shop.namespace().name(), CHECK);
    let check = json!({ "name": CHECK, "type": "rollout", "url": url, "timeout": "30s" });
    analysis["webhooks"].as_array_mut().expect("a list").push(check);
    shop.create(&analysis, Some(DECLARATION));
    shop.reaches("Initialized");
    shop.release();
    shop.steps_to(20);
    gate::passes(shop.namespace().name(), CHECK, 0);
    shop.reaches("Failed");
    over(shop)
}

fn a_b(shop: &Shop) -> Rollout {
    let only = json!([{ "headers": { "x-insider": { "exact": "true" } } }]);
    let analysis = json!({ "interval": "10s", "threshold": 2, "iterations": 3, "match": only });
    shop.create(&analysis, Some(DECLARATION));
    whole(shop)
}

fn pause(shop: &Shop) -> Paused {
    shop.create(&held_steps(shop.namespace()), Some(DECLARATION));
    shop.reaches("Initialized");
    shop.release();
    shop.steps_to(20);
    shop.configure(&json!({ "suspend": true }));
    // Nothing but that holds it now.
    shop.steps_on();
    let changed_while_paused = shop.changes_within(LONG);
    shop.configure(&json!({ "suspend": false }));
    shop.reaches("Succeeded");
    Paused { rollout: over(shop), changed_while_paused }
}

fn restart() -> Restarted {
    let cluster = Cluster::start(&[], ROLLING);
    let shop = Shop::new(cluster, "restart", true);
    cluster.install_guard();
    shop.create(&held_steps(shop.namespace()), Some(DECLARATION));
    Cluster::wait_for_guard(shop.namespace(), NAME);
    gate::start();
    cluster.start_flagger();
    shop.reaches("Initialized");
    shop.release();
    shop.steps_to(20);
    let generations_before = shop.generations().len();
    let killed = Instant::now();
    cluster.server.stop();
    cluster.server.restart();
    let away = killed.elapsed();
    shop.steps_on();
    shop.reaches("Succeeded");
    Restarted { rollout: over(&shop), generations_before, away }
}

fn whole(shop: &Shop) -> Rollout {
    shop.reaches("Initialized");
    shop.release();
    shop.reaches("Succeeded");
    over(shop)
}

pub(crate) fn over(shop: &Shop) -> Rollout {
    Rollout { generations: shop.generations(), warnings: shop.warnings() }
}
