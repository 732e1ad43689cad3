//! What is printed to be typed can be typed: each command of this program in the snapshots and the documents parses, and one of
//! each kind is typed where it was printed, here, in `tests/cluster/printed.rs` or in `tests/e2e/verify.rs`. What undoes a change
//! is typed in `testbed::undoing`.
#![expect(clippy::disallowed_methods, reason = "reads what the program does not, and asks a shell")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use canary_traefik::{
    cli,
    lint::{RULES, Rule},
};
use serde_json::Value;
use snapbox::str;
use testbed::{
    directory::Directory,
    examples,
    run::{Run, exactly},
};

use crate::manifests::{canary, folder};

/// What stands in front of a command to type.
const BEFORE: [&str; 4] = ["hint: ", "to ", "once ", "fix: "];
/// What a command may be followed by.
const PROSE: [&str; 8] =
    [" lists the ", " prints the ", ", then ", " installs them", " removes it", "; to ", " (", "`"];
const NAME: &str = "kubectl canary-traefik ";

/// Those whose snapshots a terminal has broken into lines, and those of what was typed.
const OTHER: [&str; 5] = ["by_hand.rs", "wizard.rs", "terminal.rs", "printed.rs", "CHANGELOG.md"];

/// Every file of tests and documents, but these.
fn texts(but: &[&str]) -> Vec<PathBuf> {
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
    found.retain(|path| path.file_name().is_none_or(|name| but.iter().all(|other| name != *other)));
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

/// The words of each command, as a shell takes them.
fn words<'a>(commands: impl Iterator<Item = &'a String>) -> Vec<Vec<String>> {
    let script: String = commands.map(|command| format!("printf '%s\\n' {command}; echo\n")).collect();
    let output = Command::new("sh").args(["-efc", &script]).output().expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_terminator("\n\n").map(|words| words.lines().map(str::to_owned).collect()).collect()
}

/// Each command that is printed, but those of which `skipped` is the beginning of the line.
fn printed(skipped: &str) -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    for path in texts(&OTHER) {
        let text = fs::read_to_string(&path).expect("text");
        let lines = lines(&text);
        let lines = lines.iter().filter(|line| skipped.is_empty() || !line.trim_start().starts_with(skipped));
        commands.extend(lines.filter_map(|line| command(line)));
    }
    commands
}

#[test]
fn every_command_that_is_printed_is_one_that_parses() {
    let commands = printed("");
    let words = words(commands.iter());
    assert_eq!(words.len(), commands.len());
    let mut clap = cli::command();
    let wrong: Vec<_> = commands
        .iter()
        .zip(words)
        .filter_map(|(command, words)| {
            let words = std::iter::once("kubectl canary-traefik".to_owned()).chain(words);
            let error = clap.try_get_matches_from_mut(words).err()?;
            Some(format!("{command}: {}", error.to_string().lines().next().unwrap_or_default()))
        })
        .collect();
    assert_eq!(wrong, [""; 0]);
    assert!(commands.len() > 50, "{} commands", commands.len());
}

/// The Canaries in the manifests of a folder for which `lint` finds this, with the fixes.
fn findings(folder: &Directory, code: &str) -> Vec<(String, String)> {
    let output = Run::new(["lint", "-f", ".", "-o", "json"]).dir(folder.path()).run();
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"));
    let findings = report["items"].as_array().into_iter().flatten().filter(|finding| finding["code"] == code);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings.map(|finding| (text(&finding["name"]), text(&finding["help"]))).collect()
}

