//! The guard as a webhook server: an API server calls it for each write to a TraefikService or Canary, and it answers
//! according to [`guard::decide`](crate::guard::decide()) and [`guard::refusal`](crate::guard::refusal). It writes only
//! repairs, its certificates and its registration.

mod answer;
mod body;
mod cache;
mod certificate;
mod following;
mod gate;
mod log;
mod lookups;
mod metrics;
mod parts;
mod queue;
mod register;
mod repair;
mod review;
mod secret;
mod server;
mod term;
mod trouble;

use std::{
    collections::HashSet,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::FutureExt as _;

use serde_json::json;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

pub use crate::guard_server::{
    certificate::ends,
    log::{Log, LogFormat},
    secret::{INSTALLED, installed},
};
use crate::{
    cluster::{Cluster, collections},
    error::{Error, Kind, Result, panic::take_panic},
    flagger::Canary,
    guard::{Coverage, webhook::Address},
    guard_server::{
        cache::Cache,
        certificate::Identity,
        following::{Requirement, Watches, follow},
        lookups::Lookups,
        metrics::Metrics,
    },
    model::{NamespacedName, ObjectKind, name::Group, selector::Selector},
};

/// Options of the webhook server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the TLS listener.
    pub listen: SocketAddr,
    /// Address of the promotion gate, without TLS; `None` disables it.
    pub gate: Option<SocketAddr>,
    /// Address to register with API servers; `None` if something else registers it.
    pub address: Option<Address>,
    /// Host names and addresses for a generated certificate.
    pub names: Vec<String>,
    /// Source of the certificate.
    pub certificates: Certificates,
    /// Validity of generated certificates.
    pub life: Duration,
    /// The only namespace to guard; `None` for all.
    pub namespace: Option<String>,
    /// The Canaries and namespaces to cover.
    pub coverage: Coverage,
    /// Whether to restore lost cookies.
    pub repairs: bool,
}

/// The source of the serving certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificates {
    /// Generated, for this process only.
    Own,
    /// Generated and shared through this Secret.
    Secret(NamespacedName),
    /// Files in this folder, maintained by something else.
    Folder(PathBuf),
}

/// State shared by all tasks.
struct Shared {
    cluster: Box<Cluster>,
    log: Log,
    namespace: Option<String>,
    coverage: Coverage,
    cache: Cache,
    metrics: Metrics,
    gate: gate::Gate,
    identity: Arc<Identity>,
    /// The CA bundle to register, and the one last registered.
    authorities: watch::Sender<String>,
    published: watch::Sender<String>,
    is_registered: AtomicBool,
    repairs: repair::Repairs,
    /// Lookups of Canaries that the watch has not delivered yet, or that are not cached.
    lookups: Lookups<Option<Canary>>,
    /// Memory budget for large bodies.
    room: body::Room,
    watches: Watches,
    /// Objects already logged as too large.
    too_large_told: Mutex<HashSet<String>>,
    /// Shutdown has begun: requests are still answered, with `Connection: close`.
    is_ending: AtomicBool,
    /// Connections are being closed.
    draining: watch::Sender<bool>,
}

impl Shared {
    /// Returns the selector of the covered Canaries; `None` for all.
    fn selector(&self) -> Option<Selector> {
        self.coverage.selector.as_ref().and_then(Selector::from_object)
    }

    /// Counts an object that is too large or exceeds the cache's budget, and logs its name once.
    fn too_large(&self, resource: &str, target: Option<NamespacedName>) {
        self.metrics.too_large.fetch_add(1, Relaxed);
        let name = target.map_or_else(|| "<unknown>".to_owned(), |target| target.to_string());
        let mut told = self.too_large_told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        if told.insert(format!("{resource} {name}")) {
            let fields = [("resource", json!(resource)), ("name", json!(name))];
            self.log.warning("not protected: too large, or too many objects", &fields);
        }
    }

