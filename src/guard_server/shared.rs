//! What all tasks of the process share.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use kube::core::Selector;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    cluster::Cluster,
    error::panic::lock,
    flagger::Canary,
    guard::{Coverage, gate::Verdict},
    guard_server::{
        Log, Options, body,
        cache::Cache,
        certificate::Identity,
        entry_state::Entries,
        lookups::{Lookups, Places},
        metrics::Metrics,
        repairs::Repairs,
        verdicts::{Verdicts, Verified},
        watches::Watches,
    },
    model::{NamespacedName, selector},
    web::TraefikAddress,
};

/// How long the result of a Canary lookup is cached. Changes to covered Canaries arrive by the watch.
const REMEMBER: Duration = Duration::from_secs(2);
/// How long the result of a verification is cached: two webhooks, or two replicas of Flagger, cost one.
const REMEMBER_PAGES: Duration = Duration::from_secs(5);
/// Number of too-large objects whose names are remembered, so that each is logged once.
const MOST_TOLD: usize = 1024;

/// State shared by all tasks.
pub(super) struct Shared {
    pub(super) cluster: Box<Cluster>,
    pub(super) log: Log,
    pub(super) metrics: Metrics,
    pub(super) scope: Scope,
    pub(super) known: Known,
    /// Whether promotions may start.
    pub(super) gate: Verdicts<Verdict>,
    /// Whether cookies stick.
    pub(super) verifier: Verdicts<Verified>,
    /// Where Traefik is; nothing if the process was started without.
    pub(super) traefik: TraefikAddress,
    pub(super) identity: Arc<Identity>,
    pub(super) registration: Registration,
    pub(super) repairs: Repairs,
    /// Repairs that are not repeated. For each TraefikService: the marks of the cookie with the resourceVersion that was
    /// repaired and with the one that the repair produced. If the server does not store the cookie, it is not written
    /// again and again.
    pub(super) settled: Mutex<HashMap<NamespacedName, [u64; 2]>>,
    pub(super) entries: Entries,
    /// Memory budget for large bodies.
    pub(super) room: body::Room,
    pub(super) shutdown: Shutdown,
}

/// What the process guards.
pub(super) struct Scope {
    /// The only namespace; `None` for all.
    pub(super) namespace: Option<String>,
    pub(super) coverage: Coverage,
}

/// What the watches have told.
pub(super) struct Known {
    pub(super) cache: Cache,
    pub(super) watches: Watches,
    /// Lookups of Canaries that the watch has not delivered yet, or that are not cached.
    pub(super) lookups: Lookups<Option<Canary>>,
    /// Objects already logged as too large.
    too_large: Mutex<HashSet<String>>,
}

/// The state of the registration with API servers.
pub(super) struct Registration {
    /// The CA bundle to register, and the one last registered.
    pub(super) authorities: watch::Sender<String>,
    pub(super) published: watch::Sender<Published>,
    pub(super) is_registered: AtomicBool,
    /// Whether this process registers itself.
    pub(super) is_own: bool,
}

/// The CA bundle last registered.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) authorities: String,
    at: Instant,
}

/// How long API servers may take to follow a change of their registrations.
const SETTLE: Duration = Duration::from_secs(1);

impl Registration {
    /// Records that these authorities are registered.
    pub(super) fn has_published(&self, authorities: String) {
        self.published.send_if_modified(|published| {
            let is_news = published.authorities != authorities;
            if is_news {
                *published = Published { authorities, at: Instant::now() };
            }
            is_news
        });
    }

    /// Returns whether API servers trust these authorities. Of a process that does not register itself, nothing else can be
    /// known.
    pub(super) fn is_trusted(&self, authorities: &str) -> bool {
        let published = self.published.borrow();
        !self.is_own || published.authorities == authorities && published.at.elapsed() >= SETTLE
    }

    /// Waits until API servers trust these authorities.
    pub(super) async fn trusts(&self, authorities: &str) {
        let mut published = self.published.subscribe();
        while !self.is_trusted(authorities) {
            // The sender is never dropped.
            let _ = published.wait_for(|published| published.authorities == authorities).await;
            tokio::time::sleep(SETTLE).await;
        }
    }
}

/// How far the end of the process has come.
#[derive(Default)]
pub(super) struct Shutdown {
    /// It has begun: requests are still answered, with `Connection: close`.
    pub(super) is_ending: AtomicBool,
    /// Connections are being closed.
    pub(super) draining: watch::Sender<bool>,
}

impl Scope {
    /// Returns the selector of the covered Canaries; `None` for all.
    pub(super) fn selector(&self) -> Option<Selector> {
        self.coverage.selector.as_ref().and_then(selector::from_object)
    }
}

impl Shared {
    pub(super) fn new(options: &Options, cluster: Box<Cluster>, log: Log) -> Self {
        Self {
            cluster,
            log,
            metrics: Metrics::default(),
            scope: Scope { namespace: options.namespace.clone(), coverage: options.coverage.clone() },
            known: Known {
                cache: Cache::default(),
                watches: Watches::default(),
                lookups: Lookups::new(Places::FEW, REMEMBER),
                too_large: Mutex::default(),
            },
            gate: Verdicts::new(Places::FEW, Duration::ZERO),
            verifier: Verdicts::new(Places::PAGES, REMEMBER_PAGES),
            traefik: options.traefik.clone(),
            identity: Arc::default(),
            registration: Registration {
                authorities: watch::Sender::default(),
                published: watch::Sender::new(Published { authorities: String::new(), at: Instant::now() }),
                is_registered: AtomicBool::new(options.address.is_none()),
                is_own: options.address.is_some(),
            },
            repairs: Repairs::default(),
            settled: Mutex::default(),
            entries: Entries::default(),
            room: body::Room::default(),
            shutdown: Shutdown::default(),
        }
    }

    /// Counts an object that is too large or exceeds the cache's budget, and logs its name once.
    pub(super) fn too_large(&self, resource: &str, target: Option<NamespacedName>) {
        self.metrics.too_large.fetch_add(1, Relaxed);
        let name = target.map_or_else(|| "<unknown>".to_owned(), |target| target.to_string());
        let mut told = lock(&self.known.too_large);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        if told.insert(format!("{resource} {name}")) {
            let fields = [("resource", json!(resource)), ("name", json!(name))];
            self.log.warning("object skipped: too large, or too many in its namespace", &fields);
        }
    }

    /// Returns the readiness checks.
    pub(super) fn checks(&self) -> [(&'static str, bool); 5] {
        [
            ("canaries-listed", self.known.cache.is_synced()),
            ("watches-current", self.known.watches.are_fresh()),
            ("certificate-valid", self.identity.is_valid()),
            ("webhook-registered", self.registration.is_registered.load(Relaxed)),
            ("not-shutting-down", !self.shutdown.is_ending.load(Relaxed)),
        ]
    }
}

/// Records a value, and returns the former one. A map with `most` keys is emptied before it gets another.
pub(super) fn remember<K: Eq + Hash, V>(map: &Mutex<HashMap<K, V>>, most: usize, key: K, value: V) -> Option<V> {
    let mut map = lock(map);
    if map.len() >= most && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, value)
}
