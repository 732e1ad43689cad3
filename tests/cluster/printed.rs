//! The commands that are printed work as they are printed: in hints, and after a change. Those that undo a change are tried in
//! `undoing`.

use std::path::Path;

use serde_json::json;
use snapbox::str;
use testbed::{
    bed,
    namespace::Namespace,
    objects,
    run::{Output, Run, exactly},
};

use crate::rollout::{declare, rollout, set_live};

/// What a printed command is followed by.
const PROSE: [&str; 4] = [" lists the ", " prints the ", ", then ", " installs them"];

/// The commands of kubectl in a text: from the word to the end of its line, of the quotation, or to what is said of it.
fn commands(output: &Output) -> Vec<String> {
    let text = format!("{}\n{}", output.stdout, output.stderr);
    let lines = text.lines().filter(|line| !line.starts_with("to undo: "));
    let begun = lines.flat_map(|line| line.match_indices("kubectl ").map(|(at, _)| &line[at..]).take(1));
    let ended = begun.map(|rest| {
        let ends = PROSE.iter().filter_map(|prose| rest.find(prose)).chain(rest.find('`'));
        rest[..ends.min().unwrap_or(rest.len())].to_owned()
    });
    ended.collect()
}

/// Types a command in a shell, with the real kubectl and the program as its plugin. What asks is told yes; what would change
/// the whole cluster is tried alone.
fn typed(namespace: &Namespace, user: &Path, command: &str) -> Output {
    let more = match command {
        it if it.contains("canary-traefik guard install") => " --dry-run=server",
        it if it.contains("canary-traefik sticky ") => " --yes",
        _ => "",
    };
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-canary_traefik"));
    let folders =
        [kubectl.parent(), program.parent()].map(|folder| folder.expect("it is in a folder").display().to_string());
    let script = format!("{command}{more}");
    Run::of("/bin/sh", ["-c", &script])
        .env("PATH", folders.join(":"))
        .kubeconfig(user)
        .redact(namespace.name(), "[NS]")
        .run()
}

#[test]
fn after_a_difference_the_printed_command_makes_it_go_away() {
    let namespace = rollout("printed");
    declare(&namespace, "podinfo", "login; Max-Age=60");
    set_live(&namespace, "podinfo", &json!({ "name": "other" }));
    let output = namespace.run(["sticky", "set", "podinfo", "--max-age", "90", "--declare-only", "--yes"]).run();
    let printed: Vec<_> = commands(&output).into_iter().filter(|command| command.contains(" apply ")).collect();
    assert_eq!(printed.len(), 1, "{output}");
    let applied = typed(&namespace, namespace.kubeconfig(), &format!("{} --force-conflicts", printed[0]));
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(namespace.run(["diff", "podinfo"]).run().code, Some(0));
}

mod policies {
    //! With the guard as policies, which is what `guard install` makes where they are served.

    use super::*;

