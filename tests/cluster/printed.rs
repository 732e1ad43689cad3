//! The commands that are printed work as they are printed: in hints, and after a change. Those that undo a change are tried in
//! `undoing`.

use std::path::Path;

use serde_json::json;
use snapbox::str;
use testbed::{
    bed,
    namespace::Namespace,
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
        it if it.contains(" guard install") => " --dry-run=server",
        it if it.contains(" sticky ") => " --yes",
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
        let other = format!("-n {}", namespace.name());
        let situations: &[(&str, &Path, String)] = &[
            ("no such Canary", &admin, "show nothing-like-it".into()),
            ("the same in a namespace that is named", &admin, format!("describe nothing-like-it {other}")),
            ("no such namespace", &admin, "sticky set podinfo --secure --yes -n nowhere".into()),
            ("no Canary named", &admin, "sticky set --max-age 60".into()),
            ("no right to read", &nobody, "describe podinfo".into()),
            ("no right to list", &nobody, format!("show {other}")),
            ("an unknown command", &admin, "rbac shwo".into()),
            ("declared alone", &admin, "sticky set podinfo --max-age 60 --declare-only --yes".into()),
            ("made live", &admin, "sticky set podinfo --max-age 90 --yes".into()),
            (
                "made live in a namespace that is named",
                &admin,
                format!("sticky set podinfo --max-age 100 --yes {other}"),
            ),
            ("applied", &admin, "sticky apply podinfo --yes".into()),
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
                let said = if ran.code == Some(0) {
                    String::new()
                } else {
                    format!(": {}{}", first(&ran.stdout), first(&ran.stderr))
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
an unknown command:
  kubectl canary-traefik rbac show -> 0
declared alone:
  kubectl canary-traefik sticky set podinfo -n [NS] --entry /login -> 0
  kubectl canary-traefik sticky apply podinfo -> 0
made live:
  kubectl canary-traefik guard install -> 0
made live in a namespace that is named:
  kubectl canary-traefik guard install -> 0
applied:
without a guard:
  kubectl canary-traefik guard install -> 0

"#]],
        );
    }
}
