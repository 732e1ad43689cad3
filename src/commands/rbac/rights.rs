//! What each command asks of the API server, one row a command. Pure. `rbac` prints it; the cluster tests hold it
//! against the server's audit log, and find out what is needed by taking each right away.
//!
//! Requests for which everybody who may log in has the right are left out: `/version`, `/openapi`, `/apis`.

use crate::{
    guard::{deployment, policy, webhook},
    model::name::Group,
};

/// What a command may do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It fails without it.
    Must,
    /// It says or does less without it.
    Less(&'static str),
    /// It tries, and nobody should be given the right for that.
    Tried(&'static str),
}

/// Some verbs on one kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// The groups of which the cluster uses one.
    pub groups: &'static [&'static str],
    /// The resource, in the plural.
    pub resource: &'static str,
    /// What is done with it.
    pub verbs: &'static [&'static str],
    /// The objects' names; empty for all.
    pub names: &'static [&'static str],
    /// Whether it is in no namespace, or in others than the Canaries'.
    pub cluster: bool,
    /// What a command may do without.
    pub need: Need,
}

/// The rights of one command.
#[derive(Debug)]
pub struct Row {
    /// The command, as typed.
    pub command: &'static str,
    /// Whether it looks at all namespaces in any case.
    pub everywhere: bool,
    rights: &'static [&'static [Right]],
}

impl Row {
    /// Every right.
    pub fn rights(&self) -> impl Iterator<Item = Right> {
        // Certificates are in the guard's own namespace.
        let cluster = |right: &Right| right.cluster || (self.everywhere && right.resource != "secrets");
        self.rights.iter().copied().flatten().map(move |right| Right { cluster: cluster(right), ..*right })
    }

    /// The row of a command.
    pub fn of(command: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.command == command)
    }
}

const TRAEFIK: &[&str] = &[Group::TraefikIo.as_str(), Group::TraefikContainoUs.as_str()];
const ADMISSION: &[&str] = &["admissionregistration.k8s.io"];
const KEPT: Need = Need::Less("whether a cookie is kept is <unknown>");

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

const fn listed(group: &'static [&'static str], resource: &'static str, need: Need) -> Right {
    Right { groups: group, resource, verbs: &["list"], names: &[], cluster: true, need }
}

/// Which form of the guard is there, and which version.
const fn form(need: Need) -> [Right; 3] {
    [
        guards("mutatingadmissionpolicies", &[policy::KEEP], &["get"], need),
        guards("mutatingadmissionpolicybindings", &[policy::KEEP], &["get"], need),
        guards("mutatingwebhookconfigurations", &[webhook::NAME], &["get"], need),
    ]
}

/// Whether the guard covers a Canary.
const SEE_GUARD: &[Right] = &form(KEPT);
const SEE_NAMESPACES: &[Right] = &[listed(
    &[""],
    "namespaces",
    Need::Less("with a guard of some namespaces, whether a cookie is kept is <unknown>"),
)];
const PROVE_READING: &[Right] = &[services(&["patch"], Need::Tried("proves by a dry run that the guard acts"))];
/// After a change the dry run that proves it needs no more rights than the change.
const SEE_GUARD_ACT: &[Right] = &form(Need::Less("a guard that is not quick to act is taken for none"));

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

/// Whether the guard's webhook is there, by its registration or by what is left of it.
const fn see_webhook(need: Need) -> [Right; 3] {
    let left = Need::Less("what is left of a webhook without registration is not seen");
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

/// In the Canary's namespace.
const fn around(groups: &'static [&'static str], resource: &'static str, need: Need) -> Right {
    Right { groups, resource, verbs: &["list"], names: &[], cluster: false, need }
}

const ROUTES: Need = Need::Less("routes of this kind are <unknown>");
const RUNNING: Need = Need::Less("fields that the running Traefik is too old for are not told");
const CONFIGURATIONS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
const UNPROVEN: Need = Need::Less("whether the guard acts is <unknown>");

