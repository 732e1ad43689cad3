//! The pause between attempts.

use std::time::Duration;

/// A pause that doubles with each attempt, up to a limit, until it is reset.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Returns a pause of at first this, and at most that duration.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, first, longest }
    }

    /// Waits, and doubles the next pause.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(self.longest);
    }

    /// Begins anew with the first pause.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}
