//! The guard on a real API server: the policies against their definition in Rust, through every kind of write,
//! through restarts, and the commands that install and show them.

#[path = "../support/mod.rs"]
#[expect(clippy::allow_attributes, reason = "a binary that uses all of it would not fulfil an expectation")]
#[allow(dead_code, reason = "each test binary uses a part of the test bed")]
mod support;

mod private;
