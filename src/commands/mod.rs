//! The commands, one file each: their arguments and the steps they take.

pub mod args;
mod batch;
pub mod completion;
pub mod cookie;
pub mod describe;
pub mod diff;
pub mod guard;
mod left_out;
pub mod lint;
pub mod man;
pub mod options;
mod patches;
pub mod rbac;
pub mod render;
pub mod show;
pub mod simulate;
pub mod sticky;
pub mod verify;
pub mod version;
mod watch;
