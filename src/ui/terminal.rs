//! The terminal's own state, which a question, an editor and other programs change, brought back whatever happens in
//! between: whoever changes it holds a value, and the end of that is the end of the change.

use std::io::{self, IsTerminal as _, Write as _};

/// Shows the cursor, and has what is pasted come as if it were typed.
const AS_USUAL: &str = "\x1b[?2004l\x1b[?25h";

/// Brings back on its end the state that the terminal had at its beginning.
#[derive(Debug)]
pub(super) struct Restored {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Restored {
    /// Remembers the state.
    pub(super) fn new() -> Self {
        Self {
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if io::stderr().is_terminal() {
            // A terminal that is gone needs no state.
            let _ = write!(io::stderr().lock(), "{AS_USUAL}");
        }
        #[cfg(unix)]
        if let Some(before) = &self.before {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

/// The terminal hands on each key as it is pressed, and shows none: the mode of questions, as long as this lives.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Keyboard {
    _restored: Restored,
}

#[cfg(unix)]
impl Keyboard {
    /// Changes the mode, and throws away what was typed before.
    pub(super) fn open() -> io::Result<Self> {
        use rustix::termios::{
            InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, tcflush, tcsetattr,
        };
        let restored = Restored::new();
        if let Some(before) = &restored.before {
            let mut keys = before.clone();
            keys.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
            keys.input_modes.remove(InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON);
            // Reading never waits: what there is to read is awaited beside the signals.
            keys.special_codes[SpecialCodeIndex::VMIN] = 0;
            keys.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(io::stdin(), OptionalActions::Now, &keys)?;
            tcflush(io::stdin(), QueueSelector::IFlush)?;
            // What is pasted comes with marks around it, on terminals that know them.
            write!(io::stderr().lock(), "\x1b[?2004h")?;
        }
        Ok(Self { _restored: restored })
    }
}
