//! The terminal lent to another program of the person's choice: an editor, or one that shows differences.

use std::{
    io,
    process::ExitStatus,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use super::{Ui, terminal::Restored};

/// A program that was told to end may take so long to put its affairs in order.
const PATIENCE: Duration = Duration::from_secs(3);

impl Ui {
    /// Runs another program at the terminal, to its end; Ctrl-C meanwhile is for that program. When this is given up, the
    /// program is told to end and waited for, so that no two programs are at the terminal.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub(super) async fn lend(&self, command: &mut Command) -> io::Result<ExitStatus> {
        self.clear_status();
        let _lent = Lent::by(self);
        let mut guest = Guest(command.spawn()?);
        let ended = guest.0.wait().await;
        // The Ctrl-C that ended the program came to this one too, and has to be noticed as long as it counts for nothing.
        tokio::task::yield_now().await;
        ended
    }
}

/// The terminal is another program's as long as this lives, and is as it was afterwards.
struct Lent<'a>(&'a Ui, #[expect(dead_code, reason = "it acts when it goes")] Restored);

impl<'a> Lent<'a> {
    fn by(ui: &'a Ui) -> Self {
        ui.lent.store(true, Ordering::Relaxed);
        Self(ui, Restored::new())
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.lent.store(false, Ordering::Relaxed);
    }
}

/// The other program.
struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        let Some(id) = self.0.id() else { return };
        if !tell_to_end(id) {
            let _ = self.0.start_kill();
        }
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.0.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.0.start_kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[cfg(unix)]
fn tell_to_end(id: u32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    id.is_some_and(|id| kill_process(id, Signal::TERM).is_ok())
}

#[cfg(not(unix))]
fn tell_to_end(_: u32) -> bool {
    false
}
