//! One file a command: what is typed, and the steps it takes.

pub mod args;
pub mod completion;
pub mod describe;
pub mod diff;
pub mod guard;
pub mod man;
pub mod rbac;
pub mod render;
mod several;
pub mod show;
pub mod sticky;
pub mod version;
