//! Permissions that each command needs on the API server, one row per command. Pure. `rbac` prints them; the cluster tests
//! compare them with the server's audit log, and take each one away to prove that it is needed.
//!
//! Requests that every authenticated user may make are left out: `/version`, `/openapi`, `/apis`.

use super::{
    grants::{
        CHANGE, CONFIGURATIONS, HOSTS, LEFT_OVER, MESH_PROVIDER, NOT_FOUND, NOT_LINTED, PINS, PROVE_READING, ROUTES,
        RUNNING, SEE_GUARD, SEE_GUARD_ACT, SEE_NAMESPACES, TRAEFIK, UNPROVEN, around, canaries, form, guards, listed,
        policies, secrets, see_webhook, services,
    },
    permission::{Need, Permission},
};
use crate::guard::webhook;

/// The permissions of one command.
#[derive(Debug)]
pub struct Row {
    /// The command as typed.
    pub command: &'static str,
    /// Whether the command always looks at all namespaces.
    pub everywhere: bool,
    permissions: &'static [&'static [Permission]],
}

impl Row {
    /// Returns every permission of the command.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        // Secrets hold the webhook's certificates, in the guard's own namespace.
        let cluster =
            |permission: &Permission| permission.cluster || (self.everywhere && permission.resource != "secrets");
        self.permissions
            .iter()
            .copied()
            .flatten()
            .map(move |permission| Permission { cluster: cluster(permission), ..*permission })
    }

    /// Returns the row of a command.
    pub fn of(command: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.command == command)
    }
}

