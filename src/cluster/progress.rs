//! How long waits and the request log reach the person. Decides when there is something to say, never how it
//! looks.

use std::{
    future::Future,
    pin::pin,
    time::{Duration, Instant},
};

/// Whoever shows that something takes its time, and the lines of `-v`.
pub trait Progress: Send + Sync {
    /// Still waiting for this, since so long. Called again every second.
    fn waiting(&self, what: &str, since: Duration);
    /// The wait is over.
    fn done(&self);
    /// The server warns of something.
    fn warning(&self, text: &str);
    /// One line of the request log. Never holds a token.
    fn log(&self, line: &str);
}

/// A wait shorter than this goes unmentioned.
const PATIENCE: Duration = Duration::from_millis(300);
const EVERY: Duration = Duration::from_secs(1);

/// Does the work, and tells what is waited for when it takes long.
pub(crate) async fn shown<T>(progress: &dyn Progress, what: &str, work: impl Future<Output = T>) -> T {
    let since = Instant::now();
    let mut work = pin!(work);
    if let Ok(result) = tokio::time::timeout(PATIENCE, work.as_mut()).await {
        return result;
    }
    let _done = Done(progress);
    loop {
        progress.waiting(what, since.elapsed());
        if let Ok(result) = tokio::time::timeout(EVERY, work.as_mut()).await {
            return result;
        }
    }
}

/// Says `done` also when the wait is given up.
struct Done<'a>(&'a dyn Progress);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done();
    }
}
