//! `kubectl canary-traefik`: keeps the users of a Flagger canary on Traefik on one track.
//!
//! Pure rooms (values in, values out): [`model`] says what things are, [`plan`] what would change, [`lint`]
//! what is wrong, [`output`] what it looks like. Shell rooms (they wait, ask and fail for reasons outside):
//! [`files`], [`cluster`], [`webhook`], [`ui`], [`source`], [`context`], [`completion`], [`commands`], [`cli`]. `ARCHITECTURE.md` has the
//! table of who may use whom; a test holds it.

pub mod cli;
pub mod cluster;
pub mod commands;
pub mod completion;
pub mod context;
pub mod environment;
pub mod error;
pub mod files;
pub mod guard;
pub mod lint;
pub mod model;
pub mod output;
pub mod plan;
pub mod source;
pub mod text;
pub mod ui;
pub mod webhook;
pub mod yaml;
