//! Keys that the user presses. The only place that reads the terminal; knows what a key means, not what it does.

use std::io;

#[cfg(not(unix))]
pub(super) use self::other::Keys;
#[cfg(unix)]
pub(super) use self::unix::Keys;

/// Returns the error for a terminal that is gone.
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
        super::{escapes::Decoder, key::Key, terminal},
        gone,
    };

    /// Time for the rest of a key to arrive: the escape key is the same byte as the start of other keys.
    const PATIENCE: Duration = Duration::from_millis(100);

    /// Keys pressed from now on; what was typed before is discarded.
    pub(in crate::ui) struct Keys {
        // Dropped first, because nothing may read once the terminal is restored.
        reader: Reader,
        _keyboard: terminal::Restored,
        resized: Signal,
        decoder: Decoder,
    }

    impl Keys {
        /// Makes the terminal deliver each key as it is pressed, until this is dropped.
        pub(in crate::ui) fn open() -> io::Result<Self> {
            let keyboard = terminal::keyboard()?;
            let resized = signal(SignalKind::window_change())?;
            Ok(Self { reader: Reader::start()?, _keyboard: keyboard, resized, decoder: Decoder::default() })
        }

        /// Returns the next key.
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

    /// A thread that reads the terminal, so that signals are noticed meanwhile. It ends when this is dropped.
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
                // The thread waits only for the leash and the terminal.
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
            // Bypasses the buffer of the standard library. The terminal's mode makes it return at once.
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

    use super::{super::key::Key, gone};

    /// Keys that the user presses.
    pub(in crate::ui) struct Keys;

    impl Keys {
        pub(in crate::ui) fn open() -> io::Result<Self> {
            Ok(Self)
        }

        /// Returns the next key, read on a thread of its own so that Ctrl-C is noticed meanwhile.
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
