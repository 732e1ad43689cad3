//! The completed repairs.

use std::{collections::HashMap, sync::Mutex};

use crate::{error::panic::lock, model::NamespacedName};

/// Number of settled TraefikServices at which all are forgotten. That costs at most one more attempt for each.
const MOST: usize = 20_000;

/// Repairs that are not repeated. For each TraefikService: the marks of the cookie with the resourceVersion that was
/// repaired and with the one that the repair produced. If the server does not store the cookie, it is not written again
/// and again.
#[derive(Default)]
pub(super) struct Settled(Mutex<HashMap<NamespacedName, [u64; 2]>>);

impl Settled {
    /// Returns whether this TraefikService has been repaired with this mark.
    pub(super) fn contains(&self, service: &NamespacedName, mark: u64) -> bool {
        lock(&self.0).get(service).is_some_and(|marks| marks.contains(&mark))
    }

    /// Records a repair with its marks.
    pub(super) fn insert(&self, service: NamespacedName, marks: [u64; 2]) {
        let mut all = lock(&self.0);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(service, marks);
    }
}
