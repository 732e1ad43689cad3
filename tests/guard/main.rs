//! The guard on a real API server: the policies against their definition in Rust, through every kind of write,
//! through restarts, and the commands that install and show them. Policies hold for the whole cluster, so every test is on
//! a server of its own or on one that the tests of this binary share.
#![expect(clippy::too_many_lines, reason = "a test holds what is shown, in full")]
#![expect(clippy::disallowed_methods, reason = "the tests read the documentation and a variable of their own")]

mod cluster;
mod describe;
mod event;
mod form;
mod generate;
mod install;
mod kept;
mod limits;
mod lone;
mod random;
mod restarts;
mod story;
mod table;
mod undoing;
