//! Lends the terminal to another program: an editor, or one that shows differences.

use std::{
    io,
    process::ExitStatus,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use super::{Ui, terminal::Restored};
use crate::error::{Error, Result, reason};

/// Time for a program to exit after it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);

impl Ui {
    /// Runs another program on the terminal until it exits; meanwhile, Ctrl-C is for that program. If the future is
    /// dropped, the program is asked to exit and waited for, so that no two programs use the terminal. An error calls it by
    /// this name.
    pub(super) async fn lend(&self, command: &mut Command, name: &str) -> Result<ExitStatus> {
        self.clear_status();
        let cannot = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Error::usage(format!("cannot run {name}: no such program on the PATH")),
            _ => Error::usage(format!("cannot run {name}: {}", reason(&error))),
        };
        let _lent = Lent::by(self);
        let mut guest = ChildProgram(command.spawn().map_err(cannot)?);
        let ended = guest.0.wait().await;
        // The Ctrl-C that ended the program also reached this one, and must arrive while it is still ignored.
        tokio::task::yield_now().await;
        ended.map_err(cannot)
    }
}

/// Marks the terminal as lent to another program while it lives, and restores the terminal afterwards.
struct Lent<'a>(&'a Ui, #[expect(dead_code, reason = "it acts when it goes")] Restored);

impl<'a> Lent<'a> {
    fn by(ui: &'a Ui) -> Self {
        ui.lent_to_child.store(true, Ordering::Relaxed);
        Self(ui, Restored::new())
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.lent_to_child.store(false, Ordering::Relaxed);
    }
}

/// The other program.
struct ChildProgram(Child);

impl Drop for ChildProgram {
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