/// A row of a command that works in one namespace.
const fn row(command: &'static str, permissions: &'static [&'static [Permission]]) -> Row {
    Row { command, everywhere: false, permissions }
}

/// A row of a command that works on the whole cluster.
const fn everywhere(command: &'static str, permissions: &'static [&'static [Permission]]) -> Row {
    Row { command, everywhere: true, permissions }
}

/// The permissions of every command.
pub static ROWS: &[Row] = &[
    row(
        "show",
        &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list"], Need::Less("weights and the live cookie are <unknown>"))],
            SEE_GUARD,
            SEE_NAMESPACES,
            PROVE_READING,
            MESH_PROVIDER,
        ],
    ),
    row(
        "describe",
        &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("weights and the live cookie are <unknown>"))],
            &[listed(TRAEFIK, "traefikservices", ROUTES), listed(TRAEFIK, "ingressroutes", ROUTES)],
            &[listed(&["gateway.networking.k8s.io"], "httproutes", ROUTES)],
            &[listed(&["networking.k8s.io"], "ingresses", ROUTES)],
            &[around(TRAEFIK, "middlewares", NOT_FOUND)],
            &[around(&[""], "events", Need::Less("the last events are <unknown>"))],
            SEE_GUARD,
            SEE_NAMESPACES,
            PROVE_READING,
        ],
    ),
    row(
        "render",
        &[&[canaries(&["get"], Need::Must)], &[services(&["get"], Need::Less("the live weight counts as 0"))]],
    ),
    row("cookie", PINS),
    row("cookie decode", PINS),
    row(
        "simulate",
        &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("where no cookie is declared, the live one is not simulated"))],
        ],
    ),
    row(
        "lint",
        &[
            &[canaries(&["list"], Need::Must)],
            &[services(&["list"], Need::Less("what is live is not checked"))],
            &[around(TRAEFIK, "ingressroutes", NOT_LINTED), listed(TRAEFIK, "ingressroutes", NOT_LINTED)],
            &[around(TRAEFIK, "middlewares", NOT_LINTED)],
            &[around(&["gateway.networking.k8s.io"], "httproutes", NOT_LINTED)],
            &[listed(&["gateway.networking.k8s.io"], "httproutes", NOT_LINTED)],
            &[around(&["networking.k8s.io"], "ingresses", NOT_LINTED)],
            &[listed(&["networking.k8s.io"], "ingresses", NOT_LINTED)],
            &[around(&[""], "services", NOT_LINTED)],
            &[listed(&["apps"], "deployments", NOT_LINTED), listed(&["apps"], "daemonsets", NOT_LINTED)],
            SEE_GUARD,
            SEE_NAMESPACES,
        ],
    ),
    row("lint explain", &[]),
    row(
        "verify",
        &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("the split between the tracks is not compared with the weights"))],
            &[listed(TRAEFIK, "ingressroutes", HOSTS), listed(&["gateway.networking.k8s.io"], "httproutes", HOSTS)],
            &[listed(TRAEFIK, "traefikservices", Need::Less("routes through other TraefikServices are not found"))],
            &[listed(&["networking.k8s.io"], "ingresses", Need::Less("whether an Ingress serves a page is not known"))],
        ],
    ),
    row(
        "diff",
        &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list"], Need::Must)],
            LEFT_OVER,
            MESH_PROVIDER,
        ],
    ),
    row(
        "sticky get",
        &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("the live cookie is <unknown>"))],
            SEE_GUARD,
            SEE_NAMESPACES,
            PROVE_READING,
        ],
    ),
    // Without cookie flags it reads what `sticky edit` reads, and lists the Canaries.
    row("sticky set", &[CHANGE, SEE_GUARD_ACT, SEE_NAMESPACES]),
    row(
        "sticky edit",
        &[
            CHANGE,
            &[listed(&["apps"], "deployments", RUNNING), listed(&["apps"], "daemonsets", RUNNING)],
            SEE_GUARD_ACT,
            SEE_NAMESPACES,
        ],
    ),
    // A removed cookie needs no protection, but how to undo its removal depends on the guard.
    row(
        "sticky remove",
        &[
            CHANGE,
            LEFT_OVER,
            &form(Need::Less("the printed undo command may be reverted by the guard")),
            SEE_NAMESPACES,
        ],
    ),
    row(
        "sticky apply",
        &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list", "patch"], Need::Must)],
            LEFT_OVER,
            SEE_GUARD_ACT,
            SEE_NAMESPACES,
            MESH_PROVIDER,
        ],
    ),
    everywhere(
        "guard install",
        &[
            // An apply that creates needs both verbs. A policy requires get on its params, a binding requires list.
            &policies(&["create", "get", "patch"], Need::Must),
            // Needed to detect the other form.
            &see_webhook(Need::Must),
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["list", "patch"], UNPROVEN)],
            SEE_NAMESPACES,
        ],
    ),
    everywhere(
        "guard status",
        &[
            &policies(&["get"], Need::Must),
            &[canaries(&["list"], Need::Must), services(&["list", "patch"], UNPROVEN)],
            &see_webhook(Need::Less("a webhook beside the policies is not found")),
            SEE_NAMESPACES,
        ],
    ),
    everywhere(
        "guard uninstall",
        &[&policies(&["delete", "get"], Need::Must), &see_webhook(Need::Less("a webhook is left behind"))],
    ),
    everywhere(
        "guard run",
        &[
            &[canaries(&["get", "list", "watch"], Need::Must)],
            &[services(&["get", "list", "patch", "watch"], Need::Must)],
            &[
                guards(CONFIGURATIONS[0], &[webhook::NAME], &["get", "list", "patch", "watch"], Need::Must),
                guards(CONFIGURATIONS[1], &[webhook::NAME], &["get", "list", "patch", "watch"], Need::Must),
            ],
            &[secrets(&[], &["create"]), secrets(&[webhook::SECRET], &["get", "list", "update", "watch"])],
        ],
    ),
    everywhere(
        "rbac",
        &[&[Permission {
            groups: &["authorization.k8s.io"],
            resource: "selfsubjectaccessreviews",
            verbs: &["create"],
            names: &[],
            cluster: true,
            need: Need::Less("--check fails; every authenticated user has this permission by default"),
        }]],
    ),
    row(
        "completion",
        &[
            &[canaries(&["list"], Need::Less("names of Canaries are not completed"))],
            &[listed(&[""], "namespaces", Need::Less("names of namespaces are not completed"))],
        ],
    ),
    row("completion install", &[]),
    row("man", &[]),
    row("options", &[]),
    everywhere(
        "version",
        &[
            &[listed(&["apps"], "deployments", Need::Less("Flagger and Traefik are <unknown>"))],
            &[listed(&["apps"], "daemonsets", Need::Less("a Traefik that is a DaemonSet is not found"))],
            &form(Need::Less("the guard is <unknown>")),
        ],
    ),
];

#[cfg(test)]
mod tests;
