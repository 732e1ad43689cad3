//! Waiting repairs, and what is known of the permissions that they need.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use tokio::sync::Notify;

use crate::{
    error::panic::lock,
    guard_server::queue::{PendingRepair, Queue},
    model::{ObjectKind, ObjectRef},
};

/// Time and result of the last access review for each kind of object and verb.
type Permissions = HashMap<(ObjectKind, &'static str), (Instant, bool)>;

/// A queue of repairs.
#[derive(Default)]
pub(super) struct Repairs {
    queue: Mutex<Queue>,
    pub(super) news: Notify,
    pub(super) permissions: Mutex<Permissions>,
}

impl Repairs {
    /// Adds a possible need for repair.
    pub(super) fn put(&self, key: ObjectRef, lost: PendingRepair) {
        self.queue().put(key, lost);
        self.news.notify_one();
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}
