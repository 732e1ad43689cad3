//! Signals that ask the program to end. All are handled, so that the terminal and temporary files are always cleaned
//! up. Signals that were ignored when the program started (`nohup`) stay ignored.

#[cfg(not(unix))]
pub(super) use self::other::Signals;
#[cfg(unix)]
pub(super) use self::unix::Signals;

#[cfg(unix)]
mod unix {
    use std::task::Poll;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use crate::environment::is_ignored;

    /// Signal streams with their signal numbers.
    pub(in crate::cli) struct Signals(Vec<(u8, Signal)>);

    impl Signals {
        /// Installs the handlers; `none` installs none, for a command that handles signals itself.
        pub(in crate::cli) fn new(none: bool) -> Self {
            if none {
                return Self(Vec::new());
            }
            let kinds = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()]
                .into_iter();
            let numbers = kinds.filter_map(|kind| Some((u8::try_from(kind.as_raw_value()).ok()?, kind)));
            let noticed = numbers.filter(|(number, _)| !is_ignored(*number));
            Self(noticed.filter_map(|(number, kind)| Some((number, signal(kind).ok()?))).collect())
        }

        /// Waits for the next signal and returns its number.
        pub(in crate::cli) async fn next(&mut self) -> u8 {
            std::future::poll_fn(|context| {
                let mut came = self
                    .0
                    .iter_mut()
                    .filter_map(|(number, signal)| signal.poll_recv(context).is_ready().then_some(*number));
                came.next().map_or(Poll::Pending, Poll::Ready)
            })
            .await
        }
    }
}

#[cfg(not(unix))]
mod other {
    /// Ctrl-C only; `true` handles no signal at all.
    pub(in crate::cli) struct Signals(bool);

    impl Signals {
        pub(in crate::cli) fn new(none: bool) -> Self {
            Self(none)
        }

        /// Waits for Ctrl-C and returns its signal number on Unix.
        pub(in crate::cli) async fn next(&mut self) -> u8 {
            if self.0 || tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            2
        }
    }
}