    // `kubectl auth can-i` says no by its status, too.
    #[test]
    fn each_command_that_is_printed_can_be_typed() {
        let namespace = rollout("printed");
        let (admin, nobody) = (namespace.kubeconfig().to_owned(), namespace.user_with("[]"));
        let kinds = "{apiGroups: [flagger.app], resources: [canaries], verbs: [get, list]}, \
            {apiGroups: [traefik.io], resources: [traefikservices, ingressroutes, middlewares], verbs: [get, list]}";
        let reader = namespace.user_with(&format!("[{kinds}]"));
        let declarer = namespace.user_with(&format!(
            "[{kinds}, {{apiGroups: [flagger.app, traefik.io], resources: [canaries, traefikservices], verbs: [patch]}}]"
        ));
        let looker = namespace.user_with(&format!("[{kinds}, {{apiGroups: [''], resources: [pods], verbs: [get]}}]"));
        let container = json!({ "name": "traefik", "image": "traefik",
            "ports": [{ "name": "websecure", "containerPort": 8443 }] });
        namespace.create_value(&json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "traefik" },
            "spec": { "containers": [container] } }));
        // No other test's Traefik has this host.
        let rule = json!({ "kind": "Rule", "match": format!("Host(`{}.example`)", namespace.name()),
            "services": [{ "kind": "TraefikService", "name": "podinfo" }] });
        namespace.create_value(&json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute",
            "metadata": { "name": "web" }, "spec": { "entryPoints": ["websecure"], "tls": {}, "routes": [rule] } }));
        // It has neither a cookie nor what Flagger would generate for it.
        namespace.create_value(&objects::canary("fresh"));
        let other = format!("-n {}", namespace.name());
        let situations: &[(&str, &Path, String)] = &[
            ("no such Canary", &admin, "show nothing-like-it".into()),
            ("the same in a namespace that is named", &admin, format!("describe nothing-like-it {other}")),
            ("no such namespace", &admin, "sticky set podinfo --secure --yes -n nowhere".into()),
            ("no Canary named", &admin, "sticky set --max-age 60".into()),
            ("no right to read", &nobody, "describe podinfo".into()),
            ("no right to list", &nobody, format!("show {other}")),
            ("no right to list all", &nobody, "show -A".into()),
            ("no right to watch", &reader, "show --watch".into()),
            ("no right to change", &reader, "sticky set podinfo --max-age 60 --yes".into()),
            ("no right to find routes", &nobody, "verify podinfo".into()),
            ("no right to install", &nobody, "guard install --yes".into()),
            ("an unknown command", &admin, "rbac shwo".into()),
            ("no flag and no terminal", &admin, "sticky set podinfo".into()),
            ("no cookie to compute", &admin, "cookie fresh".into()),
            ("no cookie to verify", &admin, "verify fresh".into()),
            ("declared alone", &admin, "sticky set podinfo --max-age 60 --declare-only --yes".into()),
            ("made live", &admin, "sticky set podinfo --max-age 90 --yes".into()),
            (
                "made live in a namespace that is named",
                &admin,
                format!("sticky set podinfo --max-age 100 --yes {other}"),
            ),
            ("no right to make an entry", &declarer, "sticky set podinfo --entry /sign-in --yes".into()),
            ("no right to look for Traefik", &reader, "verify podinfo --through-cluster".into()),
            (
                "no right to reach Traefik",
                &looker,
                format!("verify podinfo --through-cluster={}/traefik", namespace.name()),
            ),
            ("applied", &admin, "sticky apply podinfo --yes".into()),
            (
                "findings",
                &admin,
                "lint podinfo --fail-on never --ignore CT007,CT008,CT009,CT010,CT026,CT029,CT030,CT037".into(),
            ),
            ("what will be seen", &admin, "simulate podinfo --steps 10,50 --interval 1m".into()),
            ("without a guard", &admin, "guard status".into()),
        ];
        let mut table = String::new();
        for (name, user, line) in situations {
            let output = namespace.run_as(user, line.split(' ')).run();
            table.push_str(&format!("{name}:\n"));
            for command in commands(&output) {
                let shown = command.replace(namespace.name(), "[NS]");
                if command.split(' ').any(|word| word.chars().all(char::is_uppercase)) {
                    table.push_str(&format!("  {shown} (to be completed)\n"));
                    continue;
                }
                let ran = typed(&namespace, user, &command);
                let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
                let said = match ran.code {
                    Some(0) => String::new(),
                    _ if ran.stdout.is_empty() => format!(": {}", first(&ran.stderr)),
                    _ => format!(": {}", first(&ran.stdout)),
                };
                table.push_str(&format!("  {shown} -> {}{said}\n", ran.code.expect("an exit code")));
            }
        }
        exactly(
            &table,
            str![[r#"
no such Canary:
  kubectl canary-traefik show -n [NS] -> 0
the same in a namespace that is named:
  kubectl canary-traefik show -n [NS] -> 0
no such namespace:
  kubectl canary-traefik show -A -> 0
no Canary named:
  kubectl canary-traefik show -> 0
no right to read:
  kubectl auth can-i get canaries.flagger.app -n [NS] -> 1: no
  kubectl canary-traefik rbac describe -n [NS] -> 0
no right to list:
  kubectl auth can-i list canaries.flagger.app -n [NS] -> 1: no
  kubectl canary-traefik rbac show -n [NS] -> 0
no right to list all:
  kubectl auth can-i list canaries.flagger.app -A -> 1: no
  kubectl canary-traefik rbac show -A -> 0
no right to watch:
  kubectl auth can-i watch canaries.flagger.app -n [NS] -> 1: no
  kubectl canary-traefik rbac show --watch -n [NS] -> 0
no right to change:
  kubectl auth can-i patch canaries.flagger.app -n [NS] -> 1: no
  kubectl canary-traefik rbac sticky set -n [NS] -> 0
no right to find routes:
  kubectl auth can-i get canaries.flagger.app -n [NS] -> 1: no
  kubectl canary-traefik rbac verify -n [NS] -> 0
no right to install:
  kubectl auth can-i get mutatingadmissionpolicies.admissionregistration.k8s.io -> 1: no
  kubectl canary-traefik rbac guard install -> 0
an unknown command:
  kubectl canary-traefik rbac show -> 0
no flag and no terminal:
  kubectl canary-traefik sticky set podinfo --name login --max-age 300 --http-only -> 0
no cookie to compute:
  kubectl canary-traefik sticky set fresh -> 2: error: nothing to set: no cookie flag, and no terminal to ask on
no cookie to verify:
  kubectl canary-traefik sticky set fresh -> 2: error: nothing to set: no cookie flag, and no terminal to ask on
declared alone:
  kubectl canary-traefik sticky set podinfo -n [NS] --entry /login -> 0
  kubectl canary-traefik sticky apply podinfo -> 0
made live:
  kubectl canary-traefik guard install -> 0
made live in a namespace that is named:
  kubectl canary-traefik guard install -> 0
no right to make an entry:
  kubectl auth can-i patch middlewares.traefik.io -n [NS] -> 1: no
  kubectl canary-traefik rbac sticky set --entry -n [NS] -> 0
no right to look for Traefik:
  kubectl auth can-i list pods -A -> 1: no
  kubectl canary-traefik rbac verify --through-cluster -A -> 0
no right to reach Traefik:
  kubectl auth can-i get pods --subresource=portforward -n [NS] -> 1: no
  kubectl canary-traefik rbac verify --through-cluster -n [NS] -> 0
applied:
findings:
  kubectl canary-traefik describe podinfo -n [NS] -> 0
  kubectl canary-traefik describe podinfo -n [NS] -> 0
  kubectl canary-traefik guard install -> 0
what will be seen:
  kubectl canary-traefik sticky set podinfo --max-age 1m -> 0
  kubectl canary-traefik simulate podinfo --max-age 1m --steps 10,50,100 --interval 1m3s -> 0
without a guard:
  kubectl canary-traefik guard install -> 0

"#]],
        );
    }
}
