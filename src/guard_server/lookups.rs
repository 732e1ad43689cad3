//! Lookups of objects by name on behalf of clients: limited concurrency, one at a time per name, results cached for a
//! while. No client of the port can overload the API server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use crate::{error::panic::lock, model::NamespacedName};

/// Number of concurrent lookups.
const PLACES: usize = 4;
/// Number of cached names.
const MOST_NAMES: usize = 4096;

/// A cached result with the start time of its lookup.
type Found<T> = Arc<AsyncMutex<Option<(Instant, T)>>>;

/// Lookups of one kind of object.
#[derive(Debug)]
pub(super) struct Lookups<T> {
    places: Semaphore,
    found: Mutex<HashMap<NamespacedName, Found<T>>>,
    remember: Duration,
}

impl<T: Clone> Lookups<T> {
    /// Creates an empty cache whose results are valid for `remember`.
    pub(super) fn new(remember: Duration) -> Self {
        Self { places: Semaphore::new(PLACES), found: Mutex::default(), remember }
    }

    /// Returns the cached result for this name, or that of `look`. Concurrent callers share one lookup that began after
    /// they asked.
    pub(super) async fn get(&self, target: &NamespacedName, look: impl Future<Output = T>) -> T {
        let asked = Instant::now();
        let found = self.of(target);
        let mut found = found.lock().await;
        if let Some((began, value)) = &*found
            && (*began >= asked || began.elapsed() < self.remember)
        {
            return value.clone();
        }
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let began = Instant::now();
        let value = look.await;
        *found = Some((began, value.clone()));
        value
    }

    fn of(&self, target: &NamespacedName) -> Found<T> {
        let mut all = lock(&self.found);
        if all.len() >= MOST_NAMES {
            let is_of_use = |found: &Found<T>| {
                // A running lookup holds the lock.
                found
                    .try_lock()
                    .map_or(true, |found| found.as_ref().is_some_and(|(at, _)| at.elapsed() < self.remember))
            };
            all.retain(|_, found| is_of_use(found));
            if all.len() >= MOST_NAMES {
                return Found::default();
            }
        }
        Arc::clone(all.entry(target.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use futures_util::future::join_all;

    use super::*;

    fn target(name: usize) -> NamespacedName {
        NamespacedName { namespace: Some("web".into()), name: format!("n{name}") }
    }

    /// Returns the total and the maximum concurrent number of lookups for 100 callers asking for `names` names.
    async fn asked(lookups: &Lookups<usize>, names: usize) -> (usize, usize) {
        let (all, now, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let ask = async |asker: usize| {
            let look = async {
                all.fetch_add(1, SeqCst);
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, SeqCst);
                asker % names
            };
            assert_eq!(lookups.get(&target(asker % names), look).await, asker % names);
        };
        join_all((0..100).map(ask)).await;
        (all.into_inner(), most.into_inner())
    }

    #[tokio::test]
    async fn few_are_looked_up_at_a_time_and_each_name_once() {
        let lookups = Lookups::new(Duration::from_hours(1));
        assert_eq!(asked(&lookups, 10).await, (10, PLACES));
        assert_eq!(asked(&lookups, 10).await, (0, 0));
        // All callers asked before the second lookup begins.
        assert_eq!(asked(&Lookups::new(Duration::ZERO), 1).await, (2, 1));
    }

    #[tokio::test]
    async fn names_without_number_are_looked_up_and_not_all_remembered() {
        let lookups = Lookups::new(Duration::from_hours(1));
        for name in 0..MOST_NAMES + 10 {
            lookups.get(&target(name), async { name }).await;
        }
        assert_eq!(lookups.found.lock().unwrap().len(), MOST_NAMES);
    }
}
