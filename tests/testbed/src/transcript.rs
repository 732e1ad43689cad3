//! Documents as tests: every command of a document's `console` blocks is run, in order, at a terminal, and what it
//! shows has to be what the document shows. `SNAPSHOTS=overwrite` writes what it shows into the document.
//!
//! A line that begins with `$ ` is a command, up to a line without a `\` at its end; what follows is shown by
//! it. Each question is answered with `y`.

use std::path::Path;

use snapbox::Data;

use super::{
    bed,
    directory::Directory,
    pty::Pty,
    redact::redact,
    run::{Run, exactly, plugin},
};

const BLOCK: &str = "```console";
const PROMPT: &str = "$ ";
/// How a question begins its answers.
const QUESTION: &str = "[y]es / [N]o";

/// Runs the document against the cluster of this kubeconfig, with kubectl and the plugin on the `PATH`. What goes on in the
/// cluster goes on only while a command waits for it, so it makes no difference how long the other commands take: `goes_on` is
/// told before and after.
#[track_caller]
pub fn holds(document: &str, kubeconfig: &Path, goes_on: &dyn Fn(bool)) {
    let path = bed::root().join(document);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
    let programs = programs();
    let mut shown = String::new();
    let mut lines = text.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        shown.push_str(line);
        shown.push('\n');
        inside = if inside { line != "```" } else { line == BLOCK };
        let Some(mut command) = inside.then(|| line.strip_prefix(PROMPT)).flatten().map(str::to_owned) else {
            continue;
        };
        while command.ends_with('\\') {
            let more = lines.next().expect("a command goes on after a backslash");
            shown.push_str(&format!("{more}\n"));
            command.push_str(&format!("\n{more}"));
        }
        let mut expected = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with(PROMPT) && *line != "```") {
            expected.push_str(&format!("{line}\n"));
        }
        let waits = command.starts_with("kubectl wait ");
        goes_on(waits);
        let actual = run(&command, kubeconfig, programs.path());
        goes_on(false);
        // What differs from run to run may stay as it is written.
        shown.push_str(if comparable(&actual) == comparable(&expected) { &expected } else { &actual });
    }
    exactly(&shown, Data::read_from(&path, Some(snapbox::data::DataFormat::Text)));
}

/// What has to be the same. How often Flagger warns that pods are not ready yet depends on when it looks.
fn comparable(shown: &str) -> Vec<String> {
    let mut is_warning = false;
    let is_kept = |line: &&str| {
        // The message goes on below its column.
        is_warning = line.starts_with("  Warning  ") || is_warning && line.starts_with("          ");
        !is_warning
    };
    redact(shown).lines().filter(is_kept).map(str::to_owned).collect()
}

/// What the command leaves on the screen.
fn run(command: &str, kubeconfig: &Path, programs: &Path) -> String {
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let run = Run::of("/bin/sh", ["-c", command]).kubeconfig(kubeconfig).env("PATH", path);
    let mut terminal = Pty::start_with(run.dir(bed::root()), 110);
    if terminal.comes(QUESTION, 1) {
        terminal.answers(QUESTION, "y");
    }
    let seen = terminal.ends();
    assert!(matches!(seen.code, Some(0 | 1)), "{command}: {seen:?}");
    seen.screen
}

/// A folder with kubectl and the plugin in it.
fn programs() -> Directory {
    let programs = Directory::new();
    let kubectl = bed::program("kubectl").unwrap_or_else(|error| panic!("{error}"));
    for (name, program) in [("kubectl", kubectl), ("kubectl-canary_traefik", plugin())] {
        std::os::unix::fs::symlink(program, programs.path().join(name)).expect("a link in a fresh directory");
    }
    programs
}