#[test]
fn a_fix_that_is_printed_takes_its_finding_away() {
    let mut table = String::new();
    for Rule { code, bad, .. } in RULES.iter().filter(|rule| !rule.bad.is_empty()) {
        let folder = Directory::new();
        folder.write("cart.yaml", examples::completed(bad));
        for (canary, fix) in findings(&folder, code) {
            let Some((by_hand, command)) = fix.split_once(NAME).filter(|_| fix.contains(" -f ")) else { continue };
            let command = format!("{NAME}{}", command.replace(" NAME", " another"));
            folder.write("cart.yaml", examples::completed(bad));
            let ran = Run::typed(&command).dir(folder.path()).run();
            let is_left = findings(&folder, code).iter().any(|(other, _)| *other == canary);
            let outcome = match ran.code {
                Some(0) if is_left => format!("0, and by hand: {by_hand}"),
                Some(0) => "gone".to_owned(),
                _ => ran.to_string(),
            };
            table.push_str(&format!("{code} {command} -> {outcome}\n"));
        }
    }
    exactly(
        &table,
        str![[r#"
CT003 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --name sticky-cart -> gone
CT003 kubectl canary-traefik sticky set pay -n shop -f ./cart.yaml --name sticky-pay -> gone
CT004 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --secure -> gone
CT005 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --unset secure -> gone
CT008 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --unset same-site -> gone
CT010 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --unset path -> gone
CT012 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --max-age 2m -> gone
CT014 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --name login --max-age 2m -> 0, and by hand: remove sticky from the route, and: 
CT018 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --path / -> gone
CT019 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --unset domain -> gone
CT020 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --entry /login --max-age 2m -> gone
CT021 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --entry /login --max-age 2m -> gone
CT023 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --name another -> gone
CT025 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --http-only -> gone
CT046 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --name cart-track --max-age 2m -> 0, and by hand: remove it and set a sticky cookie that lasts just over the length of one login: 
CT048 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --entry /login -> gone
CT053 kubectl canary-traefik sticky set cart -n shop -f ./cart.yaml --name cart -> gone

"#]],
    );
}

#[test]
fn each_command_that_is_printed_about_manifests_can_be_typed() {
    let declared = |text| folder(&[("canary.yaml", &canary("web", text))]);
    let situations = [
        ("malformed", Some("login; Path=sso"), "sticky set web --path /sso -f canary.yaml"),
        ("malformed, below a folder", Some("login; Path=sso"), "sticky set web --path /sso -R -f ."),
        ("no flag and no terminal", None, "sticky set web -f canary.yaml"),
        ("a cookie that lasts long", Some("login; Max-Age=86400"), "simulate web -f canary.yaml --steps 10,50"),
    ];
    let mut table = String::new();
    for (name, text, line) in situations {
        table.push_str(&format!("{name}:\n"));
        let folder = declared(text);
        let output = Run::new(line.split(' ')).dir(folder.path()).run().to_string();
        for command in lines(&output).iter().filter_map(|line| command(line)) {
            let ran = Run::typed(&format!("{NAME}{command}")).dir(folder.path()).run();
            let outcome = if ran.code == Some(0) { "0".to_owned() } else { ran.to_string() };
            table.push_str(&format!("  {NAME}{command} -> {outcome}\n"));
        }
    }
    exactly(
        &table,
        str![[r#"
malformed:
  kubectl canary-traefik sticky remove web -f canary.yaml -> 0
malformed, below a folder:
  kubectl canary-traefik sticky remove web -f . -R -> 0
no flag and no terminal:
  kubectl canary-traefik sticky set web --name login --max-age 300 --http-only -f canary.yaml -> 0
a cookie that lasts long:
  kubectl canary-traefik simulate web --max-age 1m --steps 10,50,100 --interval 1m3s --entry -f canary.yaml -> 0

"#]],
    );
}

/// The kind of a command: what it does, with which flags, wherever it does it.
fn kind(command: &str) -> String {
    const WHERE: [&str; 10] =
        ["-n", "-A", "-f", "-R", "--context", "--kubeconfig", "--server", "--token", "--as", "--as-group"];
    let mut clap = cli::command();
    let mut path = Vec::new();
    for word in command.split(' ') {
        match clap.find_subcommand(word).cloned() {
            Some(next) => clap = next,
            None => break,
        }
        path.push(word);
    }
    let flags = command.split(' ').filter(|word| word.starts_with('-'));
    let flags = flags.map(|flag| flag.split('=').next().unwrap_or(flag)).filter(|flag| !WHERE.contains(flag));
    // Any flags of a simulation go together.
    let flags: BTreeSet<_> = flags.filter(|_| path != ["simulate"]).collect();
    path.into_iter().chain(flags).collect::<Vec<_>>().join(" ")
}

/// The first asks at a terminal, in `tests/cluster/by_hand.rs`; an image has to be completed; and what it installs is
/// uninstalled in `tests/webhook/uninstall.rs`.
const ELSEWHERE: [&str; 3] = ["sticky set", "guard install --image", "guard uninstall"];

#[test]
fn every_kind_of_command_that_is_printed_is_typed_where_it_was_printed() {
    let texts = texts(&[]).into_iter().map(|path| fs::read_to_string(path).expect("text"));
    let typed: BTreeSet<_> = texts
        .flat_map(|text| {
            let rows = text.lines().filter_map(|line| line.split_once(" -> "));
            let done = rows.filter(|(_, outcome)| *outcome == "gone" || outcome.starts_with('0'));
            done.filter_map(|(row, _)| Some(kind(row.split_once(NAME)?.1))).collect::<Vec<_>>()
        })
        .collect();
    // What undoes a change is typed by `testbed::undoing`, in every level that changes cookies.
    let kinds = printed("to undo: ").into_iter().map(|command| kind(&command));
    let missing: BTreeSet<_> =
        kinds.filter(|kind| !typed.contains(kind) && !ELSEWHERE.contains(&kind.as_str())).collect();
    assert_eq!(missing, BTreeSet::new());
}
