//! The table of rights is true: a user with exactly the roles that `rbac COMMAND` prints can run the command, and asks
//! the server for exactly that; without one of the verbs `rbac COMMAND --check` says what then comes of it.

use std::{collections::BTreeSet, os::unix::fs::symlink, path::Path, sync::LazyLock};

use canary_traefik::commands::rbac::{permission::Need, permissions::Row};
use serde_json::json;
use snapbox::str;
use testbed::{
    directory::Directory,
    fake::{Fake, Reply},
    namespace::Namespace,
    objects::canary,
    run::{Output, Run},
    server::Server,
    wait::until,
};

use super::granted::{Asked, Granted, roles, verbs, without};
use crate::rollout::{declare, set_live};

/// One command: lines that together do all that it does. Blanks separate the words; `SITE` is a page that exists.
struct Case {
    command: &'static str,
    lines: &'static [&'static str],
    /// The exit codes of a command that works.
    good: &'static [i32],
}

/// What reads and changes cookies: run without a guard, and with one of labelled namespaces.
const COOKIES: [Case; 14] = [
    Case { command: "describe", lines: &["describe podinfo"], good: &[0] },
    Case { command: "sticky edit", lines: &["sticky edit podinfo --yes"], good: &[0] },
    Case { command: "show", lines: &["show", "show podinfo"], good: &[0] },
    Case { command: "render", lines: &["render podinfo"], good: &[0] },
    Case { command: "simulate", lines: &["simulate podinfo --steps 10,100"], good: &[0] },
    Case { command: "lint", lines: &["lint", "lint podinfo"], good: &[0, 1] },
    Case { command: "verify", lines: &["verify podinfo --url SITE --browsers 1 --requests 1 --rate 1000"], good: &[1] },
    Case { command: "diff", lines: &["diff", "diff podinfo"], good: &[0, 1] },
    Case { command: "sticky get", lines: &["sticky get podinfo"], good: &[0] },
    Case { command: "sticky set", lines: &["sticky set podinfo --max-age 60 --yes"], good: &[0] },
    Case { command: "sticky remove", lines: &["sticky remove podinfo --yes"], good: &[0] },
    Case { command: "sticky apply", lines: &["sticky apply --yes", "sticky apply podinfo --yes"], good: &[0] },
    Case { command: "version", lines: &["version"], good: &[0] },
    Case { command: "completion", lines: &["__complete show ", "__complete show -n "], good: &[0] },
];

/// What reads and changes entries, with the rights that `rbac COMMAND --entry` prints. Each line finds an entry one of
/// whose objects is gone.
const ENTRIES: [Case; 7] = [
    Case { command: "show", lines: &["show", "show podinfo"], good: &[0] },
    Case { command: "describe", lines: &["describe podinfo"], good: &[0] },
    Case { command: "diff", lines: &["diff", "diff podinfo"], good: &[0, 1] },
    Case { command: "render", lines: &["render podinfo --entry"], good: &[0] },
    Case {
        command: "sticky set",
        lines: &["sticky set podinfo --entry /login --yes", "sticky set podinfo --unset entry --yes"],
        good: &[0],
    },
    Case { command: "sticky remove", lines: &["sticky remove podinfo --yes"], good: &[0] },
    Case { command: "sticky apply", lines: &["sticky apply --yes", "sticky apply podinfo --yes"], good: &[0] },
];

/// What is about the guard itself. The dry run of an uninstall needs the same rights, and leaves things as they are.
const GUARD: [Case; 3] = [
    Case { command: "guard install", lines: &["guard install --yes"], good: &[0] },
    Case { command: "guard status", lines: &["guard status"], good: &[0, 1] },
    Case { command: "guard uninstall", lines: &["guard uninstall --dry-run=server"], good: &[0] },
];

