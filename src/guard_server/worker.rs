//! Works off a queue of repairs: several at a time, each with a timeout, and with a verdict about each failure.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::task::{Id, JoinSet};

use crate::{
    apiserver::{Action, Failure, Verb},
    error::{Error, panic::lock},
    guard_server::{
        entries,
        queue::{Outcome, PendingRepair},
        repair,
        repairs::Repairs,
        restart::panicked,
        shared::Shared,
        trouble::{Failed, FailureState},
    },
    model::ObjectRef,
};

/// Timeout of one repair. Another webhook may take 30 s (`timeoutSeconds`) before the API server goes on.
const LONGEST_REPAIR: Duration = Duration::from_secs(35);
/// How long the result of an access review of this process is cached.
const PERMISSIONS_FOR: Duration = Duration::from_secs(5);

/// What a queue repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Cookies of TraefikServices.
    Cookies,
    /// Objects of entries.
    Entries,
}

impl Work {
    fn repairs(self, shared: &Shared) -> &Repairs {
        match self {
            Self::Cookies => &shared.repairs,
            Self::Entries => &shared.entries.repairs,
        }
    }

    async fn repair(self, shared: &Shared, key: &ObjectRef, lost: &PendingRepair) -> std::result::Result<(), Failed> {
        match self {
            Self::Cookies => repair::one(shared, key, lost).await,
            Self::Entries => entries::one(shared, key).await,
        }
    }
}

/// Works off the queue; returns only the error that ends this for good.
pub(super) async fn work_off(shared: Arc<Shared>, what: Work) -> Error {
    let repairs = what.repairs(&shared);
    let mut work: JoinSet<std::result::Result<(), Failed>> = JoinSet::new();
    let mut under_way: HashMap<Id, (ObjectRef, PendingRepair, Instant)> = HashMap::new();
    let mut troubles = FailureState::default();
    repairs.queue().requeue_running(Instant::now());
    loop {
        let next_time = {
            let mut queue = repairs.queue();
            while let Some((key, lost)) = queue.next(Instant::now()) {
                let task = work.spawn({
                    let (shared, key, lost) = (Arc::clone(&shared), key.clone(), lost.clone());
                    async move { attempt(&shared, what, &key, &lost).await }
                });
                under_way.insert(task.id(), (key, lost, Instant::now()));
            }
            queue.next_time()
        };
        let later = async {
            match next_time {
                Some(time) => tokio::time::sleep_until(time.into()).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            Some(ended) = work.join_next_with_id() => ended,
            () = repairs.news.notified() => continue,
            () = later => continue,
        };
        let (id, result) = match ended {
            Ok((id, result)) => (id, Ok(result)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some((key, lost, began)) = under_way.remove(&id) else { continue };
        let ended = if let Ok(result) = result {
            match troubles.classify(&shared.log, &key, &lost, result) {
                Ok(ended) => ended,
                Err(error) => return error,
            }
        } else {
            // A bug, triggered by this object.
            let fields = [("name", json!(key.target.to_string())), ("reason", json!(panicked()))];
            shared.log.warning("repair panicked", &fields);
            Outcome::Refused
        };
        repairs.queue().done(key, lost, ended, began.elapsed(), Instant::now());
    }
}

/// Attempts one repair, with a timeout.
async fn attempt(
    shared: &Shared,
    what: Work,
    key: &ObjectRef,
    lost: &PendingRepair,
) -> std::result::Result<(), Failed> {
    let late = || Failure::Other(Error::cluster(format!("no answer within {} s", LONGEST_REPAIR.as_secs())));
    let result = tokio::time::timeout(LONGEST_REPAIR, what.repair(shared, key, lost)).await;
    let mut failed = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(failed)) => failed,
        Err(_) => Failed::of(Verb::Patch, key)(late()),
    };
    // Other policies and webhooks also answer 403 for a single object, so ask the API server about the permission itself.
    failed.lacks_right = failed.failure.is_denied() && !has_right(shared, what.repairs(shared), &failed).await;
    Err(failed)
}

/// Returns whether this process has permission for the refused call. If that cannot be determined, it is assumed to have
/// it.
async fn has_right(shared: &Shared, repairs: &Repairs, failed: &Failed) -> bool {
    if failed.failure.is_unauthorized() {
        return false;
    }
    let ObjectRef { kind, target } = &*failed.object;
    let question = (*kind, failed.verb.as_str());
    let known = lock(&repairs.permissions).get(&question).copied();
    if let Some((when, has)) = known
        && when.elapsed() < PERMISSIONS_FOR
    {
        return has;
    }
    let action = Action {
        group: kind.group(),
        resource: kind.plural(),
        verb: failed.verb.as_str(),
        name: &target.name,
        namespace: target.namespace.as_deref(),
    };
    let asking = tokio::time::timeout(PERMISSIONS_FOR, shared.cluster.api().may(action));
    let has = asking.await.ok().and_then(std::result::Result::ok).unwrap_or(true);
    lock(&repairs.permissions).insert(question, (Instant::now(), has));
    has
}
