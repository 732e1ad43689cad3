//! A view that is drawn again and again in place, below what stood on the terminal before, and stays there at the end.

use std::io::{self, IsTerminal as _};

use super::{Ui, frame, terminal, width};
use crate::{
    error::Result,
    output::{safe, wrap::cut},
};

/// Ends all styles.
const RESET: &str = "\x1b[0m";

/// The view. The terminal is restored when this is dropped.
pub struct Live<'a> {
    ui: &'a Ui,
    shown: Vec<String>,
    size: (usize, usize),
    signals: Signals,
    mode: Option<terminal::Undisturbed>,
}

/// Something that makes the view be drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disturbance {
    /// The window has another size.
    Resized,
    /// The program was stopped (Ctrl-Z), and goes on.
    Continued,
}

impl Ui {
    /// Returns whether a view can be drawn again in place.
    #[expect(clippy::unused_self, reason = "whoever asks has the terminal")]
    pub fn is_live(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Begins a view on standard output; `None` if that is not a terminal.
    pub fn live(&self) -> Option<Live<'_>> {
        self.is_live().then(|| Live {
            ui: self,
            shown: Vec::new(),
            size: width::of_output(),
            signals: Signals::new(),
            mode: Some(terminal::Undisturbed::new()),
        })
    }
}

impl Live<'_> {
    /// Returns the number of lines, and of columns in each, that fit into the window.
    #[expect(clippy::unused_self, reason = "whoever asks has the terminal")]
    pub fn room(&self) -> (usize, usize) {
        let (rows, columns) = width::of_output();
        // The cursor stands below the last line; and a terminal may break a line that ends in its last column.
        (rows.saturating_sub(1).max(1), columns.saturating_sub(1).max(1))
    }

    /// Draws these lines in place of those drawn before, in one write; what does not fit is cut.
    pub fn draw(&mut self, lines: &[String]) -> Result<()> {
        let (rows, columns) = self.room();
        let style = self.ui.out_style();
        let lines: Vec<String> = lines.iter().take(rows).map(|line| fitted(&safe(line, style), columns)).collect();
        let mut text = String::new();
        let size = width::of_output();
        if size != std::mem::replace(&mut self.size, size) {
            text = frame::erase(&self.shown, size.1);
            self.shown.clear();
        }
        text.push_str(&frame::update(&self.shown, &lines));
        self.shown = lines;
        if text.is_empty() { Ok(()) } else { self.ui.write_raw(&text) }
    }

    /// Waits until the view has to be drawn anew because of the terminal.
    pub async fn disturbed(&mut self) -> Disturbance {
        let disturbance = self.signals.next().await;
        if disturbance == Disturbance::Continued {
            // The shell has the terminal meanwhile.
            drop(self.mode.take());
            stop();
            self.mode = Some(terminal::Undisturbed::new());
            self.shown.clear();
        }
        disturbance
    }
}

/// Cuts a line to this many columns. Styles take none, and are left out where a line has to be cut.
fn fitted(line: &str, columns: usize) -> String {
    let plain = crate::output::style::plain(line);
    let short = cut(&plain, columns);
    if short != plain {
        short
    } else if plain.len() == line.len() || line.ends_with(RESET) {
        line.to_owned()
    } else {
        // A style that goes on in the next line must not reach what is not drawn anew.
        format!("{line}{RESET}")
    }
}

/// Stops the program until something continues it.
#[cfg(unix)]
fn stop() {
    use rustix::process::{Signal, getpid, kill_process};
    let _ = kill_process(getpid(), Signal::STOP);
}

#[cfg(not(unix))]
fn stop() {}

#[cfg(unix)]
use self::unix::Signals;

#[cfg(unix)]
mod unix {
    use rustix::process::Signal as Number;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::Disturbance;
    use crate::environment::is_ignored;

    /// The signals of a terminal that do not end the program.
    pub(super) struct Signals {
        resized: Option<Signal>,
        stopped: Option<Signal>,
    }

    impl Signals {
        pub(super) fn new() -> Self {
            let stop = Number::TSTP.as_raw();
            let is_noticed = u8::try_from(stop).is_ok_and(|number| !is_ignored(number));
            Self {
                resized: signal(SignalKind::window_change()).ok(),
                stopped: if is_noticed { signal(SignalKind::from_raw(stop)).ok() } else { None },
            }
        }

        pub(super) async fn next(&mut self) -> Disturbance {
            tokio::select! {
                Some(()) = async { self.resized.as_mut()?.recv().await } => Disturbance::Resized,
                Some(()) = async { self.stopped.as_mut()?.recv().await } => Disturbance::Continued,
                else => std::future::pending().await,
            }
        }
    }
}

/// Sizes are asked for with each drawing there.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> Disturbance {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::fitted;

    #[test]
    fn no_style_goes_on_behind_its_line() {
        assert_eq!(fitted("\x1b[31mred", 9), "\x1b[31mred\x1b[0m");
        assert_eq!(fitted("\x1b[31mred\x1b[0m", 9), "\x1b[31mred\x1b[0m");
        assert_eq!(fitted("red", 9), "red");
        assert_eq!(fitted("\x1b[31mred and long", 6), "red a…");
    }
}
