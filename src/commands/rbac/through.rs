//! The permissions that a command needs beside those of its row with `--through-cluster`. Traefik's pods are in another
//! namespace than the Canary, as a rule.

use super::{
    grants::listed,
    permission::{Need, Permission},
};

/// Returns the permissions of a command with `--through-cluster`, apart from those of its row.
pub(super) fn permissions(command: &str) -> Vec<Permission> {
    let pods = |resource, verbs, need| Permission { verbs, ..listed(&[""], resource, need) };
    match command {
        "verify" => vec![
            pods("pods", &["list"], Need::Less("the pod has to be named: --through-cluster=NAMESPACE/POD")),
            pods("pods", &["get"], Need::Less("no pod can be named")),
            // Older API servers ask for the one, newer ones for both.
            pods("pods/portforward", &["create", "get"], Need::Must),
        ],
        _ => Vec::new(),
    }
}
