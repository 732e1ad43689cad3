//! Ends the program after a signal that the command does not come to notice: one that computes for long, or that writes to a
//! reader that has stopped, never gives the runtime a turn. Whatever it holds is then left as it is, but for the terminal.
#![expect(clippy::disallowed_methods, clippy::exit, reason = "nothing that is still running can return to src/main.rs")]

use std::{
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::signals::Signals;
use crate::{error::Error, ui::Ui};

/// How long a command may take to notice a signal, and the last words to be written.
const NOTICED_WITHIN: Duration = Duration::from_millis(500);
const SAID_WITHIN: Duration = Duration::from_millis(200);

/// What the watch asks after each signal, and what the command answers if it has a turn. The signals themselves cannot be counted:
/// several in a row may come as one.
#[derive(Debug, Clone, Default)]
pub(super) struct Noticed(Arc<Turn>);

#[derive(Debug, Default)]
struct Turn {
    asked: Notify,
    answered: AtomicBool,
}

impl Noticed {
    /// Watches for signals on a thread of its own. Without one, a signal is only noticed later.
    pub(super) fn watch(ui: &Arc<Ui>) -> Self {
        let noticed = Self::default();
        let (ui, own) = (Arc::clone(ui), noticed.clone());
        let watch = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let signal = runtime.block_on(own.unnoticed());
            end(ui, signal);
        };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(watch);
        noticed
    }

    /// Waits until the watch asks.
    pub(super) async fn asked(&self) {
        self.0.asked.notified().await;
    }

    /// Answers that the command has a turn: asked, or because it notices a signal itself.
    pub(super) fn set(&self) {
        self.0.answered.store(true, Ordering::Relaxed);
    }

    /// Waits for a signal that is not noticed in time.
    async fn unnoticed(&self) -> u8 {
        let mut signals = Signals::new(false);
        loop {
            let signal = signals.next().await;
            self.0.asked.notify_one();
            tokio::time::sleep(NOTICED_WITHIN).await;
            if !self.0.answered.swap(false, Ordering::Relaxed) {
                return signal;
            }
        }
    }
}

/// Says why, and ends the program.
fn end(ui: Arc<Ui>, signal: u8) {
    let error = Error::ended_by(signal);
    let code = error.kind().code();
    let (done, said) = mpsc::channel();
    // The command may be stuck in the very stream.
    let say = move || {
        ui.restore_terminal();
        ui.error(&error);
        let _ = done.send(());
    };
    if std::thread::Builder::new().spawn(say).is_ok() {
        let _ = said.recv_timeout(SAID_WITHIN);
    }
    exit(code.into());
}
