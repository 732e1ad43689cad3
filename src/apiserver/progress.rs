//! Reporting of long waits and of the request log. Decides what to report and when, but not how it looks.

use std::{
    future::Future,
    pin::pin,
    time::{Duration, Instant},
};

/// A display for long waits, warnings and the lines of `-v`.
pub trait Progress: Send + Sync {
    /// Reports that `what` is still being waited for. Called again every second.
    fn waiting(&self, what: &str, since: Duration);
    /// Reports the end of the wait.
    fn done(&self);
    /// Reports a warning from the server.
    fn warning(&self, text: &str);
    /// Logs one line of the request log, which never contains a token.
    fn log(&self, line: &str);
    /// Returns whether a credential plugin may ask the user.
    fn has_terminal(&self) -> bool {
        false
    }
}

/// No display: nothing is shown, and nothing asked.
pub(crate) struct Silent;

impl Progress for Silent {
    fn waiting(&self, _: &str, _: Duration) {}
    fn done(&self) {}
    fn warning(&self, _: &str) {}
    fn log(&self, _: &str) {}
}

/// Waits shorter than this are not reported.
const PATIENCE: Duration = Duration::from_millis(300);
const EVERY: Duration = Duration::from_secs(1);

/// Awaits the work and reports the wait if it takes long.
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

/// Calls `done` even if the wait is cancelled.
struct Done<'a>(&'a dyn Progress);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done();
    }
}
