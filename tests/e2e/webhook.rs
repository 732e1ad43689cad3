//! The rollouts that processes guard, on API servers that serve no admission policies.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use canary_traefik::model::declaration::ANNOTATION;
use serde_json::{Value, json};
use testbed::{
    bed,
    directory::Directory,
    flagger,
    namespace::Namespace,
    objects,
    running::{Running, Stream},
    server::Server,
    wait::until,
};

use crate::{
    application::STEPS,
    cluster::Cluster,
    entry::{self, Entered},
    guards::{self, Guards},
    rollouts::{Rollout, Visited, is_there, over, visit},
    shop::{DECLARATION, LIMIT, NAME, Shop, five_steps, sticky},
    traefik::{Traefik, WEB},
};

/// How long the pods of a primary take to be replaced; old and new ones answer meanwhile.
const ROLLING: Duration = Duration::from_secs(10);
/// Where its Traefik listens.
const SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// Where the Traefik of a single rollout listens.
const QUIET_SITE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 3);
/// A cookie that runs out while the gate is closed, and is far longer than a login.
pub(crate) const MAX_AGE: u64 = 30;
/// One that runs out within Flagger's shortest interval.
pub(crate) const SHORT_MAX_AGE: u64 = 5;
/// What is recommended is what is run.
const DOCUMENTATION: [&str; 2] = [include_str!("../../docs/promotion.md"), include_str!("../../docs/verify.md")];

/// Rollouts with users, guarded by processes; nothing went wrong.
pub(crate) struct Webhook {
    /// Nothing declared.
    pub(crate) nothing: Visited,
    /// Declared, and promoted while half of the users are pinned to the primary.
    pub(crate) half: Visited,
    /// Declared, with a last step of 100 that lasts longer than the cookie.
    pub(crate) timed: Visited,
    /// Declared, with a last step of 100 and the gate.
    pub(crate) gated: Visited,
    /// Declared with an entry, a cookie that is shorter than a step, and a last step of 100.
    pub(crate) entered: Entered,
    /// What became of a Canary whose cookie is verified in each step: of one whose cookie sticks, and of one whose cookie does not.
    pub(crate) verified: [Verified; 2],
    /// Every stored version of the Canary with the gate, and when all weight was on its canary.
    pub(crate) canaries: Vec<Value>,
    pub(crate) emptied: jiff::Timestamp,
    /// Everything that the processes logged.
    pub(crate) lines: Vec<Value>,
    /// How many calls of theirs the API server gave up.
    pub(crate) failed_calls: u64,
    /// Why it did, a line each.
    pub(crate) failed_open: Vec<String>,
}

/// A rollout with a cookie that is verified in each step.
pub(crate) struct Verified {
    pub(crate) rollout: Rollout,
    /// The phase at its end.
    pub(crate) phase: String,
}

/// The cookie of the rollouts with a last step of 100.
pub(crate) fn sticky_of(max_age: u64) -> Value {
    json!({ "cookie": { "name": "login", "maxAge": max_age, "path": "/" } })
}

/// The Canary in the documentation with this line, made quicker.
fn documented(line: &str, max_age: u64) -> Value {
    let blocks = |page: &'static str| page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = DOCUMENTATION.into_iter().flat_map(blocks).find(|block| block.contains(line));
    let block = block.expect("the documentation has it");
    let mut canary = canary_traefik::yaml::parse(block).expect("well-formed YAML");
    let declaration = &mut canary["metadata"]["annotations"][ANNOTATION];
    let quicker = declaration.as_str().expect("it declares").replace("Max-Age=300", &format!("Max-Age={max_age}"));
    *declaration = json!(quicker);
    canary["spec"]["analysis"]["interval"] = json!("10s");
    canary
}

