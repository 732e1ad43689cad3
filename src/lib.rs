//! `kubectl canary-traefik`: keeps each user of a Flagger canary on Traefik on one track.
//!
//! Pure modules (values in, values out): [`model`] says what things are, [`plan`] what would change, [`lint`] what is
//! wrong, [`output`] what it looks like. Modules with side effects: [`files`], [`cluster`], [`webhook`], [`ui`],
//! [`source`], [`context`], [`completion`], [`commands`], [`cli`]. `ARCHITECTURE.md` lists which module may use which;
//! a test enforces it.

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