/// The page that `verify` opens. It sets no cookie.
static SITE: LazyLock<Fake> = LazyLock::new(|| {
    let site = Fake::start();
    site.on("GET", "/", [Reply::text(200, "text/html", "")]);
    site
});

/// The Canary declares a cookie, and another one is live.
fn prepared(namespace: &Namespace) {
    declare(namespace, "podinfo", "login; Max-Age=300");
    namespace.patch("TraefikService", "podinfo", &json!({ "spec": { "weighted": { "sticky": null } } }));
    set_live(namespace, "podinfo", &json!({ "name": "other" }));
}

/// The same with an entry whose route was changed since, whose Middleware is gone, and which has objects too many.
fn entered(namespace: &Namespace) {
    prepared(namespace);
    let output = namespace.run(["sticky", "set", "podinfo", "--entry", "/old", "--yes", "--force-conflicts"]).run();
    assert_eq!(output.code, Some(0), "{output}");
    namespace.delete("Middleware", "podinfo-entry");
    let points = &namespace.get("IngressRoute", "web")["spec"]["entryPoints"];
    let other = if *points == json!(["a"]) { "b" } else { "a" };
    namespace.patch("IngressRoute", "web", &json!({ "spec": { "entryPoints": [other] } }));
    for kind in ["Middleware", "IngressRoute"] {
        if namespace.find(kind, "podinfo-entry-9").is_none() {
            namespace.create_value(&json!({
                "apiVersion": "traefik.io/v1alpha1",
                "kind": kind,
                "metadata": {
                    "name": "podinfo-entry-9",
                    "labels": { "app.kubernetes.io/managed-by": "kubectl-canary-traefik" },
                    "annotations": { "kubectl-canary-traefik/canary": "podinfo", "kubectl-canary-traefik/entry": "/old" },
                },
                "spec": if kind == "IngressRoute" { json!({ "routes": [] }) } else { json!({}) },
            }));
        }
    }
    prepared(namespace);
}

fn rollout(server: &Server) -> Namespace<'_> {
    let namespace = Namespace::on(server, "rights");
    namespace.create_rollout("podinfo", 90, 10);
    // Flagger's mesh provider decides about this one.
    let mut undecided = canary("undecided");
    undecided["spec"].as_object_mut().expect("a spec").remove("provider");
    namespace.create_value(&undecided);
    namespace
}

fn line(namespace: &Namespace, user: &Path, line: &str) -> Output {
    prepared(namespace);
    if line.starts_with("guard install") {
        let uninstall = namespace.run(["guard", "uninstall", "--yes"]).run();
        assert_eq!(uninstall.code, Some(0), "{uninstall}");
    }
    let site = SITE.url() + "/";
    let words: Vec<_> = line.split(' ').map(|word| if word == "SITE" { site.as_str() } else { word }).collect();
    if let ["__complete", words @ ..] = words.as_slice() {
        let folder = Directory::new();
        let link = folder.path().join("kubectl_complete-canary_traefik");
        symlink(env!("CARGO_BIN_EXE_kubectl-canary_traefik"), &link).expect("a link can be made");
        return Run::of(link, words).kubeconfig(user).run();
    }
    namespace.run_as(user, words).env("KUBE_EDITOR", "/bin/sed -i s/login/portal/").run()
}

/// Runs the lines; whether all of them worked, and what they said.
fn works(namespace: &Namespace, user: &Granted, case: &Case) -> (bool, String) {
    let outputs: Vec<_> = case.lines.iter().map(|text| line(namespace, &user.kubeconfig, text)).collect();
    let worked = outputs.iter().all(|output| output.code.is_some_and(|code| case.good.contains(&code)));
    (worked, outputs.iter().map(ToString::to_string).collect())
}