pub(crate) fn webhook() -> Webhook {
    let cluster = Cluster::start(&bed::no_policies(), ROLLING);
    let guards = Guards::start(cluster, 7100, "20s", SITE);
    let [nothing, half, timed, gated, entered, sticking, stopped] =
        ["nothing", "half", "timed", "gated", "entered", "sticking", "stopped"]
            .map(|hint| Shop::new(cluster, hint, false));
    nothing.create(&five_steps(), None);
    half.create(&five_steps(), Some(DECLARATION));
    timed.create_with(&documented("interval: 6m", SHORT_MAX_AGE));
    let mut canary = documented("type: confirm-promotion", MAX_AGE);
    call(&guards, &mut canary);
    gated.create_with(&canary);
    for (shop, path) in [(&sticking, "/"), (&stopped, STEPS[0])] {
        let mut canary = documented("type: rollout", 300);
        call(&guards, &mut canary);
        canary["metadata"]["annotations"][ANNOTATION] = json!(format!("login; Max-Age=300; Path={path}"));
        let page = format!("http://{}:{WEB}{}", shop.host(), STEPS[0]);
        canary["spec"]["analysis"]["webhooks"][0]["metadata"]["url"] = json!(page);
        shop.create_with(&canary);
    }
    entry::create(&entered);
    Cluster::wait_for_guard(half.namespace(), NAME);
    cluster.start_traefik(SITE);
    cluster.start_flagger();
    let (nothing, half, timed, visited, entered, verified) = std::thread::scope(|scope| {
        let traefik = cluster.traefik();
        let verified = [&sticking, &stopped].map(|shop| scope.spawn(|| verify(shop)));
        let nothing = scope.spawn(|| visit(&nothing, traefik, &sticky(), is_there));
        let half = scope.spawn(|| visit(&half, traefik, &sticky(), is_there));
        let timed = scope.spawn(|| visit(&timed, traefik, &sticky_of(SHORT_MAX_AGE), is_there));
        let entered = scope.spawn(|| entry::roll_out(&entered, traefik));
        let gated = visit(&gated, traefik, &sticky_of(MAX_AGE), is_there);
        let [nothing, half, timed] = [nothing, half, timed].map(|visit| visit.join().expect("a rollout"));
        let verified = verified.map(|verified| verified.join().expect("a rollout"));
        (nothing, half, timed, gated, entered.join().expect("a rollout"), verified)
    });
    let (failed_calls, failed_open) = (cluster.server.failed_calls(), cluster.server.failed_open());
    let (canaries, emptied) = (gated.canaries(), gated.emptied());
    let lines = guards.end();
    Webhook {
        nothing,
        half,
        timed,
        gated: visited,
        entered,
        verified,
        canaries,
        emptied,
        lines,
        failed_calls,
        failed_open,
    }
}

/// Has a Canary of the documentation call these guards.
fn call(guards: &Guards, canary: &mut Value) {
    let url = &mut canary["spec"]["analysis"]["webhooks"][0]["url"];
    *url = json!(guards.url(url.as_str().expect("an address")));
}

fn verify(shop: &Shop) -> Verified {
    shop.reaches("Initialized");
    shop.release();
    let phase = shop.ends();
    Verified { rollout: over(shop), phase }
}

/// A rollout with users that nothing guards but repairs.
pub(crate) struct Looped {
    pub(crate) visited: Visited,
    /// Every repair's line.
    pub(crate) repairs: Vec<Value>,
}

