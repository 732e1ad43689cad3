//! What the integration tests share: hermetic runs of the program, a real API server, a scripted one, a
//! terminal, objects as Flagger makes them, and a replay of Flagger's own write.
//!
//! A crate, so that it is compiled once for all test binaries. What is awaited here is awaited by an event; where a
//! server gives none, [`wait::until`] polls with a deadline. Nothing sleeps and hopes.
#![expect(missing_docs, reason = "names of keys, fields and HTTP methods say enough to those who write tests")]
#![expect(clippy::disallowed_methods, reason = "the test bed reads files and the environment, and writes as others do")]

pub mod api;
pub mod audit;
pub mod bed;
pub mod directory;
pub mod editor;
pub mod examples;
pub mod fake;
pub mod fields;
pub mod flagger;
pub mod flux;
pub mod matrix;
pub mod namespace;
pub mod network;
pub mod numbers;
pub mod objects;
pub mod port;
pub mod process;
pub mod proxy;
pub mod pty;
pub mod redact;
pub mod run;
pub mod running;
pub mod screen;
pub mod server;
pub mod times;
pub mod tls;
pub mod transcript;
pub mod undoing;
pub mod wait;
