//! Keys as a person presses them: the only place that reads the terminal. Knows what a key means, not what is done with it.

use std::io;

/// A key, or several letters that were pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "what is pasted comes as letters there, and sizes are not told"))]
pub(super) enum Key {
    Letter(char),
    /// Text without line breaks and tabs, which a blank stands for.
    Pasted(String),
    Enter,
    Escape,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    /// Everything before the cursor goes (Ctrl-U).
    Clear,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    Close,
    /// The window has another size.
    Resized,
}

#[cfg(not(unix))]
pub(super) use self::other::Keys;
#[cfg(unix)]
pub(super) use self::unix::Keys;

/// What `read` answers when the terminal is gone.
fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the terminal is gone")
}

#[cfg(unix)]
mod unix {
    use std::{
        io::{self, PipeReader, PipeWriter},
        thread::{Builder, JoinHandle},
        time::Duration,
    };

    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
    };
    use tokio::{
        signal::unix::{Signal, SignalKind, signal},
        sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    };

    use super::{
        super::{escapes::Decoder, terminal::Keyboard},
        Key, gone,
    };

    /// The escape key and the beginning of another key are the same byte: so long the rest of one may take.
    const PATIENCE: Duration = Duration::from_millis(100);

    /// The keys that are pressed from now on: what was typed before is thrown away.
    pub(in crate::ui) struct Keys {
        // First, since nothing may read when the terminal is as it was.
        reader: Reader,
        _keyboard: Keyboard,
        resized: Signal,
        decoder: Decoder,
    }

    impl Keys {
        /// Has the terminal hand on each key as it is pressed, until this goes.
        pub(in crate::ui) fn open() -> io::Result<Self> {
            let keyboard = Keyboard::open()?;
            let resized = signal(SignalKind::window_change())?;
            Ok(Self { reader: Reader::start()?, _keyboard: keyboard, resized, decoder: Decoder::default() })
        }

        /// The next key.
        pub(in crate::ui) async fn next(&mut self) -> io::Result<Key> {
            loop {
                if let Some(key) = self.decoder.next() {
                    return Ok(key);
                }
                tokio::select! {
                    biased;
                    bytes = self.reader.bytes.recv() => self.decoder.take(&bytes.ok_or_else(gone)??),
                    Some(()) = self.resized.recv() => return Ok(Key::Resized),
                    () = tokio::time::sleep(PATIENCE), if self.decoder.may_be_escape() => self.decoder.is_escape(),
                }
            }
        }
    }

    /// A thread that reads the terminal, so that signals are noticed meanwhile. It is gone when this is.
    struct Reader {
        bytes: UnboundedReceiver<io::Result<Vec<u8>>>,
        leash: Option<PipeWriter>,
        thread: Option<JoinHandle<()>>,
    }

    impl Reader {
        fn start() -> io::Result<Self> {
            let (sender, bytes) = unbounded_channel();
            let (held, leash) = io::pipe()?;
            let thread = Builder::new().name("keys".into()).spawn(move || read(&held, &sender))?;
            Ok(Self { bytes, leash: Some(leash), thread: Some(thread) })
        }
    }

    impl Drop for Reader {
        fn drop(&mut self) {
            drop(self.leash.take());
            if let Some(thread) = self.thread.take() {
                // It waits for nothing but the leash and the terminal.
                let _ = thread.join();
            }
        }
    }

    fn read(held: &PipeReader, sender: &UnboundedSender<io::Result<Vec<u8>>>) {
        let terminal = io::stdin();
        let mut bytes = [0; 1024];
        loop {
            let mut ready = [PollFd::new(&terminal, PollFlags::IN), PollFd::new(held, PollFlags::IN)];
            match poll(&mut ready, None) {
                Err(Errno::INTR) => continue,
                Err(error) => return drop(sender.send(Err(error.into()))),
                Ok(_) if !ready[1].revents().is_empty() => return,
                Ok(_) => {}
            }
            // Past the buffer of the standard library. The terminal's modes let it return at once.
            let is_closed = !ready[0].revents().contains(PollFlags::IN);
            let read = match rustix::io::read(&terminal, &mut bytes) {
                Ok(0) if is_closed => return drop(sender.send(Err(gone()))),
                Ok(count) => Ok(bytes[..count].to_vec()),
                Err(Errno::INTR) => continue,
                Err(error) => Err(error.into()),
            };
            if sender.send(read).is_err() {
                return;
            }
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use console::{Key as Pressed, Term};

    use super::{Key, gone};

    /// The keys that are pressed.
    pub(in crate::ui) struct Keys;

    impl Keys {
        pub(in crate::ui) fn open() -> io::Result<Self> {
            Ok(Self)
        }

        /// The next key, read on a thread of its own, so that Ctrl-C is noticed meanwhile.
        pub(in crate::ui) async fn next(&mut self) -> io::Result<Key> {
            loop {
                let pressed = tokio::task::spawn_blocking(|| Term::stderr().read_key()).await.map_err(|_| gone())?;
                return Ok(match pressed {
                    Ok(Pressed::Char('\x04')) => Key::Close,
                    Ok(Pressed::Char('\x15')) => Key::Clear,
                    Ok(Pressed::Char(letter)) if !letter.is_control() => Key::Letter(letter),
                    Ok(Pressed::Enter) => Key::Enter,
                    Ok(Pressed::Escape) => Key::Escape,
                    Ok(Pressed::Backspace) => Key::Backspace,
                    Ok(Pressed::Del) => Key::Delete,
                    Ok(Pressed::ArrowLeft) => Key::Left,
                    Ok(Pressed::ArrowRight) => Key::Right,
                    Ok(Pressed::ArrowUp) => Key::Up,
                    Ok(Pressed::ArrowDown) => Key::Down,
                    Ok(Pressed::Home) => Key::Home,
                    Ok(Pressed::End) => Key::End,
                    Ok(Pressed::CtrlC) => Key::Interrupt,
                    Ok(_) => continue,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Key::Interrupt,
                    Err(error) => return Err(error),
                });
            }
        }
    }
}