/// In a namespace that nothing else guards, through a Traefik that has nothing else to do: where other changes keep it
/// busy, it may see the loss and the repair at once.
pub(crate) fn looped(shop: &Shop) -> Looped {
    let only = format!("--providers.kubernetescrd.namespaces={}", shop.namespace().name());
    let traefik = Traefik::start(shop.namespace().server(), QUIET_SITE, &[&only]);
    let folder = Directory::new();
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
    folder.write("tls.crt", certificate.self_signed(&key).expect("a certificate").pem());
    folder.write("tls.key", key.serialize_pem());
    let run = shop.namespace().run(["guard", "run", "--log-format=json", "--listen=127.0.0.1:7001"]);
    let folder = folder.path().display().to_string();
    let mut guard = Running::start(run.arguments(["--cert-dir", &folder, "-n", shop.namespace().name()]));
    guard.wait_for(Stream::Stderr, r#""message":"listening""#);
    shop.create(&five_steps(), Some(DECLARATION));
    let visited = visit(shop, &traefik, &sticky(), is_there);
    guard.signal("KILL");
    let lines = guards::lines(&guard.ends().stderr);
    Looped { visited, repairs: guards::with(&lines, "repaired").into_iter().cloned().collect() }
}

/// A rollout during which everything goes wrong that can.
pub(crate) struct Faulty {
    pub(crate) rollout: Rollout,
    /// How many generations there were before nobody answered, and when somebody did again.
    pub(crate) gone: [usize; 2],
    /// How many times one of two processes was killed, and the API server.
    pub(crate) kills: usize,
    pub(crate) restarts: usize,
    /// Whether each of Flagger's writes that were replayed all the time while processes were killed has the cookie.
    pub(crate) replayed: Vec<bool>,
    /// How long each of Flagger's writes took that reached a living API server, and how long those of them that took
    /// half a second waited for the guard.
    pub(crate) writes: Vec<Duration>,
    pub(crate) asked: Vec<Duration>,
    /// Why the API server let writes pass, in its own words.
    pub(crate) failed_open: Vec<String>,
    /// When somebody who wrote one plain object after the other meanwhile, and asked nobody, had written each.
    pub(crate) pace: Vec<jiff::Timestamp>,
    /// The TraefikServices that lost their cookie while nobody answered.
    pub(crate) lost: Vec<String>,
    /// The log of those who put it right, from their return on.
    pub(crate) lines: Vec<Value>,
}

/// How often one of two processes is killed.
const KILLING: Duration = Duration::from_secs(5);
/// How long there is none at least.
const GONE: Duration = Duration::from_secs(20);
/// How many TraefikServices of others are written meanwhile.
const OTHERS: usize = 20;
const RESTARTS: usize = 6;
/// From one restart of the API server to the next.
const RESTARTING: Duration = Duration::from_secs(4);

pub(crate) fn faulty() -> Faulty {
    let is_lost = |service: &Value| service["spec"]["weighted"]["sticky"].is_null();
    let cluster = Cluster::start(&bed::no_policies(), ROLLING);
    // Renewals are tried elsewhere: certificates of 20 s run out while the server to tell is away every 4 s.
    let mut guards = Guards::start(cluster, 7200, "5m", SITE);
    let shop = Shop::new(cluster, "faulty", false);
    let analysis = json!({ "interval": "10s", "threshold": 2, "stepWeight": 5, "maxWeight": 50 });
    shop.create(&analysis, Some(DECLARATION));
    Cluster::wait_for_guard(shop.namespace(), NAME);
    let others = Namespace::on(&cluster.server, "others");
    let names: Vec<_> = (0..OTHERS).map(|number| format!("other-{number}")).collect();
    for name in &names {
        let mut canary = objects::canary(name);
        canary["metadata"]["annotations"] = json!({ ANNOTATION: DECLARATION });
        // The real Flagger has nothing to do with it.
        canary["spec"]["suspend"] = json!(true);
        let canary = others.create_value(&canary);
        flagger::creates(&others, objects::owned_by(objects::traefik_service(name, 100, 0), &canary));
    }
    cluster.start_flagger();
    shop.reaches("Initialized");
    shop.release();
    let kills = std::thread::scope(|scope| {
        let killing = scope.spawn(|| {
            let mut kills = 0;
            while shop.generations().len() < 4 || kills < 4 {
                let pace = Instant::now() + KILLING;
                let number = u16::from(kills % 2 == 1);
                guards.kill(number);
                guards.revive(number);
                kills += 1;
                std::thread::sleep(pace.saturating_duration_since(Instant::now()));
            }
            kills
        });
        for weight in (1..50).cycle() {
            if killing.is_finished() {
                break;
            }
            // A repair in between makes it conflict.
            let _ = flagger::writes(&others, &names[0], 100 - weight, weight);
        }
        killing.join().expect("whoever kills does not panic")
    });
    let replayed = cluster.history.of("TraefikService", others.name(), &names[0]);

    let before = shop.generations().len();
    let back = Instant::now() + GONE;
    guards.kill(0);
    guards.kill(1);
    std::thread::scope(|scope| {
        for name in &names {
            // A repair that was under way makes it conflict.
            scope.spawn(|| while flagger::writes(&others, name, 90, 10).is_err() {});
        }
    });
    let mut lost: Vec<_> = names.iter().filter(|name| is_lost(&others.get("TraefikService", name))).collect();
    let shops = NAME.to_owned();
    let of_flagger = ("TraefikService", shop.namespace().name(), NAME);
    let its_next = cluster.history.wait(of_flagger, LIMIT, |service| is_lost(service).then_some(()));
    assert!(its_next.is_some(), "Flagger did not write\n{}", cluster.last_words());
    lost.push(&shops);
    std::thread::sleep(back.saturating_duration_since(Instant::now()));
    let lost: Vec<_> = lost.into_iter().cloned().collect();
    let silence = guards.silence();
    let is_over = AtomicBool::new(false);
    let pace = std::thread::scope(|scope| {
        let beside = scope.spawn(|| plain_writes(&others, &is_over));
        let end = Over(&is_over);
        guards.revive(0);
        guards.revive(1);
        for (namespace, name) in names.iter().map(|name| (&others, name)).chain([(shop.namespace(), &shops)]) {
            until("the repair", || (!is_lost(&namespace.get("TraefikService", name))).then_some(()));
        }
        drop(end);
        beside.join().expect("plain writes")
    });
    let gone = [before, shop.generations().len()];

    for _ in 0..RESTARTS {
        let pace = Instant::now() + RESTARTING;
        cluster.server.stop();
        cluster.server.restart();
        std::thread::sleep(pace.saturating_duration_since(Instant::now()));
    }
    shop.reaches("Succeeded");
    let (writes, asked) = flaggers_writes(&cluster.server);
    let failed_open = cluster.server.failed_open();
    let lines = guards.end().split_off(silence);
    let replayed = replayed.iter().map(|service| !is_lost(service)).collect();
    Faulty {
        rollout: over(&shop),
        gone,
        kills,
        restarts: RESTARTS,
        replayed,
        writes,
        asked,
        failed_open,
        pace,
        lost,
        lines,
    }
}

/// Ends what goes on beside, however the test ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes a plain object again and again until it is over, without having it stored; when each write was done.
fn plain_writes(namespace: &Namespace, is_over: &AtomicBool) -> Vec<jiff::Timestamp> {
    let path = namespace.path("ConfigMap", "") + "?dryRun=All";
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "plain" } });
    let write = || {
        namespace.server().admin().post(&path, &object).expect("a write that is not stored");
        jiff::Timestamp::now()
    };
    std::iter::repeat_with(write).take_while(|_| !is_over.load(Ordering::Relaxed)).collect()
}

