//! Waiting for what gives no event: polls with a deadline, and says what never came.

use std::time::{Duration, Instant};

/// Long enough for a machine that is slow and has other work; a test that reaches it has failed. No assertion is about it.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Asks until there is an answer; panics with `what` when [`PATIENCE`] is over.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {} s in vain for {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(10));
    }
}
