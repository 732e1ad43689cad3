//! The permissions that a command needs beside those of its row to watch.

use super::{
    grants::{TRAEFIK, around},
    permission::{Need, Permission},
};

const UNKNOWN: Need = Need::Less("weights and the live cookie are <unknown>");
const UNNOTICED: Need = Need::Less("a change of the TraefikService alone is not noticed");

/// Returns the permissions of a command with `--watch`, apart from those of its row.
pub(super) fn permissions(command: &str) -> Vec<Permission> {
    let verbs = &["list", "watch"];
    let canaries = Permission { verbs, ..around(&["flagger.app"], "canaries", Need::Must) };
    let services = |need| Permission { verbs, ..around(TRAEFIK, "traefikservices", need) };
    match command {
        "show" => vec![canaries, services(UNKNOWN)],
        "describe" => {
            let events =
                Permission { verbs, ..around(&[""], "events", Need::Less("events are shown with the next change")) };
            vec![canaries, services(UNNOTICED), events]
        }
        _ => Vec::new(),
    }
}
