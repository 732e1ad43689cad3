//! The program without a cluster: over files, over a scripted server, at a terminal.

#[path = "../support/mod.rs"]
#[expect(clippy::allow_attributes, reason = "a binary that uses all of it would not fulfil an expectation")]
#[allow(dead_code, reason = "each test binary uses a part of the test bed")]
mod support;

mod bad_files;
mod bad_flags;
mod bad_kubeconfig;
mod bed;
mod chance;
mod completion;
mod cookie;
mod describe;
mod diff;
mod entry;
mod exit_codes;
mod ground;
mod help;
mod hostile;
mod in_place;
mod json;
mod keys_at_random;
mod kustomize;
mod lint;
mod man;
mod manifests;
mod matrix;
mod mutations;
mod nameless;
mod names;
mod neighbours;
mod next_write;
mod output;
mod provider;
mod rbac;
mod render;
mod routes;
mod secrets;
mod show;
mod simulate;
mod sticky_edit;
mod sticky_get;
mod sticky_remove;
mod sticky_set;
mod streams;
mod terminal;
mod traefik_api;
mod transformers;
mod trees;
mod verify;
mod version;
mod watch;
mod wizard;