/// The row of a command as the audit log has it: an apply that creates is logged as one `patch`.
fn row(namespace: &Namespace, command: &str) -> BTreeSet<Asked> {
    let mut row = verbs(&roles(namespace, command));
    row.extend(
        Row::of(command).expect("a row").permissions().filter(|right| matches!(right.need, Need::Tried(_))).flat_map(
            |right| {
                right.verbs.iter().map(move |verb| (verb.to_string(), right.groups[0].into(), right.resource.into()))
            },
        ),
    );
    if command == "guard install" {
        row.retain(|(verb, ..)| verb != "create");
        // The server looks by itself whether one may do this.
        row.remove(&("get".into(), "flagger.app".into(), "canaries".into()));
    }
    row
}

/// Takes each verb away in turn: `--check` says whether the command then works, and is right.
fn each_verb_taken_away(namespace: &Namespace, case: &Case) {
    let roles = roles(namespace, case.command);
    let check = ["rbac"].into_iter().chain(case.command.split(' ')).chain(["--check"]);
    let check: Vec<_> = check.collect();
    for verb in verbs(&roles) {
        let user = Granted::new(namespace, &without(&roles, &verb));
        let (worked, said) = works(namespace, &user, case);
        let checked = namespace.run_as(&user.kubeconfig, &check).run();
        let expected = i32::from(!worked);
        assert_eq!(checked.code, Some(expected), "{} without {verb:?}\n{checked}{said}", case.command);
    }
}

#[test]
fn check_says_yes_exactly_where_the_command_then_works() {
    let server = Server::dedicated(&[]);
    let namespace = rollout(&server);
    for case in &COOKIES {
        each_verb_taken_away(&namespace, case);
    }
}

