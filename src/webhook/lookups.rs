//! Objects looked up by name since somebody on the network asks about them: few at a time, one for each name, and for a
//! while what was found is remembered. Nobody who can reach the port can make this process burden the API server.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use crate::model::Target;

/// How many are looked up at a time.
const PLACES: usize = 4;
/// How many names are remembered.
const MOST_NAMES: usize = 4096;

/// What was found, and since when it was looked for.
type Found<T> = Arc<AsyncMutex<Option<(Instant, T)>>>;

/// Look-ups of one kind.
#[derive(Debug)]
pub(super) struct Lookups<T> {
    places: Semaphore,
    found: Mutex<HashMap<Target, Found<T>>>,
    remember: Duration,
}

impl<T: Clone> Lookups<T> {
    /// None so far; what will be found is remembered for so long.
    pub(super) fn new(remember: Duration) -> Self {
        Self { places: Semaphore::new(PLACES), found: Mutex::default(), remember }
    }

    /// What is known of this name, or else what `look` finds. Whoever asks while others look for the same waits for one
    /// look that began later, together with everybody else who does.
    pub(super) async fn get(&self, target: &Target, look: impl Future<Output = T>) -> T {
        let asked = Instant::now();
        let found = self.of(target);
        let mut found = found.lock().await;
        if let Some((began, value)) = &*found
            && (*began >= asked || began.elapsed() < self.remember)
        {
            return value.clone();
        }
        // It is never closed.
        let _place = self.places.acquire().await;
        let began = Instant::now();
        let value = look.await;
        *found = Some((began, value.clone()));
        value
    }

    fn of(&self, target: &Target) -> Found<T> {
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_NAMES {
            let is_of_use = |found: &Found<T>| {
                // Whoever is looked up now has the lock.
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

    fn target(name: usize) -> Target {
        Target { namespace: Some("web".into()), name: format!("n{name}") }
    }

    /// How many looks 100 askers of so many names cost, and how many there were at a time.
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
        // All have asked before the second look begins.
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
