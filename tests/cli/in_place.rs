//! Files edited in place: by several at once, where that cannot be, and with no room for what was typed.
#![expect(clippy::disallowed_methods, reason = "makes files of every kind, and looks at them")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    process::Command,
    thread,
};

use snapbox::str;
use testbed::{
    directory::Directory,
    editor::Editor,
    run::{Output, Run},
};

use crate::manifests::{canary, folder};

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-canary_traefik");

/// Changes that do not touch each other, and what each leaves in the declaration.
const CHANGES: [(&str, &str); 4] = [
    ("--name=login", "login"),
    ("--max-age=77", "Max-Age=77"),
    ("--path=/sso", "Path=/sso"),
    ("--domain=example.com", "Domain=example.com"),
];

fn set(folder: &Directory, arguments: &[&str]) -> Run {
    let all = ["sticky", "set", "web"].iter().chain(arguments).copied();
    Run::new(all).arguments(["-f", "canary.yaml", "--yes"]).dir(folder.path())
}

fn declared(folder: &Directory) -> Vec<String> {
    let text = folder.read("canary.yaml");
    let line = text.lines().find_map(|line| line.split_once("sticky-cookie: ")).map_or("", |(_, declared)| declared);
    line.split(';').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn of_changes_at_once_each_is_there_or_was_refused_as_a_conflict() {
    for round in 0..24 {
        let count = if round % 3 == 0 { 4 } else { 2 };
        let folder = folder(&[("canary.yaml", &canary("web", None))]);
        let outputs: Vec<Output> = thread::scope(|scope| {
            let folder = &folder;
            let runs = CHANGES[..count].iter().map(|(flag, _)| scope.spawn(move || set(folder, &[flag]).run()));
            runs.collect::<Vec<_>>().into_iter().map(|run| run.join().expect("a run ends")).collect()
        });
        let there = declared(&folder);
        for ((flag, part), output) in CHANGES.iter().zip(&outputs) {
            let is_there = there.iter().any(|known| known == part);
            match output.code {
                Some(0) => assert!(is_there, "{flag} is lost in round {round}: {there:?}"),
                Some(5) => assert!(!is_there, "{flag} was refused and is there in round {round}: {there:?}"),
                _ => panic!("{flag} in round {round}: {output}"),
            }
        }
        assert!(outputs.iter().any(|output| output.code == Some(0)), "somebody is first: {outputs:?}");
        assert_eq!(folder.names(), ["canary.yaml"], "no other file is left");
    }
}

#[test]
fn a_file_that_another_program_locks_for_long_is_left_alone() {
    let folder = folder(&[("canary.yaml", &canary("web", None))]);
    let held = fs::File::open(folder.path().join("canary.yaml")).expect("one's own file");
    held.lock().expect("a lock");
    set(&folder, &["--max-age=77"]).run().shows(str![[r#"
exit: 5
--- stdout
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -3,6 +3,8 @@
 kind: Canary
 metadata:
   name: web
+  annotations:
+    kubectl-canary-traefik/sticky-cookie: ; Max-Age=77
 spec:
   provider: traefik
   targetRef:
error: `canary.yaml` is locked by another program and was not changed
hint: run the command again

"#]]);
    held.unlock().expect("its own lock");
    assert_eq!(set(&folder, &["--max-age=77"]).run().code, Some(0));
}

/// A pipe of this name.
fn pipe(folder: &Directory, name: &str) {
    let path = folder.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("a program of the system").success());
}

#[test]
fn a_pattern_passes_over_pipes() {
    let folder = folder(&[("web.yaml", &canary("web", None))]);
    pipe(&folder, "a.yaml");
    Run::new(["show", "-o", "name", "-f", "*.yaml"]).dir(folder.path()).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web
--- stderr
warning: a.yaml: skipped, not a regular file

"#]]);
}

#[test]
fn a_pipe_is_read_once_and_not_edited() {
    let folder = folder(&[("other.yaml", &canary("web", None))]);
    pipe(&folder, "canary.yaml");
    let feed = |run: Run| {
        thread::scope(|scope| {
            // It opens when somebody reads, and is written once.
            scope.spawn(|| fs::write(folder.path().join("canary.yaml"), canary("web", Some("login"))));
            run.run()
        })
    };
    feed(Run::new(["show", "-f", "canary.yaml", "-o", "name"]).dir(folder.path())).shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web
--- stderr

"#]]);
    feed(set(&folder, &["--max-age=77"])).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `canary.yaml` cannot be edited in place: it is not a regular file
hint: use -f - to print the result instead

"#]]);
    feed(set(&folder, &["--max-age=77", "--dry-run=client"])).shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web configured (dry run)
--- stderr
--- canary.yaml (before)
+++ canary.yaml (after)
@@ -4,7 +4,7 @@
 metadata:
   name: web
   annotations:
-    kubectl-canary-traefik/sticky-cookie: login
+    kubectl-canary-traefik/sticky-cookie: login; Max-Age=77
 spec:
   provider: traefik
   targetRef:

"#]]);
    let editor = Editor::new(&[":"]);
    let edit = Run::new(["sticky", "edit", "web", "-f", "canary.yaml", "--yes"]).dir(folder.path());
    feed(editor.of(edit)).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `canary.yaml` cannot be edited in place: it is not a regular file
hint: use -f - to print the result instead

"#]]);
    assert_eq!(editor.rounds(), 0, "nothing is typed for nothing");
    let edit = Run::new(["sticky", "edit", "web", "-f", "canary.yaml", "--dry-run=client"]).dir(folder.path());
    let editor = Editor::new(&[r#"echo 'maxAge: 60' >"$1""#]);
    assert_eq!(feed(editor.of(edit)).code, Some(0));
}

#[test]
fn what_a_shell_hands_over_as_a_file_is_not_edited() {
    let folder = folder(&[("canary.yaml", &canary("web", None))]);
    let shell =
        |line: &str| Run::of("/bin/bash", ["-c", line, PROGRAM]).env("PATH", "/usr/bin:/bin").dir(folder.path()).run();
    let set = "\"$0\" sticky set web --max-age 77 --yes";
    shell(&format!("{set} -f <(cat canary.yaml) 2>&1 | sed 's,/dev/fd/[0-9]*,/dev/fd/N,'")).shows(str![[r#"
exit: 0
--- stdout
error: `/dev/fd/N` cannot be edited in place: it is not a regular file
hint: use -f - to print the result instead
--- stderr

"#]]);
    shell(&format!("cat canary.yaml | {set} -f /dev/stdin")).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `/dev/stdin` cannot be edited in place: it is not a regular file
hint: use -f - to print the result instead

"#]]);
    shell(&format!("{set} -f /dev/stdin <canary.yaml")).shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `/dev/stdin` cannot be edited in place: it is not a regular file
hint: use -f - to print the result instead

"#]]);
    shell("\"$0\" show -o name -f <(cat canary.yaml); \"$0\" show -o name -f /dev/stdin <canary.yaml").shows(str![[
        r#"
exit: 0
--- stdout
canary.flagger.app/web
canary.flagger.app/web
--- stderr

"#
    ]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
}

#[test]
fn a_pipe_beside_a_file_hangs_nothing() {
    let folder = folder(&[("canary.yaml", &canary("web", None)), (".canary.yaml.7-7.tmp", "left behind")]);
    pipe(&folder, ".canary.yaml.1-1.tmp");
    pipe(&folder, "pipe.yaml");
    assert_eq!(set(&folder, &["--max-age=77"]).run().code, Some(0));
    // What is no file of ours stays.
    assert_eq!(folder.names(), [".canary.yaml.1-1.tmp", "canary.yaml", "pipe.yaml"]);
    Run::new(["show", "-o", "name", "-f", "."]).dir(folder.path()).run().shows(str![[r#"
exit: 0
--- stdout
canary.flagger.app/web
--- stderr
warning: ./pipe.yaml: skipped, not a regular file

"#]]);
}

#[test]
fn a_file_that_is_read_only_is_not_replaced() {
    let folder = folder(&[("canary.yaml", &canary("web", None))]);
    let path = folder.path().join("canary.yaml");
    fs::set_permissions(&path, Permissions::from_mode(0o444)).expect("one's own file");
    set(&folder, &["--max-age=77"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `canary.yaml` cannot be edited in place: it is read-only
hint: chmod u+w canary.yaml

"#]]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
    // What only prints needs no right to write.
    assert_eq!(set(&folder, &["--max-age=77", "--dry-run=client"]).run().code, Some(0));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("one's own file");
    assert_eq!(set(&folder, &["--max-age=77"]).run().code, Some(0));
}

#[test]
fn a_file_of_two_names_is_not_parted() {
    let folder = folder(&[("canary.yaml", &canary("web", None))]);
    fs::hard_link(folder.path().join("canary.yaml"), folder.path().join("it's another.yaml")).expect("a link");
    set(&folder, &["--max-age=77"]).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: `canary.yaml` cannot be edited in place: it has other names too (hard links)
hint: cp canary.yaml canary.yaml.new && mv canary.yaml.new canary.yaml makes it a file of its own

"#]]);
    let names = ["canary.yaml", "it's another.yaml"];
    let numbers = names.map(|name| fs::metadata(folder.path().join(name)).expect("a file").ino());
    assert_eq!(numbers[0], numbers[1]);
    assert_eq!(folder.read("canary.yaml"), canary("web", None));
}

#[test]
fn where_there_is_no_room_what_was_typed_stays_whole() {
    let folder = folder(&[("canary.yaml", &canary("web", Some("login; Max-Age=300")))]);
    let temporary = Directory::new();
    // It fills the file up to what files may have here (2 KiB); with the reason above its line it would be longer.
    let fill = r##"{ printf 'maxAge: soon\n'; head -c 2000 /dev/zero | tr '\0' '#'; printf '\n# the end\n'; } >"$1""##;
    let editor = Editor::new(&[fill]);
    let words = "sticky edit web -f canary.yaml --yes";
    // A signal that is ignored becomes an error (setrlimit(2), RLIMIT_FSIZE).
    let limited = |blocks: u8| format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {words}");
    let run = Run::of("/bin/sh", ["-c", &limited(4), PROGRAM]).dir(folder.path()).env("TMPDIR", temporary.path());
    let run = run.redact(&temporary.path().display().to_string(), "[TMP]");
    editor.of(run).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot write `[TMP]/kubectl-canary-traefik-[X]/web.yaml`
caused by: file too large
hint: your edit was saved to [TMP]/kubectl-canary-traefik-[X]/web.yaml

"#]]);
    let names = temporary.names();
    assert_eq!(names.len(), 1, "one folder: {names:?}");
    let kept = temporary.read(&format!("{}/web.yaml", names[0]));
    assert_eq!((kept.lines().next(), kept.lines().last()), (Some("maxAge: soon"), Some("# the end")));
    let beside = fs::read_dir(temporary.path().join(&names[0])).expect("a folder").count();
    assert_eq!(beside, 1, "nothing half written is left");

    // Nothing was typed, so nothing was saved.
    let (editor, temporary) = (Editor::new(&[":"]), Directory::new());
    let run = Run::of("/bin/sh", ["-c", &limited(1), PROGRAM]).dir(folder.path()).env("TMPDIR", temporary.path());
    let run = run.redact(&temporary.path().display().to_string(), "[TMP]");
    editor.of(run).run().shows(str![[r#"
exit: 2
--- stdout
--- stderr
error: cannot write `[TMP]/kubectl-canary-traefik-[X]/web.yaml`
caused by: file too large

"#]]);
    assert_eq!((editor.rounds(), temporary.names().len()), (0, 0));
}