#[test]
fn check_shows_each_right_and_what_becomes_of_the_command_without_it() {
    let server = Server::dedicated(&[]);
    let namespace = rollout(&server);
    let roles = roles(&namespace, "sticky set");
    let patch = ("patch".to_owned(), "traefik.io".to_owned(), "traefikservices".to_owned());
    let user = Granted::new(&namespace, &without(&roles, &patch));
    let check = |words: &[&str]| namespace.run_as(&user.kubeconfig, words).run();
    check(&["rbac", "sticky", "set", "--check"]).shows(str![[r#"
exit: 1
--- stdout
VERB    RESOURCE                                                       NAMESPACE     ALLOWED   WITHOUT IT
get     canaries.flagger.app                                           rights-[NS]   yes       it fails
patch   canaries.flagger.app                                           rights-[NS]   yes       it fails
get     traefikservices.traefik.io                                     rights-[NS]   yes       the Canary is changed, the TraefikService is not
patch   traefikservices.traefik.io                                     rights-[NS]   no        it fails
get     mutatingadmissionpolicies.admissionregistration.k8s.io         <all>         yes       a slow guard may be reported as missing
get     mutatingadmissionpolicybindings.admissionregistration.k8s.io   <all>         yes       a slow guard may be reported as missing
get     mutatingwebhookconfigurations.admissionregistration.k8s.io     <all>         yes       a slow guard may be reported as missing
list    namespaces                                                     <all>         yes       if the guard covers only some namespaces, whether a cookie is protected is <unknown>
--- stderr

"#]]);
    check(&["rbac", "sticky", "set", "--check", "-A"]).shows(str![[r#"
exit: 1
--- stdout
VERB    RESOURCE                                                       NAMESPACE   ALLOWED   WITHOUT IT
get     canaries.flagger.app                                           <all>       no        it fails
patch   canaries.flagger.app                                           <all>       no        it fails
get     traefikservices.traefik.io                                     <all>       no        the Canary is changed, the TraefikService is not
patch   traefikservices.traefik.io                                     <all>       no        it fails
get     mutatingadmissionpolicies.admissionregistration.k8s.io         <all>       yes       a slow guard may be reported as missing
get     mutatingadmissionpolicybindings.admissionregistration.k8s.io   <all>       yes       a slow guard may be reported as missing
get     mutatingwebhookconfigurations.admissionregistration.k8s.io     <all>       yes       a slow guard may be reported as missing
list    namespaces                                                     <all>       yes       if the guard covers only some namespaces, whether a cookie is protected is <unknown>
--- stderr

"#]]);
    check(&["rbac", "diff", "--check", "-o", "yaml"]).shows(str![[r#"
exit: 1
--- stdout
apiVersion: kubectl-canary-traefik/v1
kind: PermissionsReport
permissions:
- allowed: true
  names: []
  namespace: rights-[NS]
  needed: true
  resource: canaries.flagger.app
  verb: get
  without: it fails
- allowed: false
  names: []
  namespace: rights-[NS]
  needed: true
  resource: canaries.flagger.app
  verb: list
  without: it fails
- allowed: true
  names: []
  namespace: rights-[NS]
  needed: true
  resource: traefikservices.traefik.io
  verb: get
  without: it fails
- allowed: false
  names: []
  namespace: rights-[NS]
  needed: true
  resource: traefikservices.traefik.io
  verb: list
  without: it fails
- allowed: false
  names: []
  namespace: rights-[NS]
  needed: false
  resource: ingressroutes.traefik.io
  verb: list
  without: leftover objects of an entry are not found
- allowed: false
  names: []
  namespace: rights-[NS]
  needed: false
  resource: middlewares.traefik.io
  verb: list
  without: leftover objects of an entry are not found
- allowed: false
  names: []
  namespace: rights-[NS]
  needed: false
  resource: httproutes.gateway.networking.k8s.io
  verb: list
  without: leftover objects of an entry are not found
- allowed: false
  names: []
  namespace: null
  needed: false
  resource: deployments.apps
  verb: list
  without: Canaries with no spec.provider, TraefikService or cookie are skipped
works: false
--- stderr

"#]]);
    check(&["rbac", "man", "--check"]).shows(str![[r#"
exit: 0
--- stdout
--- stderr
this command makes no API requests

"#]]);
}

/// The rights of a command where an entry is declared, as the audit log has them.
fn row_with_entry(namespace: &Namespace, command: &str) -> BTreeSet<Asked> {
    let mut row = row(namespace, command);
    row.extend(verbs(&roles(namespace, &format!("{command} --entry"))));
    row.retain(is_of_entry);
    row
}

/// Whether it is about the objects on which an entry depends. An apply that creates is logged as one `patch`, and there
/// are no HTTPRoutes.
fn is_of_entry((verb, _, resource): &Asked) -> bool {
    let kinds = ["ingressroutes", "middlewares", "httproutes", "ingresses"];
    verb != "create" && kinds.contains(&resource.as_str()) && (resource != "httproutes" || verb == "list")
}

fn works_with_entry(namespace: &Namespace, user: &Granted, case: &Case) -> (bool, String) {
    let run = |text: &&str| {
        entered(namespace);
        namespace.run_as(&user.kubeconfig, text.split(' ')).run()
    };
    let outputs: Vec<_> = case.lines.iter().map(run).collect();
    let worked = outputs.iter().all(|output| output.code.is_some_and(|code| case.good.contains(&code)));
    (worked, outputs.iter().map(ToString::to_string).collect())
}

/// A server with a Canary that has a route.
fn routed(server: &Server) -> Namespace<'_> {
    let namespace = rollout(server);
    let services = json!([{ "kind": "TraefikService", "name": "podinfo" }]);
    namespace.create_value(&json!({
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": { "name": "web" },
        "spec": { "routes": [{ "kind": "Rule", "match": "Host(`a.example`)", "services": services }] },
    }));
    namespace
}

#[test]
fn with_an_entry_a_command_asks_for_exactly_what_its_row_says_and_check_is_right_about_each_verb() {
    let server = Server::dedicated(&[]);
    let namespace = routed(&server);
    for case in &ENTRIES {
        let roles = roles(&namespace, &format!("{} --entry", case.command));
        let user = Granted::new(&namespace, &roles);
        let (worked, said) = works_with_entry(&namespace, &user, case);
        assert!(worked, "{}: {said}", case.command);
        let row = row_with_entry(&namespace, case.command);
        let about_entry = || user.asked(&namespace).into_iter().filter(is_of_entry).collect::<BTreeSet<_>>();
        until("the server to log what was asked for", || row.is_subset(&about_entry()).then_some(()));
        assert_eq!(about_entry(), row, "{}", case.command);
        let check = format!("rbac {} --entry --check", case.command);
        for verb in &row {
            let user = Granted::new(&namespace, &without(&roles, verb));
            let (worked, said) = works_with_entry(&namespace, &user, case);
            let checked = namespace.run_as(&user.kubeconfig, check.split(' ')).run();
            assert_eq!(checked.code, Some(i32::from(!worked)), "{} without {verb:?}\n{checked}{said}", case.command);
        }
    }
}

/// Some of it is about the guard as policies.
mod policies {
    use super::*;

    #[test]
    fn a_command_asks_for_exactly_what_its_row_says() {
        let server = Server::dedicated(&[]);
        let namespace = rollout(&server);
        let users: Vec<_> =
            COOKIES.iter().map(|case| Granted::new(&namespace, &roles(&namespace, case.command))).collect();
        // Without a guard, then with one that covers other namespaces: each takes another look.
        for _ in 0..2 {
            for (case, user) in COOKIES.iter().zip(&users) {
                // Completion asks for nothing that does not come within a second: then again.
                until("all to be done in time", || {
                    let (worked, said) = works(&namespace, user, case);
                    assert!(worked, "{}: {said}", case.command);
                    (case.command != "completion" || !said.contains("--- stdout\n:4\n")).then_some(())
                });
            }
            let install = namespace.run(["guard", "install", "--namespace-selector", "guarded", "--yes"]).run();
            assert_eq!(install.code, Some(0), "{install}");
        }
        for (case, user) in COOKIES.iter().zip(&users) {
            let row = row(&namespace, case.command);
            assert_eq!(user.asked_for(&namespace, &row), row, "{}", case.command);
        }
    }

    #[test]
    fn a_guard_command_asks_for_exactly_what_its_row_says() {
        let server = Server::dedicated(&[]);
        let namespace = rollout(&server);
        prepared(&namespace);
        let selector = format!("kubernetes.io/metadata.name={}", namespace.name());
        let user = |command: &str| Granted::new(&namespace, &roles(&namespace, command));
        let run = |user: &Granted, line: &str| {
            let output = namespace.run_as(&user.kubeconfig, line.split(' ')).run();
            assert!(matches!(output.code, Some(0 | 1)), "{line}\n{output}");
        };
        let asked = |command: &str, user: &Granted| {
            let row = row(&namespace, command);
            assert_eq!(user.asked_for(&namespace, &row), row, "{command}");
        };
        let install = user("guard install");
        run(&install, &format!("guard install --namespace-selector {selector} --yes"));
        asked("guard install", &install);
        let status = user("guard status");
        run(&status, "guard status");
        // With a part of it missing it looks for the other form.
        namespace.delete("MutatingAdmissionPolicyBinding", "kubectl-canary-traefik-keep");
        run(&status, "guard status");
        asked("guard status", &status);
        let uninstall = user("guard uninstall");
        run(&uninstall, "guard uninstall --yes");
        asked("guard uninstall", &uninstall);
    }

    #[test]
    fn check_says_yes_exactly_where_the_guards_command_then_works() {
        let server = Server::dedicated(&[]);
        let namespace = rollout(&server);
        each_verb_taken_away(&namespace, &GUARD[0]);
        let install = namespace.run(["guard", "install", "--yes"]).run();
        assert_eq!(install.code, Some(0), "{install}");
        for case in &GUARD[1..] {
            each_verb_taken_away(&namespace, case);
        }
    }
}
