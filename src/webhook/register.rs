//! The registration. A process outside the cluster writes both webhook configurations when it begins, keeps them right
//! when someone changes them, and takes them away when it ends. One behind a Service keeps their `caBundle` right.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    Shared,
    following::{self, Need},
};
use crate::{
    cluster::{Collection, Event, Failure},
    error::{Error, Result},
    guard::{
        Change,
        webhook::{Address, Callee, authorities, configurations, is_right},
    },
    plan::{Consent, decide},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Between two corrections, when someone else keeps changing what is corrected.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long an end waits for the server.
const PATIENCE: Duration = Duration::from_secs(5);

/// Registers the process, and keeps the registration right; returns only with the reason why that cannot go on.
pub(super) async fn keep(shared: Arc<Shared>, address: Address) -> Error {
    let changed = Arc::new(Notify::new());
    let begun = Notify::new();
    let wanted = configurations(&callee(&shared, &address));
    let follow = |object: &Value| {
        let (shared, changed, collection) = (Arc::clone(&shared), Arc::clone(&changed), Collection::only(object));
        async move {
            let told = |event| {
                if matches!(event, Event::Is(..) | Event::Was(_)) {
                    changed.notify_one();
                }
            };
            following::follow(&shared, &collection, Need::Must, told).await
        }
    };
    let follow_both = async {
        begun.notified().await;
        tokio::select! {
            error = follow(&wanted[0]) => error,
            error = follow(&wanted[1]) => error,
        }
    };
    tokio::select! {
        error = put_right(&shared, &address, &changed, &begun) => error,
        error = follow_both => error,
    }
}

async fn put_right(shared: &Shared, address: &Address, changed: &Notify, begun: &Notify) -> Error {
    let mut news = shared.authorities.subscribe();
    let mut pause = FIRST_PAUSE;
    // What was told last of why it cannot be done.
    let (mut told, mut ever): (Option<String>, bool) = (None, false);
    loop {
        let began = Instant::now();
        let callee = callee(shared, address);
        news.mark_unchanged();
        // One that was away may have just started, and refuse what it will allow.
        match write_all(shared, &callee, !ever && told.is_none()).await {
            Ok(written) => {
                if written > 0 {
                    let message = if ever { "registration put right" } else { "registered" };
                    shared.log.info(message, &[("configurations", json!(written))]);
                }
                (told, ever) = (None, true);
                begun.notify_one();
                shared.is_registered.store(true, Relaxed);
                shared.published.send_replace(callee.authorities);
            }
            Err(Wrong::Final(error)) => return error,
            Err(Wrong::Passing(reason)) => {
                shared.is_registered.store(false, Relaxed);
                if told.as_ref() != Some(&reason) {
                    shared.log.warning("cannot register, trying again", &[("reason", json!(reason))]);
                    told = Some(reason);
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        }
        // A quick correction of something that stood for a while; slower and slower in a quarrel.
        tokio::time::sleep(pause).await;
        tokio::select! {
            () = changed.notified() => {}
            _ = news.changed() => {}
        }
        pause = if began.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
    }
}

/// Why a registration did not come about.
enum Wrong {
    /// It never will.
    Final(Error),
    /// It may later.
    Passing(String),
}

/// Writes what is not right; how many that were.
async fn write_all(shared: &Shared, callee: &Callee, is_first: bool) -> std::result::Result<usize, Wrong> {
    let mut written = 0;
    let is_whole = matches!(callee.address, Address::Url(_));
    let mut callee = callee.clone();
    if is_whole {
        let has_conditions = shared.cluster.has_match_conditions().await;
        let wrong = |failure| Wrong::Passing(shared.cluster.version_error(failure).message().to_owned());
        callee.has_conditions = has_conditions.map_err(wrong)?;
    }
    let callee = &callee;
    for wanted in if is_whole { configurations(callee) } else { authorities(callee) } {
        let wrong = |failure: Failure| {
            // A server that has just started refuses what it will allow once it has read its own roles.
            let is_final = failure.is_denied() && is_first || failure.is_invalid();
            let error = shared.cluster.guard_error(failure, &wanted);
            if is_final { Wrong::Final(error) } else { Wrong::Passing(error.message().to_owned()) }
        };
        let before = shared.cluster.find_guard(&wanted).await.map_err(wrong)?;
        if before.as_ref().is_some_and(|before| is_right(&wanted, before)) {
            continue;
        }
        if !is_whole {
            if before.is_none() {
                return Err(Wrong::Passing("nothing tells the API server to ask: the guard is not installed".into()));
            }
            shared.cluster.write_authorities(&wanted).await.map_err(wrong)?;
            written += 1;
            continue;
        }
        let change = Change { wanted: wanted.clone(), before };
        change.must_be_ours().map_err(Wrong::Final)?;
        for confirmed in decide(vec![change], Consent::Flag).map_err(Wrong::Final)? {
            shared.cluster.write_guard(&confirmed, true).await.map_err(wrong)?;
        }
        written += 1;
    }
    Ok(written)
}

/// Takes the registration away, unless another process has put its own address there.
pub(super) async fn take_away(shared: &Shared, address: &Address) -> Result<()> {
    let work = async {
        for wanted in configurations(&callee(shared, address)) {
            loop {
                let Ok(Some(before)) = shared.cluster.find_guard(&wanted).await else { break };
                let place = |object: &Value| object.pointer("/webhooks/0/clientConfig/url").cloned();
                let change = Change { before: Some(before), wanted: wanted.clone() };
                if change.before.as_ref().and_then(place) != place(&wanted) || change.must_be_ours().is_err() {
                    break;
                }
                let Some(confirmed) = decide(vec![change], Consent::Flag)?.pop() else { break };
                match shared.cluster.delete_guard(&confirmed).await {
                    Ok(()) => break,
                    // It changed under us: look again.
                    Err(failure) if failure.is_conflict() => {}
                    Err(failure) => return Err(shared.cluster.guard_error(failure, &wanted)),
                }
            }
        }
        Ok(())
    };
    let late = || Error::cluster("the registration could not be taken away in time");
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

fn callee(shared: &Shared, address: &Address) -> Callee {
    Callee {
        address: address.clone(),
        authorities: shared.authorities.borrow().clone(),
        coverage: shared.coverage.clone(),
        has_conditions: true,
    }
}
