//! The program against a real API server, with writes by others replayed in between.
#![expect(clippy::too_many_lines, reason = "a test holds what is shown, in full")]

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
