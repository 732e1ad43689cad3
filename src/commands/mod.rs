//! One file a command: what is typed, and the steps it takes.

pub mod args;
pub mod describe;
pub mod diff;
pub mod guard;
pub mod render;
mod several;
pub mod show;
pub mod sticky;
