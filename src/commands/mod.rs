//! The commands, one file or folder each, and what they share: their arguments and the steps they take.

pub(crate) mod args;
mod batch;
pub(crate) mod completion;
pub(crate) mod cookie;
pub(crate) mod describe;
mod description;
pub(crate) mod diff;
pub(crate) mod guard;
mod left_out;
pub(crate) mod lint;
pub(crate) mod man;
pub(crate) mod options;
mod patches;
pub mod rbac;
pub(crate) mod render;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod sticky;
pub(crate) mod verify;
pub(crate) mod version;
mod watch;

use std::pin::Pin;

use crate::error::{Exit, Result};

/// The future of a command.
pub(crate) type CommandFuture<'a> = Pin<Box<dyn Future<Output = Result<Exit>> + 'a>>;

/// Makes a command's future outside of its caller's stack frame, which would have room for the futures of all commands.
#[inline(never)]
pub(crate) fn boxed<'a, F: Future<Output = Result<Exit>> + 'a>(make: impl FnOnce() -> F) -> CommandFuture<'a> {
    Box::pin(make())
}
