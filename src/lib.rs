//! `kubectl canary-traefik`: keeps each user of a Flagger canary on Traefik on one track.
//!
//! Pure modules (values in, values out): [`model`] has the vocabulary, [`flagger`] and [`traefik`] say what those two do,
//! [`observed`] pairs a Canary with its TraefikService, [`plan`] says what would change, [`simulate`] what people
//! will see, [`verify`] whether a cookie keeps browsers on their track, [`lint`] what is wrong, [`guard`]
//! what should be live, [`output`] what it looks like. Modules with side effects: [`files`], [`apiserver`], [`web`],
//! [`cluster`], [`guard_server`], [`ui`], [`source`], [`context`], [`completion`], [`commands`], [`cli`]. `ARCHITECTURE.md` lists which
//! module may use which; a test enforces it.

pub(crate) mod apiserver;
pub mod cli;
pub mod cluster;
pub mod commands;
pub(crate) mod completion;
pub(crate) mod context;
pub mod environment;
pub mod error;
pub mod files;
pub mod flagger;
pub mod guard;
pub(crate) mod guard_server;
pub mod lint;
pub mod model;
pub mod observed;
pub mod output;
pub mod plan;
pub mod simulate;
pub mod source;
pub mod text;
pub mod traefik;
pub(crate) mod ui;
pub mod verify;
pub(crate) mod web;
pub mod yaml;
