//! The program against a real API server, with writes by others replayed in between.

#[path = "../support/mod.rs"]
#[expect(clippy::allow_attributes, reason = "a binary that uses all of it would not fulfil an expectation")]
#[allow(dead_code, reason = "each test binary uses a part of the test bed")]
mod support;

mod bed;
mod by_hand;
mod completion;
mod conflicts;
mod dedicated_server;
mod definitions;
mod describe;
mod diff;
mod entry;
mod faults;
mod groups;
mod interleavings;
mod killed;
mod lint;
mod manifests;
mod native_field;
mod owners;
mod plugin;
mod printed;
mod published;
mod races;
mod render;
mod rights;
mod rollout;
mod show;
mod sticky_apply;
mod sticky_get;
mod sticky_remove;
mod sticky_set;
mod templates;
mod undoing;
mod watch;
mod watch_tokens;
