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
mod metrics;
mod register;
mod repair;
mod review;
mod secret;
mod server;
mod term;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

pub use self::log::{Log, LogFormat};
use self::{
    cache::Cache,
    certificate::Identity,
    following::{Need, follow},
    metrics::Metrics,
};
use crate::{
    cluster::{Cluster, Collection},
    error::{Error, Kind, Result},
    guard::{Coverage, webhook::Address},
    model::{Target, name::Group, selector::Selector},
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
    /// Places for large bodies.
    large: Semaphore,
    /// Places for objects that wait to be repaired.
    objects: Arc<Semaphore>,
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

    /// What has to be so for the process to be of use.
    fn checks(&self) -> [(&'static str, bool); 4] {
        [
            ("the Canaries are known", self.cache.is_synced()),
            ("the certificate holds", self.identity.is_valid()),
            ("the API server is told to ask", self.is_registered.load(Relaxed)),
            ("it is not ending", !self.is_ending.load(Relaxed)),
        ]
    }
}

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
        large: Semaphore::new(body::LARGE_BODIES),
        objects: Arc::new(Semaphore::new(repair::MOST_OBJECTS)),
        is_ending: AtomicBool::new(false),
        draining: watch::Sender::default(),
    });
    let mut tasks = JoinSet::new();
    begin_certificates(&shared, &mut tasks, &options).await?;
    let place = listener.local_addr().unwrap_or(options.listen);
    let mut listening = JoinSet::new();
    listening.spawn(server::listen(Arc::clone(&shared), Some(server::acceptor(&shared)?), listener));
    if let Some(gate) = gate {
        listening.spawn(server::listen(Arc::clone(&shared), None, gate));
    }
    shared.log.info("listening", &[("address", json!(place.to_string()))]);
    follow_all(&shared, &mut tasks, options.repairs);
    if let Some(address) = options.address.clone() {
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            shared.cache.synced().await;
            register::keep(shared, address).await
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

/// Follows the Canaries and, once they are known, for repairs the TraefikServices.
fn follow_all(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, repairs: bool) {
    let (losses, queue) = mpsc::unbounded_channel();
    let mut canaries = Collection::of(ObjectKind::Canary, shared.namespace.as_deref());
    if let Some(selector) = shared.selector() {
        canaries = canaries.selected(&selector);
    }
    tasks.spawn({
        let (shared, losses) = (Arc::clone(shared), losses.clone());
        async move {
            let take = |event| {
                let was_known = shared.cache.is_synced();
                // At the beginning the list of the TraefikServices comes after this one anyway.
                if let Some(target) = shared.cache.take(event).filter(|_| was_known && repairs) {
                    repair::declared(&target, &losses);
                }
            };
            follow(&shared, &canaries, Need::Must, take).await
        }
    });
    if !repairs {
        return;
    }
    tasks.spawn(repair::repair(Arc::clone(shared), losses.clone(), queue));
    for group in Group::ALL {
        let services = Collection::of(ObjectKind::TraefikService(group), shared.namespace.as_deref());
        let need = if group == Group::TraefikIo { Need::Must } else { Need::May };
        let (shared, losses) = (Arc::clone(shared), losses.clone());
        tasks.spawn(async move {
            shared.cache.synced().await;
            follow(&shared, &services, need, |event| repair::watch(&shared, group, event, &losses)).await
        });
    }
}
