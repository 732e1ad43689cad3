//! `--watch`: results that follow the cluster. On a terminal they are drawn again in place; in a pipe each change is
//! printed.

mod board;
pub(super) mod describe;
mod follow;
mod lines;
mod screen;
pub(super) mod show;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    context::Context,
    error::{Error, Kind, Result, panic::lock},
    ui::{Ui, live::Live},
};

/// Least time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// Ages and times to come change every second.
const TICK: Duration = Duration::from_secs(1);

/// A value that watches change and that is shown, and the news that it has changed.
#[derive(Debug, Default)]
struct Shared<T> {
    value: Mutex<T>,
    /// For whoever shows it.
    news: Notify,
    /// For whoever reads what is not watched.
    stale: Notify,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        lock(&self.value)
    }

    /// Changes the value.
    fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.news.notify_one();
        self.stale.notify_one();
    }
}

/// Draws what `frame` returns for the lines and columns of the window, whenever there is news, every second, and when the
/// terminal wants it. Ends only with an error.
async fn draw(live: &mut Live<'_>, news: &Notify, mut frame: impl FnMut(usize, usize) -> Vec<String>) -> Error {
    loop {
        let (lines, columns) = live.room();
        if let Err(error) = live.draw(&frame(lines, columns)) {
            return error;
        }
        tokio::time::sleep(FRAME).await;
        tokio::select! {
            () = news.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            _ = live.disturbed() => {}
        }
    }
}

/// Writes to standard output. A reader that does not read must not keep signals from being noticed.
async fn write(ctx: &Context, text: String) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let ui: Arc<Ui> = Arc::clone(&ctx.ui);
    let written = tokio::task::spawn_blocking(move || ui.data(&text)).await;
    written.unwrap_or_else(|error| Err(Error::new(Kind::Bug, error.to_string())))
}

/// Waits for the end of `--request-timeout`, which ends a watch of kubectl, too. Without the flag, that never comes.
async fn time_is_up(ctx: &Context) {
    match ctx.connection.request_timeout.filter(|limit| !limit.is_zero()) {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Returns the current time in Unix seconds.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
