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
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// At most.
    pub(super) all: usize,
    /// Of one namespace, which then cannot keep the others waiting.
    pub(super) of_a_namespace: usize,
}

impl Places {
    /// For lookups that take no longer than one answer of the API server.
    pub(super) const FEW: Self = Self { all: 4, of_a_namespace: 4 };
    /// For lookups that open pages.
    pub(super) const PAGES: Self = Self { all: 16, of_a_namespace: 4 };
}

/// Number of cached names.
const MOST_NAMES: usize = 4096;

/// A cached result with the start time of its lookup.
type Found<T> = Arc<AsyncMutex<Option<(Instant, T)>>>;

/// Lookups of one kind of object.
#[derive(Debug)]
pub(super) struct Lookups<T> {
    places: Semaphore,
    of_a_namespace: usize,
    /// Places of the namespaces for which something is looked up.
    namespaces: Mutex<HashMap<Option<String>, Arc<Semaphore>>>,
    found: Mutex<HashMap<NamespacedName, Found<T>>>,
    remember: Duration,
}

impl<T: Clone> Lookups<T> {
    /// Creates an empty cache whose results are valid for `remember`.
    pub(super) fn new(places: Places, remember: Duration) -> Self {
        Self {
            places: Semaphore::new(places.all),
            of_a_namespace: places.of_a_namespace,
            namespaces: Mutex::default(),
            found: Mutex::default(),
            remember,
        }
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
        // The semaphores are never closed.
        let namespace = self.places_of(target.namespace.as_ref());
        let _place_of_namespace = namespace.acquire().await;
        let _place = self.places.acquire().await;
        let began = Instant::now();
        let value = look.await;
        *found = Some((began, value.clone()));
        value
    }

    /// Returns the places of a namespace; those that nobody uses are forgotten.
    fn places_of(&self, namespace: Option<&String>) -> Arc<Semaphore> {
        let mut all = lock(&self.namespaces);
        all.retain(|_, places| Arc::strong_count(places) > 1);
        let places = all.entry(namespace.cloned()).or_insert_with(|| Arc::new(Semaphore::new(self.of_a_namespace)));
        Arc::clone(places)
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

    const PLACES: Places = Places { all: 4, of_a_namespace: 2 };

    /// The odd ones are of another namespace.
    fn target(name: usize) -> NamespacedName {
        NamespacedName { namespace: Some(format!("web{}", name % 2)), name: format!("n{name}") }
    }

    /// Returns the total and the maximum concurrent number of lookups for 100 callers asking for these names.
    async fn asked(lookups: &Lookups<usize>, names: &[usize]) -> (usize, usize) {
        let (all, now, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let ask = async |asker: usize| {
            let name = names[asker % names.len()];
            let look = async {
                all.fetch_add(1, SeqCst);
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, SeqCst);
                name
            };
            assert_eq!(lookups.get(&target(name), look).await, name);
        };
        join_all((0..100).map(ask)).await;
        (all.into_inner(), most.into_inner())
    }

    #[tokio::test]
    async fn few_are_looked_up_at_a_time_and_each_name_once() {
        let lookups = Lookups::new(PLACES, Duration::from_hours(1));
        let names: Vec<_> = (0..10).collect();
        assert_eq!(asked(&lookups, &names).await, (10, PLACES.all));
        assert_eq!(asked(&lookups, &names).await, (0, 0));
        // All callers asked before the second lookup begins.
        assert_eq!(asked(&Lookups::new(PLACES, Duration::ZERO), &[1]).await, (2, 1));
    }

    #[tokio::test]
    async fn one_namespace_leaves_places_to_the_others() {
        let lookups = Lookups::new(PLACES, Duration::from_hours(1));
        assert_eq!(asked(&lookups, &[0, 2, 4, 6, 8]).await, (5, PLACES.of_a_namespace));
        lookups.get(&target(0), async { 0 }).await;
        assert_eq!(lookups.namespaces.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn names_without_number_are_looked_up_and_not_all_remembered() {
        let lookups = Lookups::new(PLACES, Duration::from_hours(1));
        for name in 0..MOST_NAMES + 10 {
            lookups.get(&target(name), async { name }).await;
        }
        assert_eq!(lookups.found.lock().unwrap().len(), MOST_NAMES);
    }
}
