//! Rights that each command needs on the API server, one row per command. Pure. `rbac` prints them; the cluster tests
//! compare them with the server's audit log, and take each one away to prove that it is needed.
//!
//! Requests that every authenticated user may make are left out: `/version`, `/openapi`, `/apis`.

use crate::{
    guard::{deployment, policy, webhook},
    model::name::Group,
};

/// Whether a command needs a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The command fails without it.
    Must,
    /// The command does less without it; the text says what is missing.
    Less(&'static str),
    /// The command tries to use it, but nobody should be granted the right for that.
    Tried(&'static str),
}

/// Verbs on one kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// API groups, of which a cluster uses one.
    pub groups: &'static [&'static str],
    /// Resource name, in the plural.
    pub resource: &'static str,
    /// Verbs of the right.
    pub verbs: &'static [&'static str],
    /// Object names; empty for all objects.
    pub names: &'static [&'static str],
    /// Whether the objects are cluster-scoped, or outside the Canaries' namespaces.
    pub cluster: bool,
    /// Whether the command needs the right.
    pub need: Need,
}

impl Right {
    /// Returns whether it allows this verb on this resource, named with its API group (`canaries.flagger.app`).
    pub fn allows(&self, verb: &str, resource: &str) -> bool {
        let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
        self.verbs.contains(&verb) && self.resource == name && self.groups.contains(&group)
    }
}

/// The rights of one command.
#[derive(Debug)]
pub struct Row {
    /// The command as typed.
    pub command: &'static str,
    /// Whether the command always looks at all namespaces.
    pub everywhere: bool,
    rights: &'static [&'static [Right]],
}

impl Row {
    /// Returns every right of the command.
    pub fn rights(&self) -> impl Iterator<Item = Right> {
        // Secrets hold the webhook's certificates, in the guard's own namespace.
        let cluster = |right: &Right| right.cluster || (self.everywhere && right.resource != "secrets");
        self.rights.iter().copied().flatten().map(move |right| Right { cluster: cluster(right), ..*right })
    }

    /// Returns the row of a command.
    pub fn of(command: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.command == command)
    }
}

pub(super) const TRAEFIK: &[&str] = &[Group::TraefikIo.as_str(), Group::TraefikContainoUs.as_str()];
const ADMISSION: &[&str] = &["admissionregistration.k8s.io"];
const PROTECTION_UNKNOWN: Need = Need::Less("whether a cookie is protected is <unknown>");

const fn canaries(verbs: &'static [&'static str], need: Need) -> Right {
    Right { groups: &["flagger.app"], resource: "canaries", verbs, names: &[], cluster: false, need }
}

const fn services(verbs: &'static [&'static str], need: Need) -> Right {
    Right { groups: TRAEFIK, resource: "traefikservices", verbs, names: &[], cluster: false, need }
}

const fn guards(
    resource: &'static str,
    names: &'static [&'static str],
    verbs: &'static [&'static str],
    need: Need,
) -> Right {
    Right { groups: ADMISSION, resource, verbs, names, cluster: true, need }
}

pub(super) const fn listed(group: &'static [&'static str], resource: &'static str, need: Need) -> Right {
    Right { groups: group, resource, verbs: &["list"], names: &[], cluster: true, need }
}

/// Rights to read the form and version of the installed guard.
const fn form(need: Need) -> [Right; 3] {
    [
        guards("mutatingadmissionpolicies", &[policy::KEEP], &["get"], need),
        guards("mutatingadmissionpolicybindings", &[policy::KEEP], &["get"], need),
        guards("mutatingwebhookconfigurations", &[webhook::NAME], &["get"], need),
    ]
}

/// Rights to determine whether the guard covers a Canary.
const SEE_GUARD: &[Right] = &form(PROTECTION_UNKNOWN);
const SEE_NAMESPACES: &[Right] = &[listed(
    &[""],
    "namespaces",
    Need::Less("if the guard covers only some namespaces, whether a cookie is protected is <unknown>"),
)];
const PROVE_READING: &[Right] = &[services(&["patch"], Need::Tried("tests by a dry run that the guard works"))];
/// After a change, the dry run that tests the guard needs no more rights than the change itself.
const SEE_GUARD_ACT: &[Right] = &form(Need::Less("optional: without it, a slow guard may be reported as missing"));