    /// Returns the readiness checks.
    fn checks(&self) -> [(&'static str, bool); 5] {
        [
            ("canaries-listed", self.cache.is_synced()),
            ("watches-current", self.watches.are_fresh()),
            ("certificate-valid", self.identity.is_valid()),
            ("webhook-registered", self.is_registered.load(Relaxed)),
            ("not-shutting-down", !self.is_ending.load(Relaxed)),
        ]
    }
}

/// How long the result of a Canary lookup is cached. Changes to covered Canaries arrive by the watch.
const REMEMBER: Duration = Duration::from_secs(2);
/// Pause before a task that panicked is restarted.
const AFTER_PANIC: Duration = Duration::from_millis(200);
/// Number of too-large objects whose names are remembered, so that each is logged once.
const MOST_TOLD: usize = 1024;

/// How long API servers may still call after the registration was removed.
const AFTER_REGISTRATION: Duration = Duration::from_secs(1);
/// How long API servers may still call a server that something else registered: until its endpoint is removed from the
/// Service.
const AFTER_SERVICE: Duration = Duration::from_secs(5);
/// Timeout for the last answers.
const DRAIN: Duration = Duration::from_millis(500);

/// Runs the webhook server until `stop` or until a fatal error.
///
/// # Errors
///
/// The address is in use, no certificate is available, or the user lacks a necessary right.
pub async fn run(options: Options, cluster: Box<Cluster>, log: Log, stop: impl Future<Output = ()>) -> Result<()> {
    let descriptors = server::raise_descriptor_limit();
    let listener = bind(options.listen).await?;
    let gate = match options.gate {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let shared = Arc::new(Shared {
        cluster,
        log,
        namespace: options.namespace.clone(),
        coverage: options.coverage.clone(),
        cache: Cache::default(),
        metrics: Metrics::default(),
        gate: gate::Gate::default(),
        identity: Arc::default(),
        authorities: watch::Sender::default(),
        published: watch::Sender::default(),
        is_registered: AtomicBool::new(options.address.is_none()),
        repairs: repair::Repairs::default(),
        lookups: Lookups::new(REMEMBER),
        room: body::Room::default(),
        watches: Watches::default(),
        too_large_told: Mutex::default(),
        is_ending: AtomicBool::new(false),
        draining: watch::Sender::default(),
    });
    let mut tasks = JoinSet::new();
    begin_certificates(&shared, &mut tasks, &options).await?;
    let place = listener.local_addr().unwrap_or(options.listen);
    let mut listening = JoinSet::new();
    listening.spawn(server::listen(Arc::clone(&shared), Some(server::acceptor(&shared)?), listener, descriptors));
    if let Some(gate) = gate {
        listening.spawn(server::listen(Arc::clone(&shared), None, gate, descriptors));
    }
    shared.log.info("listening", &[("address", json!(place.to_string()))]);
    follow_all(&shared, &mut tasks, options.repairs);
    if let Some(address) = options.address.clone() {
        let shared = Arc::clone(&shared);
        spawn(&mut tasks, &Arc::clone(&shared), move || {
            let (shared, address) = (Arc::clone(&shared), address.clone());
            async move {
                shared.cache.synced().await;
                register::keep(shared, address).await
            }
        });
    }
    let result = tokio::select! {
        Some(ended) = tasks.join_next() => Err(ended.unwrap_or_else(|error| {
            Error::new(Kind::Bug, "a part of the process ended").caused_by(error.to_string())
        })),
        () = stop => Ok(()),
    };
    shared.log.info("ending", &[]);
    shared.is_ending.store(true, Relaxed);
    // The tasks end first, so that none restores the registration; requests are answered until no more arrive.
    tasks.shutdown().await;
    let (taken_away, patience) = match &options.address {
        Some(address @ Address::Url(_)) => (register::take_away(&shared, address).await, AFTER_REGISTRATION),
        Some(Address::Service(_)) | None => (Ok(()), AFTER_SERVICE),
    };
    if result.is_ok() {
        tokio::time::sleep(patience).await;
    }
    shared.draining.send_replace(true);
    tokio::time::sleep(DRAIN).await;
    listening.abort_all();
    result.and(taken_away)
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Error::usage(format!("cannot listen on {address}")).caused_by(error.to_string()))
}

/// Loads or generates the first certificate and starts the task that renews it.
async fn begin_certificates(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, options: &Options) -> Result<()> {
    let (names, life) = (options.names.clone(), options.life);
    match options.certificates.clone() {
        Certificates::Own => {
            term::begin(shared, &names, life)?;
            tasks.spawn(term::renew(Arc::clone(shared), names, life));
        }
        Certificates::Secret(secret) => {
            let terms = secret::CertificateSpec { secret, names, life };
            let kept = secret::begin(shared, &terms).await?;
            tasks.spawn(secret::keep(Arc::clone(shared), terms, kept));
        }
        Certificates::Folder(folder) => {
            let contents = term::read_folder(shared, &folder)?;
            let shared = Arc::clone(shared);
            tasks.spawn(async move { term::watch_folder(shared, &folder, contents).await });
        }
    }
    Ok(())
}

/// Runs a task and restarts it if it panics. Only the operation in progress is lost.
fn spawn<F: Future<Output = Error> + Send + 'static>(
    tasks: &mut JoinSet<Error>,
    shared: &Arc<Shared>,
    part: impl Fn() -> F + Send + 'static,
) {
    let shared = Arc::clone(shared);
    tasks.spawn(async move { keep_running(&shared.log, part).await });
}

