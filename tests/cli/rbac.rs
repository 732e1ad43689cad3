//! `rbac` without a cluster: what it prints, and that every command has a row.

use std::collections::BTreeSet;

use canary_traefik::{cli, commands::rbac::permissions::ROWS};
use snapbox::str;
use testbed::run::Run;

fn rbac(words: &str) -> testbed::run::Output {
    Run::new(["rbac"].into_iter().chain(words.split_whitespace())).run()
}

/// Every command that does something, as typed.
fn commands(command: &clap::Command, before: &str, all: &mut BTreeSet<String>) {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("{before}{}", command.get_name());
        if !command.is_subcommand_required_set() {
            all.insert(name.clone());
        }
        commands(command, &format!("{name} "), all);
    }
}

#[test]
fn every_command_has_one_row_of_rights_and_no_row_is_of_none() {
    let mut all = BTreeSet::new();
    commands(&cli::command(), "", &mut all);
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.command.to_owned()).collect();
    assert_eq!(rows, all, "a command has its row in src/commands/rbac/permissions.rs");
    assert_eq!(rows.len(), ROWS.len(), "each has one");
}

#[test]
fn through_the_cluster_verify_needs_pods_and_their_ports() {
    rbac("verify --through-cluster -n shop").shows(str![[r#"
exit: 0
--- stdout
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kubectl-canary-traefik-verify
  namespace: shop
rules:
- apiGroups:
  - flagger.app
  resources:
  - canaries
  verbs:
  - get
# without it: the split between the tracks is not compared with the weights
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - traefikservices
  verbs:
  - get
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubectl-canary-traefik-verify
rules:
# without it: these routes are not found (use --url); granted in a Role, only those of its namespace are
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - ingressroutes
  verbs:
  - list
# without it: these routes are not found (use --url); granted in a Role, only those of its namespace are
- apiGroups:
  - gateway.networking.k8s.io
  resources:
  - httproutes
  verbs:
  - list
# without it: routes through other TraefikServices are not found
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - traefikservices
  verbs:
  - list
# without it: whether an Ingress serves a page is not known
- apiGroups:
  - networking.k8s.io
  resources:
  - ingresses
  verbs:
  - list
# without it: the pod has to be named: --through-cluster=NAMESPACE/POD
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - list
# without it: no pod can be named
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - get
- apiGroups:
  - ""
  resources:
  - pods/portforward
  verbs:
  - create
  - get
--- stderr

"#]]);
}

#[test]
fn a_role_has_what_is_in_a_namespace_and_a_cluster_role_the_rest() {
    rbac("sticky apply -n shop").shows(str![[r#"
exit: 0
--- stdout
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kubectl-canary-traefik-sticky-apply
  namespace: shop
rules:
- apiGroups:
  - flagger.app
  resources:
  - canaries
  verbs:
  - get
  - list
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - traefikservices
  verbs:
  - get
  - list
  - patch
# without it: leftover objects of an entry are not found
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - ingressroutes
  verbs:
  - list
# without it: leftover objects of an entry are not found
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - middlewares
  verbs:
  - list
# without it: leftover objects of an entry are not found
- apiGroups:
  - gateway.networking.k8s.io
  resources:
  - httproutes
  verbs:
  - list
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubectl-canary-traefik-sticky-apply
rules:
# without it: a slow guard may be reported as missing
- apiGroups:
  - admissionregistration.k8s.io
  resourceNames:
  - kubectl-canary-traefik-keep
  resources:
  - mutatingadmissionpolicies
  verbs:
  - get
# without it: a slow guard may be reported as missing
- apiGroups:
  - admissionregistration.k8s.io
  resourceNames:
  - kubectl-canary-traefik-keep
  resources:
  - mutatingadmissionpolicybindings
  verbs:
  - get
# without it: a slow guard may be reported as missing
- apiGroups:
  - admissionregistration.k8s.io
  resourceNames:
  - kubectl-canary-traefik
  resources:
  - mutatingwebhookconfigurations
  verbs:
  - get
# without it: if the guard covers only some namespaces, whether a cookie is protected is <unknown>
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - list
# without it: Canaries with no spec.provider, TraefikService or cookie are skipped
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - list
--- stderr

"#]]);
    rbac("diff").shows(str![[r#"
exit: 0
--- stdout
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kubectl-canary-traefik-diff
rules:
- apiGroups:
  - flagger.app
  resources:
  - canaries
  verbs:
  - get
  - list
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - traefikservices
  verbs:
  - get
  - list
# without it: leftover objects of an entry are not found
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - ingressroutes
  verbs:
  - list
# without it: leftover objects of an entry are not found
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - middlewares
  verbs:
  - list
# without it: leftover objects of an entry are not found
- apiGroups:
  - gateway.networking.k8s.io
  resources:
  - httproutes
  verbs:
  - list
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubectl-canary-traefik-diff
rules:
# without it: Canaries with no spec.provider, TraefikService or cookie are skipped
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - list
--- stderr

"#]]);
    rbac("diff -A -o json").shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "v1",
    "items": [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {
                "name": "kubectl-canary-traefik-diff"
            },
            "rules": [
                {
                    "apiGroups": [
                        "flagger.app"
                    ],
                    "resources": [
                        "canaries"
                    ],
                    "verbs": [
                        "get",
                        "list"
                    ]
                },
                {
                    "apiGroups": [
                        "traefik.io",
                        "traefik.containo.us"
                    ],
                    "resources": [
                        "traefikservices"
                    ],
                    "verbs": [
                        "get",
                        "list"
                    ]
                },
                {
                    "apiGroups": [
                        "traefik.io",
                        "traefik.containo.us"
                    ],
                    "resources": [
                        "ingressroutes"
                    ],
                    "verbs": [
                        "list"
                    ]
                },
                {
                    "apiGroups": [
                        "traefik.io",
                        "traefik.containo.us"
                    ],
                    "resources": [
                        "middlewares"
                    ],
                    "verbs": [
                        "list"
                    ]
                },
                {
                    "apiGroups": [
                        "gateway.networking.k8s.io"
                    ],
                    "resources": [
                        "httproutes"
                    ],
                    "verbs": [
                        "list"
                    ]
                },
                {
                    "apiGroups": [
                        "apps"
                    ],
                    "resources": [
                        "deployments"
                    ],
                    "verbs": [
                        "list"
                    ]
                }
            ]
        }
    ],
    "kind": "List"
}
--- stderr

"#]]);
    rbac("guard run -n guard").shows(str![[r#"
exit: 0
--- stdout
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kubectl-canary-traefik-guard-run
  namespace: guard
rules:
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
- apiGroups:
  - ""
  resourceNames:
  - kubectl-canary-traefik-certificates
  resources:
  - secrets
  verbs:
  - get
  - list
  - update
  - watch
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubectl-canary-traefik-guard-run
rules:
- apiGroups:
  - flagger.app
  resources:
  - canaries
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - traefik.io
  - traefik.containo.us
  resources:
  - traefikservices
  verbs:
  - get
  - list
  - patch
  - watch
- apiGroups:
  - admissionregistration.k8s.io
  resourceNames:
  - kubectl-canary-traefik
  resources:
  - mutatingwebhookconfigurations
  verbs:
  - get
  - list
  - patch
  - watch
- apiGroups:
  - admissionregistration.k8s.io
  resourceNames:
  - kubectl-canary-traefik
  resources:
  - validatingwebhookconfigurations
  verbs:
  - get
  - list
  - patch
  - watch
--- stderr

"#]]);
}

#[test]
fn nobody_is_given_more_for_looking() {
    let read = ["get", "list", "watch"];
    for command in ["show", "render", "simulate", "verify", "diff", "sticky get", "version", "completion"] {
        let roles: serde_json::Value =
            serde_json::from_str(&rbac(&format!("{command} -o json")).stdout).expect("it is JSON");
        let rules = roles["items"].as_array().expect("a list").iter().filter_map(|role| role["rules"].as_array());
        let verbs: BTreeSet<_> = rules
            .flatten()
            .filter_map(|rule| rule["verbs"].as_array())
            .flatten()
            .filter_map(|verb| verb.as_str())
            .collect();
        assert!(verbs.iter().all(|verb| read.contains(verb)), "{command}: {verbs:?}");
    }
}

#[test]
fn what_asks_nothing_and_what_is_unknown_is_said() {
    rbac("man").shows(str![[r#"
exit: 0
--- stdout
--- stderr
this command makes no API requests

"#]]);
    rbac("stiky set").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: there is no command `stiky set`
hint: kubectl canary-traefik rbac sticky set

"#]]);
    rbac("show -o table").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: -o table requires --check
hint: use -o yaml, or --check

"#]]);
}
