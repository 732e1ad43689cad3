//! The guard as a process: an API server asks it about each write of a TraefikService or a Canary, and it answers
//! what [`guard::decide`](crate::guard::decide()) and the grammar of the declaration say. It writes nothing but
//! repairs and its own registration.

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

use self::{
    cache::Cache,
    certificate::Identity,
    following::{Need, Watches, follow},
    lookups::Lookups,
    metrics::Metrics,
};
pub use self::{
    certificate::ends,
    log::{Log, LogFormat},
    secret::{INSTALLED, installed},
};
use crate::{
    cluster::{Cluster, Collection},
    error::{Error, Kind, Result, panic::noted_panic},
    guard::{Coverage, webhook::Address},
    model::{Canary, Target, name::Group, selector::Selector},
    plan::ObjectKind,
};

/// How the process is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it answers Flagger, without TLS; `None` is nowhere.
    pub gate: Option<SocketAddr>,
    /// Where API servers are told to ask; `None` when someone else registers it.
    pub address: Option<Address>,
    /// The host names and addresses that its own certificate is for.
    pub names: Vec<String>,
    /// Where its certificate is from.
    pub certificates: Certificates,
    /// How long its own certificates hold.
    pub life: Duration,
    /// The one namespace that is guarded; `None` is all of them.
    pub namespace: Option<String>,
    /// What is covered.
    pub coverage: Coverage,
    /// Whether losses are written back.
    pub repairs: bool,
}

/// Where a certificate is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificates {
    /// Made for this process alone.
    Own,
    /// Made once for all processes that use this Secret.
    Secret(Target),
    /// Kept in this folder by someone else.
    Folder(PathBuf),
}

/// What every part of the process sees.
struct Shared {
    cluster: Box<Cluster>,
    log: Log,
    namespace: Option<String>,
    coverage: Coverage,
    cache: Cache,
    metrics: Metrics,
    gate: gate::Gate,
    identity: Arc<Identity>,
    /// The authorities that registrations are to name, and those that they name.
    authorities: watch::Sender<String>,
    published: watch::Sender<String>,
    is_registered: AtomicBool,
    repairs: repair::Repairs,
    /// Canaries that the watch has not told of yet, or for which there was no room.
    lookups: Lookups<Option<Canary>>,
    /// For large bodies.
    room: body::Room,
    watches: Watches,
    /// What was said to be too large.
    too_large_told: Mutex<HashSet<String>>,
    /// Answers go on, and ask to be the last of their connection.
    is_ending: AtomicBool,
    /// Connections are closed.
    draining: watch::Sender<bool>,
}

impl Shared {
    /// Of the Canaries that are covered; `None` is all of them.
    fn selector(&self) -> Option<Selector> {
        self.coverage.selector.as_ref().and_then(Selector::from_object)
    }

    /// Counts an object that is not guarded since it is too large, or for want of room, and names it once.
    fn too_large(&self, resource: &str, target: Option<Target>) {
        self.metrics.too_large.fetch_add(1, Relaxed);
        let name = target.map_or_else(|| "<unknown>".to_owned(), |target| target.to_string());
        let mut told = self.too_large_told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        if told.insert(format!("{resource} {name}")) {
            let fields = [("resource", json!(resource)), ("name", json!(name))];
            self.log.warning("not guarded: too large, or no room", &fields);
        }
    }

    /// What has to be so for the process to be of use.
    fn checks(&self) -> [(&'static str, bool); 5] {
        [
            ("the Canaries are known", self.cache.is_synced()),
            ("the watches are fresh", self.watches.are_fresh()),
            ("the certificate holds", self.identity.is_valid()),
            ("the API server is told to ask", self.is_registered.load(Relaxed)),
            ("it is not ending", !self.is_ending.load(Relaxed)),
        ]
    }
}

/// How long what was found of a Canary is remembered. Whatever changes about one that is covered is told by the watch.
const REMEMBER: Duration = Duration::from_secs(2);
/// Before a part of the process that panicked is started again.
const AFTER_PANIC: Duration = Duration::from_millis(200);
/// How many names of objects that are too large are remembered, to name each once.
const MOST_TOLD: usize = 1024;

/// How long API servers may still ask after a registration was taken away.
const AFTER_REGISTRATION: Duration = Duration::from_secs(1);
/// How long they may still ask a process that someone else registered: until its address is taken from the Service.
const AFTER_SERVICE: Duration = Duration::from_secs(5);
/// How long the last answers may take.
const DRAIN: Duration = Duration::from_millis(500);

/// Runs the process until `stop`, or until it cannot go on.
///
/// # Errors
///
/// The address is taken, no certificate can be had, or the server does not let this user do what is needed.
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
    // Nothing must be left that would put the registration right again; answers go on until nobody asks.
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

/// Has a certificate to show, and keeps it good.
async fn begin_certificates(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, options: &Options) -> Result<()> {
    let (names, life) = (options.names.clone(), options.life);
    match options.certificates.clone() {
        Certificates::Own => {
            term::begin(shared, &names, life)?;
            tasks.spawn(term::renew(Arc::clone(shared), names, life));
        }
        Certificates::Secret(secret) => {
            let terms = secret::Terms { secret, names, life };
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

/// Runs a part of the process, and starts it again should it panic: what it was about to do is lost, and nothing else.
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

/// What the last panic said, and where it was.
fn panicked() -> String {
    let error = noted_panic().unwrap_or_else(|| Error::new(Kind::Bug, "it panicked"));
    error.causes().iter().fold(error.message().to_owned(), |text, cause| format!("{text}: {cause}"))
}

/// Follows the Canaries and, once they are known, for repairs the TraefikServices.
fn follow_all(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, repairs: bool) {
    let mut canaries = Collection::of(ObjectKind::Canary, shared.namespace.as_deref(), &parts::CANARY);
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
                    // At the beginning the list of the TraefikServices comes after this one anyway.
                    if let Some(target) = taken.declared.filter(|_| was_known && repairs) {
                        repair::declared(&shared, &target);
                    }
                };
                follow(&shared, &canaries, Need::Must, take).await
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
        let services = Collection::of(kind, shared.namespace.as_deref(), &parts::TRAEFIK_SERVICE);
        let need = if group == Group::TraefikIo { Need::Must } else { Need::May };
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
