//! Who may use whom. `ARCHITECTURE.md` shows the same table to people.

use std::path::Path;

use super::tree::{code, read, rust_files};

/// A module of the library, and the modules that it may name. `main` and `lib` are free.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("environment", &["error"]),
    ("text", &[]),
    ("yaml", &["text"]),
    // Pure: values in, values out.
    ("model", &["error"]),
    ("plan", &["model", "error", "yaml", "text"]),
    ("guard", &["model", "error"]),
    ("lint", &["model", "plan", "error"]),
    ("output", &["model", "plan", "lint", "error", "yaml", "text"]),
    // The outside world; these do not know each other.
    ("ui", &["output", "error", "environment"]),
    ("files", &["model", "error", "yaml", "text"]),
    ("cluster", &["text", "model", "plan", "guard", "error", "environment", "yaml"]),
    // The guard as a process of its own.
    ("webhook", &["cluster", "guard", "plan", "model", "error", "text"]),
    // What brings them together.
    ("source", &["files", "cluster", "model", "plan", "error"]),
    ("context", &["source", "ui", "output", "error", "environment", "cluster", "files", "model"]),
    // What can be typed next.
    ("completion", &["files", "cluster", "model", "environment", "text"]),
    (
        "commands",
        &[
            "completion",
            "text",
            "context",
            "source",
            "cluster",
            "webhook",
            "files",
            "ui",
            "output",
            "lint",
            "guard",
            "plan",
            "model",
            "yaml",
            "environment",
            "error",
        ],
    ),
    ("cli", &["commands", "completion", "context", "error", "cluster", "environment", "output", "ui", "source"]),
];

/// One use of a module by another: where it stands, who uses, who is used.
type Use = (usize, String, String);

/// The module of the library that a file belongs to; `None` for `main.rs` and `lib.rs`.
fn module_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix("src").expect("a file of src");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (name != "main" && name != "lib").then_some(name)
}

/// The first names of the paths in `{a::b, c::{d, e}, f}` or of the one path at the beginning.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let (mut names, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[begin..at]));
                begin = at + 1;
            }
            '}' => {
                names.push(name(&group[begin..at]));
                break;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Every module of the library that a file names from the root: by `crate::`, or by enough `super::`.
fn uses(path: &Path, text: &str) -> Vec<Use> {
    let Some(module) = module_of(path) else { return Vec::new() };
    let folders = path.components().count() - 2;
    let depth = if path.file_name().is_some_and(|name| name == "mod.rs") { folders } else { folders + 1 };
    let code = code(text);
    let mut uses = Vec::new();
    for (at, first) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:$".contains(before)) {
            continue;
        }
        let path = code[at..].trim_start_matches(first);
        let reaches_root = first == "crate::" || (code.len() - at - path.len()) / first.len() >= depth;
        for name in first_names(path).into_iter().filter(|name| reaches_root && *name != module) {
            // Beside a module, `super::` names more than modules.
            if first == "crate::" || MAY_USE.iter().any(|(module, _)| *module == name) {
                uses.push((code[..at].matches('\n').count() + 1, module.clone(), name));
            }
        }
    }
    uses.sort();
    uses
}

fn violation((line, user, used): &Use, path: &Path) -> Option<String> {
    let row = MAY_USE.iter().find(|(module, _)| module == user);
    let allowed = row.is_some_and(|(_, allowed)| allowed.contains(&used.as_str()));
    (!allowed).then(|| format!("{}:{line}: {user} -> {used}", path.display()))
}

#[test]
fn modules_use_only_what_the_table_lets_them() {
    let mut violations = Vec::new();
    for path in rust_files("src") {
        violations.extend(uses(&path, &read(&path)).iter().filter_map(|found| violation(found, &path)));
    }
    assert_eq!(violations, [""; 0], "not in the table of tests/repo/layers.rs");
}

#[test]
fn every_module_has_a_row() {
    let modules: std::collections::BTreeSet<_> = rust_files("src").iter().filter_map(|path| module_of(path)).collect();
    let without: Vec<_> = modules.iter().filter(|name| !MAY_USE.iter().any(|(row, _)| row == name)).cloned().collect();
    assert_eq!(without, [""; 0], "modules without a row in tests/repo/layers.rs");
}

#[test]
fn the_table_names_only_its_own_rows_and_has_no_circle() {
    for (at, (module, allowed)) in MAY_USE.iter().enumerate() {
        for name in *allowed {
            let place = MAY_USE.iter().position(|(row, _)| row == name);
            assert!(place.is_some_and(|place| place < at), "{module} -> {name} points up or to no row");
        }
    }
}

#[test]
fn uses_are_found_however_they_are_written() {
    let text = "\
use crate::{model::{self, canary}, cluster};
fn a() { crate::ui::say(\"crate::source\") } // crate::commands
use super::output;
mod tests { use super::*; fn b() { super::super::lint::all(); $crate::files; my_crate::cli; } }
";
    let found = |path: &str| -> Vec<String> {
        uses(Path::new(path), text).into_iter().map(|(line, user, used)| format!("{line} {user} {used}")).collect()
    };
    assert_eq!(found("src/plan.rs"), ["1 plan cluster", "1 plan model", "2 plan ui", "3 plan output", "4 plan lint"]);
    assert_eq!(found("src/plan/mod.rs"), found("src/plan.rs"));
    assert_eq!(found("src/plan/diff.rs"), ["1 plan cluster", "1 plan model", "2 plan ui", "4 plan lint"]);
    assert_eq!(found("src/main.rs"), [""; 0]);
}
