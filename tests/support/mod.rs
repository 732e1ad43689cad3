//! What the integration tests share: hermetic runs of the program, a real API server, a scripted one, a
//! terminal, objects as Flagger makes them, and a replay of Flagger's own write.
//!
//! Each test binary declares this module by path (`#[path = "../support/mod.rs"] mod support;`) and uses a
//! part of it. What is awaited here is awaited by an event; where a server gives none, [`wait::until`] polls
//! with a deadline. Nothing sleeps and hopes.
#![expect(clippy::disallowed_methods, reason = "the test bed reads files and the environment, and writes as others do")]

pub(crate) mod api;
pub(crate) mod audit;
pub(crate) mod bed;
pub(crate) mod directory;
pub(crate) mod editor;
pub(crate) mod fake;
pub(crate) mod fields;
pub(crate) mod flagger;
pub(crate) mod flux;
pub(crate) mod matrix;
pub(crate) mod namespace;
pub(crate) mod network;
pub(crate) mod numbers;
pub(crate) mod objects;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod pty;
pub(crate) mod redact;
pub(crate) mod run;
pub(crate) mod running;
pub(crate) mod screen;
pub(crate) mod server;
pub(crate) mod times;
pub(crate) mod tls;
pub(crate) mod transcript;
pub(crate) mod undoing;
pub(crate) mod wait;
