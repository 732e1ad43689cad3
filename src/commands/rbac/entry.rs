//! The permissions that a command needs beside those of its row where a Canary declares an entry.

use super::{
    grants::{TRAEFIK, around, listed},
    permission::{Need, Permission},
};

const GATEWAY: &[&str] = &["gateway.networking.k8s.io"];
const NETWORKING: &[&str] = &["networking.k8s.io"];
const UNKNOWN: Need = Need::Less("the state of the entry is <unknown>");
const UNCOMPARED: Need = Need::Less("the entry's objects are not compared");
const KEPT: Need = Need::Less("the entry's objects stay as they are");

/// Returns the permissions to see what decides about an entry. Routes of all namespaces count.
const fn see(need: Need) -> [Permission; 5] {
    [
        listed(TRAEFIK, "ingressroutes", need),
        around(TRAEFIK, "middlewares", need),
        listed(TRAEFIK, "traefikservices", Need::Less("routes through another TraefikService are not named")),
        listed(GATEWAY, "httproutes", Need::Less("HTTPRoutes are treated as absent")),
        listed(NETWORKING, "ingresses", Need::Less("Ingresses are treated as absent")),
    ]
}

/// Returns the permissions to make an entry live, and to take it away.
const fn write(verbs: &'static [&'static str]) -> [Permission; 3] {
    let less = Need::Less("the command fails if an HTTPRoute leads to the TraefikService");
    [
        Permission { verbs, ..around(TRAEFIK, "ingressroutes", Need::Must) },
        Permission { verbs, ..around(TRAEFIK, "middlewares", Need::Must) },
        Permission { verbs, ..around(GATEWAY, "httproutes", less) },
    ]
}

const ALL: &[&str] = &["create", "delete", "patch"];

/// The permissions of `guard run --entries`.
fn keep() -> Vec<Permission> {
    let verbs = &["create", "delete", "list", "patch", "watch"];
    let less = Need::Less("entries on HTTPRoutes are not updated");
    vec![
        Permission { verbs, ..listed(TRAEFIK, "ingressroutes", Need::Must) },
        Permission { verbs, ..listed(TRAEFIK, "middlewares", Need::Must) },
        Permission { verbs, ..listed(GATEWAY, "httproutes", less) },
        Permission {
            verbs: &["list", "watch"],
            ..listed(NETWORKING, "ingresses", Need::Less("conflicting Ingresses are not noticed"))
        },
    ]
}

/// Returns the permissions of a command, apart from those of its row.
pub fn permissions(command: &str) -> Vec<Permission> {
    let (see, write) = match command {
        "show" | "describe" | "sticky get" => (see(UNKNOWN), None),
        "diff" => (see(UNCOMPARED), None),
        "render" => {
            let mut all = see(Need::Must);
            all[1].need = Need::Less("a warning is printed, but the result is the same");
            (all, None)
        }
        "sticky set" | "sticky edit" => (see(Need::Must), Some(write(ALL))),
        "sticky apply" => (see(KEPT), Some(write(ALL))),
        "guard run" => return keep(),
        "sticky remove" => (see(KEPT), Some(write(&["delete"]))),
        _ => return Vec::new(),
    };
    see.into_iter().chain(write.into_iter().flatten()).collect()
}
