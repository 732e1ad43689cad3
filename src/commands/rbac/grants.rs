//! The permissions that several commands need alike.

use super::permission::{Need, Permission};
use crate::{
    guard::{policy, webhook},
    model::name::Group,
};

pub(super) const TRAEFIK: &[&str] = &[Group::TraefikIo.as_str(), Group::TraefikContainoUs.as_str()];
pub(super) const ADMISSION: &[&str] = &["admissionregistration.k8s.io"];
pub(super) const PROTECTION_UNKNOWN: Need = Need::Less("whether a cookie is protected is <unknown>");

pub(super) const fn canaries(verbs: &'static [&'static str], need: Need) -> Permission {
    Permission { groups: &["flagger.app"], resource: "canaries", verbs, names: &[], cluster: false, need }
}

pub(super) const fn services(verbs: &'static [&'static str], need: Need) -> Permission {
    Permission { groups: TRAEFIK, resource: "traefikservices", verbs, names: &[], cluster: false, need }
}

pub(super) const fn guards(
    resource: &'static str,
    names: &'static [&'static str],
    verbs: &'static [&'static str],
    need: Need,
) -> Permission {
    Permission { groups: ADMISSION, resource, verbs, names, cluster: true, need }
}

pub(super) const fn listed(group: &'static [&'static str], resource: &'static str, need: Need) -> Permission {
    Permission { groups: group, resource, verbs: &["list"], names: &[], cluster: true, need }
}

/// Permissions to read the form and version of the installed guard.
pub(super) const fn form(need: Need) -> [Permission; 3] {
    [
        guards("mutatingadmissionpolicies", &[policy::KEEP], &["get"], need),
        guards("mutatingadmissionpolicybindings", &[policy::KEEP], &["get"], need),
        guards("mutatingwebhookconfigurations", &[webhook::NAME], &["get"], need),
    ]
}

/// Permissions to determine whether the guard covers a Canary.
pub(super) const SEE_GUARD: &[Permission] = &form(PROTECTION_UNKNOWN);
pub(super) const SEE_NAMESPACES: &[Permission] = &[listed(
    &[""],
    "namespaces",
    Need::Less("if the guard covers only some namespaces, whether a cookie is protected is <unknown>"),
)];
pub(super) const PROVE_READING: &[Permission] =
    &[services(&["patch"], Need::Tried("tests by a dry run that the guard works"))];
/// After a change, the dry run that tests the guard needs no more permissions than the change itself.
pub(super) const SEE_GUARD_ACT: &[Permission] = &form(Need::Less("a slow guard may be reported as missing"));

pub(super) const fn policies(verbs: &'static [&'static str], need: Need) -> [Permission; 4] {
    const MUTATING: &[&str] = &[policy::KEEP, policy::CARRY];
    const VALIDATING: &[&str] = &[policy::CHECK];
    [
        guards("mutatingadmissionpolicies", MUTATING, verbs, need),
        guards("mutatingadmissionpolicybindings", MUTATING, verbs, need),
        guards("validatingadmissionpolicies", VALIDATING, verbs, need),
        guards("validatingadmissionpolicybindings", VALIDATING, verbs, need),
    ]
}

/// Permissions to find the guard's webhook, by its registration or by what is left of it.
pub(super) const fn see_webhook(need: Need) -> [Permission; 3] {
    let left = Need::Less("leftovers of a webhook without registration are not found");
    [
        guards(CONFIGURATIONS[0], &[webhook::NAME], &["get"], need),
        guards(CONFIGURATIONS[1], &[webhook::NAME], &["get"], need),
        Permission {
            groups: &["rbac.authorization.k8s.io"],
            resource: "clusterrolebindings",
            ..guards("", &[webhook::NAME], &["get"], left)
        },
    ]
}

/// Returns permission to list a resource in the Canary's namespace.
pub(super) const fn around(groups: &'static [&'static str], resource: &'static str, need: Need) -> Permission {
    Permission { groups, resource, verbs: &["list"], names: &[], cluster: false, need }
}

pub(super) const HOSTS: Need =
    Need::Less("these routes are not found (use --url); granted in a Role, only those of its namespace are");
pub(super) const ROUTES: Need =
    Need::Less("these routes are <unknown>; granted in a Role, only those of its namespace are seen");
/// Permissions to find the objects of an entry that is no longer declared.
pub(super) const LEFT_OVER: &[Permission] = &[
    around(TRAEFIK, "ingressroutes", NOT_FOUND),
    around(TRAEFIK, "middlewares", NOT_FOUND),
    around(&["gateway.networking.k8s.io"], "httproutes", NOT_FOUND),
];
pub(super) const NOT_FOUND: Need = Need::Less("leftover objects of an entry are not found");
pub(super) const RUNNING: Need = Need::Less("fields that the running Traefik does not support are not reported");
pub(super) const NOT_LINTED: Need = Need::Less("rules that need it are skipped");
pub(super) const CONFIGURATIONS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
pub(super) const UNPROVEN: Need = Need::Less("whether the guard works is <unknown>");

pub(super) const PINS: &[&[Permission]] = &[
    &[canaries(&["get"], Need::Must)],
    &[services(&["get"], Need::Less("cookie and tracks are computed from the Canary alone"))],
];

/// Permission to read Flagger's default provider, which decides about Canaries that name none.
pub(super) const MESH_PROVIDER: &[Permission] = &[listed(
    &["apps"],
    "deployments",
    Need::Less("Canaries with no spec.provider, TraefikService or cookie are skipped"),
)];

pub(super) const CHANGE: &[Permission] = &[
    canaries(&["get", "patch"], Need::Must),
    services(&["get"], Need::Less("the Canary is changed, the TraefikService is not")),
    services(&["patch"], Need::Must),
];

pub(super) const fn secrets(names: &'static [&'static str], verbs: &'static [&'static str]) -> Permission {
    Permission { groups: &[""], resource: "secrets", verbs, names, cluster: false, need: Need::Must }
}
