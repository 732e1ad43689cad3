//! The terminal: data to standard output, everything else to standard error, and questions. The only place that prints.

mod editor;
#[cfg(unix)]
mod escapes;
mod external_diff;
mod frame;
mod key;
mod keys;
mod lend;
mod line;
mod list;
pub(crate) mod live;
mod prompt;
mod terminal;
mod width;

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use crate::{
    error::{Error, Kind, Result, reason},
    output::{
        escaped, json_line, report, safe,
        style::{Meaning, Style},
    },
    text::without_passwords,
};

/// When to use colour (`--color`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal that supports it, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Even when piped.
    Always,
    /// Do not use colour.
    Never,
}

/// The terminal, or whatever replaces it.
#[derive(Debug)]
pub struct Ui {
    out: Style,
    err: Style,
    status_lines: bool,
    json_errors: AtomicBool,
    expects_interrupt: AtomicBool,
    status_shown: AtomicBool,
    offers_editor: AtomicBool,
    lent_to_child: AtomicBool,
    interrupted: AtomicU8,
}

impl Ui {
    /// Decides on colour, once for each stream.
    pub fn new(color: Color) -> Self {
        let style = |auto: anstream::ColorChoice| Style {
            colored: match color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => auto != anstream::ColorChoice::Never,
            },
        };
        Self {
            out: style(anstream::AutoStream::choice(&io::stdout())),
            err: style(anstream::AutoStream::choice(&io::stderr())),
            status_lines: io::stderr().is_terminal(),
            json_errors: AtomicBool::new(false),
            expects_interrupt: AtomicBool::new(false),
            status_shown: AtomicBool::new(false),
            offers_editor: AtomicBool::new(false),
            lent_to_child: AtomicBool::new(false),
            interrupted: AtomicU8::new(0),
        }
    }

    /// Returns the style of standard output.
    pub fn out_style(&self) -> Style {
        self.out
    }

    /// Returns the style of standard error.
    pub fn err_style(&self) -> Style {
        self.err
    }

    /// Writes results to standard output. Characters that a terminal interprets are escaped if they come from outside.
    ///
    /// # Errors
    ///
    /// Kind `BrokenPipe` if the reader went away; kind `Usage` if writing fails otherwise.
    pub fn data(&self, text: &str) -> Result<()> {
        self.write_raw(&safe(text, self.out))
    }

    /// Writes a changed manifest to standard output byte for byte; on a terminal, characters that it interprets are
    /// escaped.
    pub fn manifest(&self, text: &str) -> Result<()> {
        if io::stdout().is_terminal() { self.data(text) } else { self.write_raw(text) }
    }

    /// Writes text for another program to standard output unchanged, such as a shell's script.
    pub fn write_raw(&self, text: &str) -> Result<()> {
        self.clear_status();
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::new(Kind::BrokenPipe, "the reader went away"),
            _ => Error::usage("cannot write to standard output").caused_by(reason(&error)),
        })
    }

    /// Writes messages to standard error; characters that a terminal interprets are escaped if they come from outside.
    /// Write errors are deliberately ignored.
    pub fn status(&self, text: &str) {
        self.clear_status();
        let text = safe(text, self.err);
        let mut err = io::stderr().lock();
        let _ = err.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = err.write_all(b"\n");
        }
    }

    /// Writes a warning to standard error.
    pub fn warning(&self, text: &str) {
        self.status(&format!("{} {}", self.err.paint(Meaning::Warning, "warning:"), escaped(&without_passwords(text))));
    }

    /// Writes errors as JSON from now on, one line each: a program reads the results.
    pub fn report_errors_as_json(&self) {
        self.json_errors.store(true, Ordering::Relaxed);
    }

    /// Takes Ctrl-C for the usual end of the command from now on, of which nothing is said.
    pub fn expect_interrupt(&self) {
        self.expects_interrupt.store(true, Ordering::Relaxed);
    }

    /// Writes an error with its causes and hints to standard error; a broken pipe is not reported.
    pub fn error(&self, error: &Error) {
        let is_expected = error.kind() == Kind::Interrupted && self.expects_interrupt.load(Ordering::Relaxed);
        if is_expected || error.kind() == Kind::BrokenPipe {
            return;
        }
        if self.json_errors.load(Ordering::Relaxed) {
            return self.status(&json_line(&report::error(error)));
        }
        let mut text = String::new();
        let mut line = |meaning, head: &str, body: &str| {
            let body = without_passwords(body);
            let body: Vec<_> = body.lines().map(escaped).collect();
            text.push_str(&format!("{} {}\n", self.err.paint(meaning, head), body.join("\n  ")));
        };
        // Saying no is not an error.
        let head =
            if error.kind() == Kind::Cancelled { (Meaning::Warning, "cancelled:") } else { (Meaning::Error, "error:") };
        line(head.0, head.1, error.message());
        for cause in error.causes() {
            line(Meaning::Warning, "caused by:", cause);
        }
        for hint in error.hints() {
            line(Meaning::Hint, "hint:", hint);
        }
        if error.kind() == Kind::Bug {
            let version = env!("CARGO_PKG_VERSION");
            let report =
                format!("this is a bug in kubectl canary-traefik {version}: please report it with the lines above");
            line(Meaning::Hint, "hint:", &report);
        }
        self.status(&text);
    }

    /// Shows or replaces the status line, on a terminal only.
    pub fn waiting(&self, text: &str) {
        if self.status_lines {
            // A line that wraps could not be cleared.
            let text = width::cut(&escaped(text));
            let _ = write!(io::stderr().lock(), "\r\x1b[2K{text}");
            self.status_shown.store(true, Ordering::Relaxed);
        }
    }

    /// Clears the status line.
    pub fn clear_status(&self) {
        if self.status_shown.swap(false, Ordering::Relaxed) {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }

    /// Sets whether a confirmation may be answered with e, to continue in the editor.
    pub fn offer_editor(&self, offer: bool) {
        self.offers_editor.store(offer, Ordering::Relaxed);
    }

    /// Returns whether this signal is for another program, which has the terminal now: Ctrl-C and Ctrl-\ are.
    pub fn is_for_child(&self, signal: u8) -> bool {
        let is_typed = matches!(signal, 2 | 3);
        let is_for_child = is_typed && self.lent_to_child.load(Ordering::Relaxed);
        if is_for_child {
            self.interrupted.store(signal, Ordering::Relaxed);
        }
        is_for_child
    }

    /// Returns the signal that came while another program had the terminal, as an error.
    fn interrupted(&self) -> Option<Error> {
        match self.interrupted.swap(0, Ordering::Relaxed) {
            0 => None,
            signal => Some(Error::ended_by(signal)),
        }
    }

    /// Clears the current line, of a question or a wait.
    pub fn clear_line(&self) {
        if self.status_lines {
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }

    /// Clears the current line, and restores the terminal as it was before the program changed it.
    pub fn restore_terminal(&self) {
        self.clear_line();
        terminal::restore_original();
    }

    /// Clears the line that a signal interrupted. A terminal discards what it has not shown yet when such a key is
    /// pressed (termios(3), NOFLSH), so its state is restored once more.
    pub fn clear_after_signal(&self) {
        self.clear_line();
        terminal::restore();
    }
}
