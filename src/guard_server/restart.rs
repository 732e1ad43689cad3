//! Restarts a part of the process that panicked: only the operation in progress is lost.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    error::{Error, Kind, panic::take_panic},
    guard_server::{Log, shared::Shared},
};

/// Pause before a task that panicked is restarted.
const AFTER_PANIC: Duration = Duration::from_millis(200);

/// Runs a task and restarts it if it panics. Only the operation in progress is lost.
pub(super) fn spawn<F: Future<Output = Error> + Send + 'static>(
    tasks: &mut JoinSet<Error>,
    shared: &Arc<Shared>,
    part: impl Fn(Arc<Shared>) -> F + Send + Sync + 'static,
) {
    let shared = Arc::clone(shared);
    tasks.spawn(async move { keep_running(&shared.log, || part(Arc::clone(&shared))).await });
}

async fn keep_running<F: Future<Output = Error>>(log: &Log, part: impl Fn() -> F) -> Error {
    loop {
        if let Ok(error) = AssertUnwindSafe(part()).catch_unwind().await {
            return error;
        }
        log.warning("task panicked, restarting", &[("reason", json!(panicked()))]);
        tokio::time::sleep(AFTER_PANIC).await;
    }
}

/// Returns the message and location of the last panic.
pub(super) fn panicked() -> String {
    let error = take_panic().unwrap_or_else(|| Error::new(Kind::Bug, "it panicked"));
    error.causes().iter().fold(error.message().to_owned(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;
    use crate::guard_server::LogFormat;

    #[tokio::test]
    async fn a_part_that_panics_is_started_again_and_one_that_ends_is_not() {
        let (lines, written) = std::sync::mpsc::channel();
        let log = Log::new(LogFormat::Json, move |line| drop(lines.send(line.to_owned())));
        let runs = AtomicU32::new(0);
        let part = async || match runs.fetch_add(1, Relaxed) {
            0 => panic!("once"),
            _ => Error::cluster("it is over"),
        };
        let error = keep_running(&log, part).await;
        drop(log);
        let messages: Vec<_> = written
            .iter()
            .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()["message"].clone())
            .collect();
        assert_eq!((error.message(), runs.into_inner()), ("it is over", 2));
        assert_eq!(messages, [json!("task panicked, restarting")]);
    }
}