/// How long each write of Flagger's to a TraefikService took, by the API server's own record; and what it spent of that
/// on webhooks, which it tells of those that took half a second (`k8s.io/apiserver/pkg/endpoints/request/webhook_duration.go`).
fn flaggers_writes(server: &Server) -> (Vec<Duration>, Vec<Duration>) {
    const ASKED: &str = "apiserver.latency.k8s.io/mutating-webhook";
    let is_write = |request: &Value| {
        request["verb"] == "update"
            && request["objectRef"]["resource"] == "traefikservices"
            && request["userAgent"].as_str().is_some_and(|agent| agent.starts_with("flagger/"))
    };
    let time = |request: &Value, key: &str| -> jiff::Timestamp {
        request[key].as_str().and_then(|time| time.parse().ok()).expect("the record has its times")
    };
    let took = |request: &Value| {
        let took = time(request, "stageTimestamp").duration_since(time(request, "requestReceivedTimestamp"));
        Duration::try_from(took).expect("time goes on")
    };
    let seconds = |text: &str| match text.strip_suffix("ms").map(|number| (number, 1_000.0)) {
        Some((number, of_a_second)) => number.parse::<f64>().map(|number| number / of_a_second),
        None => text.trim_end_matches('s').parse(),
    };
    let asked = |request: &Value| {
        let text = request["annotations"][ASKED].as_str()?;
        Some(Duration::from_secs_f64(seconds(text).unwrap_or_else(|error| panic!("{text}: {error}"))))
    };
    let writes = server.audit(is_write);
    (writes.iter().map(took).collect(), writes.iter().filter_map(asked).collect())
}
