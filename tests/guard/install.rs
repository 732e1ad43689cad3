//! `guard install`, `guard status` and `guard uninstall`.

use canary_traefik::{
    guard::{Coverage, policy},
    model::{FIELD_MANAGER, declaration::ANNOTATION, selector},
};
use http::Method;
use serde_json::{Value, json};
use snapbox::str;
use testbed::{namespace::Namespace, objects, pty::Pty, run::Run, server::Server, wait::until};

use super::{
    cluster::ADMISSION,
    lone::{Lone, declare, kubectl, lone, rollout, run_as, sticky_after_step},
};

const KEEP: &str = policy::NAMES[0];
const CHECK: &str = policy::NAMES[2];

/// A run of `guard …` as the administrator. This version is shown as `[VERSION]`.
fn guard<S: AsRef<str>>(namespace: &Namespace, arguments: impl IntoIterator<Item = S>) -> Run {
    namespace.run(["guard"]).arguments(arguments).redact(env!("CARGO_PKG_VERSION"), "[VERSION]")
}

/// Applies an object as this program does, or as another manager.
fn apply(lone: &Lone, manager: &str, plural: &str, object: &Value) {
    let name = object["metadata"]["name"].as_str().expect("a name");
    let path = format!("{ADMISSION}/{plural}/{name}?fieldManager={manager}&force=true");
    lone.admin().ask(&Method::PATCH, &path, "application/apply-patch+yaml", object.to_string()).expect("apply");
}

/// This version's policies and bindings.
fn values(coverage: &Coverage) -> Vec<Value> {
    policy::objects(coverage).into_iter().map(|object| object.value).collect()
}

/// One of them.
fn wanted(kind: &str, name: &str) -> Value {
    let mut all = policy::objects(&Coverage::default()).into_iter();
    let found = all.find(|object| object.value["kind"] == kind && object.name() == name);
    found.expect("there is one").value
}

