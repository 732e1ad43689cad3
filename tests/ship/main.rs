//! What people install: the archives, krew's manifest and the image, taken apart and run; and the workflow files.
#![expect(clippy::disallowed_methods, reason = "these tests read files and the environment")]

#[path = "../support/mod.rs"]
#[expect(clippy::allow_attributes, reason = "a binary that uses all of it would not fulfil an expectation")]
#[allow(dead_code, reason = "each test binary uses a part of the test bed")]
mod support;

mod archives;
mod dedicated_server;
mod image;
mod krew;
mod release;
mod workflows;