const fn policies(verbs: &'static [&'static str], need: Need) -> [Right; 4] {
    const MUTATING: &[&str] = &[policy::KEEP, policy::CARRY];
    const VALIDATING: &[&str] = &[policy::CHECK];
    [
        guards("mutatingadmissionpolicies", MUTATING, verbs, need),
        guards("mutatingadmissionpolicybindings", MUTATING, verbs, need),
        guards("validatingadmissionpolicies", VALIDATING, verbs, need),
        guards("validatingadmissionpolicybindings", VALIDATING, verbs, need),
    ]
}

/// Rights to find the guard's webhook, by its registration or by what is left of it.
const fn see_webhook(need: Need) -> [Right; 3] {
    let left = Need::Less("leftovers of a webhook without registration are not found");
    [
        guards(CONFIGURATIONS[0], &[webhook::NAME], &["get"], need),
        guards(CONFIGURATIONS[1], &[webhook::NAME], &["get"], need),
        Right {
            groups: &["rbac.authorization.k8s.io"],
            resource: "clusterrolebindings",
            ..guards("", &[webhook::NAME], &["get"], left)
        },
    ]
}

/// Returns the right to list a resource in the Canary's namespace.
pub(super) const fn around(groups: &'static [&'static str], resource: &'static str, need: Need) -> Right {
    Right { groups, resource, verbs: &["list"], names: &[], cluster: false, need }
}

const HOSTS: Need =
    Need::Less("routes of this kind are not found: name hosts with --url; with a Role, those of other namespaces");
const ROUTES: Need = Need::Less("routes of this kind are <unknown>; with a Role, those of other namespaces");
/// Rights to find the objects of an entry that is no longer declared.
const LEFT_OVER: &[Right] = &[
    around(TRAEFIK, "ingressroutes", NOT_FOUND),
    around(TRAEFIK, "middlewares", NOT_FOUND),
    around(&["gateway.networking.k8s.io"], "httproutes", NOT_FOUND),
];
const NOT_FOUND: Need = Need::Less("leftover objects of an entry are not found");
const RUNNING: Need = Need::Less("fields that the running Traefik does not support are not reported");
const NOT_LINTED: Need = Need::Less("rules that need it find nothing");
const CONFIGURATIONS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
const UNPROVEN: Need = Need::Less("whether the guard works is <unknown>");

const PINS: &[&[Right]] = &[
    &[canaries(&["get"], Need::Must)],
    &[services(&["get"], Need::Less("cookie and tracks are computed from the Canary alone"))],
];

/// Right to read Flagger's mesh provider, which decides about Canaries that name none.
const MESH_PROVIDER: &[Right] = &[listed(
    &["apps"],
    "deployments",
    Need::Less("Canaries that have neither spec.provider, a TraefikService nor a cookie are not shown"),
)];

