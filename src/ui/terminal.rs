//! The state of the terminal, which questions, editors and other programs change. Each change is a value that restores
//! the former state when it is dropped, whatever happens in between.

use std::io::{self, IsTerminal as _, Write as _};

/// Shows the cursor, and turns bracketed paste off.
const AS_USUAL: &str = "\x1b[?2004l\x1b[?25h";

/// Shows the cursor, and turns bracketed paste off.
pub(super) fn restore() {
    if io::stderr().is_terminal() {
        // A terminal that is gone is ignored.
        let _ = write!(io::stderr().lock(), "{AS_USUAL}");
    }
}

/// The state of the terminal before the program changed it.
#[cfg(unix)]
static ORIGINAL: std::sync::OnceLock<rustix::termios::Termios> = std::sync::OnceLock::new();

/// Restores the state that the terminal had before the program changed it: for an end that drops nothing.
pub(super) fn restore_original() {
    restore();
    #[cfg(unix)]
    if let Some(original) = ORIGINAL.get() {
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, original);
    }
}

/// Restores the former state of the terminal when dropped.
#[derive(Debug)]
pub(super) struct Restored {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Restored {
    /// Saves the current state.
    pub(super) fn new() -> Self {
        #[cfg(unix)]
        let before = rustix::termios::tcgetattr(io::stdin()).ok();
        #[cfg(unix)]
        if let Some(before) = &before {
            let _ = ORIGINAL.set(before.clone());
        }
        Self {
            #[cfg(unix)]
            before,
        }
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        restore();
        #[cfg(unix)]
        if let Some(before) = &self.before {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

/// Makes the terminal deliver each key as it is pressed, without echo, until this is dropped: the mode of questions.
/// Discards what was typed before.
#[cfg(unix)]
pub(super) fn keyboard() -> io::Result<Restored> {
    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, tcflush, tcsetattr,
    };
    let restored = Restored::new();
    if let Some(before) = &restored.before {
        let mut keys = before.clone();
        keys.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        keys.input_modes.remove(InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON);
        // Reading never blocks: input is awaited together with signals.
        keys.special_codes[SpecialCodeIndex::VMIN] = 0;
        keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &keys)?;
        tcflush(io::stdin(), QueueSelector::IFlush)?;
        // Bracketed paste, on terminals that support it.
        write!(io::stderr().lock(), "\x1b[?2004h")?;
    }
    Ok(restored)
}

/// The mode of a view that is drawn again and again, until it is dropped: the cursor is hidden, and what is typed is
/// neither shown nor left to the shell. Keys that send signals still do.
#[derive(Debug)]
pub(super) struct Undisturbed {
    _restored: Restored,
}

impl Undisturbed {
    /// Changes the mode, as far as standard input is the terminal.
    pub(super) fn new() -> Self {
        let restored = Restored::new();
        #[cfg(unix)]
        if let Some(before) = &restored.before {
            use rustix::termios::{LocalModes, OptionalActions, tcsetattr};
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &quiet);
        }
        let _ = io::stdout().lock().write_all(b"\x1b[?25l").and_then(|()| io::stdout().lock().flush());
        Self { _restored: restored }
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            use rustix::termios::{QueueSelector, tcflush};
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        }
        let _ = io::stdout().lock().write_all(b"\x1b[?25h").and_then(|()| io::stdout().lock().flush());
    }
}
