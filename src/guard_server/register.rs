//! The registration. A server outside the cluster creates both webhook configurations at startup, restores them when
//! someone changes them, and deletes them at shutdown. A server behind a Service maintains only their `caBundle`.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    apiserver::{Failure, backoff::Backoff},
    cluster::collections,
    error::{Error, Result},
    guard::{
        Change,
        webhook::{Address, WebhookEndpoint, authorities, configurations, is_right},
    },
    guard_server::{following::notify, shared::Shared},
    plan::decide,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Maximum interval between corrections while another writer keeps changing the configurations.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Timeout for removing the registration at shutdown.
const PATIENCE: Duration = Duration::from_secs(5);

/// Registers the webhook and maintains the registration; returns only the error that ends this for good.
pub(super) async fn keep(shared: Arc<Shared>, address: Address) -> Error {
    let (changed, begun) = (Notify::new(), Notify::new());
    let [first, second] = configurations(&callee(&shared, &address)).map(|object| collections::guard_object(&object));
    let follow_both = async {
        begun.notified().await;
        tokio::select! {
            error = notify(&shared, &first, &changed) => error,
            error = notify(&shared, &second, &changed) => error,
        }
    };
    tokio::select! {
        error = maintain_registration(&shared, &address, &changed, &begun) => error,
        error = follow_both => error,
    }
}

async fn maintain_registration(shared: &Shared, address: &Address, changed: &Notify, begun: &Notify) -> Error {
    let mut news = shared.registration.authorities.subscribe();
    let mut pause = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    // The last error logged, and whether a registration has ever succeeded.
    let (mut last_error, mut was_registered): (Option<String>, bool) = (None, false);
    loop {
        let began = Instant::now();
        let mut callee = callee(shared, address);
        news.mark_unchanged();
        // A server that was unreachable may have just started, and deny requests that it allows later.
        match write_all(shared, &mut callee, !was_registered && last_error.is_none()).await {
            Ok(written) => {
                if written > 0 {
                    let message = if was_registered { "registration restored" } else { "registered" };
                    shared.log.info(message, &[("configurations", json!(written))]);
                }
                (last_error, was_registered) = (None, true);
                begun.notify_one();
                shared.registration.is_registered.store(true, Relaxed);
                shared.registration.has_published(callee.authorities);
            }
            Err(RegistrationError::Permanent(error)) => return error,
            Err(RegistrationError::Transient(reason)) => {
                shared.registration.is_registered.store(false, Relaxed);
                if last_error.as_ref() != Some(&reason) {
                    shared.log.warning("registration failed, retrying", &[("reason", json!(reason))]);
                    last_error = Some(reason);
                }
                pause.wait().await;
                continue;
            }
        }
        // The first correction is quick. If another writer keeps changing the configurations, the pause grows.
        pause.wait().await;
        tokio::select! {
            () = changed.notified() => {}
            _ = news.changed() => {}
        }
        if began.elapsed() > LONGEST_PAUSE {
            pause.reset();
        }
    }
}

/// The reason for a failed registration.
enum RegistrationError {
    /// A permanent failure.
    Permanent(Error),
    /// A failure worth retrying.
    Transient(String),
}

/// Writes the configurations that differ and returns their number.
async fn write_all(
    shared: &Shared,
    callee: &mut WebhookEndpoint,
    is_first: bool,
) -> std::result::Result<usize, RegistrationError> {
    let mut written = 0;
    let is_whole = matches!(callee.address, Address::Url(_));
    if is_whole {
        let has_conditions = shared.cluster.has_match_conditions().await;
        let wrong = |failure: Failure| RegistrationError::Transient(failure.into_message());
        callee.has_conditions = has_conditions.map_err(wrong)?;
    }
    let wrong = |failure: Failure| {
        // An API server that has just started denies requests until it has read its RBAC.
        let is_final = failure.is_denied() && is_first || failure.is_invalid();
        let error = Error::from(failure);
        if is_final {
            RegistrationError::Permanent(error)
        } else {
            RegistrationError::Transient(error.message().to_owned())
        }
    };
    for wanted in if is_whole { configurations(callee) } else { authorities(callee) } {
        let before = shared.cluster.find_guard(&wanted).await.map_err(wrong)?;
        if before.as_ref().is_some_and(|before| is_right(&wanted.value, before)) {
            continue;
        }
        if is_whole {
            let change = Change { wanted, before };
            change.must_be_ours().map_err(RegistrationError::Permanent)?;
            for confirmed in decide(vec![change], Some(true)).map_err(RegistrationError::Permanent)? {
                shared.cluster.write_guard(&confirmed, true).await.map_err(wrong)?;
            }
        } else if before.is_some() {
            shared.cluster.write_authorities(&wanted).await.map_err(wrong)?;
        } else {
            let reason = "the webhook is not registered: the guard is not installed";
            return Err(RegistrationError::Transient(reason.into()));
        }
        written += 1;
    }
    Ok(written)
}

/// Deletes the registration, unless another process has put its own address there.
pub(super) async fn take_away(shared: &Shared, address: &Address) -> Result<()> {
    let work = async {
        for wanted in configurations(&callee(shared, address)) {
            loop {
                let Ok(Some(before)) = shared.cluster.find_guard(&wanted).await else { break };
                let place = |object: &Value| object.pointer("/webhooks/0/clientConfig/url").cloned();
                let change = Change { before: Some(before), wanted: wanted.clone() };
                if change.before.as_ref().and_then(place) != place(&wanted.value) || change.must_be_ours().is_err() {
                    break;
                }
                let Some(confirmed) = decide(vec![change], Some(true))?.pop() else { break };
                match shared.cluster.delete_guard(&confirmed).await {
                    Ok(()) => break,
                    // It was changed concurrently: read it again.
                    Err(failure) if failure.is_conflict() => {}
                    Err(failure) => return Err(Error::from(failure)),
                }
            }
        }
        Ok(())
    };
    let late = || Error::cluster("the registration was not removed in time");
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

fn callee(shared: &Shared, address: &Address) -> WebhookEndpoint {
    WebhookEndpoint {
        address: address.clone(),
        authorities: shared.registration.authorities.borrow().clone(),
        coverage: shared.scope.coverage.clone(),
        has_conditions: true,
    }
}