#[test]
fn a_dry_run_or_a_missing_yes_installs_nothing() {
    let lone = lone();
    let namespace = rollout(&lone, "dry");
    guard(&namespace, ["install", "--dry-run=client"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (dry run)
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created (dry run)
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check

"#]]);
    guard(&namespace, ["install", "--dry-run=server"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (server dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (server dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created (server dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (server dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (server dry run)
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created (server dry run)
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check

"#]]);
    guard(&namespace, ["install"]).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    let mut pty = Pty::start(guard(&namespace, ["install"]));
    pty.answers("Create 6 objects?", "");
    pty.ends().shows(str![[r#"
exit: 3
--- screen
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-ke
ep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-ca
rry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-
check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-tra
efik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-tra
efik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-t
raefik-check
cancelled: nothing was changed

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
the guard is not installed
to install it: kubectl canary-traefik guard install

"#]]);
    assert_eq!(lone.objects(), [Value::Null; 0]);
}

#[test]
fn installed_twice_is_unchanged_and_status_says_that_it_acts() {
    let lone = lone();
    let namespace = rollout(&lone, "twice");
    declare(&namespace, "login; Max-Age=300");
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
the guard works: in a dry run, a write removed the cookie of twice-[NS]/podinfo, and the guard put it back

"#]]);
    let before = lone.objects();
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
the guard works: in a dry run, a write removed the cookie of twice-[NS]/podinfo, and the guard put it back

"#]]);
    // Nothing to agree to: no yes is needed.
    guard(&namespace, ["install"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
the guard works: in a dry run, a write removed the cookie of twice-[NS]/podinfo, and the guard put it back

"#]]);
    assert_eq!(lone.objects(), before);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of twice-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    guard(&namespace, ["status", "-o", "json"]).run().shows(str![[r#"
exit: 0
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "certificate": null,
    "contested": [],
    "crowded": [],
    "declared": [
        "twice-[NS]/podinfo"
    ],
    "entries": null,
    "installed": [
        "policies"
    ],
    "kind": "GuardStatus",
    "malformed": [],
    "missing": [],
    "namespaceSelector": null,
    "notCovered": [],
    "objects": [
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        }
    ],
    "replicas": null,
    "selector": null,
    "working": true
}
--- stderr

"#]]);
    guard(&namespace, ["status", "-o", "yaml"]).run().shows(str![[r#"
exit: 0
--- stdout
apiVersion: kubectl-canary-traefik/v1
certificate: null
contested: []
crowded: []
declared:
- twice-[NS]/podinfo
entries: null
installed:
- policies
kind: GuardStatus
malformed: []
missing: []
namespaceSelector: null
notCovered: []
objects:
- name: mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
  state: current
  version: "[VERSION]"
- name: mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
  state: current
  version: "[VERSION]"
- name: validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
  state: current
  version: "[VERSION]"
- name: mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
  state: current
  version: "[VERSION]"
- name: mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
  state: current
  version: "[VERSION]"
- name: validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
  state: current
  version: "[VERSION]"
replicas: null
selector: null
working: true
--- stderr

"#]]);
}

#[test]
fn without_a_declared_cookie_there_is_nothing_to_prove_the_guard_on() {
    let lone = lone();
    let namespace = rollout(&lone, "nothing");
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
the guard was not tested: no covered Canary has both a declared cookie and a TraefikService yet

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
canaries     all
namespaces   all
declared     0
not covered  0
malformed    0
--- stderr

"#]]);
}

#[test]
fn what_is_printed_is_what_is_installed_and_kubectl_applies_it() {
    let lone = lone();
    let namespace = rollout(&lone, "printed");
    declare(&namespace, "login; Max-Age=300");
    // No kubeconfig: no server is asked.
    let selectors = ["--selector", "team in (a,b)", "--namespace-selector", "guarded"];
    let covers = |text: &str| selector::to_object(&selector::parse(text).expect("one"));
    for (flags, coverage) in [
        (&[][..], Coverage::default()),
        (
            &selectors[..],
            Coverage { selector: Some(covers("team in (a,b)")), namespace_selector: Some(covers("guarded")) },
        ),
    ] {
        let printed = Run::new(["guard", "install", "-o", "json"]).arguments(flags).run();
        assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
        let list: Value = serde_json::from_str(&printed.stdout).expect("JSON");
        let expected = json!({ "apiVersion": "v1", "kind": "List", "items": values(&coverage) });
        assert_eq!(list, expected);
    }
    let printed = Run::new(["guard", "install", "-o", "yaml"]).run();
    let documents: Vec<_> =
        printed.stdout.split("---\n").map(|text| canary_traefik::yaml::parse(text).expect("YAML")).collect();
    assert_eq!(documents, values(&Coverage::default()));

    kubectl(&namespace, &["apply", "-f", "-"]).stdin(&printed.stdout).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr

"#]]);
    lone.settled(true);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of printed-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    guard(&namespace, ["install"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
the guard works: in a dry run, a write removed the cookie of printed-[NS]/podinfo, and the guard put it back

"#]]);
    let narrow = Run::new(["guard", "install", "-o", "yaml"]).arguments(["--namespace-selector", "guarded"]).run();
    kubectl(&namespace, &["apply", "-f", "-"]).stdin(&narrow.stdout).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry configured
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check configured
--- stderr

"#]]);
    let labels = json!({ "metadata": { "labels": { "guarded": "" } } });
    lone.admin().merge(&format!("/api/v1/namespaces/{}", namespace.name()), &labels).expect("label a namespace");
    guard(&namespace, ["install"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
the guard works: in a dry run, a write removed the cookie of printed-[NS]/podinfo, and the guard put it back

"#]]);
    kubectl(&namespace, &["apply", "-f", "-"]).stdin(&printed.stdout).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry configured
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check configured
--- stderr

"#]]);
    kubectl(&namespace, &["diff", "-f", "-"]).env("PATH", "/usr/bin:/bin").stdin(&printed.stdout).run().shows(str![[
        r#"
exit: 0
--- stdout
--- stderr

"#
    ]]);
}

#[test]
fn an_older_guard_is_brought_up_to_this_version() {
    let lone = lone();
    let namespace = rollout(&lone, "older");
    declare(&namespace, "login; Max-Age=300");
    for object in values(&Coverage::default()) {
        let (kind, mut object) = (object["kind"].as_str().expect("a kind").to_owned(), object);
        object["metadata"]["labels"][policy::VERSION_LABEL] = json!("0.0.9");
        let plural = super::lone::KINDS.iter().find(|(known, _)| *known == kind).expect("a kind of the guard").1;
        if kind == "ValidatingAdmissionPolicy" {
            object["spec"]["validations"][0]["message"] = json!("malformed");
            let variables = object["spec"]["variables"].as_array_mut().expect("variables");
            variables.insert(0, json!({ "name": "former", "expression": "1" }));
        }
        apply(&lone, FIELD_MANAGER, plural, &object);
    }
    lone.settled(true);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             differs   0.0.9
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            differs   0.0.9
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          differs   0.0.9
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      differs   0.0.9
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     differs   0.0.9
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   differs   0.0.9

installed    policies
working      yes (in a dry run, a write removed the cookie of older-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    guard(&namespace, ["install", "--dry-run=server"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured (server dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry configured (server dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check configured (server dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured (server dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry configured (server dry run)
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check configured (server dry run)
--- stderr
--- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep (live)
+++ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-keep
   uid: [UID]
 spec:
--- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry (live)
+++ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-carry
   uid: [UID]
 spec:
--- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check (live)
+++ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-check
   uid: [UID]
 spec:
@@ -29,7 +29,7 @@
       scope: "*"
   validations:
   - expression: "!((has(object.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in object.metadata.annotations) && (oldObject == null || !(has(oldObject.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in oldObject.metadata.annotations) || oldObject.metadata.annotations['kubectl-canary-traefik/sticky-cookie'] != object.metadata.annotations['kubectl-canary-traefik/sticky-cookie'])) || variables.problem == ''"
-    message: malformed
+    message: annotation kubectl-canary-traefik/sticky-cookie is malformed
     messageExpression: "'annotation kubectl-canary-traefik/sticky-cookie: ' + variables.problem"
     reason: Invalid
   - expression: "!((has(object.metadata.annotations) && 'kubectl-canary-traefik/entry' in object.metadata.annotations) && (oldObject == null || !(has(oldObject.metadata.annotations) && 'kubectl-canary-traefik/entry' in oldObject.metadata.annotations) || oldObject.metadata.annotations['kubectl-canary-traefik/entry'] != object.metadata.annotations['kubectl-canary-traefik/entry'])) || variables.entryProblem == ''"
@@ -37,8 +37,6 @@
     messageExpression: "'annotation kubectl-canary-traefik/entry: ' + variables.entryProblem"
     reason: Invalid
   variables:
-  - expression: "1"
-    name: former
   - expression: has(object.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in object.metadata.annotations
     name: declared
   - expression: "variables.declared ? object.metadata.annotations['kubectl-canary-traefik/sticky-cookie'] : ''"
--- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep (live)
+++ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-keep
   uid: [UID]
 spec:
--- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry (live)
+++ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-carry
   uid: [UID]
 spec:
--- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check (live)
+++ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-check
   uid: [UID]
 spec:

"#]]);
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry configured
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check configured
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry configured
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check configured
--- stderr
--- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep (live)
+++ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-keep
   uid: [UID]
 spec:
--- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry (live)
+++ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-carry
   uid: [UID]
 spec:
--- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check (live)
+++ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-check
   uid: [UID]
 spec:
@@ -29,7 +29,7 @@
       scope: "*"
   validations:
   - expression: "!((has(object.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in object.metadata.annotations) && (oldObject == null || !(has(oldObject.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in oldObject.metadata.annotations) || oldObject.metadata.annotations['kubectl-canary-traefik/sticky-cookie'] != object.metadata.annotations['kubectl-canary-traefik/sticky-cookie'])) || variables.problem == ''"
-    message: malformed
+    message: annotation kubectl-canary-traefik/sticky-cookie is malformed
     messageExpression: "'annotation kubectl-canary-traefik/sticky-cookie: ' + variables.problem"
     reason: Invalid
   - expression: "!((has(object.metadata.annotations) && 'kubectl-canary-traefik/entry' in object.metadata.annotations) && (oldObject == null || !(has(oldObject.metadata.annotations) && 'kubectl-canary-traefik/entry' in oldObject.metadata.annotations) || oldObject.metadata.annotations['kubectl-canary-traefik/entry'] != object.metadata.annotations['kubectl-canary-traefik/entry'])) || variables.entryProblem == ''"
@@ -37,8 +37,6 @@
     messageExpression: "'annotation kubectl-canary-traefik/entry: ' + variables.entryProblem"
     reason: Invalid
   variables:
-  - expression: "1"
-    name: former
   - expression: has(object.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in object.metadata.annotations
     name: declared
   - expression: "variables.declared ? object.metadata.annotations['kubectl-canary-traefik/sticky-cookie'] : ''"
--- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep (live)
+++ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-keep
   uid: [UID]
 spec:
--- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry (live)
+++ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-carry
   uid: [UID]
 spec:
--- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check (live)
+++ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check (after)
@@ -4,7 +4,7 @@
   creationTimestamp: "[TIME]"
   labels:
     app.kubernetes.io/managed-by: kubectl-canary-traefik
-    app.kubernetes.io/version: "0.0.9"
+    app.kubernetes.io/version: "[VERSION]"
   name: kubectl-canary-traefik-check
   uid: [UID]
 spec:
the guard works: in a dry run, a write removed the cookie of older-[NS]/podinfo, and the guard put it back

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of older-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    assert_eq!(
        lone.find("validatingadmissionpolicies", CHECK).expect("there")["spec"]["variables"],
        wanted("ValidatingAdmissionPolicy", CHECK)["spec"]["variables"]
    );
}

#[test]
fn what_is_missing_is_seen_and_brought_back() {
    let lone = lone();
    let namespace = rollout(&lone, "missing");
    declare(&namespace, "login; Max-Age=300");
    lone.install(&[]);
    // *check* keeps nothing: without it the guard still does.
    lone.admin().delete(&format!("{ADMISSION}/validatingadmissionpolicybindings/{CHECK}")).expect("delete a binding");
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   guard       [A]
--- stderr

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   missing   <none>

installed    policies
working      yes (in a dry run, a write removed the cookie of missing-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    lone.admin().delete(&format!("{ADMISSION}/mutatingadmissionpolicybindings/{KEEP}")).expect("delete a binding");
    until("the binding's end to be taken up", || {
        let path = namespace.path("TraefikService", "podinfo") + "?dryRun=All";
        let stored =
            lone.admin().merge(&path, &json!({ "spec": { "weighted": { "sticky": null } } })).expect("dry run");
        stored["spec"]["weighted"]["sticky"].is_null().then_some(())
    });
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   none        [A]
--- stderr

"#]]);
    namespace.run(["show", "podinfo"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   90/10    login    missing   none        [A]
--- stderr

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      missing   <none>
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   missing   <none>

installed    policies
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
canaries     all
namespaces   all
declared     1
not covered  1 (missing-[NS]/podinfo)
malformed    0
--- stderr

"#]]);
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
the guard works: in a dry run, a write removed the cookie of missing-[NS]/podinfo, and the guard put it back

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of missing-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
}

#[test]
fn what_others_have_edited_is_a_conflict_until_it_is_forced() {
    let lone = lone();
    let namespace = rollout(&lone, "edited");
    lone.install(&[]);
    let path = format!("{ADMISSION}/validatingadmissionpolicies/{CHECK}?fieldManager=kubectl-edit");
    let edit = json!({ "spec": { "failurePolicy": "Fail" } });
    lone.admin().ask(&Method::PATCH, &path, "application/merge-patch+json", edit.to_string()).expect("edit");
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          differs   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
canaries     all
namespaces   all
declared     0
not covered  0
malformed    0
--- stderr

"#]]);
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: fields of validatingadmissionpolicies.admissionregistration.k8s.io `kubectl-canary-traefik-check` are owned by another field manager
caused by: .spec.failurePolicy: conflict with "kubectl-edit" using admissionregistration.k8s.io/v1
hint: add --force-conflicts to overwrite them

"#]]);
    guard(&namespace, ["install", "--yes", "--force-conflicts"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check configured
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
--- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check (live)
+++ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check (after)
@@ -8,7 +8,7 @@
   name: kubectl-canary-traefik-check
   uid: [UID]
 spec:
-  failurePolicy: Fail
+  failurePolicy: Ignore
   matchConditions:
   - expression: ((has(object.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in object.metadata.annotations) && (oldObject == null || !(has(oldObject.metadata.annotations) && 'kubectl-canary-traefik/sticky-cookie' in oldObject.metadata.annotations) || oldObject.metadata.annotations['kubectl-canary-traefik/sticky-cookie'] != object.metadata.annotations['kubectl-canary-traefik/sticky-cookie'])) || ((has(object.metadata.annotations) && 'kubectl-canary-traefik/entry' in object.metadata.annotations) && (oldObject == null || !(has(oldObject.metadata.annotations) && 'kubectl-canary-traefik/entry' in oldObject.metadata.annotations) || oldObject.metadata.annotations['kubectl-canary-traefik/entry'] != object.metadata.annotations['kubectl-canary-traefik/entry']))
     name: annotation-is-new-or-changed
the guard was not tested: no covered Canary has both a declared cookie and a TraefikService yet

"#]]);
    let policy = lone.find("validatingadmissionpolicies", CHECK).expect("there");
    assert_eq!(policy["spec"]["failurePolicy"], "Ignore");
}

#[test]
fn what_somebody_else_made_is_left_alone() {
    let lone = lone();
    let namespace = rollout(&lone, "foreign");
    let mut foreign = wanted("MutatingAdmissionPolicyBinding", KEEP);
    foreign["metadata"]["labels"] = json!({ "team": "other" });
    apply(&lone, "other", "mutatingadmissionpolicybindings", &foreign);
    let before = lone.objects();
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep exists and does not belong to this program
caused by: it has no label app.kubernetes.io/managed-by=kubectl-canary-traefik
hint: find out who made it; delete it, then repeat the command

"#]]);
    guard(&namespace, ["install", "--yes", "--force-conflicts"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep exists and does not belong to this program
caused by: it has no label app.kubernetes.io/managed-by=kubectl-canary-traefik
hint: find out who made it; delete it, then repeat the command

"#]]);
    guard(&namespace, ["uninstall", "--yes"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
error: mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep exists and does not belong to this program
caused by: it has no label app.kubernetes.io/managed-by=kubectl-canary-traefik
hint: find out who made it; delete it, then repeat the command

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             missing   <none>
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            missing   <none>
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          missing   <none>
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      foreign   <none>
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     missing   <none>
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   missing   <none>

installed    policies
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
canaries     all
namespaces   all
declared     0
not covered  0
malformed    0
--- stderr

"#]]);
    assert_eq!(lone.objects(), before);
}

#[test]
fn who_lacks_a_right_is_told_which() {
    let lone = lone();
    let namespace = rollout(&lone, "rights");
    declare(&namespace, "login; Max-Age=300");
    let canaries = "{apiGroups: [flagger.app], resources: [canaries], verbs: [get, list]}";
    let services = "{apiGroups: [traefik.io], resources: [traefikservices], verbs: [get, list]}";
    let blind = lone.user_with(&namespace, &format!("[{canaries}, {services}]"));
    run_as(&namespace, &blind, ["guard", "install", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl auth can-i get mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard install prints the permissions it needs

"#]]);
    run_as(&namespace, &blind, ["guard", "status"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl auth can-i get mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard status prints the permissions it needs

"#]]);
    run_as(&namespace, &blind, ["guard", "uninstall", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not get mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl auth can-i get mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard uninstall prints the permissions it needs

"#]]);
    let policies = "{apiGroups: [admissionregistration.k8s.io], resources: ['*'], verbs: [get]}";
    let reader = lone.user_with(&namespace, &format!("[{canaries}, {services}, {policies}]"));
    run_as(&namespace, &reader, ["guard", "install", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not patch mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl auth can-i patch mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard install prints the permissions it needs

"#]]);
    run_as(&namespace, &reader, ["guard", "install", "--dry-run=client"]).shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (dry run)
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created (dry run)
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check

"#]]);
    assert_eq!(lone.objects(), [Value::Null; 0]);
    lone.install(&[]);
    run_as(&namespace, &reader, ["guard", "status"]).shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      <unknown> (this user may not write TraefikServices)
canaries     all
namespaces   all
declared     1
not covered  0
malformed    0
--- stderr

"#]]);
    run_as(&namespace, &reader, ["guard", "install", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not patch mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl auth can-i patch mutatingadmissionpolicies.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard install prints the permissions it needs

"#]]);
    run_as(&namespace, &reader, ["guard", "uninstall", "--yes"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
Flagger's next write to each TraefikService will remove its cookie
error: user `[USER]` may not delete validatingadmissionpolicybindings.admissionregistration.k8s.io
hint: kubectl auth can-i delete validatingadmissionpolicybindings.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard uninstall prints the permissions it needs

"#]]);
    run_as(&namespace, &reader, ["guard", "uninstall", "--dry-run=server"]).shows(str![[r#"
exit: 6
--- stdout
--- stderr
error: user `[USER]` may not delete validatingadmissionpolicybindings.admissionregistration.k8s.io
hint: kubectl auth can-i delete validatingadmissionpolicybindings.admissionregistration.k8s.io
hint: kubectl canary-traefik rbac guard uninstall prints the permissions it needs

"#]]);
    assert_eq!(lone.objects().len(), 6);
}

#[test]
fn a_selector_narrows_the_guard_to_some_canaries() {
    let lone = lone();
    let namespace = rollout(&lone, "selector");
    declare(&namespace, "login; Max-Age=300");
    let other = namespace.create_rollout("other", 90, 10);
    namespace.patch("Canary", "other", &json!({ "metadata": { "annotations": { ANNOTATION: "sso" } } }));
    let label = |name: &str, value: Value| {
        namespace.patch("Canary", name, &json!({ "metadata": { "labels": { "sticky": value } } }));
    };
    label("other", json!("yes"));
    drop(other);
    guard(&namespace, ["install", "--yes", "--selector", "sticky=yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
the guard works: in a dry run, a write removed the cookie of selector-[NS]/other, and the guard put it back

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of selector-[NS]/other, and the guard put it back)
canaries     {"matchExpressions":[{"key":"sticky","operator":"In","values":["yes"]}]}
namespaces   all
declared     2
not covered  1 (selector-[NS]/podinfo)
malformed    0
--- stderr

"#]]);
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
other     <none>   90/10    sso      missing   guard       [A]
podinfo   <none>   90/10    login    missing   none        [A]
--- stderr

"#]]);
    assert_eq!(sticky_after_step(&namespace), Value::Null);
    // Without the flag the selector stays; with an empty one all are covered.
    guard(&namespace, ["install"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
the guard works: in a dry run, a write removed the cookie of selector-[NS]/other, and the guard put it back

"#]]);
    guard(&namespace, ["install", "--yes", "--selector", ""]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep unchanged
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep configured
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry unchanged
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check unchanged
--- stderr
--- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep (live)
+++ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep (after)
@@ -10,10 +10,5 @@
 spec:
   paramRef:
     parameterNotFoundAction: Allow
-    selector:
-      matchExpressions:
-      - key: sticky
-        operator: In
-        values:
-        - "yes"
+    selector: {}
   policyName: kubectl-canary-traefik-keep
the guard works: in a dry run, a write removed the cookie of selector-[NS]/other, and the guard put it back

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 0
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of selector-[NS]/other, and the guard put it back)
canaries     all
namespaces   all
declared     2
not covered  0
malformed    0
--- stderr

"#]]);
    until("the wider guard to act", || sticky_after_step(&namespace).is_object().then_some(()));
    guard(&namespace, ["install", "--selector", "a b"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: label selector: `a b` is not a label requirement

"#]]);
}

#[test]
fn a_namespace_selector_narrows_the_guard_to_some_namespaces() {
    let lone = lone();
    let inside = rollout(&lone, "inside");
    let outside = rollout(&lone, "outside");
    for namespace in [&inside, &outside] {
        declare(namespace, "login; Max-Age=300");
    }
    let labels = json!({ "metadata": { "labels": { "guarded": "" } } });
    lone.admin().merge(&format!("/api/v1/namespaces/{}", inside.name()), &labels).expect("label a namespace");
    let run = |arguments: &[&str]| guard(&inside, arguments).redact(outside.name(), "outside-[NS]").run();
    run(&["install", "--yes", "--namespace-selector", "guarded"]).shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
the guard works: in a dry run, a write removed the cookie of inside-[NS]/podinfo, and the guard put it back

"#]]);
    run(&["status"]).shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of inside-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   {"matchExpressions":[{"key":"guarded","operator":"Exists"}]}
declared     2
not covered  1 (outside-[NS]/podinfo)
malformed    0
--- stderr

"#]]);
    run(&["status", "-o", "json"]).shows(str![[r#"
exit: 1
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "certificate": null,
    "contested": [],
    "crowded": [],
    "declared": [
        "inside-[NS]/podinfo",
        "outside-[NS]/podinfo"
    ],
    "entries": null,
    "installed": [
        "policies"
    ],
    "kind": "GuardStatus",
    "malformed": [],
    "missing": [],
    "namespaceSelector": {
        "matchExpressions": [
            {
                "key": "guarded",
                "operator": "Exists"
            }
        ]
    },
    "notCovered": [
        "outside-[NS]/podinfo"
    ],
    "objects": [
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        }
    ],
    "replicas": null,
    "selector": null,
    "working": true
}
--- stderr

"#]]);
    assert_eq!(sticky_after_step(&inside), json!({ "cookie": { "maxAge": 300, "name": "login" } }));
    assert_eq!(sticky_after_step(&outside), Value::Null);
    // Outside, malformed declarations are not refused either.
    declare(&outside, "login; Max-Age=soon");
    run(&["status"]).shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      yes (in a dry run, a write removed the cookie of inside-[NS]/podinfo, and the guard put it back)
canaries     all
namespaces   {"matchExpressions":[{"key":"guarded","operator":"Exists"}]}
declared     1
not covered  0
malformed    1 (outside-[NS]/podinfo)
--- stderr

"#]]);
}

#[test]
fn malformed_declarations_that_are_older_than_the_guard_are_listed() {
    let lone = lone();
    let namespace = rollout(&lone, "malformed");
    declare(&namespace, "login; Max-Age=soon");
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created
--- stderr
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
the guard was not tested: no covered Canary has both a declared cookie and a TraefikService yet

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
OBJECT                                                                                       STATE     VERSION
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep             current   [VERSION]
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry            current   [VERSION]
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check          current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep      current   [VERSION]
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry     current   [VERSION]
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check   current   [VERSION]

installed    policies
working      <unknown> (no covered Canary has both a declared cookie and a TraefikService)
canaries     all
namespaces   all
declared     0
not covered  0
malformed    1 (malformed-[NS]/podinfo)
--- stderr

"#]]);
    guard(&namespace, ["status", "-o", "json"]).run().shows(str![[r#"
exit: 1
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "certificate": null,
    "contested": [],
    "crowded": [],
    "declared": [],
    "entries": null,
    "installed": [
        "policies"
    ],
    "kind": "GuardStatus",
    "malformed": [
        "malformed-[NS]/podinfo"
    ],
    "missing": [],
    "namespaceSelector": null,
    "notCovered": [],
    "objects": [
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry",
            "state": "current",
            "version": "[VERSION]"
        },
        {
            "name": "validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check",
            "state": "current",
            "version": "[VERSION]"
        }
    ],
    "replicas": null,
    "selector": null,
    "working": null
}
--- stderr

"#]]);
}

#[test]
fn uninstall_leaves_canaries_and_traefikservices_as_they_are() {
    let lone = lone();
    let namespace = rollout(&lone, "uninstall");
    guard(&namespace, ["uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
the guard is not installed

"#]]);
    declare(&namespace, "login; Max-Age=300");
    lone.install(&[]);
    let sticky = json!({ "cookie": { "maxAge": 300, "name": "login" } });
    assert_eq!(sticky_after_step(&namespace), sticky);
    let bytes = || ["Canary", "TraefikService"].map(|kind| lone.admin().get(&namespace.path(kind, "podinfo")).text);
    let (before, policies) = (bytes(), lone.objects());
    guard(&namespace, ["uninstall"]).run().shows(str![[r#"
exit: 3
--- stdout
--- stderr
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
Flagger's next write to each TraefikService will remove its cookie
error: confirmation needed, but there is no terminal
hint: add --yes to agree to the change shown above

"#]]);
    guard(&namespace, ["uninstall", "--dry-run=server"]).run().shows(str![[r#"
exit: 0
--- stdout
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted (server dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted (server dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted (server dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted (server dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted (server dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted (server dry run)
--- stderr

"#]]);
    guard(&namespace, ["uninstall", "--dry-run=client"]).run().shows(str![[r#"
exit: 0
--- stdout
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted (dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted (dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted (dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted (dry run)
--- stderr

"#]]);
    assert_eq!(lone.objects(), policies);
    guard(&namespace, ["uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check deleted
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry deleted
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep deleted
--- stderr
- validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
- validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
- mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
Flagger's next write to each TraefikService will remove its cookie

"#]]);
    assert_eq!(lone.objects(), [Value::Null; 0]);
    assert_eq!(bytes(), before);
    lone.settled(false);
    assert_eq!(bytes(), before);
    assert_eq!(sticky_after_step(&namespace), Value::Null);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
the guard is not installed
to install it: kubectl canary-traefik guard install

"#]]);
}

#[test]
fn a_cluster_before_1_36_is_told_from_one_without_the_guard() {
    let server = Server::dedicated(&["--emulated-version=1.35"]);
    let namespace = Namespace::on(&server, "emulated");
    namespace.create_value(&objects::canary("podinfo"));
    guard(&namespace, ["install", "--yes"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1)
caused by: Kubernetes serves it from 1.36 on
hint: install the webhook: kubectl canary-traefik guard install --image IMAGE

"#]]);
    guard(&namespace, ["install", "--dry-run=client"]).run().shows(str![[r#"
exit: 4
--- stdout
--- stderr
error: this cluster serves no MutatingAdmissionPolicy (admissionregistration.k8s.io/v1)
caused by: Kubernetes serves it from 1.36 on
hint: install the webhook: kubectl canary-traefik guard install --image IMAGE

"#]]);
    guard(&namespace, ["status"]).run().shows(str![[r#"
exit: 1
--- stdout
--- stderr
the guard is not installed
to install it: kubectl canary-traefik guard install --image IMAGE

"#]]);
    guard(&namespace, ["status", "-o", "json"]).run().shows(str![[r#"
exit: 1
--- stdout
{
    "apiVersion": "kubectl-canary-traefik/v1",
    "certificate": null,
    "contested": [],
    "crowded": [],
    "declared": [],
    "entries": null,
    "installed": [],
    "kind": "GuardStatus",
    "malformed": [],
    "missing": [],
    "namespaceSelector": null,
    "notCovered": [],
    "objects": [],
    "replicas": null,
    "selector": null,
    "working": null
}
--- stderr

"#]]);
    guard(&namespace, ["uninstall", "--yes"]).run().shows(str![[r#"
exit: 0
--- stdout
--- stderr
the guard is not installed

"#]]);
    declare(&namespace, "login");
    namespace.run(["show"]).run().shows(str![[r#"
exit: 0
--- stdout
NAME      PHASE    WEIGHT   COOKIE   STATE     PROTECTED   AGE
podinfo   <none>   <none>   login    pending   none        [A]
--- stderr

"#]]);
}

#[test]
fn an_image_that_no_policy_needs_is_not_passed_over_in_silence() {
    let lone = lone();
    let namespace = rollout(&lone, "image");
    guard(&namespace, ["install", "--image", "registry.example/guard:1", "--dry-run=client"]).run().shows(str![[r#"
exit: 0
--- stdout
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (dry run)
mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (dry run)
validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check created (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep created (dry run)
mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry created (dry run)
validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check created (dry run)
--- stderr
this cluster serves admission policies: --image and --guard-namespace are ignored without --mode webhook
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicy.admissionregistration.k8s.io/kubectl-canary-traefik-check
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-keep
+ mutatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-carry
+ validatingadmissionpolicybinding.admissionregistration.k8s.io/kubectl-canary-traefik-check

"#]]);
}