/// The rights of every command.
pub static ROWS: &[Row] = &[
    Row {
        command: "show",
        everywhere: false,
        rights: &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list"], Need::Less("weights and the live cookie are <unknown>"))],
            SEE_GUARD,
            SEE_NAMESPACES,
            PROVE_READING,
            MESH_PROVIDER,
        ],
    },
    Row {
        command: "describe",
        everywhere: false,
        rights: &[
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
    },
    Row {
        command: "render",
        everywhere: false,
        rights: &[&[canaries(&["get"], Need::Must)], &[services(&["get"], Need::Less("the live weight counts as 0"))]],
    },
    Row { command: "cookie", everywhere: false, rights: PINS },
    Row { command: "cookie decode", everywhere: false, rights: PINS },
    Row {
        command: "simulate",
        everywhere: false,
        rights: &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("where no cookie is declared, the live one is not simulated"))],
        ],
    },
    Row {
        command: "lint",
        everywhere: false,
        rights: &[
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
    },
    Row { command: "lint explain", everywhere: false, rights: &[] },
    Row {
        command: "verify",
        everywhere: false,
        rights: &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("the split between the tracks is not compared with the weights"))],
            &[listed(TRAEFIK, "ingressroutes", HOSTS), listed(&["gateway.networking.k8s.io"], "httproutes", HOSTS)],
            &[listed(TRAEFIK, "traefikservices", Need::Less("routes through other TraefikServices are not found"))],
            &[listed(&["networking.k8s.io"], "ingresses", Need::Less("whether an Ingress serves a page is not known"))],
        ],
    },
    Row {
        command: "diff",
        everywhere: false,
        rights: &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list"], Need::Must)],
            LEFT_OVER,
            MESH_PROVIDER,
        ],
    },
    Row {
        command: "sticky get",
        everywhere: false,
        rights: &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("the live cookie is <unknown>"))],
            SEE_GUARD,
            SEE_NAMESPACES,
            PROVE_READING,
        ],
    },
    // Without cookie flags it reads what `sticky edit` reads, and lists the Canaries.
    Row { command: "sticky set", everywhere: false, rights: &[CHANGE, SEE_GUARD_ACT, SEE_NAMESPACES] },
    Row {
        command: "sticky edit",
        everywhere: false,
        rights: &[
            CHANGE,
            &[listed(&["apps"], "deployments", RUNNING), listed(&["apps"], "daemonsets", RUNNING)],
            SEE_GUARD_ACT,
            SEE_NAMESPACES,
        ],
    },
    // A removed cookie needs no protection, but how to undo its removal depends on the guard.
    Row {
        command: "sticky remove",
        everywhere: false,
        rights: &[
            CHANGE,
            LEFT_OVER,
            &form(Need::Less("the printed undo command may be reverted by the guard")),
            SEE_NAMESPACES,
        ],
    },
    Row {
        command: "sticky apply",
        everywhere: false,
        rights: &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list", "patch"], Need::Must)],
            LEFT_OVER,
            SEE_GUARD_ACT,
            SEE_NAMESPACES,
            MESH_PROVIDER,
        ],
    },
    Row {
        command: "guard install",
        everywhere: true,
        rights: &[
            // An apply that creates needs both verbs. A policy requires get on its params, a binding requires list.
            &policies(&["create", "get", "patch"], Need::Must),
            // Needed to detect the other form.
            &see_webhook(Need::Must),
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["list", "patch"], UNPROVEN)],
            SEE_NAMESPACES,
        ],
    },
    Row {
        command: "guard status",
        everywhere: true,
        rights: &[
            &policies(&["get"], Need::Must),
            &[canaries(&["list"], Need::Must), services(&["list", "patch"], UNPROVEN)],
            &see_webhook(Need::Less("a webhook beside the policies is not found")),
            SEE_NAMESPACES,
        ],
    },
    Row {
        command: "guard uninstall",
        everywhere: true,
        rights: &[&policies(&["delete", "get"], Need::Must), &see_webhook(Need::Less("a webhook is left behind"))],
    },
    Row {
        command: "guard run",
        everywhere: true,
        rights: &[
            &[canaries(&["get", "list", "watch"], Need::Must)],
            &[services(&["get", "list", "patch", "watch"], Need::Must)],
            &[
                guards(CONFIGURATIONS[0], &[webhook::NAME], &["get", "list", "patch", "watch"], Need::Must),
                guards(CONFIGURATIONS[1], &[webhook::NAME], &["get", "list", "patch", "watch"], Need::Must),
            ],
            &[secrets(&[], &["create"]), secrets(&[deployment::SECRET], &["get", "list", "update", "watch"])],
        ],
    },
    Row {
        command: "rbac",
        everywhere: true,
        rights: &[&[Right {
            groups: &["authorization.k8s.io"],
            resource: "selfsubjectaccessreviews",
            verbs: &["create"],
            names: &[],
            cluster: true,
            need: Need::Less("--check fails; every authenticated user has this right by default"),
        }]],
    },
    Row {
        command: "completion",
        everywhere: false,
        rights: &[
            &[canaries(&["list"], Need::Less("names of Canaries are not completed"))],
            &[listed(&[""], "namespaces", Need::Less("names of namespaces are not completed"))],
        ],
    },
    Row { command: "completion install", everywhere: false, rights: &[] },
    Row { command: "man", everywhere: false, rights: &[] },
    Row { command: "options", everywhere: false, rights: &[] },
    Row {
        command: "version",
        everywhere: true,
        rights: &[
            &[listed(&["apps"], "deployments", Need::Less("Flagger and Traefik are <unknown>"))],
            &[listed(&["apps"], "daemonsets", Need::Less("a Traefik that is a DaemonSet is not found"))],
            &form(Need::Less("the guard is <unknown>")),
        ],
    },
];

const CHANGE: &[Right] = &[
    canaries(&["get", "patch"], Need::Must),
    services(&["get"], Need::Less("the Canary is changed, the TraefikService is not")),
    services(&["patch"], Need::Must),
];

const fn secrets(names: &'static [&'static str], verbs: &'static [&'static str]) -> Right {
    Right { groups: &[""], resource: "secrets", verbs, names, cluster: false, need: Need::Must }
}

#[cfg(test)]
mod tests;
