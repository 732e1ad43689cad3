//! Policies hold for the whole cluster, so every test here is on a server of its own or on one that the tests
//! of this binary share.
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
