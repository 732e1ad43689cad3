//! The guard as a server: API servers call it for each write to a TraefikService or Canary
//! ([`guard::decide`](crate::guard::decide()), [`guard::refusal`](crate::guard::refusal)), Flagger for its webhooks
//! ([`guard::gate`](crate::guard::gate), [`verify`](crate::verify)). It writes only repairs, the objects of entries, its
//! certificates and its registration.

mod answer;
mod asked;
mod body;
mod cache;
mod certificate;
mod entries;
mod entry_state;
mod following;
mod gate;
mod log;
mod lookups;
mod metrics;
mod parts;
mod queue;
mod register;
mod repair;
mod repairs;
mod restart;
mod review;
mod routes;
mod secret;
mod server;
mod shared;
mod term;
mod trouble;
mod verdicts;
mod verifier;
mod watches;
mod worker;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

pub(crate) use crate::guard_server::{
    certificate::ends,
    log::{Log, LogFormat},
    secret::{INSTALLED, installed},
};
use crate::{
    cluster::{Cluster, collections},
    error::{Error, Kind, Result},
    guard::{Coverage, webhook::Address},
    guard_server::{
        following::{Requirement, follow},
        restart::spawn,
        shared::Shared,
        worker::{Work, work_off},
    },
    model::{NamespacedName, ObjectKind, name::Group},
    web::TraefikAddress,
};

/// Options of the webhook server.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Address of the TLS listener.
    pub listen: SocketAddr,
    /// Address for Flagger's webhooks and health, without TLS; `None` disables it.
    pub gate: Option<SocketAddr>,
    /// Where Traefik is reached for `/verify/sticky`.
    pub traefik: TraefikAddress,
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
    /// Whether to update the objects of entries when routes change.
    pub entries: bool,
}

/// The source of the serving certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Certificates {
    /// Generated, for this process only.
    Own,
    /// Generated and shared through this Secret.
    Secret(NamespacedName),
    /// Files in this folder, maintained by something else.
    Folder(PathBuf),
}

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
/// The address is in use, no certificate is available, or the user lacks a necessary permission.
pub(crate) async fn run(
    options: Options,
    cluster: Box<Cluster>,
    log: Log,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let descriptors = server::raise_descriptor_limit();
    let listener = bind(options.listen).await?;
    let gate = match options.gate {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let shared = Arc::new(Shared::new(&options, cluster, log));
    let mut tasks = JoinSet::new();
    begin_certificates(&shared, &mut tasks, &options).await?;
    let place = listener.local_addr().unwrap_or(options.listen);
    let mut listening = JoinSet::new();
    listening.spawn(server::listen(Arc::clone(&shared), Some(server::acceptor(&shared)?), listener, descriptors));
    if let Some(gate) = gate {
        listening.spawn(server::listen(Arc::clone(&shared), None, gate, descriptors));
    }
    shared.log.info("listening", &[("address", json!(place.to_string()))]);
    begin(&shared, &mut tasks, &options);
    let result = tokio::select! {
        Some(ended) = tasks.join_next() => Err(ended.unwrap_or_else(|error| {
            Error::new(Kind::Bug, "a part of the process ended").caused_by(error.to_string())
        })),
        () = stop => Ok(()),
    };
    shared.log.info("ending", &[]);
    shared.shutdown.is_ending.store(true, Relaxed);
    // The tasks end first, so that none restores the registration; requests are answered until no more arrive.
    tasks.shutdown().await;
    let (taken_away, patience) = match &options.address {
        Some(address @ Address::Url(_)) => (register::take_away(&shared, address).await, AFTER_REGISTRATION),
        Some(Address::Service(_)) | None => (Ok(()), AFTER_SERVICE),
    };
    if result.is_ok() {
        tokio::time::sleep(patience).await;
    }
    shared.shutdown.draining.send_replace(true);
    tokio::time::sleep(DRAIN).await;
    listening.abort_all();
    result.and(taken_away)
}

/// Starts what goes on beside the answers: watches, repairs, entries, the registration.
fn begin(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, options: &Options) {
    follow_all(shared, tasks, options.repairs);
    if options.entries {
        keep_entries(shared, tasks);
    }
    if let Some(address) = options.address.clone() {
        spawn(tasks, shared, move |shared| {
            let address = address.clone();
            async move {
                shared.known.cache.synced().await;
                register::keep(shared, address).await
            }
        });
    }
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
            spawn(tasks, shared, move |shared| term::renew(shared, names.clone(), life));
        }
        Certificates::Secret(secret) => {
            let terms = secret::CertificateSpec { secret, names, life };
            let kept = secret::begin(shared, &terms).await?;
            spawn(tasks, shared, move |shared| secret::keep(shared, terms.clone(), kept.clone()));
        }
        Certificates::Folder(folder) => {
            let contents = term::read_folder(shared, &folder)?;
            spawn(tasks, shared, move |shared| term::watch_folder(shared, folder.clone(), contents.clone()));
        }
    }
    Ok(())
}

/// Watches the Canaries and, once they are listed and if repairs are enabled, the TraefikServices.
fn follow_all(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>, repairs: bool) {
    let mut canaries = collections::of_kind(ObjectKind::Canary, shared.scope.namespace.as_deref(), &parts::CANARY);
    if let Some(selector) = shared.scope.selector() {
        canaries = canaries.selected(&selector.to_string());
    }
    spawn(tasks, shared, move |shared| {
        let canaries = canaries.clone();
        async move {
            let take = |event| {
                let was_known = shared.known.cache.is_synced();
                let taken = shared.known.cache.take(event);
                if taken.refused.is_some() {
                    shared.too_large(canaries.resource(), taken.refused);
                }
                if let Some(service) = &taken.entry {
                    shared.entries.service_changed(service);
                }
                // At startup the TraefikServices are listed after the Canaries anyway.
                if let Some(target) = taken.declared.filter(|_| was_known && repairs) {
                    repair::declared(&shared, &target);
                }
            };
            follow(&shared, &canaries, Requirement::Required, take).await
        }
    });
    if !repairs {
        return;
    }
    spawn(tasks, shared, |shared| work_off(shared, Work::Cookies));
    for group in Group::ALL {
        let kind = ObjectKind::TraefikService(group);
        let services = collections::of_kind(kind, shared.scope.namespace.as_deref(), &parts::TRAEFIK_SERVICE);
        let need = if group == Group::TraefikIo { Requirement::Required } else { Requirement::Optional };
        spawn(tasks, shared, move |shared| {
            let services = services.clone();
            async move {
                shared.known.cache.synced().await;
                follow(&shared, &services, need, |event| repair::watch(&shared, group, event)).await
            }
        });
    }
}

/// Watches what entries depend on, and updates their objects.
fn keep_entries(shared: &Arc<Shared>, tasks: &mut JoinSet<Error>) {
    entries::follow_routes(shared, tasks);
    spawn(tasks, shared, entries::compare_all);
    spawn(tasks, shared, |shared| work_off(shared, Work::Entries));
}