/// Every command.
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
        ],
    },
    Row {
        command: "describe",
        everywhere: false,
        rights: &[
            &[canaries(&["get"], Need::Must)],
            &[services(&["get"], Need::Less("weights and the live cookie are <unknown>"))],
            &[services(&["list"], ROUTES), around(TRAEFIK, "ingressroutes", ROUTES)],
            &[around(&["gateway.networking.k8s.io"], "httproutes", ROUTES)],
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
    Row {
        command: "diff",
        everywhere: false,
        rights: &[&[canaries(&["get", "list"], Need::Must)], &[services(&["get", "list"], Need::Must)]],
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
    // Without a flag of the cookie it asks, and looks at what `sticky edit` looks at, and at the list of Canaries.
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
    // What is taken away need not be kept; how it is taken back depends on the guard.
    Row {
        command: "sticky remove",
        everywhere: false,
        rights: &[CHANGE, &form(Need::Less("an undo can be printed that a guard turns back")), SEE_NAMESPACES],
    },
    Row {
        command: "sticky apply",
        everywhere: false,
        rights: &[
            &[canaries(&["get", "list"], Need::Must)],
            &[services(&["get", "list", "patch"], Need::Must)],
            SEE_GUARD_ACT,
            SEE_NAMESPACES,
        ],
    },
    Row {
        command: "guard install",
        everywhere: true,
        rights: &[
            // An apply that creates needs both verbs; who names params must be allowed to get, who binds them to list them.
            &policies(&["create", "get", "patch"], Need::Must),
            // Whether the other form is there.
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
            &see_webhook(Need::Less("a webhook beside the policies is not seen")),
            SEE_NAMESPACES,
        ],
    },
    Row {
        command: "guard uninstall",
        everywhere: true,
        rights: &[&policies(&["delete", "get"], Need::Must), &see_webhook(Need::Less("a webhook stays"))],
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
            need: Need::Less("--check fails; everybody who may log in has it"),
        }]],
    },
    Row {
        command: "completion",
        everywhere: false,
        rights: &[
            &[canaries(&["list"], Need::Less("no Canary's name is completed"))],
            &[listed(&[""], "namespaces", Need::Less("no namespace's name is completed"))],
        ],
    },
    Row { command: "completion install", everywhere: false, rights: &[] },
    Row { command: "man", everywhere: false, rights: &[] },
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
    services(&["get"], Need::Less("the Canary is changed, and the TraefikService left alone")),
    services(&["patch"], Need::Must),
];

const fn secrets(names: &'static [&'static str], verbs: &'static [&'static str]) -> Right {
    Right { groups: &[""], resource: "secrets", verbs, names, cluster: false, need: Need::Must }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// (group, resource, name, verb) for each.
    fn singly(rules: impl IntoIterator<Item = Value>) -> BTreeSet<[String; 4]> {
        let texts = |rule: &Value, key: &str| -> Vec<String> {
            let all = rule[key].as_array().into_iter().flatten();
            all.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
        };
        let mut all = BTreeSet::new();
        for rule in rules {
            let mut names = texts(&rule, "resourceNames");
            if names.is_empty() {
                names.push(String::new());
            }
            for group in texts(&rule, "apiGroups") {
                for resource in texts(&rule, "resources") {
                    for name in &names {
                        for verb in texts(&rule, "verbs") {
                            all.insert([group.clone(), resource.clone(), name.clone(), verb]);
                        }
                    }
                }
            }
        }
        all
    }

    #[test]
    fn guard_run_has_the_rights_that_its_deployment_is_given() {
        let objects = deployment::objects(&deployment::Placement {
            namespace: "guard".to_owned(),
            image: "image".to_owned(),
            coverage: crate::guard::Coverage::default(),
            has_conditions: true,
            keeper: crate::guard::Keeper::Processes,
        });
        let given = objects.iter().filter_map(|object| object["rules"].as_array()).flatten().cloned();
        let row = Row::of("guard run").unwrap().rights().map(|right| super::super::role::rule(&right));
        assert_eq!(singly(row), singly(given));
    }
}
