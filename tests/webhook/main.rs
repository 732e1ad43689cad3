//! `guard run` as a process of its own beside a real API server that serves no admission policies.

#[path = "../support/mod.rs"]
#[expect(clippy::allow_attributes, reason = "a binary that uses all of it would not fulfil an expectation")]
#[allow(dead_code, reason = "each test binary uses a part of the test bed")]
mod support;

mod private;
