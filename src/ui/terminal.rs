//! The terminal's own state, which a question and an editor change, brought back whatever happens in between.

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
            before: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }

    /// Remembers the state, and turns the echo off and keys on: without, what is typed between two keys that a prompt
    /// reads is echoed into it, and a Ctrl-C there ends the program while the prompt is about to change the state.
    pub(super) fn with_keys() -> Self {
        let restored = Self::new();
        #[cfg(unix)]
        if let Some(before) = &restored.before {
            use rustix::termios::{LocalModes, OptionalActions};
            let mut keys = before.clone();
            keys.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            // Without it a prompt works all the same.
            let _ = rustix::termios::tcsetattr(std::io::stdin(), OptionalActions::Drain, &keys);
        }
        restored
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(before) = &self.before {
            // A terminal that is gone needs no state.
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Drain, before);
        }
    }
}
