//! What is printed to be typed can be typed: each command of this program in the snapshots and the documents parses. Whether it
//! then does what is said is tried in `tests/cluster/printed.rs` and `undoing.rs`.
#![expect(clippy::disallowed_methods, reason = "reads what the program does not, and asks a shell")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use canary_traefik::cli;

/// What stands in front of a command to type.
const BEFORE: [&str; 4] = ["hint: ", "to ", "once ", "fix: "];
/// What a command may be followed by.
const PROSE: [&str; 8] =
    [" lists the ", " prints the ", ", then ", " installs them", " removes it", "; to ", " (", "`"];
const NAME: &str = "kubectl canary-traefik ";

/// Every file of tests and documents, but those whose snapshots a terminal has broken into lines.
fn texts() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs" || end == "md") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    for folder in ["tests", "docs"] {
        walk(&root.join(folder), &mut found);
    }
    let is_broken = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        ["by_hand.rs", "wizard.rs", "terminal.rs", "printed.rs", "CHANGELOG.md"].contains(&name.as_str())
    };
    found.retain(|path| !is_broken(path));
    found
}

/// The lines of a text, each with what follows it further to the right: reports are broken into lines.
fn lines(text: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some((depth, last)) if indent(line) > *depth && last.contains("fix: ") => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push((indent(line), line.to_owned())),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The command in a line of output, without its name; none if it is not whole.
fn command(line: &str) -> Option<String> {
    let line = line.trim_start();
    let at = BEFORE.iter().any(|before| line.starts_with(before)).then(|| line.find(NAME))??;
    let rest = &line[at + NAME.len()..];
    let end = PROSE.iter().filter_map(|prose| rest.find(prose)).min().unwrap_or(rest.len());
    // Part of a string of Rust, or of a sentence about any command.
    let is_whole =
        !rest[..end].contains(['…', '{', '\\', '"', '<', '>', '|', '&', ';', '$']) && !rest.contains("please report");
    // What differs from run to run is redacted.
    is_whole.then(|| rest[..end].trim_end_matches('.').replace("[NS]", "ns").replace("[PORT]", "1"))
}

/// The words of a command, as a shell takes them.
fn words(command: &str) -> Vec<String> {
    let output = Command::new("sh").args(["-fc", &format!("printf '%s\\n' {command}")]).output().expect("a shell");
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn every_command_that_is_printed_is_one_that_parses() {
    let mut commands = BTreeSet::new();
    for path in texts() {
        let text = fs::read_to_string(&path).expect("text");
        commands.extend(lines(&text).iter().filter_map(|line| command(line)));
    }
    let wrong: Vec<_> = commands
        .iter()
        .filter_map(|command| {
            let words = std::iter::once("kubectl canary-traefik".to_owned()).chain(words(command));
            let error = cli::command().try_get_matches_from(words).err()?;
            Some(format!("{command}: {}", error.to_string().lines().next().unwrap_or_default()))
        })
        .collect();
    assert_eq!(wrong, [""; 0]);
    assert!(commands.len() > 50, "{} commands", commands.len());
}
