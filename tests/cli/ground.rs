//! Hostile ground: no home, closed streams, terminals of any width that can do nothing, words of any width.

use snapbox::str;
use testbed::{bed, directory::Directory, pty::Pty, run::Run};

use crate::manifests::{canary, folder, run};

/// A shell line in which `$0` is the program, run in the repository.
fn shell(line: &str) -> Run {
    Run::of("/bin/sh", ["-c", line, env!("CARGO_BIN_EXE_kubectl-canary_traefik")]).dir(bed::root())
}

/// What needs no server: one line of each command.
const LINES: [&str; 13] = [
    "show -f examples",
    "diff podinfo -f examples",
    "render checkout -f examples",
    "simulate checkout -f examples",
    "sticky get checkout -f examples",
    "sticky set podinfo --max-age 300 -f examples --dry-run",
    "guard install -o yaml",
    "rbac show",
    "completion bash",
    "version --client",
    "--help",
    "sticky set --help",
    "--version",
];

#[test]
fn no_home_and_a_home_that_cannot_be_written_change_nothing() {
    for line in LINES {
        let usual = shell(&format!("\"$0\" {line}")).run().to_string();
        assert_eq!(usual.lines().next(), Some("exit: 0"), "{line}\n{usual}");
        for home in ["unset HOME", "HOME=", "HOME=/proc", "HOME=/dev/null"] {
            let there = shell(&format!("{home}; \"$0\" {line}")).run().to_string();
            assert_eq!(there, usual, "{home}: {line}");
        }
    }
    shell("unset HOME; \"$0\" show").run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: no kubeconfig found
hint: use --kubeconfig FILE, or --server URL

"#]]);
}

#[test]
fn nothing_is_left_in_a_home() {
    for line in LINES {
        let run = Run::new(line.split(' ')).dir(bed::root());
        let home = run.home();
        // It goes away with the run, so it has to be looked at by the run itself.
        let script = format!("\"$0\" {line} >/dev/null; ls -A {}", home.display());
        let seen = Run::of("/bin/sh", ["-c", &script, env!("CARGO_BIN_EXE_kubectl-canary_traefik")])
            .env("HOME", &home)
            .env("PATH", "/bin:/usr/bin")
            .dir(bed::root())
            .run();
        assert_eq!((seen.code, seen.stdout.as_str()), (Some(0), ""), "{line}");
        drop(run);
    }
}

#[test]
fn closed_streams_are_no_failure() {
    for line in LINES {
        for closed in ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let output = shell(&format!("\"$0\" {line} {closed}")).run();
            assert_eq!(output.code, Some(0), "{line} {closed}\n{output}");
        }
    }
}

#[test]
fn help_keeps_its_words_at_every_width() {
    let words = |line: &str, columns: usize| {
        let output = Run::new(line.split(' ')).env("COLUMNS", columns.to_string()).run();
        assert_eq!(output.code, Some(0), "{output}");
        let widest = output.stdout.lines().map(str::len).max().unwrap_or_default();
        (output.stdout.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), widest)
    };
    for line in ["--help", "sticky set --help", "guard install --help", "guard run --help", "rbac --help"] {
        let (usual, _) = words(line, 80);
        for columns in [40, 60, 100, 120, 200] {
            let (there, widest) = words(line, columns);
            assert_eq!(there, usual, "{line} at {columns}");
            // Examples are lines to be typed, and are not broken.
            assert!(widest <= 150, "{line} at {columns}: {widest}");
        }
    }
}

#[test]
fn a_terminal_that_can_do_nothing_gets_plain_text() {
    let plain = |run: Run| {
        let text = run.dir(bed::root()).run();
        assert!(!text.stdout.contains('\u{1b}') && !text.stderr.contains('\u{1b}'), "{text}");
    };
    for line in ["diff -f examples", "show --nope", "--help", "show nobody -f examples"] {
        plain(Run::new(line.split(' ')));
        // Colour is asked for by variables that many set, and refused by the one that counts.
        plain(Run::new(line.split(' ')).env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0"));
    }
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0")] {
        let run = shell("exec \"$0\" diff checkout -f examples").env(name, value);
        let seen = Pty::start(run).ends();
        assert_eq!(seen.code, Some(1), "{seen:?}");
    }
}

#[test]
fn a_question_at_a_dumb_terminal_can_be_answered() {
    let directory = Directory::new();
    directory.write("canary.yaml", canary("podinfo", None));
    let run = Run::of(
        "/bin/sh",
        [
            "-c",
            "TERM=dumb exec \"$0\" sticky set podinfo --max-age 300 -f canary.yaml",
            env!("CARGO_BIN_EXE_kubectl-canary_traefik"),
        ],
    );
    let mut pty = Pty::start(run.dir(directory.path()));
    pty.answers("Change canary.yaml?", "y");
    assert_eq!(pty.ends().code, Some(0));
    assert_eq!(directory.read("canary.yaml"), canary("podinfo", Some("; Max-Age=300")));
}

#[test]
fn wide_characters_keep_the_columns() {
    let folder = folder(&[
        ("a.yaml", &canary("チェックアウト", Some("login; Max-Age=300"))),
        ("b.yaml", &canary("checkout", Some("ログイン; Max-Age=300"))),
        ("c.yaml", &canary("суперкорзина", Some("é"))),
        ("d.yaml", &canary("cart\u{200d}🛒", None)),
    ]);
    run(&folder, "show -f .").shows(str![[r#"
exit: 0
--- stdout
NAME             PHASE    WEIGHT   COOKIE   STATE       PROTECTED   AGE
cart‍🛒           <none>   <none>   <none>   none        -           <unknown>
checkout         <none>   <none>   <none>   malformed   none        <unknown>
суперкорзина     <none>   <none>   <none>   malformed   none        <unknown>
チェックアウト   <none>   <none>   login    pending     <unknown>   <unknown>
--- stderr

"#]]);
    run(&folder, "show -f . -o name").shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/cart‍🛒
canary.flagger.app/checkout
canary.flagger.app/суперкорзина
canary.flagger.app/チェックアウト
--- stderr

"#]]);
    run(&folder, "sticky get チェックアウト -f .").shows(str![[r#"
exit: 0
--- stdout
FIELD     DECLARED   LIVE
name      login      <unset>
max-age   300        <unset>

state       pending (declared in an annotation)
protected   <unknown>
--- stderr

"#]]);
    run(&folder, "sticky get checkout -f .").shows(str![[r#"
exit: 0
--- stdout
FIELD         DECLARED                LIVE
<malformed>   ログイン; Max-Age=300   <none>

state       malformed (declared in an annotation)
why         it contains a character that is not printable ASCII
protected   none
--- stderr

"#]]);
    run(&folder, "sticky set checkout --name ログイン -f .").shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: invalid value 'ログイン' for '--name <NAME>': may contain only letters, digits and !#$%&'*+-.^_`|~

For more information, try '--help'.

"#]]);
}