async fn keep_running<F: Future<Output = Error>>(log: &Log, part: impl Fn() -> F) -> Error {
    loop {
        if let Ok(error) = AssertUnwindSafe(part()).catch_unwind().await {
            return error;
        }
        log.warning("a part of the guard panicked and starts again", &[("reason", json!(panicked()))]);
        tokio::time::sleep(AFTER_PANIC).await;
    }
}

/// Returns the message and location of the last panic.
fn panicked() -> String {
    let error = take_panic().unwrap_or_else(|| Error::new(Kind::Bug, "it panicked"));
    error.causes().iter().fold(error.message().to_owned(), |text, cause| format!("{text}: {cause}"))
}

/// Watches the Canaries and, once they are listed and if repairs are enabled, the TraefikServices.
fn follow_all(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, repairs: bool) {
    let mut canaries = collections::of_kind(ObjectKind::Canary, shared.namespace.as_deref(), &parts::CANARY);
    if let Some(selector) = shared.selector() {
        canaries = canaries.selected(&selector);
    }
    spawn(tasks, shared, {
        let shared = Arc::clone(shared);
        move || {
            let (shared, canaries) = (Arc::clone(&shared), canaries.clone());
            async move {
                let take = |event| {
                    let was_known = shared.cache.is_synced();
                    let taken = shared.cache.take(event);
                    if taken.refused.is_some() {
                        shared.too_large(canaries.resource(), taken.refused);
                    }
                    // At startup the TraefikServices are listed after the Canaries anyway.
                    if let Some(target) = taken.declared.filter(|_| was_known && repairs) {
                        repair::declared(&shared, &target);
                    }
                };
                follow(&shared, &canaries, Requirement::Required, take).await
            }
        }
    });
    if !repairs {
        return;
    }
    spawn(tasks, shared, {
        let shared = Arc::clone(shared);
        move || repair::repair(Arc::clone(&shared))
    });
    for group in Group::ALL {
        let kind = ObjectKind::TraefikService(group);
        let services = collections::of_kind(kind, shared.namespace.as_deref(), &parts::TRAEFIK_SERVICE);
        let need = if group == Group::TraefikIo { Requirement::Required } else { Requirement::Optional };
        let of = Arc::clone(shared);
        spawn(tasks, shared, move || {
            let (shared, services) = (Arc::clone(&of), services.clone());
            async move {
                shared.cache.synced().await;
                follow(&shared, &services, need, |event| repair::watch(&shared, group, event)).await
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_is_started_again_and_one_that_ends_is_not() {
        let (lines, written) = std::sync::mpsc::channel();
        let log = Log::new(LogFormat::Json, move |line| drop(lines.send(line.to_owned())));
        let runs = AtomicU32::new(0);
        let part = async || match runs.fetch_add(1, Relaxed) {
            0 => panic!("once"),
            _ => Error::cluster("it is over"),
        };
        let error = keep_running(&log, part).await;
        drop(log);
        let messages: Vec<_> = written
            .iter()
            .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()["message"].clone())
            .collect();
        assert_eq!((error.message(), runs.into_inner()), ("it is over", 2));
        assert_eq!(messages, [json!("a part of the guard panicked and starts again")]);
    }
}
